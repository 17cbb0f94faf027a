"""Topics that a broker refuses: each affects only itself, is logged once, and is retried."""

from __future__ import annotations

import asyncio
import logging
import signal

import orjson
import pytest
from brokers import listening, until
from latest_values import keeping, publish
from records import BOOT, record

from klvrelay.config.mqtt import MqttSettings
from klvrelay.outcome import Outcome
from klvrelay.relay.notices import Notices
from klvrelay.sinks.contract import Notice
from klvrelay.sinks.mqtt.refused.suspended import CAP, HUNG_UP, HUNG_UP_CAP, HUNG_UP_FIRST, Suspended
from klvrelay.sinks.mqtt.sink import MqttSink
from klvrelay.sinks.mqtt.values import published_values

DENIED, QUOTA, PAYLOAD = 0x87, 0x97, 0x99
STATE = Notice("state", "uav2", b"{}")


@pytest.fixture
def log(caplog, monkeypatch):
    """The log lines about suspended topics."""
    monkeypatch.setattr(logging.getLogger("klvrelay"), "propagate", True)
    caplog.set_level(logging.INFO, "klvrelay")
    return lambda: [line for line in caplog.messages if ": topic " in line]


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def sink_to(broker, **settings):
    return MqttSink(MqttSettings.from_url(broker.url, **{"timeout": 4.0, **settings}), boot=BOOT)


async def restricted(mosquitto, rules):
    """A mosquitto with this access list."""
    await mosquitto.stop()
    path = mosquitto.home / "acl"
    path.write_text(f"topic read #\n{rules}")
    mosquitto.configure(f"listener 1 127.0.0.1\nallow_anonymous true\nacl_file {path}\n")
    await mosquitto.start()


@pytest.mark.needs("mosquitto")
async def test_a_forbidden_topic_starves_no_other(mosquitto, log):
    """360 records of two streams, one of them forbidden: 180 arrive in order, 180 count as rejected; one error line."""
    await restricted(mosquitto, "topic write klvrelay/status\ntopic write klvrelay/uav1/#\n")
    outcomes = []
    async with listening(mosquitto.port, "klvrelay/+/telemetry") as heard, sink_to(mosquitto) as sink:
        await publish(sink, STATE, Notice("state", "uav1", b"{}"))
        for start in range(0, 360, 20):
            batch = [record(n // 2, f"uav{n % 2 + 1}") for n in range(start, start + 20)]
            outcomes.append(await sink.deliver(batch))
        arrived = await heard.count(180)

    assert [orjson.loads(m.payload)["seq"] for m in arrived] == list(range(180))
    assert {str(m.topic) for m in heard.messages} == {"klvrelay/uav1/telemetry"}
    assert outcomes == [Outcome(delivered=10, rejected=10)] * 18
    assert len([line for line in log() if "uav2/telemetry" in line]) == 1
    assert "access list (ACL)" in log()[0]


@pytest.mark.needs("mosquitto")
async def test_a_topic_that_is_permitted_later_is_resumed(mosquitto, log):
    """The access list is corrected: records arrive, the refused latest value exists, and both are logged once."""
    await restricted(mosquitto, "topic write klvrelay/status\n")
    async with listening(mosquitto.port, "klvrelay/#") as heard, sink_to(mosquitto) as sink:
        notices = Notices()
        notices.put(STATE)
        keeping = asyncio.create_task(sink.keep(notices.cursor()), name="keeping")
        assert await sink.deliver([record(0)]) == Outcome(rejected=1)
        await until(lambda: len(sink.suspended) == 2)
        await until(lambda: any(b"klvrelay/uav2/state" in p for p in heard.on("klvrelay/status")))
        (mosquitto.home / "acl").write_text("topic read #\ntopic write klvrelay/#\n")
        mosquitto.process.send_signal(signal.SIGHUP)
        await until(lambda: heard.on("klvrelay/uav2/state") == [b"{}"])
        while await sink.deliver([record(1)]) == Outcome(rejected=1):
            await asyncio.sleep(0.05)
        await until(lambda: heard.on("klvrelay/status") and b"suspended" not in heard.on("klvrelay/status")[-1])
        keeping.cancel()
        await asyncio.wait({keeping})

    assert len(heard.on("klvrelay/uav1/telemetry")) == 1
    phrases = sorted(line.split(": ")[1] for line in log())
    assert phrases == 2 * ["topic accepted again"] + 2 * ["topic suspended"]


@pytest.mark.needs("mosquitto")
async def test_a_forbidden_status_costs_no_connection(mosquitto, log):
    """Neither at connect nor at the end: the records arrive over one connection."""
    await restricted(mosquitto, "topic write klvrelay/uav1/#\n")
    async with listening(mosquitto.port, "klvrelay/#") as heard, sink_to(mosquitto) as sink:
        await publish(sink, Notice("availability", "uav1", b"online"))
        assert await sink.deliver([record(n) for n in range(30)]) == Outcome(delivered=30)
        await heard.count(31)

    assert len(log()) == 1
    assert mosquitto.log().count("as klvrelay-") == 1


@pytest.mark.needs("mosquitto")
@pytest.mark.parametrize("qos", [1, 2])
async def test_a_refusal_at_either_qos_is_seen(mosquitto, qos):
    """By PUBACK or PUBREC: at QoS 2 no PUBREL follows it, and the next messages continue."""
    await restricted(mosquitto, "topic write klvrelay/status\ntopic write klvrelay/uav1/#\n")
    async with sink_to(mosquitto, qos=qos) as sink:
        outcome = await sink.deliver([record(n, f"uav{n % 2 + 1}") for n in range(40)])

    assert outcome == Outcome(delivered=20, rejected=20)
    assert mosquitto.log().count("as klvrelay-") == 1


@pytest.mark.needs("mosquitto")
async def test_mqtt_3_1_1_does_not_report_a_refusal(mosquitto):
    """mosquitto acknowledges a forbidden message and drops it, as MQTT 3.1.1 says (3.3.5): it counts as delivered."""
    await restricted(mosquitto, "topic write klvrelay/status\n")
    async with sink_to(mosquitto, protocol=4) as sink:
        assert await sink.deliver([record(0)]) == Outcome(delivered=1)
        assert not sink.suspended


async def test_raw_bytes_that_are_refused_do_not_reject_the_record(oracle):
    """A record is judged by its JSON."""
    async with sink_to(oracle, raw=True) as sink:
        sink.suspended.refuse("klvrelay/uav1/raw", DENIED)
        assert await sink.deliver([record(n) for n in range(3)]) == Outcome(delivered=3)

    assert not oracle.payloads("klvrelay/uav1/raw")


async def test_the_status_names_the_suspended_topics(oracle, monkeypatch):
    """At most twenty by name, and their number."""
    monkeypatch.setattr(published_values, "RETRY", 0.01)
    async with sink_to(oracle) as sink:
        for number in range(30):
            sink.suspended.refuse(f"klvrelay/uav{number}/state", DENIED)
        keeping = asyncio.create_task(sink.keep(Notices().cursor()), name="keeping")
        await until(lambda: len(oracle.payloads("klvrelay/status")) == 2)
        keeping.cancel()
        await asyncio.wait({keeping})

    status = orjson.loads(oracle.payloads("klvrelay/status")[1])
    assert (len(status["suspended"]), status["suspended_topics"]) == (20, 30)
    assert status["suspended"][0] == "klvrelay/uav0/state"


def test_the_pause_doubles_to_a_minute_and_one_message_is_the_attempt(log):
    """From one second; messages in flight at the refusal change nothing."""
    clock = Clock()
    suspended = Suspended("mqtt://h", clock)
    for _ in range(100):
        suspended.refuse("a", DENIED)
    pauses = []
    for _ in range(9):
        start = clock.now
        while not suspended.admits("a"):
            clock.now += 0.5
        assert not suspended.admits("a")
        pauses.append(clock.now - start)
        suspended.refuse("a", DENIED)

    assert pauses == [1, 2, 4, 8, 16, 32, CAP, CAP, CAP]
    assert len(log()) == 1


def test_an_attempt_without_an_answer_is_followed_by_another():
    """The connection broke meanwhile: after the same pause the next message is the attempt."""
    clock = Clock()
    suspended = Suspended("mqtt://h", clock)
    suspended.refuse("a", DENIED)
    clock.now = 1.0
    assert suspended.admits("a")
    clock.now = 1.9
    assert not suspended.admits("a")
    clock.now = 2.0
    assert suspended.admits("a")


def test_an_accepted_topic_starts_at_one_second_again(log):
    """After an accepted message all is as before; other topics have no effect."""
    clock = Clock()
    suspended = Suspended("mqtt://h", clock)
    suspended.refuse("a", QUOTA)
    clock.now = 1.0
    assert suspended.admits("a")
    suspended.refuse("a", QUOTA)
    suspended.accept("a")
    suspended.accept("a")
    assert suspended.admits("a")
    assert "a" not in suspended
    suspended.refuse("a", QUOTA)
    clock.now = 2.0
    assert suspended.admits("a")
    assert suspended.admits("b")
    phrases = [line.split(": ")[1] for line in log()]
    assert phrases == ["topic suspended", "topic accepted again", "topic suspended"]


def test_a_refused_payload_format_suspends_no_topic(caplog, monkeypatch):
    """It concerns that message: the next may be accepted. Logged once per topic."""
    monkeypatch.setattr(logging.getLogger("klvrelay"), "propagate", True)
    suspended = Suspended("mqtt://h", Clock())
    for _ in range(3):
        suspended.refuse("a", PAYLOAD)

    assert suspended.admits("a")
    assert caplog.messages == ["mqtt://h: payload format refused: topic=a"]


def test_only_the_answer_to_an_attempt_doubles_the_pause():
    """A record has two messages, and others may have been in flight: their refusals arrive after that of the attempt.
    """
    clock = Clock()
    suspended = Suspended("mqtt://h", clock)
    suspended.refuse("a", DENIED)
    clock.now = 1.0
    assert suspended.admits("a")
    for _ in range(3):
        suspended.refuse("a", DENIED)
    clock.now = 2.9
    early = suspended.admits("a")
    clock.now = 3.0

    assert (early, suspended.admits("a")) == (False, True)


@pytest.mark.parametrize("before", [[], [DENIED]])
def test_a_topic_that_breaks_connections_is_tried_rarely(before, log):
    """Each try costs the connection: after a minute, then twice as long each time, to an hour."""
    clock = Clock()
    topics = Suspended("mqtt://broker:1883", clock)
    for code in before:
        topics.refuse("t", code)
        clock.now += 1
        assert topics.admits("t")
    topics.refuse("t", HUNG_UP)
    pauses = []
    for _ in range(8):
        begin = clock.now
        while not topics.admits("t"):
            clock.now += 1
        pauses.append(clock.now - begin)
        topics.refuse("t", HUNG_UP)
    assert pauses == [min(HUNG_UP_FIRST * 2**number, HUNG_UP_CAP) for number in range(8)]
    assert len(log()) == 1
    topics.accept("t")
    assert topics.admits("t")


async def test_a_refused_value_is_not_published_after_a_newer_one(oracle):
    """The newer one was taken: the older is not kept for another try."""
    async with sink_to(oracle) as sink, keeping(sink) as it:
        oracle.manners.refuses = frozenset({"klvrelay/uav2/state"})
        await it.publish(STATE)
        await until(lambda: sink._values._refused)
        oracle.manners.refuses = frozenset()
        sink.suspended.accept("klvrelay/uav2/state")
        await it.publish(Notice("state", "uav2", b'{"newer":1}'))
        assert not sink._values._refused
