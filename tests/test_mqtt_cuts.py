"""Connections that the network cuts, many in a row: no message is blamed for them, and the one that is to blame is."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from brokers import until
from cut_connections import cut_after
from oracle_broker import OracleBroker
from records import BOOT, record

from klvrelay.backoff import Backoff
from klvrelay.config.mqtt import MqttSettings
from klvrelay.encode import encode
from klvrelay.health import SinkHealth
from klvrelay.relay import halving as halving_module
from klvrelay.relay import sink_task as sink_task_module
from klvrelay.relay.notices import Notices
from klvrelay.relay.sink_task import SinkTask
from klvrelay.sinks.contract import Notice
from klvrelay.sinks.mqtt.refused import control as control_module
from klvrelay.sinks.mqtt.refused import lanes as lanes_module
from klvrelay.sinks.mqtt.sink import MqttSink
from klvrelay.sinks.mqtt.values import published_values
from klvrelay.spool.memory import MemoryLog

CUTS_MOST, RECORDS, CULPRIT = 100, 40, 7
LARGE = encode({"precision_time_stamp": 1, 150: bytes(2000)})
STREAMS = "uav1", "uav2", "uav3"
CHANCE = random.Random(15)
RANDOM = [CHANCE.choice((0, 1, 2, 3, 5, 8, 13, 40)) for _ in range(CUTS_MOST)]
POINTS: dict[str, Callable[[int], int | None]] = {
    "connack": lambda number: 0,
    "first": lambda number: 1,
    "second": lambda number: 2,
    "random": RANDOM.__getitem__,
}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Controls and pauses of a fraction of a second."""
    for name, seconds in (("CONTROL", 0.03), ("CONTROL_MOST", 0.06), ("SILENT", 0.3)):
        monkeypatch.setattr(control_module, name, seconds)
    monkeypatch.setattr(published_values, "RETRY", 0.02)
    monkeypatch.setattr(lanes_module, "TURN", 0.01)
    monkeypatch.setattr(halving_module, "STEADY", 0.05)
    monkeypatch.setattr(sink_task_module, "Backoff", lambda cap: Backoff(first=0.01, cap=0.02))


def hang_up_at_large_ones(oracle: OracleBroker, monkeypatch: pytest.MonkeyPatch) -> None:
    """The broker closes the connection at a message of more than 3,000 bytes, without an answer."""
    publish = oracle._publish

    def judge(guest: Any, flags: int, body: bytes) -> None:
        oracle.cut(reset=True) if len(body) > 3000 else publish(guest, flags, body)

    monkeypatch.setattr(oracle, "_publish", judge)


def fill(log: MemoryLog, notices: Notices, *, has_culprit: bool) -> None:
    """Records and latest values of each stream."""
    for stream in STREAMS:
        notices.put(Notice("availability", stream, b"online"))
        notices.put(Notice("state", stream, b'{"x":"y"}'))
        for seq in range(RECORDS):
            is_culprit = has_culprit and (stream, seq) == ("uav2", CULPRIT)
            log.append(record(seq, stream, raw=LARGE if is_culprit else None))


def json_of(payload: bytes) -> tuple[str, int]:
    document = orjson.loads(payload)
    return document["stream"], document["seq"]


def arrived(oracle: OracleBroker, stream: str) -> list[int]:
    """Sequence numbers, each once."""
    payloads = oracle.payloads(f"klvrelay/{stream}/telemetry")
    return list(dict.fromkeys(orjson.loads(payload)["seq"] for payload in payloads))


@pytest.mark.promise(15)
@pytest.mark.parametrize("cuts", [40, pytest.param(CUTS_MOST, marks=pytest.mark.long)])
@pytest.mark.parametrize(
    ("settings", "has_culprit", "point"),
    [({"qos": qos}, has, point) for qos in (1, 2) for has in (False, True) for point in POINTS]
    + [({"protocol": 4, "qos": 0}, False, point) for point in ("connack", "first")],
)
async def test_many_cuts_cost_no_record(
    settings: dict[str, int], point: str, has_culprit: bool, cuts: int, oracle: OracleBroker,
    monkeypatch: pytest.MonkeyPatch,
):  # fmt: skip
    """Wherever the network cuts each of many connections, all records arrive, in order, and no topic is suspended;
    a record at which the broker closes is found soon after, and costs only itself."""
    cut_after(oracle, monkeypatch, lambda number: POINTS[point](number) if number < cuts else None)
    hang_up_at_large_ones(oracle, monkeypatch)
    sink = MqttSink(MqttSettings(host="127.0.0.1", port=oracle.port, timeout=4.0, **settings), boot=BOOT)
    log, notices = MemoryLog(), Notices()
    task = SinkTask(sink, log.cursor("sink"), notices.cursor(), SinkHealth("sink"))
    fill(log, notices, has_culprit=has_culprit)
    running = asyncio.create_task(task.drain(), name="drain")
    more = RECORDS
    while len(oracle.guests) <= cuts:
        for stream in STREAMS:
            log.append(record(more, stream))
        more += 1
        await until(lambda: task.sums().waiting < 2 * RECORDS or len(oracle.guests) > cuts, 60)
    await asyncio.wait_for(task.cursor.wait_until_drained(), 30)
    running.cancel()
    await asyncio.wait({running}, timeout=10)

    assert task.sums().left_out == has_culprit
    assert task.sums().delivered == more * len(STREAMS) - has_culprit
    assert task.health.suspended() == ()
    assert len(oracle.guests) <= cuts + 16
    if settings["qos"] == 2:
        released = [(each.topic, each.payload) for each in oracle.released if each.topic.endswith("/telemetry")]
        twice = [json_of(payload) for (_, payload), count in Counter(released).items() if count > 1]
        assert twice == []
    if settings["qos"] != 0:
        for stream in STREAMS:
            lacking = CULPRIT if has_culprit and stream == "uav2" else None
            assert arrived(oracle, stream) == [seq for seq in range(more) if seq != lacking]
