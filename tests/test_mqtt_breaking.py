"""Messages at which a broker closes each connection without a reason: each is found, and costs only itself."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import orjson
import pytest
from brokers import Mosquitto, listening, until
from manual_clock import Clock
from oracle_broker import OracleBroker
from records import BOOT, record

from klvrelay.backoff import Backoff
from klvrelay.config.mqtt import MqttSettings
from klvrelay.encode import encode
from klvrelay.health import SinkHealth
from klvrelay.outcome import Sums
from klvrelay.relay import halving as halving_module
from klvrelay.relay import sink_task as sink_task_module
from klvrelay.relay.notices import Notices
from klvrelay.relay.sink_task import SinkTask
from klvrelay.sinks.contract import Notice
from klvrelay.sinks.mqtt.protocol.connection import Message
from klvrelay.sinks.mqtt.refused import control as control_module
from klvrelay.sinks.mqtt.refused.breaking import (
    ANSWERS,
    FIRST,
    LONGEST,
    LOSSES,
    MARGIN,
    STEADY,
    STRIKES,
    STRIKES_MORE,
    Breaking,
    size_of,
)
from klvrelay.sinks.mqtt.refused.control import CONTROL_MOST
from klvrelay.sinks.mqtt.refused.suspended import Suspended
from klvrelay.sinks.mqtt.sink import MqttSink
from klvrelay.sinks.mqtt.values import published_values
from klvrelay.spool.memory import MemoryLog

LIMIT = 3000
LARGE, SMALL = b'{"x":"%s"}' % (b"y" * LIMIT), b'{"x":"y"}'
STATE, OTHER = Message("klvrelay/uav2/state", LARGE, retain=True), Message("klvrelay/uav1/state", SMALL, retain=True)
TOPIC = STATE.topic
CALM = Message("kr/status", b"{}", retain=True)


def breaking() -> tuple[Breaking, Clock]:
    clock = Clock()
    return Breaking("mqtt://broker", Suspended("mqtt://broker", clock), clock), clock


def lost(found: Breaking, message: Message | None, times: int = 1) -> None:
    """So many connections end at this message, and last without it."""
    for _ in range(times):
        found.begin()
        found.clock.now += CONTROL_MOST  # type: ignore[attr-defined]
        for _ in range(control_module.ANSWERS):
            found.accept(CALM)
        found.lost(message)


# ---- the rules ----


def test_a_value_is_held_after_two_losses_and_four_strikes():
    """Before that, and for a smaller value, nothing is held."""
    found, _ = breaking()
    lost(found, STATE, LOSSES - 1)
    assert not found.one_by_one
    lost(found, STATE)
    assert found.one_by_one
    lost(found, STATE, STRIKES - 1)
    assert not found.holds(STATE)
    lost(found, STATE)

    assert found.holds(STATE)
    assert found.suspended.topics == (TOPIC,)
    assert not found.holds(Message(TOPIC, LARGE[1:], retain=True))
    assert not found.holds(OTHER)


def test_a_connection_that_ends_with_several_in_flight_accuses_none():
    """Any of them may be the cause; the search goes on with the next connection."""
    found, _ = breaking()
    for _ in range(20):
        found.begin()
        found.lost(STATE, alone=False)
    assert (found.one_by_one, found.is_active, found.control.is_running) == (True, False, False)


def test_only_the_same_message_is_held():
    """Connections that end at different messages, at none, or after an answer to the suspect prove nothing."""
    found, _ = breaking()
    lost(found, STATE, LOSSES)
    for _ in range(5):
        lost(found, STATE, STRIKES - 1)
        lost(found, OTHER)
        lost(found, None, STRIKES)
    lost(found, STATE, STRIKES - 1)
    found.accept(STATE)
    lost(found, STATE, STRIKES - 1)

    assert not found.is_active


def sized(size: int, stream: str = "uav1") -> Message:
    """The message of a record, with a packet of this size, 200 to 16,000 bytes."""
    topic = f"klvrelay/{stream}/telemetry"
    return Message(topic, bytes(size - size_of(Message(topic, bytes(1000))) + 1000))


@pytest.mark.parametrize(
    ("accepted", "limit"), [(500, LIMIT - LIMIT // MARGIN), (LIMIT - 20, LIMIT - 19), (LIMIT, None)]
)
def test_two_messages_make_a_limit_unless_a_larger_one_was_accepted(accepted: int, limit: int | None):
    """The size is the likely cause then. Those that are a little smaller are left out too, since sizes vary."""
    found, _ = breaking()
    lost(found, STATE, LOSSES + STRIKES)
    found.accept(sized(accepted, "uav3"))
    lost(found, sized(LIMIT), STRIKES_MORE)
    assert found.holds(sized(LIMIT))
    assert found.holds(sized(LIMIT + 1)) is (limit is not None)
    if limit is not None:
        assert found.holds(sized(limit))
        assert not found.holds(sized(limit - 1))
    assert found.fits(OTHER)
    assert not found.fits(sized(LIMIT))


def test_an_accepted_message_below_the_limit_raises_it():
    """A try of a message that is a little smaller than those set aside: the larger ones are still left out."""
    found, clock = breaking()
    lost(found, STATE, LOSSES + STRIKES)
    lost(found, sized(LIMIT), STRIKES_MORE)
    between = sized(LIMIT - 10)
    assert found.holds(between)
    clock.now += FIRST
    assert not found.holds(between)
    found.accept(between)
    assert not found.holds(between)
    assert found.holds(sized(LIMIT))


def test_a_topic_at_which_a_broker_closes_each_connection_is_suspended():
    """Such as one that its access list forbids. Messages as large were accepted on others, so size is not the cause."""
    found, clock = breaking()
    small, large = sized(300, "uav2"), sized(LIMIT)
    lost(found, small, LOSSES + STRIKES)
    found.accept(large)
    lost(found, sized(301, "uav2"), STRIKES_MORE)
    assert found.suspended.topics == (small.topic,)
    assert not found.holds(large)
    for pause in (FIRST, 2 * FIRST):
        assert not found.suspended.admits(small.topic)
        clock.now += pause
        assert found.suspended.admits(small.topic)
        lost(found, small)


def test_a_forbidden_topic_hides_no_limit():
    """A small message set aside says nothing on size once a larger one was accepted."""
    found, _ = breaking()
    lost(found, sized(300, "uav2"), LOSSES + STRIKES)
    assert not found.fits(sized(301))
    found.accept(sized(400))
    assert found.fits(sized(2000))
    for _ in range(2):
        lost(found, sized(LIMIT), STRIKES_MORE)
    assert found.holds(sized(LIMIT + 1))
    assert not found.holds(sized(500))
    assert found.holds(sized(300, "uav2"))


def test_a_record_set_aside_is_forgotten_on_a_steady_connection():
    """It was offered again by then, and messages as large were accepted: nothing is checked any longer."""
    found, clock = breaking()
    lost(found, sized(300), LOSSES + STRIKES)
    found.begin()
    found.accept(sized(400))
    assert found.holds(sized(300))
    clock.now += LONGEST
    found.accept(sized(400))
    assert not found.is_active
    assert not found.is_alert


def test_a_topic_with_an_accepted_message_is_not_suspended():
    """Neither its name nor the size is the cause: only the messages themselves are set aside."""
    found, _ = breaking()
    lost(found, sized(300), LOSSES + STRIKES)
    for size in (301, 302, 303):
        found.accept(sized(size + 1))
        lost(found, sized(size), STRIKES_MORE)
    assert not found.suspended
    assert not found.holds(sized(304))


def test_a_try_is_one_message_and_the_pause_doubles():
    """Each try may cost a connection, so there is one for all that is held."""
    found, clock = breaking()
    lost(found, STATE, LOSSES + STRIKES)
    for pause in (FIRST, 2 * FIRST):
        clock.now += pause - 1
        assert found.holds(STATE)
        clock.now += 1
        assert not found.holds(STATE)
        assert found.holds(STATE)
        assert found.explains(OTHER)
        lost(found, OTHER)  # the answers to other messages may be lost with the connection
    clock.now += 4 * FIRST
    assert not found.holds(STATE)
    found.accept(STATE)

    assert not found.is_active
    assert found.suspended.topics == ()


@pytest.mark.parametrize(
    ("seconds", "answers", "ends"),
    [(STEADY, ANSWERS, True), (STEADY, ANSWERS - 1, False), (STEADY - 1, ANSWERS, False), (LONGEST, 1, True)],
)
def test_messages_are_sent_one_by_one_until_the_connection_is_steady(seconds: float, answers: int, ends: bool):
    """It must have lasted, and many messages must have been answered."""
    found, clock = breaking()
    lost(found, OTHER, LOSSES)
    found.begin()
    clock.now += seconds
    for _ in range(answers):
        found.accept(OTHER)

    assert found.one_by_one is not ends


def test_a_repeated_message_is_no_sign_of_another_client():
    """One at which no other connection ended is: another client has the same id, and closes at random moments."""
    found, _ = breaking()
    assert not found.explains(None)
    assert found.explains(STATE)
    lost(found, STATE, LOSSES)
    assert not found.explains(STATE)
    lost(found, STATE)
    assert found.explains(STATE)
    assert not found.explains(OTHER)


def test_connections_that_lasted_prove_nothing():
    """A broker that is restarted now and then is no reason to send messages one by one."""
    found, clock = breaking()
    for _ in range(5):
        found.begin()
        clock.now += STEADY
        found.lost(STATE)

    assert not found.one_by_one


# ---- with brokers ----


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, seconds in (("CONTROL", 0.2), ("CONTROL_MOST", 0.5), ("SILENT", 1.0)):
        monkeypatch.setattr(control_module, name, seconds)
    monkeypatch.setattr(published_values, "RETRY", 0.05)
    monkeypatch.setattr(halving_module, "STEADY", 0.05)
    monkeypatch.setattr(sink_task_module, "Backoff", lambda cap: Backoff(first=0.01, cap=0.02))


@pytest.fixture
def curt(oracle: OracleBroker, monkeypatch: pytest.MonkeyPatch) -> OracleBroker:
    """A broker that announces no limit, and closes at a larger packet without an answer to the ones before it."""
    publish = oracle._publish

    def hang_up_at_large_ones(guest: Any, flags: int, body: bytes) -> None:
        if len(body) > LIMIT:
            oracle.cut(reset=True)
        else:
            publish(guest, flags, body)

    monkeypatch.setattr(oracle, "_publish", hang_up_at_large_ones)
    return oracle


@asynccontextmanager
async def sending(port: int, **settings: Any) -> AsyncIterator[tuple[SinkTask, MemoryLog, Notices]]:
    sink = MqttSink(MqttSettings(host="127.0.0.1", port=port, timeout=4.0, **settings), boot=BOOT)
    log, notices = MemoryLog(), Notices()
    task = SinkTask(sink, log.cursor("sink"), notices.cursor(), SinkHealth("sink"))
    running = asyncio.create_task(task.drain(), name="drain")
    try:
        yield task, log, notices
    finally:
        running.cancel()
        await asyncio.wait({running}, timeout=10)


def fill(log: MemoryLog, notices: Notices) -> None:
    for stream in ("uav1", "uav2"):
        notices.put(Notice("availability", stream, b"online"))
    notices.put(Notice("state", "uav2", LARGE))
    notices.put(Notice("state", "uav1", SMALL))
    for seq in range(40):
        log.append(record(seq))


@pytest.mark.parametrize("protocol", [5, 4])
@pytest.mark.parametrize("qos", [0, 1, 2])
async def test_a_value_at_which_a_broker_hangs_up_costs_only_itself(
    qos: int, protocol: int, curt: OracleBroker, quick: None, said: Callable[[], list[str]]
):
    """All records and other values arrive; one line and the status name the topic; a smaller value is published."""
    async with sending(curt.port, protocol=protocol, qos=qos) as (task, log, notices):
        await until(lambda: task.health.up)
        fill(log, notices)
        await asyncio.wait_for(task.cursor.wait_until_drained(), 20)
        await until(lambda: curt.payloads(OTHER.topic))
        await until(lambda: TOPIC in orjson.loads(curt.payloads("klvrelay/status")[-1]).get("suspended", ()))
        assert not curt.payloads(TOPIC)
        assert TOPIC in task.health.suspended()
        assert task.sums().delivered == 40
        notices.put(Notice("state", "uav2", SMALL))
        await until(lambda: curt.payloads(TOPIC))
        await until(lambda: not task.health.suspended())
    lines = [line for line in said() if f": topic={TOPIC}" in line]
    assert ["topic suspended: " in lines[0], "topic accepted again: " in lines[1], len(lines)] == [True, True, 2]
    assert str(size_of(STATE._replace(qos=qos))) in lines[0]
    assert not [line for line in said() if "client_id" in line]


async def test_a_value_of_a_resumed_session_is_found_too(curt: OracleBroker, quick: None):
    """At QoS 2 it is sent again while the next connection is made. The first connection had lasted."""
    ahead = 0.0
    async with sending(curt.port, qos=2) as (task, log, notices):
        task.sink._breaking.clock = lambda: time.monotonic() + ahead
        await until(lambda: task.health.up)
        ahead = STEADY
        fill(log, notices)
        await until(lambda: task.health.suspended() == (TOPIC,))
        await asyncio.wait_for(task.cursor.wait_until_drained(), 20)

        assert task.sums().delivered == 40


async def test_a_status_at_which_a_broker_hangs_up_is_shortened(
    curt: OracleBroker, quick: None, monkeypatch: pytest.MonkeyPatch
):
    """Its further members are left out, also in the last status."""
    monkeypatch.setattr(SinkTask, "put_sums", lambda _: None)  # otherwise the last status has no large members
    async with sending(curt.port, protocol=4) as (task, log, notices):
        await until(lambda: task.health.up)
        notices.put(Notice("status", None, LARGE))
        log.append(record(0))
        await until(lambda: task.health.suspended())
        await asyncio.wait_for(task.cursor.wait_until_drained(), 20)
        # The connection that the broker closed is still up for a moment, and gets no last status.
        await until(lambda: task.health.up and not curt.guests[-1].gone)
    (last,) = [orjson.loads(payload) for payload in curt.payloads("klvrelay/status")[-1:]]

    assert last.keys() == {"state", "boot", "client_id", "reason"}
    assert (last["state"], last["reason"]) == ("offline", "stopped")


def hang_up_at(oracle: OracleBroker, monkeypatch: pytest.MonkeyPatch, topics: bytes) -> None:
    """The broker closes the connection at messages on these topics."""
    publish = oracle._publish

    def judge(guest: Any, flags: int, body: bytes) -> None:
        oracle.cut(reset=True) if body[2:].startswith(topics) else publish(guest, flags, body)

    monkeypatch.setattr(oracle, "_publish", judge)


async def test_a_stream_of_too_large_records_starves_no_other(curt: OracleBroker, quick: None):
    """After two of them the others are left out, also those that are a little smaller, without another connection."""
    async with sending(curt.port, protocol=4) as (task, log, _):
        for seq in range(100):
            log.append(record(seq))
            log.append(record(seq, "uav2", raw=encode({"precision_time_stamp": 1, 150: bytes(2000 - seq)})))
        await asyncio.wait_for(task.cursor.wait_until_drained(), 20)
        assert task.sums() == Sums(200, delivered=100, left_out=100)
        assert len(curt.guests) <= 2 + STRIKES + STRIKES_MORE + 2


@pytest.mark.parametrize("protocol", [5, 4])
async def test_a_stream_whose_topics_a_broker_forbids_by_hanging_up_starves_no_other(
    protocol: int, oracle: OracleBroker, quick: None, monkeypatch: pytest.MonkeyPatch
):
    """Some brokers close the connection instead of a refusal: its topics are suspended, and the counts add up."""
    hang_up_at(oracle, monkeypatch, b"klvrelay/uav2/")
    async with sending(oracle.port, protocol=protocol) as (task, log, notices):
        for stream in ("uav2", "uav1"):
            notices.put(Notice("availability", stream, b"online"))
            notices.put(Notice("state", stream, SMALL))
        for seq in range(100):
            log.append(record(seq))
            log.append(record(seq, "uav2"))
        await asyncio.wait_for(task.cursor.wait_until_drained(), 20)
        await until(lambda: oracle.payloads(OTHER.topic))
        sums = task.sums()
        assert sums.delivered == 100
        assert sums.rejected + sums.left_out == 100
        suspended = {topic.rpartition("/")[2] for topic in task.health.suspended()}
        assert suspended == {"availability", "state", "telemetry", "gap"}


@pytest.mark.needs("mosquitto")
async def test_a_value_too_large_for_a_real_broker_of_3_1_1_costs_only_itself(
    mosquitto: Mosquitto, quick: None, said: Callable[[], list[str]]
):
    """mosquitto holds back its answers (Nagle), so that those to earlier messages are lost: they are not blamed."""
    await mosquitto.stop()
    mosquitto.configure(f"listener {mosquitto.port} 127.0.0.1\nallow_anonymous true\nmax_packet_size {LIMIT}\n")
    await mosquitto.start()
    async with (
        listening(mosquitto.port, "klvrelay/#") as heard,
        sending(mosquitto.port, protocol=4) as (task, log, notices),
    ):
        await until(lambda: task.health.up)
        fill(log, notices)
        await asyncio.wait_for(task.cursor.wait_until_drained(), 20)
        await until(lambda: task.health.suspended() == (TOPIC,))
        await until(lambda: heard.on(OTHER.topic))
        # The broker acknowledges a message before its subscriber has it.
        await until(lambda: {orjson.loads(each)["seq"] for each in heard.on("klvrelay/uav1/telemetry")} == {*range(40)})

    assert task.sums().delivered == 40
    assert not [line for line in said() if "client_id" in line]
