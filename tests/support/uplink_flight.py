"""A flight over a thin uplink in virtual time: streams at 30 Hz, a sink with a budget, an emulated link, a broker."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import orjson
from mqtt_wire import Published
from oracle_broker import OracleBroker
from uplink import Uplink

import klvrelay
from klvrelay.config.mqtt import MqttSettings
from klvrelay.config.outputs import output_of
from klvrelay.health import SinkHealth
from klvrelay.outcome import Sums
from klvrelay.record import Record
from klvrelay.relay.notices import Notices
from klvrelay.relay.sink_task import SinkTask
from klvrelay.shape.output import Output
from klvrelay.shape.shaper import Shaper
from klvrelay.sinks.contract import Notice
from klvrelay.sinks.mqtt.sink import MqttSink
from klvrelay.spool.memory import MemoryLog

ORBIT = Path(__file__).parents[2] / "samples" / "orbit.ts"
HZ = 30
ALERTS = "alerts"
"""The stream whose records are alerts."""
EPOCH_US = time.time_ns() // 1000


@cache
def packets() -> list[bytes]:
    return [record.raw for record in klvrelay.decode(ORBIT.read_bytes()) if record.good]


@dataclass(frozen=True, slots=True)
class Arrival:
    """A message at the broker: when, and how old its record was."""

    at: float
    age: float
    topic: str
    message: Published


class Subscriber(OracleBroker):
    """A broker that notes when each message arrives."""

    def __init__(self) -> None:
        super().__init__()
        self.arrivals: list[Arrival] = []

    def _hand_on(self, published: Published) -> None:
        now, age = _now(), 0.0
        if published.payload[:1] == b"{" and (received := _received(published.payload)) is not None:
            age = now - received
        self.arrivals.append(Arrival(now, age, published.topic, published))
        super()._hand_on(published)


def _received(payload: bytes) -> float | None:
    document = orjson.loads(payload)
    if "received" not in document:
        return None
    stamp = klvrelay.record.utc(0).fromisoformat(document["received"].replace("Z", "+00:00"))  # type: ignore[union-attr]
    return stamp.timestamp() - EPOCH_US / 1e6


def _now() -> float:
    return asyncio.get_running_loop().time()


@dataclass(slots=True)
class Flight:
    """What a flight of `seconds` over a link did.

    kernel    bytes on the wire as the sink's socket counts them
    """

    seconds: float
    sums: Sums
    link: Uplink
    arrivals: list[Arrival]
    kernel: int
    steps: list[dict[str, Any]] = field(default_factory=list)
    alerts: int = 0

    def of(self, leaf: str) -> list[Arrival]:
        return [each for each in self.arrivals if each.topic.endswith(f"/{leaf}")]

    def staleness(self, leaf: str, stream: str, begin: float) -> float:
        """The greatest age of the newest value that a subscriber had, from `begin` on to the end of the flight."""
        worst, newest = 0.0, None
        for each in [a for a in self.of(leaf) if a.topic.split("/")[-2] == stream and a.at <= self.seconds]:
            if newest is not None and each.at > begin:
                worst = max(worst, each.at - newest)
            newest = max(newest or 0.0, each.at - each.age)
        assert newest is not None
        return max(worst, self.seconds - newest)


def outputs(*tables: dict[str, Any]) -> list[Output]:
    return [output_of(table) for table in tables]


ALERT_OUTPUT = {"topic": "{prefix}/{stream}/alert", "streams": [ALERTS], "class": "alert"}
POSITION = {"topic": "{prefix}/{stream}/position", "streams": [f"!{ALERTS}"], "items": ["position"], "rate": 2.0}
TELEMETRY = {"preset": "telemetry", "streams": [f"!{ALERTS}"]}
TABLES = ALERT_OUTPUT, POSITION, TELEMETRY
STATE = {"preset": "state", "streams": [f"!{ALERTS}"]}


async def fly(
    seconds: float, rate: float, *, streams: int = 4, tables: Sequence[dict[str, Any]] = TABLES,
    link_rate: float | None = None, delay: float = 0.3, alert_every: float = 5.0,
) -> Flight:  # fmt: skip
    """Fly for so many virtual seconds with a budget of `rate` bits per second. The link carries `link_rate`."""
    up = (link_rate or rate) / 8 * 1.02
    async with Subscriber() as oracle, Uplink(oracle.port, up=up, down=up, delay=delay) as link:
        settings = MqttSettings(host="127.0.0.1", port=link.port, timeout=30.0)
        sink = MqttSink(settings, boot="5f2c9a", shaper=Shaper(outputs(*tables)), budget=rate)
        log, notices = MemoryLog(), Notices()
        task = SinkTask(sink, log.cursor("uplink"), notices.cursor(), SinkHealth("uplink"), "uplink")
        drain = asyncio.create_task(task.drain())
        names = [f"uav{n}" for n in range(streams)]
        for name in names:
            notices.put(Notice("availability", name, b"online"))
        alerts = await _feed(log, names, seconds, alert_every, notices)
        flown = _now()
        kernel = int(sink._outputs.uplink.budget.total)  # type: ignore[union-attr]
        await task.settle()
        sums = task.sums()
        drain.cancel()
        await asyncio.gather(drain, return_exceptions=True)
        steps = [orjson.loads(each.message.payload) for each in oracle.arrivals if each.topic == "klvrelay/uplink"]
        return Flight(flown, sums, link, oracle.arrivals, kernel, steps, alerts)


async def _feed(log: MemoryLog, names: Sequence[str], seconds: float, alert_every: float, notices: Notices) -> int:
    loop = asyncio.get_running_loop()
    begin, alerts = loop.time(), 0
    raws = itertools.cycle(packets())
    for turn in itertools.count():
        now = begin + turn / HZ
        if now - begin >= seconds:
            return alerts
        await asyncio.sleep(now - loop.time())
        raw = next(raws)
        for name in names:
            log.append(_record(raw, name, turn))
        if turn % round(HZ * alert_every) == HZ * 3:
            log.append(_record(raw, ALERTS, alerts))
            alerts += 1
        if turn % (10 * HZ) == 0:
            for name in names:
                notices.put(Notice("link", name, b'{"state":"live","at":%d,"filler":"%s"}' % (turn, b"x" * 1200)))
    raise AssertionError


def _record(raw: bytes, stream: str, seq: int) -> Record:
    return Record(raw, "ST0601", "ok", "ok", None, None, EPOCH_US + round(_now() * 1e6), stream, "5f2c9a", seq)
