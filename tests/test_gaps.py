"""Gaps: `seq` has no holes for a subscriber, and the consumer of the docs applies each record exactly once."""

from __future__ import annotations

import asyncio
import json
import re
import sqlite3
from collections.abc import Sequence
from typing import Any

import aiomqtt
import orjson
import pytest
import virtual_time
from brokers import Mosquitto, listening, until
from conftest import ROOT
from forgetful_disk import ForgetfulFolder
from oracle_broker import OracleBroker
from records import BOOT, TIME_US, platform, record, spoilt
from test_spool_histories import AtOnce

from klvrelay.config.mqtt import MqttSettings
from klvrelay.gap import Gap, Item
from klvrelay.health import SinkHealth
from klvrelay.outcome import Outcome, Unpublished
from klvrelay.relay.notices import Notices
from klvrelay.relay.sink_task import SinkTask
from klvrelay.sinks.mqtt.batch_messages import BatchMessages
from klvrelay.sinks.mqtt.messages import Messages
from klvrelay.sinks.mqtt.protocol.connection import TOO_LARGE, Message
from klvrelay.sinks.mqtt.sink import MqttSink
from klvrelay.spool.disk.format import Codec
from klvrelay.spool.disk.log import DiskLog
from klvrelay.spool.disk.store import Store
from klvrelay.spool.memory import MemoryLog

GAP = Gap("uav1", BOOT, 3, 9, "memory", TIME_US)


def sink_to(url: str, **settings: Any) -> MqttSink:
    return MqttSink(MqttSettings.from_url(url, **{"timeout": 4.0, **settings}), boot=BOOT)


def test_a_gap_is_one_message_on_its_topic():
    """Not retained, with the QoS and the expiry of records, and with the identity as user properties."""
    (message,) = Messages(MqttSettings(host="h"), BOOT, "relay").of_item(GAP)
    assert (message.topic, message.qos, message.retain) == ("klvrelay/uav1/gap", 1, False)
    assert message.user == (("stream", "uav1"), ("boot", BOOT), ("seq", "3"))
    assert orjson.loads(message.payload) == {
        "schema": "klvrelay/gap/1", "stream": "uav1", "boot": BOOT, "from": 3, "to": 9, "count": 7,
        "reason": "memory", "since": "2012-06-29T13:45:12.123Z",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("later", "joined"),
    [
        (Gap("uav1", BOOT, 10, 11, "age", TIME_US + 1), Gap("uav1", BOOT, 3, 11, "age", TIME_US)),
        (Gap("uav1", BOOT, 11, 12, "memory", TIME_US), None),
        (Gap("uav1", BOOT, 10, 12, "refused", TIME_US), None),
        (Gap("uav2", BOOT, 10, 12, "memory", TIME_US), None),
        (Gap("uav1", "other", 10, 12, "memory", TIME_US), None),
    ],
)
def test_shed_runs_without_a_record_between_them_are_one_gap(later: Gap, joined: Gap | None):
    """So their number is bounded, whatever the limit was. Records that were not shed are named separately."""
    assert GAP.joined(later) == joined


def test_the_outcome_names_the_records_that_need_a_gap():
    """Refused, too large and excluded ones; a gap itself counts as answered, whatever the broker said."""
    batch: Sequence[Item] = [record(0), GAP, record(1), spoilt(2), record(3), record(4, "suspended")]
    messages = Messages(MqttSettings(host="h", publish_bad="drop"), BOOT, "relay")
    sent = BatchMessages(batch, messages.of_item, lambda topic: "suspended" not in topic)
    outcome = sent.outcome([0, 0x87, 0x97, TOO_LARGE])
    assert outcome == Outcome(delivered=1, rejected=2, left_out=1, unwanted=1, gaps=1)
    assert list(outcome.unpublished) == [
        Unpublished(2, "refused"), Unpublished(3, "excluded"), Unpublished(4, "too_large"), Unpublished(5, "refused"),
    ]  # fmt: skip


def documents(broker: OracleBroker) -> list[dict[str, Any]]:
    """The records and gaps of `uav1` in the order of their arrival."""
    sent = (one for one in broker.published if one.topic.rpartition("/")[2] in ("telemetry", "rejected", "gap"))
    return [orjson.loads(one.payload) for one in sent if one.topic.startswith("klvrelay/uav1/")]


async def test_a_subscriber_finds_no_hole_on_the_wire(oracle: OracleBroker):
    """Shed while the broker was away, excluded, and too large for it: each number is there, and the shed ones in order.
    """
    large = record(20, raw=platform(20, (59, b"x" * 60)))
    oracle.manners.limits = {0x27: len(large.json()) + 80}  # Maximum Packet Size; topic and properties have more
    log = MemoryLog(50)
    sink_task = SinkTask(
        sink_to(oracle.url, publish_bad="drop"), log.cursor("mqtt"), Notices().cursor(), SinkHealth("mqtt")
    )
    for seq in range(60):
        log.append(large if seq == 20 else spoilt(seq) if seq == 30 else record(seq))
    task = asyncio.create_task(sink_task.drain())
    await asyncio.wait_for(sink_task.cursor.wait_until_drained(), 10)
    task.cancel()
    await asyncio.wait({task})

    arrived = documents(oracle)
    gaps = [(one["from"], one["to"], one["reason"]) for one in arrived if one["schema"] == "klvrelay/gap/1"]
    assert arrived[0] | {"since": None} == arrived[0] | {"from": 0, "to": 9, "reason": "memory", "since": None}
    assert sorted(gaps) == [(0, 9, "memory"), (20, 20, "too_large"), (30, 30, "excluded")]
    there = {seq for first, last, _ in gaps for seq in range(first, last + 1)}
    assert there | {one["seq"] for one in arrived if "seq" in one} == set(range(60))


@pytest.mark.parametrize("batch", [None, 0.02], ids=["messages", "batches"])
@pytest.mark.parametrize("rate", [None, 1e6], ids=["strict", "live-first"])
async def test_a_gap_of_lost_records_is_on_the_wire_between_those_around_it(
    rate: float | None, batch: float | None, oracle: OracleBroker
):
    """Damaged on disk in the middle of a backlog, beside live records too."""
    folder = ForgetfulFolder()
    log = DiskLog(Store(folder, "relay", 1 << 20), AtOnce("test"), commit=0.001, limit=80)
    cursor = log.cursor("mqtt", replay_rate=rate)
    for seq in range(200):
        log.append(record(seq))
        if seq % 10 == 9:
            await until(lambda: not log.pending)
    segment = folder.files["segment-000"].data
    entries = list(Codec(Store(folder, "relay", 1 << 20).id).scan(bytes(segment), 0, 0))
    for seq in (130, 131, 150):
        segment[next(entry.end for entry in entries if entry.position == seq) - 1] ^= 1
    sink = MqttSink(MqttSettings.from_url(oracle.url, timeout=4.0), boot=BOOT, batch=batch)
    sink_task = SinkTask(sink, cursor, Notices().cursor(), SinkHealth("mqtt"))
    task = asyncio.create_task(sink_task.drain())
    await until(lambda: sink_task.health.up)
    for seq in range(200, 240):
        log.append(record(seq))
        await asyncio.sleep(0.002)
    await asyncio.wait_for(cursor.wait_until_drained(), 10)
    task.cancel()
    await asyncio.wait({task})
    await log.close()

    lines = [line for one in oracle.published if one.topic.startswith("klvrelay/uav1/") for line in lines_of(one)]
    backlog = [seq for seq in lines if seq < 200]
    assert backlog == list(range(200))
    assert [seq for seq in lines if seq >= 200] == list(range(200, 240))
    assert cursor.sums().shed == 3


def lines_of(message: Any) -> list[int]:
    """The numbers of the records of a message, or of its gap."""
    found = [orjson.loads(line) for line in message.payload.splitlines()]
    return [seq for one in found for seq in range(one.get("from", one.get("seq")), one.get("to", one.get("seq")) + 1)]


def test_refused_records_do_not_make_gaps_without_end():
    """A broker that refuses the gap, too, gets it once."""

    class Refusing:
        def __init__(self) -> None:
            self.offers: list[list[str]] = []

        async def deliver(self, batch: Sequence[Item]) -> Outcome:
            self.offers.append([type(one).__name__ for one in batch])
            gaps = sum(isinstance(one, Gap) for one in batch)
            outcome = Outcome(rejected=len(batch) - gaps, gaps=gaps)
            outcome.unpublished = [Unpublished(at, "refused") for at, one in enumerate(batch) if type(one) is not Gap]
            return outcome

        async def __aenter__(self) -> Refusing:
            return self

        async def __aexit__(self, *_: object) -> None:
            return None

    async def main() -> None:
        log, sink = MemoryLog(), Refusing()
        sink_task = SinkTask(sink, log.cursor("sink"), Notices().cursor(), SinkHealth("sink"))  # type: ignore[arg-type]
        for seq in range(10):
            log.append(record(seq))
        task = asyncio.create_task(sink_task.drain())
        await asyncio.wait_for(sink_task.cursor.wait_until_drained(), 10)
        task.cancel()
        await asyncio.wait({task})
        assert sink.offers == [["Record"] * 10, ["Gap"]]
        assert sink_task.sums().rejected == 10

    virtual_time.run(main())


def consumer() -> Any:
    """The function of the docs."""
    page = (ROOT / "docs" / "topics.md").read_text()
    (code,) = (block for block in re.findall(r"(?ms)^```python\n(.*?)^```", page) if "def apply_once" in block)
    assert len(code.splitlines()) <= 13
    names: dict[str, Any] = {"aiomqtt": aiomqtt, "sqlite3": sqlite3, "json": json}
    exec(code, names)
    return names["apply_once"]


@pytest.mark.needs("mosquitto")
async def test_the_consumer_of_the_docs_applies_each_record_exactly_once(mosquitto: Mosquitto):
    """Duplicates and gaps on the wire, of two streams and two runs, and a restart of the consumer."""
    db, gaps, batches = sqlite3.connect(":memory:"), [], []
    db.execute("CREATE TABLE sums (stream, boot, seq)")

    def apply(db: sqlite3.Connection, document: dict[str, Any]) -> None:
        db.execute("INSERT INTO sums VALUES (?, ?, ?)", (document["stream"], document["boot"], document["seq"]))

    def rows() -> list[tuple[str, str, int]]:
        return db.execute("SELECT * FROM sums ORDER BY stream, boot, seq").fetchall()

    for boot in ("one", "two"):
        batches += [[record(seq, stream, boot=boot) for seq in range(20)] for stream in ("uav1", "uav2")]
    gap = Gap("uav1", "two", 20, 39, "size", None)
    expected = sorted((one.stream, one.boot, one.seq) for batch in batches for one in batch)
    async with sink_to(mosquitto.url) as sink:
        for start in range(2):  # the second consumer continues with the same database
            async with (
                listening(mosquitto.port, "klvrelay/#") as heard,
                aiomqtt.Client("127.0.0.1", mosquitto.port, protocol=aiomqtt.ProtocolVersion.V5) as client,
            ):
                task = asyncio.create_task(consumer()(client, db, apply, gaps.append))
                await until(lambda: db.execute("SELECT 1 FROM sqlite_master WHERE name = 'applied'").fetchall())
                await subscribed(mosquitto, sink, gaps)
                for _ in range(2):
                    for batch in batches[: 2 + 2 * start]:
                        await sink.deliver(batch)
                    await sink.deliver([gap])
                await heard.count(4)
                await until(lambda count=2 + 2 * start: sum(one["to"] == 39 for one in gaps) == count)
                task.cancel()
                await asyncio.wait({task})
            assert rows() == [row for row in expected if start or row[1] == "one"]
    db.close()


async def subscribed(mosquitto: Mosquitto, sink: MqttSink, gaps: list[dict[str, Any]]) -> None:
    """Return once the consumer gets what is published."""
    count = len(gaps)
    while len(gaps) == count:
        await sink.deliver([Gap("probe", None, 0, 0, "age", None)])
        await asyncio.sleep(0.05)
    async with asyncio.timeout(5):
        while True:
            seen = len(gaps)
            await asyncio.sleep(0.1)
            if len(gaps) == seen:
                return


def test_a_gap_is_a_json_document_with_integers_as_the_settings_say():
    """`numbers = "safe"`: JavaScript reads them exactly."""
    large = Gap("uav1", None, 2**60, 2**60, "age", None)
    assert orjson.loads(large.json())["from"] == 2**60
    assert orjson.loads(large.json(numbers="safe"))["from"] == str(2**60)
    message: Message = Messages(MqttSettings(host="h", numbers="safe"), BOOT, "relay").of_item(large)[0]
    assert b'"1152921504606846976"' in message.payload
