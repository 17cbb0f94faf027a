"""Retained topics left by an earlier run: corrected at the start of the next, listed and cleared by command."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import struct
from datetime import UTC, datetime

import aiomqtt
import feed
import orjson
import pytest
from brokers import listening, until
from cases import each_case
from hypothesis import given
from hypothesis import strategies as st
from latest_values import keeping, publish
from test_relay_process import klvrelay

from klvrelay.cli import main as cli
from klvrelay.cli.verbs.retained import Topic, list_retained
from klvrelay.config.mqtt import MqttSettings
from klvrelay.errors import SinkDown
from klvrelay.health import StreamHealth
from klvrelay.health.report import link_document
from klvrelay.sinks.contract import Notice
from klvrelay.sinks.mqtt.protocol.connection import Message, Received
from klvrelay.sinks.mqtt.protocol.packets import Packed
from klvrelay.sinks.mqtt.protocol.properties import user_properties
from klvrelay.sinks.mqtt.sink import MqttSink
from klvrelay.sinks.mqtt.topics import split_topic
from klvrelay.sinks.mqtt.values import earlier_runs, retained
from klvrelay.sinks.mqtt.values.earlier_runs import EarlierRuns, boot_of

ONLINE = Notice("availability", "uav1", b"online")
DEAD, ALIVE, OURS = "dead00", "a11ve0", "0e0e0e"


def properties(*user: tuple[str, str], **more) -> bytes:
    """As in a PUBLISH, with their length."""
    packed = Packed(Message("t", b"", user=user, **more)).data
    return packed[1:] if packed[0] < 0x80 else packed[2:]


def availability(level: str, boot: str | None, payload: bytes = b"online") -> Received:
    bears = b"" if boot is None else properties(("stream", level), ("boot", boot), content_type="text/plain", expiry=9)
    return Received(f"klvrelay/{level}/availability", payload, True, bears)


def status(boot: object, state: str = "offline", topic: str = "klvrelay/status") -> Received:
    return Received(topic, orjson.dumps({"state": state, "boot": boot}), True)


def link(level: str, boot: str, state: str) -> Received:
    document = orjson.dumps({"schema": "klvrelay/link/1", "stream": level, "state": state, "link": {"bytes": 1 << 60}})
    return Received(f"klvrelay/{level}/link", document, True, properties(("stream", level), ("boot", boot)))


def wrong(*messages: Received) -> list[str]:
    runs = EarlierRuns("klvrelay", OURS)
    return [message.topic.split("/")[1] for one in messages for message in runs.take(one)]


# ---- what is wrong -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", [1, -1])
def test_topics_that_an_ended_run_left_online_are_wrong(order):
    """Whichever of both arrives first; each topic once, and none of a run that may be alive."""
    seen = [status(DEAD), availability("a", DEAD), availability("b", ALIVE), availability("c", DEAD)][::order]

    assert sorted(wrong(*seen, *seen)) == ["a", "a", "c", "c"] if order == 1 else wrong(*seen) == ["c", "a"]


@pytest.mark.parametrize(("state", "streams"), [("live", ["a"]), ("stale", ["a"]), ("down", ["a"]), ("ended", [])])
def test_the_report_of_a_link_is_wrong_unless_it_has_ended(state, streams):
    """It would appear as the state of a stream."""
    assert wrong(status(DEAD), link("a", DEAD, state), link("b", ALIVE, state), link("c", OURS, state)) == streams


def test_the_list_knows_when_a_report_of_a_link_was_published():
    """The document says so."""
    document = link_document(StreamHealth("uav1", "udp://:5000"), DEAD)
    at = Topic.of(Received("klvrelay/uav1/link", document, True)).at
    assert at is not None
    assert -1 < (datetime.now(UTC) - at).total_seconds() < 60


@each_case(
    "seen",
    [
        [status(DEAD, "online"), availability("a", DEAD)],
        [status(OURS), availability("a", OURS)],
        [status(DEAD), availability("a", None)],
        [status(DEAD), availability("a", DEAD, b"offline")],
        [status(DEAD), availability("a", DEAD, b"Online")],
        [status(DEAD), availability("a", "")],
        [status(""), availability("a", "")],
        [status(None), availability("a", DEAD)],
        [status("x" * 65), availability("a", "x" * 65)],
        [status(DEAD, topic="other/status"), availability("a", DEAD)],
        [status(DEAD), availability("a/b", DEAD)],
        [availability("a", DEAD), availability("a", DEAD, b"offline"), status(DEAD)],
        [availability("a", DEAD), availability("a", ALIVE), status(DEAD)],
    ],
)
def test_other_topics_are_unchanged(seen):
    """A live run, this run, an unknown one; other topics; those corrected or taken over meanwhile."""
    assert wrong(*seen) == []


def test_the_memory_for_retained_topics_is_bounded():
    """By topics and by runs, whatever other clients publish."""
    runs = EarlierRuns("klvrelay", OURS)
    for n in range(earlier_runs.MESSAGES_MOST + 5):
        runs.take(availability(f"s{n}", ALIVE))
    for n in range(earlier_runs.RUNS_MOST + 5):
        runs.take(status(f"run{n}"))

    assert len(runs._boots) == earlier_runs.MESSAGES_MOST
    assert len(runs._ended) == earlier_runs.RUNS_MOST
    assert wrong(Received("klvrelay/status", b"[" * earlier_runs.STATUS_MOST, True)) == []
    assert wrong(Received("klvrelay/status", b'{"a":"' + bytes(1 << 20), True)) == []


@each_case(
    ("topic", "level"),
    [
        ("site/klv/uav1/availability", "uav1"), ("site/klv//availability", None), ("site/klv/availability", None),
        ("site/klv/a/b/availability", None), ("site/klv/uav1/state", None), ("klv/uav1/availability", None),
        ("site/klv/a%2Fb/availability", "a%2Fb"), ("site/klv/+/availability", None), ("site/klv/#/availability", None),
        ("site/klv/a\0b/availability", None), ("site/klv/a\x1b/availability", None),
    ],
)  # fmt: skip
def test_the_level_of_a_stream_is_between_prefix_and_leaf(topic, level):
    """And nothing else is."""
    assert split_topic(topic, "site/klv")[0] == level


@given(st.lists(st.tuples(st.text(max_size=9), st.text(max_size=9)), max_size=4), st.binary(max_size=40))
def test_user_properties_are_read_as_they_were_written(pairs, noise):
    """The first of equal names; a malformed rest does not remove it."""
    pairs = [(a.encode("utf-8", "ignore").decode(), b.encode("utf-8", "ignore").decode()) for a, b in pairs]
    data = properties(*pairs, content_type="x", expiry=5) if sum(len(a + b) for a, b in pairs) < 30 else b""
    others = b"\x01\x01\x23\x00\x07\x08\x00\x01x\x09\x00\x02\x00\xff\x0b\x80\x01"
    expected = dict(reversed(pairs)) if data else {}

    assert user_properties(others + data) == expected
    assert expected.items() <= user_properties(data + b"\x00" + noise).items()
    assert isinstance(user_properties(noise), dict)


# ---- at a broker -------------------------------------------------------------------------------------------


def sink_to(broker, boot, **settings):
    return MqttSink(MqttSettings.from_url(broker.url, **{"timeout": 4.0, **settings}), boot=boot)


@contextlib.asynccontextmanager
async def at_work(broker, boot, *streams, **settings):
    """A connected sink that has published its streams as online, and publishes latest values."""
    async with sink_to(broker, boot, **settings) as sink, keeping(sink) as work:
        await work.publish(*(Notice("availability", stream, b"online") for stream in streams))
        yield work


async def killed(broker, boot, *streams, **settings):
    """What a killed run leaves: the broker publishes its will."""
    sink = sink_to(broker, boot, **settings)
    await sink.__aenter__()
    async with keeping(sink) as work:
        await work.publish(*(Notice("availability", stream, b"online") for stream in streams))
    sink._connection.abort()


async def all_kept(broker, wanted):
    """The retained messages for a new subscriber: all that arrive before a marker that is published after the
    subscription.
    """
    async with listening(broker.port, wanted, "marker") as heard, aiomqtt.Client("127.0.0.1", broker.port) as client:
        await client.publish("marker", b"", qos=1)
        await heard.count(1, "marker")
    return [message for message in heard.messages if str(message.topic) != "marker"]


async def kept(broker):
    """The availability among them, by stream."""
    found = await all_kept(broker, "klvrelay/+/availability")
    return {str(message.topic).split("/")[1]: bytes(message.payload) for message in found}


@pytest.mark.needs("mosquitto")
async def test_streams_of_a_run_that_was_killed_are_corrected_by_the_next(mosquitto, said):
    """Within five seconds; streams of this run, of another live relay and of a run without a status are unchanged."""
    async with at_work(mosquitto, ALIVE, "alive"):
        await killed(mosquitto, DEAD, "a", "b", "c/d")
        async with listening(mosquitto.port, "klvrelay/status") as heard:
            await until(lambda: b'"lost"' in b"".join(heard.on("klvrelay/status")))
        async with listening(mosquitto.port, "klvrelay/+/availability") as heard, at_work(mosquitto, OURS, "a"):
            await until(lambda: heard.on("klvrelay/c%2Fd/availability")[-1:] == [b"offline"])
            left = {"a": b"online", "b": b"offline", "c%2Fd": b"offline", "alive": b"online"}
            assert await kept(mosquitto) == left
        (_, message) = [m for m in heard.messages if str(m.topic) == "klvrelay/b/availability"]

    assert message.properties.UserProperty == [("stream", "b"), ("boot", DEAD)]


@pytest.mark.needs("mosquitto")
async def test_a_correction_is_logged_once_it_was_made(mosquitto, said, monkeypatch):
    """How many streams, and of which run; and the relay ends its subscription after that."""
    monkeypatch.setattr(retained, "READING", 0.5)
    monkeypatch.setattr(retained, "LATE", 0.0)
    await killed(mosquitto, DEAD, "a", "b")
    async with listening(mosquitto.port, "klvrelay/status") as heard:
        await until(lambda: b'"lost"' in b"".join(heard.on("klvrelay/status")))
    async with at_work(mosquitto, OURS) as work:
        line = f"{mosquitto.url}: retained topics corrected: run={DEAD} topics=2"
        await until(lambda: line in said())
        await until(lambda: work.sink._connection._subscriptions.filters == [])
        await work.publish(ONLINE)
    assert not [line for line in said() if "not checked" in line]


@pytest.mark.needs("mosquitto")
async def test_a_late_last_will_hides_no_status(mosquitto, said, monkeypatch):
    """As after a loss of power, when the broker waits for the keepalive: this run's status is published again, streams
    are corrected.
    """
    monkeypatch.setattr(retained, "READING", 0.5)
    earlier = sink_to(mosquitto, DEAD)
    await earlier.__aenter__()
    await publish(earlier, Notice("availability", "a", b"online"))
    async with listening(mosquitto.port, "klvrelay/#") as heard, at_work(mosquitto, OURS) as work:
        subscriptions = work.sink._connection._subscriptions
        await until(lambda: len(subscriptions.filters) == 1 and not work.sink._values._correction._tries)
        assert heard.on("klvrelay/a/availability") == [b"online"]  # it may be alive
        earlier._connection.abort()
        await until(lambda: heard.on("klvrelay/a/availability")[-1:] == [b"offline"])
        boots = [orjson.loads(document) for document in heard.on("klvrelay/status")]
        assert [(known["boot"], known["state"]) for known in boots[-2:]] == [(DEAD, "offline"), (OURS, "online")]
        await until(lambda: f"{mosquitto.url}: status published again: reason=late_will" in said())


@pytest.mark.needs("mosquitto")
async def test_hundreds_of_topics_are_corrected_in_one_go(mosquitto, said, monkeypatch):
    """Not one after the other, each for a round trip; and in one log line."""
    monkeypatch.setattr(retained, "READING", 2.0)
    monkeypatch.setattr(retained, "LATE", 0.0)
    await killed(mosquitto, DEAD, *(f"s{n}" for n in range(300)))
    async with listening(mosquitto.port, "klvrelay/status") as heard:
        await until(lambda: b'"lost"' in b"".join(heard.on("klvrelay/status")))
    async with at_work(mosquitto, OURS) as work:
        calls, publish = [], work.sink._connection.publish

        async def counted(messages, **how):
            calls.append(len(messages))
            return await publish(messages, **how)

        monkeypatch.setattr(work.sink._connection, "publish", counted)
        await until(lambda: any("topics=300" in line for line in said()))
        assert set((await kept(mosquitto)).values()) == {b"offline"}
    assert calls.count(300) == 1


@pytest.mark.needs("mosquitto")
async def test_a_clean_stop_leaves_nothing_to_correct(mosquitto, said, monkeypatch):
    """The stopped relay published offline itself; nothing is published twice, and nothing is logged."""
    monkeypatch.setattr(retained, "READING", 0.5)
    monkeypatch.setattr(retained, "LATE", 0.0)
    async with at_work(mosquitto, DEAD, "a"):
        pass
    async with listening(mosquitto.port, "klvrelay/+/availability") as heard, at_work(mosquitto, OURS) as work:
        correction, subscriptions = work.sink._values._correction, work.sink._connection._subscriptions
        await until(lambda: correction._tries == 0 and not subscriptions.filters)
    assert heard.on("klvrelay/a/availability") == [b"offline"]
    assert not [line for line in said() if "retained" in line]


@pytest.mark.needs("mosquitto")
@pytest.mark.parametrize("settings", [{"protocol": 4}, {"prefix": "other"}])
async def test_by_mqtt_3_1_1_and_under_other_prefixes_nothing_is_touched(settings, mosquitto):
    """There a message does not say of which run it is."""
    await killed(mosquitto, DEAD, "a")
    async with listening(mosquitto.port, "klvrelay/status") as heard:
        await until(lambda: b'"lost"' in b"".join(heard.on("klvrelay/status")))
    async with at_work(mosquitto, OURS, **settings) as work:
        assert settings.get("protocol") != 4 or work.sink._values._correction._connection is None
        assert (await kept(mosquitto))["a"] == b"online"


@pytest.mark.parametrize("code", [0x87, -1])
async def test_a_broker_that_forbids_reading_gets_the_records_all_the_same(code, oracle, said, monkeypatch):
    """It refuses a subscription, or does not answer it and sends nothing: one line says what is not checked."""
    monkeypatch.setattr(retained, "READING", 0.3)
    monkeypatch.setattr(oracle, "_hand_on", lambda published: None)
    oracle.manners.subscribe = code
    async with asyncio.timeout(8), at_work(oracle, OURS, timeout=1.0) as work:
        await work.publish(ONLINE)
        assert oracle.payloads("klvrelay/uav1/availability") == [b"online"]
        await until(lambda: unchecked(said))
        await until(lambda: not work.sink._values._correction._tries)
    assert len(unchecked(said)) == 1


def unchecked(said):
    return [line for line in said() if "retained topics of earlier runs not checked: topics=" in line]


async def test_a_late_answer_to_a_subscription_is_no_fault(oracle, said, monkeypatch):
    """As over a slow line: the topics are read meanwhile."""
    monkeypatch.setattr(retained, "READING", 0.3)
    monkeypatch.setattr(retained, "ANSWER", 0.05)
    monkeypatch.setattr(retained, "LATE", 0.0)
    subscribe = oracle._subscribe
    answers = []

    def late(guest, body):
        oracle.manners.subscribe = -1
        subscribe(guest, body)
        answers.append(body[:2] + b"\0\0")

    monkeypatch.setattr(oracle, "_subscribe", late)
    async with at_work(oracle, OURS) as work:
        await until(lambda: len(answers) == len(work.sink._values._correction._topics))
        for answer in answers:
            oracle.guests[0].writer.write(bytes([0x90, len(answer)]) + answer)
        await until(lambda: not work.sink._values._correction._tries)
        await work.publish(ONLINE)
    assert unchecked(said) == []


async def test_a_late_answer_to_an_unsubscription_leaves_no_subscription(oracle, monkeypatch):
    """As over a slow line, on which the relay's own values would come back from then on."""
    monkeypatch.setattr(retained, "READING", 0.1)
    monkeypatch.setattr(retained, "ANSWER", 0.05)
    monkeypatch.setattr(retained, "LATE", 0.0)
    unsubscribe = oracle._unsubscribe
    asked = []

    def late(guest, body):
        asked.append((guest, body))

    monkeypatch.setattr(oracle, "_unsubscribe", late)
    async with at_work(oracle, OURS) as work:
        await until(lambda: not work.sink._values._correction._tries)
        await work.publish(ONLINE)
        topics = work.sink._values._correction._topics
        await until(lambda: any(topics[0].encode() in body for _, body in asked))
        for request in asked:
            unsubscribe(*request)
        assert oracle.guests[0].filters == []


async def test_a_connection_without_a_status_proves_no_lack_of_rights(oracle, said, monkeypatch):
    """The status is withheld while it is suspected to break connections, so there is none to receive."""
    monkeypatch.setattr(retained, "READING", 0.3)
    monkeypatch.setattr(retained, "LATE", 0.0)
    sink = sink_to(oracle, OURS)
    sink._breaking.control.lost(sink._values._status(), enough=4)
    async with sink, keeping(sink):
        await until(lambda: not sink._values._correction._tries)
    assert not [each for each in oracle.published if b"online" in each.payload]
    assert unchecked(said) == []


async def test_a_right_to_read_the_status_alone_is_no_fault(oracle, said, monkeypatch):
    """A refusal is logged once, and not requested again; the connection stays up."""
    monkeypatch.setattr(retained, "READING", 0.3)
    monkeypatch.setattr(retained, "LATE", 0.0)
    subscribe = oracle._subscribe

    def refuse(guest, body):
        oracle.manners.subscribe = 0x87 if guest.filters else 0
        subscribe(guest, body)

    monkeypatch.setattr(oracle, "_subscribe", refuse)
    async with at_work(oracle, OURS) as work:
        await until(lambda: work.sink._connection._subscriptions.unsubscribed)
        await until(lambda: oracle.guests[0].filters == [])
        await work.publish(ONLINE)
    assert len(unchecked(said)) == 1


async def test_a_broker_that_hangs_up_at_a_subscription_is_tried_twice_and_no_more(oracle, monkeypatch):
    """As some do where it is not allowed: the third connection is used without one."""

    def hang_up(guest, body):
        guest.writer.close()

    monkeypatch.setattr(oracle, "_subscribe", hang_up)
    sink = sink_to(oracle, OURS)
    for _ in range(retained.TRIES):
        with pytest.raises(SinkDown):
            await sink.__aenter__()
    async with sink:
        await publish(sink, ONLINE)
    assert oracle.payloads("klvrelay/uav1/availability")


async def test_retained_topics_are_checked_once_in_a_run(oracle, monkeypatch):
    """A second connection subscribes to nothing."""
    monkeypatch.setattr(retained, "READING", 0.05)
    monkeypatch.setattr(retained, "LATE", 0.0)
    sink = sink_to(oracle, OURS)
    for _ in range(2):
        async with sink, keeping(sink):
            await until(lambda: not sink._values._correction._tries)
            await until(lambda: not sink._connection._subscriptions.filters)
    assert [guest.filters for guest in oracle.guests] == [[], []]


async def test_a_refused_correction_is_logged_and_ends_nothing(oracle, said, monkeypatch):
    """A missing right to write there does not stop the relay."""
    monkeypatch.setattr(retained, "READING", 0.5)
    monkeypatch.setattr(retained, "LATE", 0.0)
    async with sink_to(oracle, OURS) as sink:
        oracle.manners.refuses = frozenset({"klvrelay/b/availability"})
        async with keeping(sink) as work:
            await until(lambda: len(oracle.guests[0].filters) == 5)
            for message in (status(DEAD), availability("b", DEAD)):
                body = struct.pack("!H", len(message.topic)) + message.topic.encode()
                body += bytes([len(message.properties)]) + message.properties + message.payload
                oracle.guests[0].writer.write(b"\x31" + bytes([len(body)]) + body)
            line = "retained topics of earlier runs not corrected"
            await until(lambda: any(line in text and "reason_code=0x87" in text for text in said()))
            assert not work.task.done()
            await work.publish(ONLINE)


@pytest.mark.needs("mosquitto")
async def test_after_kill_9_the_next_relay_corrects_what_it_no_longer_relays(mosquitto, tmp_path):
    """Streams a and b, kill -9, a restart without b: soon b is offline and a is online."""
    tape = tmp_path / "flight.ts"
    tape.write_bytes(feed.recording(60).ts)
    text = '[[sink]]\nurl = "{}"\n' + '[[source]]\nurl = "{}"\nloop = true\nstream = "{}"\n' * 2
    both, one = tmp_path / "both.toml", tmp_path / "one.toml"
    both.write_text(text.format(mosquitto.url, tape, "a", tape, "b"))
    one.write_text(both.read_text()[: both.read_text().rindex("[[source]]")])
    async with listening(mosquitto.port, "klvrelay/status", "klvrelay/+/availability", "klvrelay/b/link") as heard:
        async with klvrelay("run", "-c", str(both)) as first:
            await until(lambda: heard.on("klvrelay/b/availability")[-1:] == [b"online"], 20)
            await until(lambda: heard.on("klvrelay/b/link"))
            first.process.send_signal(signal.SIGKILL)
            await until(lambda: b'"lost"' in heard.on("klvrelay/status")[-1])
        async with klvrelay("run", "-c", str(one)) as second:
            await until(lambda: b'"online"' in heard.on("klvrelay/status")[-1], 15)
            await until(lambda: heard.on("klvrelay/b/availability")[-1:] == [b"offline"], 15)
            await until(lambda: "retained topics corrected" in second.said)
            await until(lambda: heard.on("klvrelay/a/availability")[-1:] == [b"online"])
            assert await kept(mosquitto) == {"a": b"online", "b": b"offline"}
            (report,) = [orjson.loads(message.payload) for message in await all_kept(mosquitto, "klvrelay/b/link")]
            assert (report["state"], report["reason"]) == ("ended", "the relay was lost")
            assert report["schema"] == "klvrelay/link/1"


# ---- by command ---------------------------------------------------------------------------------------------

TOPICS = {
    "klvrelay/status": b'{"state":"offline","boot":"aa11bb","at":"2026-11-01T00:00:00.000Z"}',
    "klvrelay/uav1/availability": b"online",
    "klvrelay/uav1/state": b'{"x":"' + b"y" * 500 + b'"}',
    "klvrelay/a%2Fb/availability": b"\x1b[2J\xff",
    "klvrelayed/uav1/state": b"{}",
    "other": b"1",
}


@pytest.fixture
async def stocked(mosquitto):
    """A broker that has retained TOPICS."""
    async with aiomqtt.Client("127.0.0.1", mosquitto.port) as client:
        for topic, payload in TOPICS.items():
            await client.publish(topic, payload, qos=1, retain=True)
    return mosquitto


async def verb(broker, *argv, code=0):
    async with klvrelay("retained", "--mqtt", broker.url, *argv) as command:
        assert await asyncio.wait_for(command.process.wait(), 20) == code, command.said
        await until(lambda: command.printed or command.said)
    return command


async def topics_of(broker):
    return {str(message.topic) for message in await all_kept(broker, "#")}


@pytest.mark.needs("mosquitto")
@pytest.mark.parametrize("version", ["5", "3.1.1"])
async def test_the_retained_topics_of_a_broker_are_listed(version, stocked):
    """Topic, size, boot and age where known, short printable content; nothing outside the prefix."""
    out = (await verb(stocked, "--mqtt-version", version)).printed

    rows = {line.split()[0]: line.split() for line in out.splitlines() if line.startswith("klvrelay")}
    assert list(rows) == sorted(topic for topic in TOPICS if topic.startswith("klvrelay/"))
    assert rows["klvrelay/uav1/availability"][1:] == ["6", "-", "-", "online"]
    assert rows["klvrelay/status"][1:3] == [str(len(TOPICS["klvrelay/status"])), "aa11bb"]
    assert rows["klvrelay/status"][4] == "d"
    assert rows["klvrelay/uav1/state"][-1].endswith("yyy...")
    assert rows["klvrelay/a%2Fb/availability"][-1] == r"\x1b[2J�"
    assert f"4 retained topics under klvrelay/ at {stocked.url}" in out
    assert await topics_of(stocked) == set(TOPICS)


@pytest.mark.needs("mosquitto")
@pytest.mark.parametrize("version", ["5", "3.1.1"])
@pytest.mark.parametrize(
    ("argv", "gone"),
    [
        ([], ["klvrelay/status", "klvrelay/uav1/availability", "klvrelay/uav1/state", "klvrelay/a%2Fb/availability"]),
        (["--stream", "uav1"], ["klvrelay/uav1/availability", "klvrelay/uav1/state"]),
        (["--stream", "a/b"], ["klvrelay/a%2Fb/availability"]),
        (["--stream", "uav"], []),
        (["--prefix", "klvrelayed"], ["klvrelayed/uav1/state"]),
    ],
)
async def test_only_the_selected_topics_are_cleared(argv, gone, version, stocked):
    """All under the prefix, or of one stream; wildcards and levels in its name have no effect."""
    out = (await verb(stocked, "--clear", "--yes", "--mqtt-version", version, *argv)).printed

    assert (f"cleared {len(gone)} retained topic{'s' * (len(gone) != 1)}\n" in out) == bool(gone)
    assert await topics_of(stocked) == set(TOPICS) - set(gone)


@pytest.mark.needs("mosquitto")
async def test_a_forbidden_clear_is_an_error(mosquitto):
    """The broker refuses one of two topics: exit code 5, and the topic is named."""
    access = mosquitto.home / "acl"
    mosquitto.configure(f"listener 1 127.0.0.1\nallow_anonymous true\npersistence true\nacl_file {access}\n")
    access.write_text("topic readwrite #\n")
    await mosquitto.stop()
    await mosquitto.start()
    async with aiomqtt.Client("127.0.0.1", mosquitto.port) as client:
        for topic in ("klvrelay/a/state", "klvrelay/b/state"):
            await client.publish(topic, b"{}", qos=1, retain=True)
    access.write_text("topic read #\ntopic write klvrelay/a/#\ntopic write marker\n")
    await mosquitto.stop()
    await mosquitto.start()
    command = await verb(mosquitto, "--clear", "--yes", code=5)
    assert "no right to clear 1 retained topic of 2, for example klvrelay/b/state" in command.said
    assert "cleared" not in command.printed
    assert await topics_of(mosquitto) == {"klvrelay/b/state"}


@pytest.mark.needs("mosquitto")
async def test_without_a_terminal_clear_wants_a_yes(stocked):
    """It asks no question, and clears nothing."""
    said = (await verb(stocked, "--clear", code=2)).said
    assert "--clear: needs a terminal to ask for confirmation" in said
    assert "--yes: has an effect with --clear only" in (await verb(stocked, "--yes", code=2)).said
    assert await topics_of(stocked) == set(TOPICS)


@pytest.mark.needs("mosquitto")
@pytest.mark.parametrize(("answer", "cleared"), [("y", True), ("YES", True), ("n", False), ("", False), ("yo", False)])
async def test_on_a_terminal_clear_asks_first(answer, cleared, stocked):
    """After the list; only yes is a yes."""
    main, terminal = os.openpty()
    try:
        process = await asyncio.create_subprocess_exec(
            *klvrelay_command("--mqtt", stocked.url, "--clear"), stdin=terminal, stdout=terminal, stderr=terminal,
            env=terminal_environment(),
        )  # fmt: skip
        os.close(terminal)
        shown = await asyncio.wait_for(asyncio.to_thread(read_until, main, b"[y/N]"), 20)
        os.write(main, f"{answer}\n".encode())
        shown += await asyncio.wait_for(asyncio.to_thread(read_until, main, b"cleared"), 20)
        assert await asyncio.wait_for(process.wait(), 20) == 0
    finally:
        os.close(main)

    assert f"clear 4 retained topics at {stocked.url}?".encode() in shown
    assert b"uav1/availability" in shown
    assert (b"nothing was cleared" in shown) == (not cleared)
    assert await topics_of(stocked) == ({"klvrelayed/uav1/state", "other"} if cleared else set(TOPICS))


def klvrelay_command(*argv):
    from test_cli import COMMAND

    return (*COMMAND, "retained", *argv)


def terminal_environment():
    from test_cli import ENVIRONMENT

    return {**ENVIRONMENT, "COLUMNS": "160", "TERM": "xterm"}


def read_until(number: int, end: bytes) -> bytes:
    seen = b""
    while end not in seen:
        try:
            seen += os.read(number, 65536)
        except OSError:
            break
    return seen


@pytest.mark.needs("mosquitto")
async def test_no_retained_topics_is_reported_with_the_possible_reason(mosquitto):
    """A broker responds the same where it has nothing and where the user may read nothing."""
    out = (await verb(mosquitto)).printed
    assert out.startswith(f"no retained topics under klvrelay/ at {mosquitto.url}")
    assert "check that this user may read klvrelay/#" in out


async def test_a_broker_that_refuses_to_be_read_is_named(oracle):
    """With exit code 5, as where it is unreachable."""
    oracle.manners.subscribe = 0x87
    assert "no right to read klvrelay/#" in (await verb(oracle, code=5)).said
    await oracle.stop()
    assert "klvrelay: mqtt://" in (await verb(oracle, code=5)).said


async def test_listing_ends_though_a_broker_never_stops(oracle, monkeypatch):
    """By time, and by number of topics; messages published meanwhile, or outside the prefix, are not listed."""
    monkeypatch.setattr("klvrelay.cli.verbs.retained.LIST_MOST", 0.5)
    monkeypatch.setattr("klvrelay.cli.verbs.retained.QUIET", 0.3)

    async def never_stop():
        await until(lambda: oracle.guests and oracle.guests[0].filters)
        for n in range(1_000_000):
            for first, topic in ((0x31, f"klvrelay/s{n}/state"), (0x31, "other/x"), (0x30, "klvrelay/live/state")):
                body = struct.pack("!H", len(topic)) + topic.encode() + b"\0" + b"{}"
                oracle.guests[0].writer.write(bytes([first, len(body)]) + body)
            await asyncio.sleep(0.001)

    flood = asyncio.create_task(never_stop())
    try:
        async with asyncio.timeout(10):
            found = await list_retained(MqttSettings.from_url(oracle.url), None)
    finally:
        flood.cancel()
        await asyncio.wait({flood})
    assert found
    assert all(topic.topic.startswith("klvrelay/s") for topic in found)


def test_an_invalid_stream_or_broker_is_refused(capfd):
    """Before connecting to a broker."""
    assert cli.main(["retained"]) == 2
    assert cli.main(["retained", "--mqtt", "mqtt://127.0.0.1:1", "--list", "--clear"]) == 2
    assert cli.main(["retained", "--mqtt", "mqtt://127.0.0.1:1", "--stream", "a\nb"]) == 2
    assert cli.main(["retained", "--mqtt", "http://h"]) == 2
    assert "Traceback" not in capfd.readouterr().err


def test_invalid_boot_ids_are_ignored():
    """A message may contain anything."""
    assert boot_of(Received("t", b"", True, properties(("boot", "x" * 65)))) is None
    assert boot_of(Received("t", b"", True, b"\x26\xff\xff")) is None
