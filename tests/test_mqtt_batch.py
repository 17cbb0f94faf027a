"""`batch`: the records of a stream are gathered for a time, and published in one message."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import itertools
from collections.abc import Iterable, Sequence
from typing import Any

import orjson
import pytest
import virtual_time
from brokers import Mosquitto, listening, until
from oracle_broker import OracleBroker
from records import BOOT, damaged, record, spoilt
from remote_sinks import FarEnd
from scripted_ends import delivering
from test_delivery import draining, live

import klvrelay
from klvrelay.cli.verbs.stream_table import StreamTable
from klvrelay.config.mqtt import MqttSettings
from klvrelay.config.settings_file import load
from klvrelay.encode import encode
from klvrelay.errors import SinkDown
from klvrelay.gap import Gap, Item
from klvrelay.health import SinkHealth
from klvrelay.outcome import Outcome
from klvrelay.relay.build import build_relay
from klvrelay.relay.notices import Notices
from klvrelay.relay.sink_task import SinkTask
from klvrelay.sinks.mqtt.joined_messages import JOINED_MOST, JoinedMessages
from klvrelay.sinks.mqtt.messages import Messages
from klvrelay.sinks.mqtt.protocol.connection import Received
from klvrelay.sinks.mqtt.sink import MqttSink
from klvrelay.spool.memory import MemoryLog

TELEMETRY, RAW, REJECTED, GAP = (f"klvrelay/uav1/{leaf}" for leaf in ("telemetry", "raw", "rejected", "gap"))
MAXIMUM_PACKET_SIZE, CONTENT_TYPE = 0x27, 0x03


def sink_to(broker: Any, **settings: Any) -> MqttSink:
    known = {"timeout": 2.0, **settings}
    return MqttSink(MqttSettings.from_url(broker.url, **known), boot=BOOT, batch=0.1)


def seqs_of(payload: bytes) -> list[int]:
    assert payload.endswith(b"\n")
    return [orjson.loads(line)["seq"] for line in payload.splitlines()]


def seqs(oracle: OracleBroker, topic: str = TELEMETRY) -> list[list[int]]:
    """The records of each message."""
    return [seqs_of(payload) for payload in oracle.payloads(topic)]


def flat(numbers: Iterable[list[int]]) -> list[int]:
    return list(itertools.chain.from_iterable(numbers))


async def delivered(oracle: OracleBroker, batch: Sequence[Item], **settings: Any) -> Outcome:
    async with sink_to(oracle, **settings) as sink:
        return await sink.deliver(batch)


@pytest.mark.parametrize(
    ("qos", "client"), [(0, "native"), (1, "native"), (2, "native"), (0, "aiomqtt"), (1, "aiomqtt")]
)
async def test_the_records_of_a_stream_are_one_message(oracle: OracleBroker, qos: int, client: str):
    """JSON Lines with the JSON of single messages; streams that take turns have a message each."""
    batch = [record(seq, stream) for seq in range(5) for stream in ("uav1", "uav2")]
    assert await delivered(oracle, batch, qos=qos, client=client) == Outcome(10)
    for stream in ("uav1", "uav2"):
        (message,) = [each for each in oracle.published if each.topic == f"klvrelay/{stream}/telemetry"]
        assert message.payload == b"".join(each.json() + b"\n" for each in batch if each.stream == stream)
        assert message.properties[CONTENT_TYPE] == "application/x-ndjson"
        assert message.user == (("stream", stream), ("boot", BOOT), ("seq", "0"))
        assert message.qos == qos


async def test_a_single_record_has_the_same_form(oracle: OracleBroker):
    """A subscriber needs to read one form only."""
    assert await delivered(oracle, [record(7)]) == Outcome(1)
    assert seqs(oracle) == [[7]]
    (message,) = [each for each in oracle.published if each.topic == TELEMETRY]
    assert message.properties[CONTENT_TYPE] == "application/x-ndjson"


async def test_raw_messages_are_klv_streams(oracle: OracleBroker):
    """The packets of the same records, one after the other."""
    batch = [record(seq) for seq in range(5)]
    assert await delivered(oracle, batch, raw=True) == Outcome(5)
    (payload,) = oracle.payloads(RAW)
    assert [each.raw for each in klvrelay.decode(payload)] == [each.raw for each in batch]


async def test_gaps_and_other_topics_end_a_message(oracle: OracleBroker):
    """So that everything of a stream is in order; records of another run are apart."""
    before = [record(seq, boot="0a0b0c") for seq in (8, 9)]
    gap = dataclasses.replace(Gap.of(record(3), "memory"), last=5)
    batch = [*before, record(0), record(1), spoilt(2), gap, record(6), damaged(7), record(8), record(9)]
    outcome = await delivered(oracle, batch)
    assert outcome == Outcome(9, gaps=1)
    ours = [each for each in oracle.published if "/uav1/" in each.topic]
    found = [
        (each.topic, seqs_of(each.payload) if each.topic != GAP else orjson.loads(each.payload)["from"])
        for each in ours
    ]
    assert found == [
        (TELEMETRY, [8, 9]), (TELEMETRY, [0, 1]), (REJECTED, [2]), (GAP, 3), (TELEMETRY, [6]), (REJECTED, [7]),
        (TELEMETRY, [8, 9]),
    ]  # fmt: skip
    assert dict(ours[0].user)["boot"] == "0a0b0c"


@pytest.mark.parametrize("largest", [2000, 3000, 10_000])
async def test_messages_are_split_at_the_limit_of_the_broker(oracle: OracleBroker, largest: int):
    """A record that fits alone is never left out; one that does not is, and costs only itself."""
    oracle.manners.limits = {MAXIMUM_PACKET_SIZE: largest}
    large = record(20, raw=encode({"precision_time_stamp": 1, 150: bytes(largest)}))
    batch = [*(record(seq) for seq in range(20)), large, *(record(seq) for seq in range(21, 40))]
    outcome = await delivered(oracle, batch, raw=True)
    assert (outcome.delivered, outcome.left_out) == (39, 1)
    assert [(each.place, each.reason) for each in outcome.unpublished] == [(20, "too_large")]
    assert flat(seqs(oracle)) == [seq for seq in range(40) if seq != 20]
    assert len(seqs(oracle)) < 39
    assert max(oracle.sizes) <= largest


async def test_messages_have_at_most_64_kib(oracle: OracleBroker):
    """However many records wait."""
    assert await delivered(oracle, [record(seq) for seq in range(1000)]) == Outcome(1000)
    assert flat(seqs(oracle)) == list(range(1000))
    assert JOINED_MOST // 2 < max(oracle.sizes) <= JOINED_MOST


async def test_a_refused_message_costs_its_topic_only(oracle: OracleBroker):
    """Each of its records counts as rejected, once."""
    oracle.manners.refuses = frozenset({TELEMETRY})
    batch = [record(seq, stream) for seq in range(5) for stream in ("uav1", "uav2")]
    async with sink_to(oracle) as sink:
        assert await sink.deliver(batch) == Outcome(5, 5)
        assert sink.suspended.topics == (TELEMETRY,)
        assert await sink.deliver(batch) == Outcome(5, 5)
        assert len(oracle.payloads(TELEMETRY)) == 1


async def test_after_a_loss_the_leading_answers_count(oracle: OracleBroker):
    """A record whose message was not answered is offered again, and so are all after it."""
    batch = [record(seq, stream) for seq in range(3) for stream in ("uav1", "uav2")]
    hand_on = oracle._hand_on

    def hang_up(published: Any) -> None:
        hand_on(published)
        if published.topic == "klvrelay/uav2/telemetry":
            asyncio.get_running_loop().call_later(0.05, oracle.cut)
            oracle.manners.ack = False

    oracle._hand_on = hang_up  # type: ignore[method-assign]
    async with sink_to(oracle) as sink:
        with pytest.raises(SinkDown) as lost:
            await sink.deliver(batch)
    assert lost.value.answered == Outcome(1)


async def offered_until_answered(sink: MqttSink, batch: Sequence[Item], size: int) -> Outcome:
    """In batches of another size after each loss."""
    total, connections = Outcome(), 0
    while batch:
        connections += 1
        assert connections < 100
        with contextlib.suppress(SinkDown):
            async with sink:
                while batch:
                    try:
                        outcome = await sink.deliver(batch[:size])
                    except SinkDown as down:
                        outcome = down.answered
                        size = max(1, size - 3)
                        raise
                    finally:
                        total = Outcome(*map(sum, zip(total, outcome, strict=True)))
                        batch = batch[outcome.answered :]
    return total


@pytest.mark.parametrize("step", ["PUBLISH", "PUBREC", "PUBREL", "PUBCOMP"])
@pytest.mark.parametrize("at", [2, 3, 5, 8])
async def test_at_qos_2_no_record_is_released_twice(oracle: OracleBroker, step: str, at: int):
    """Although the records are offered again in other messages."""
    counts = dict.fromkeys(("PUBLISH", "PUBREC", "PUBREL", "PUBCOMP"), 0)

    def cut(name: str) -> None:
        counts[name] += 1
        if name == step and counts[name] in (at, 2 * at, 3 * at):
            oracle.cut()

    oracle.on_step = cut
    batch = [record(seq, stream) for seq in range(12) for stream in ("uav1", "uav2", "uav3")]
    outcome = await offered_until_answered(sink_to(oracle, qos=2, raw=True), batch, 20)
    oracle.on_step = lambda name: None
    assert outcome == Outcome(36)
    for stream in ("uav1", "uav2", "uav3"):
        released = [each for each in oracle.released if each.topic == f"klvrelay/{stream}/telemetry"]
        assert flat(seqs_of(each.payload) for each in released) == list(range(12))
        raw = b"".join(each.payload for each in oracle.released if each.topic == f"klvrelay/{stream}/raw")
        assert raw == b"".join(each.raw for each in batch if each.stream == stream)


def test_an_answer_that_is_not_counted_is_kept_for_the_next_offer():
    """QoS 2: a record that was answered on an earlier connection is not sent, however often it is offered."""
    messages = Messages(MqttSettings(host="a", qos=2), BOOT, "id")
    batch = [record(seq) for seq in range(4)]
    (single,) = messages.of_record(batch[2])
    answers = {single: 0}
    joined = JoinedMessages(batch, messages.of_item, lambda _: True, 10_000, answers.get)
    assert flat(seqs_of(message.payload) for message in joined.messages) == [0, 1, 3]
    assert joined.outcome([None]) == Outcome()
    assert joined.answers_after(Outcome(), [None]) == [(single, 0)]
    assert joined.outcome([0]) == Outcome(4)
    assert joined.answers_after(Outcome(4), [0]) == []


async def test_a_limit_that_is_not_announced_is_found(oracle: OracleBroker, monkeypatch: pytest.MonkeyPatch):
    """The broker closes the connection at larger messages: these become smaller, and no record is lost."""
    from klvrelay.backoff import Backoff
    from klvrelay.relay import sink_task as sink_task_module
    from klvrelay.sinks.mqtt.refused import breaking

    monkeypatch.setattr(sink_task_module, "Backoff", lambda cap: Backoff(first=0.01, cap=0.02))
    monkeypatch.setattr(breaking, "STEADY", 0.05)
    monkeypatch.setattr(breaking, "ANSWERS", 5)
    publish, too_large = oracle._publish, []

    def judge(guest: Any, flags: int, body: bytes) -> None:
        if len(body) > 4000:
            too_large.append(len(body))
            oracle.cut(reset=True)
        else:
            publish(guest, flags, body)

    oracle._publish = judge  # type: ignore[method-assign]
    async with delivering(sink_to(oracle)) as (sink_task, log):
        for seq in range(3000):
            log.append(record(seq))
            await asyncio.sleep(0.0002)
        await asyncio.wait_for(sink_task.cursor.wait_until_drained(), 20)
        found = len(too_large)
        for seq in range(3000, 3500):
            log.append(record(seq))
            await asyncio.sleep(0.0002)
        await asyncio.wait_for(sink_task.cursor.wait_until_drained(), 20)
        assert sink_task.sums().delivered == 3500
    assert 2 <= found < 30
    assert sorted({seq for message in seqs(oracle) for seq in message}) == list(range(3500))
    assert max(map(len, seqs(oracle)[-10:])) > 1


class Holding(FarEnd):
    """A far end whose sink holds records for 100 ms."""

    hold = 0.1


@pytest.mark.parametrize("round_trip", [0.0003, 0.35])
def test_records_are_held_for_the_time_and_no_longer(round_trip: float):
    """Also while earlier batches are in flight; 240 a second are batches of 24."""

    async def main() -> None:
        far = Holding(round_trip)
        async with draining(far) as (sink_task, log):
            await asyncio.sleep(1)
            appended = await live(log, 8, 3)
            await asyncio.sleep(0.11 + round_trip)
            assert sink_task.cursor.waiting == 0
        waits = [time - round_trip / 2 - appended[each.stream, each.seq] for time, each in far.taken]
        assert max(waits) <= 0.101
        assert 29 <= len(far.batches) <= 33
        assert waits[0] < 0.001  # the first one after a pause does not wait

    virtual_time.run(main())


def test_a_backlog_beside_live_records_does_not_take_their_turn():
    """With `order = "live-first"`, a live record waits no longer than without a backlog."""

    async def main() -> None:
        far, log = Holding(), MemoryLog()
        sink_task = SinkTask(far, log.cursor("far", replay_rate=200.0), Notices().cursor(), SinkHealth("far"))
        for seq in range(500):
            log.append(record(seq, "old"))
        task = asyncio.create_task(sink_task.drain())
        await asyncio.sleep(0.01)  # what waits is the backlog now
        appended = await live(log, 2, 2)
        await asyncio.sleep(1)
        task.cancel()
        await asyncio.wait({task})
        waits = [time - appended[each.stream, each.seq] for time, each in far.taken if each.stream != "old"]
        assert len(waits) == 120
        assert max(waits) <= 0.102
        assert far.seqs("old") == list(range(500))
        assert len(far.batches) < 100

    virtual_time.run(main())


def test_a_batch_that_is_full_does_not_wait():
    """A backlog is delivered as fast as the far end accepts it."""

    async def main() -> None:
        far = Holding()
        async with draining(far) as (sink_task, log):
            for seq in range(5000):
                log.append(record(seq))
            await asyncio.wait_for(sink_task.cursor.wait_until_drained(), 0.25)
        assert far.seqs() == list(range(5000))
        assert far.batches[:-1] == [500] * (len(far.batches) - 1)

    virtual_time.run(main())


def test_at_the_end_nothing_is_held():
    """A stop has little time."""

    async def main() -> None:
        far = Holding()
        far.hold = 10.0
        async with draining(far) as (sink_task, log):
            await asyncio.sleep(20)
            log.append(record(0))
            await asyncio.sleep(1)
            log.append(record(1))
            await asyncio.sleep(1)
            assert far.seqs() == [0]
            await asyncio.wait_for(sink_task.settle(), 0.1)
            assert far.seqs() == [0, 1]

    virtual_time.run(main())


@pytest.mark.needs("mosquitto")
async def test_eight_streams_at_a_real_broker(mosquitto: Mosquitto):
    """Each record once, in order, within 100 ms of its turn."""
    async with listening(mosquitto.port, "klvrelay/+/telemetry") as heard, delivering(sink_to(mosquitto)) as (_, log):
        for seq in range(60):
            for number in range(8):
                log.append(record(seq, f"s{number}"))
            await asyncio.sleep(1 / 100)
        await until(lambda: sum(payload.payload.count(b"\n") for payload in heard.messages) == 480)
    for number in range(8):
        payloads = heard.on(f"klvrelay/s{number}/telemetry")
        assert flat(map(seqs_of, payloads)) == list(range(60))
        assert len(payloads) <= 12


def test_watch_reads_each_line():
    """Each is a record."""
    table = StreamTable("klvrelay")
    lines = b"".join(record(seq).json() + b"\n" for seq in range(7))
    table.take(Received(TELEMETRY, lines, retained=False), 10.0, 0.0)
    table.take(Received(REJECTED, lines, retained=False), 10.0, 0.0)
    (row,) = table.rows(10.0)
    assert (row["rate"], row["bad"], row["set"]) == ("7.0", "7", "ST0601")


def test_the_setting_is_that_of_a_sink(tmp_path: Any):
    """Without it, each record has its own message."""
    path = tmp_path / "relay.toml"
    path.write_text(
        '[[sink]]\nurl = "mqtt://a"\nbatch = "100ms"\n[[sink]]\nname = "b"\nurl = ["mqtt://b1", "mqtt://b2"]\n'
        'batch = "1s"\n[[sink]]\nname = "c"\nurl = "mqtt://c"\n[[source]]\nurl = "udp://:5000"\n'
    )
    holds = [getattr(task.sink, "hold", None) for task in build_relay(load(path)).sink_tasks]
    assert holds == [0.1, 1.0, 0.0]
