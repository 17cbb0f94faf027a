"""A flight over a thin uplink in virtual time: streams at 30 Hz, a sink with a budget, an emulated link, a broker."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any
from unittest import mock

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
from klvrelay.shape.marking import NO_LIMIT
from klvrelay.shape.output import is_whole
from klvrelay.shape.shaper import Shaper
from klvrelay.sinks.contract import Notice
from klvrelay.sinks.mqtt.budget.later import LaterSink
from klvrelay.sinks.mqtt.sink import MqttSink
from klvrelay.spool.memory import MemoryLog

ORBIT = Path(__file__).parents[2] / "samples" / "orbit.ts"
HZ = 30
ALERTS = "alerts"
"""The stream whose records are alerts."""
EPOCH_US = time.time_ns() // 1000
CLOCK = "klvrelay.sinks.mqtt.budget.unsent.time_ns"
"""It tells live records from those of an outage, and counts in virtual time here, as the stamps of the records do."""


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


def _time_ns() -> int:
    return (EPOCH_US + round(_now() * 1e6)) * 1000


@dataclass(slots=True)
class Flight:
    """What a flight of `seconds` over a link did.

    wire      bytes that the link carried
    kernel    bytes that the sink has sent, as its socket counts them
    """

    seconds: float
    sums: Sums
    link: Uplink
    arrivals: list[Arrival]
    wire: int
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


ALERT_OUTPUT = {
    "topic": "{prefix}/{stream}/urgent", "streams": [ALERTS], "class": "alert", "items": ["mission_id", "position"],
}  # fmt: skip
POSITION = {"topic": "{prefix}/{stream}/position", "streams": [f"!{ALERTS}"], "items": ["position"], "rate": 2.0}
TELEMETRY = {"preset": "telemetry", "streams": [f"!{ALERTS}"]}
TABLES = ALERT_OUTPUT, POSITION, TELEMETRY
STATE = {"preset": "state", "streams": [f"!{ALERTS}"]}


@dataclass(slots=True)
class Trip:
    """A sink with a budget behind an emulated link, and what is fed to it."""

    oracle: Subscriber
    link: Uplink
    sink: MqttSink
    log: MemoryLog
    notices: Notices
    tasks: list[SinkTask]

    @property
    def uplink(self) -> Any:
        return self.sink.budget_outputs.uplink

    async def feed(self, seconds: float, streams: int = 4, *, hz: float = HZ, alert_every: float = 5.0) -> int:
        """Records of so many streams; returns the number of alerts."""
        loop = asyncio.get_running_loop()
        begin, alerts, raws = loop.time(), 0, itertools.cycle(packets())
        for turn in range(round(seconds * hz)):
            await asyncio.sleep(begin + turn / hz - loop.time())
            raw, seq = next(raws), round(_now() * 1000)
            for number in range(streams):
                self.log.append(record_at(raw, f"uav{number}", seq))
            if turn % round(hz * alert_every) == round(hz * alert_every * 0.6):
                self.log.append(record_at(raw, ALERTS, seq))
                alerts += 1
            if turn % round(10 * hz) == 0:
                for number in range(streams):
                    self.put_link(f"uav{number}", "live", turn)
        await asyncio.sleep(begin + seconds - loop.time())
        return alerts

    def put_link(self, stream: str, state: str, turn: int) -> None:
        document = b'{"state":"%s","at":%d,"filler":"%s"}' % (state.encode(), turn, b"x" * 1200)
        self.notices.put(Notice("link", stream, document))


@asynccontextmanager
async def trip(
    rate: float, tables: Sequence[dict[str, Any]] = TABLES, *, link_rate: float | None = None, delay: float = 0.3,
    later: bool = False, changeable: Sequence[str] = (), oracle: Subscriber | None = None,
) -> AsyncIterator[Trip]:  # fmt: skip
    """A connected sink with a budget of `rate` bits per second. The link carries `link_rate`."""
    up = (link_rate or rate) / 8 * 1.02
    with mock.patch(CLOCK, _time_ns):
        async with (
            oracle or Subscriber() as oracle,
            Uplink(oracle.port, up=up, down=up, delay=delay) as link,
            connected(oracle, link, rate, tables, later=later, changeable=changeable) as on,
        ):
            yield on


@asynccontextmanager
async def connected(
    oracle: Subscriber, link: Uplink, rate: float, tables: Sequence[dict[str, Any]], *, later: bool,
    changeable: Sequence[str],
) -> AsyncIterator[Trip]:  # fmt: skip
    """The same over a link that exists."""
    settings = MqttSettings(host="127.0.0.1", port=link.port, timeout=30.0)
    made = [output_of(table) for table in tables]
    sink = MqttSink(settings, boot="5f2c9a", shaper=Shaper(made, changeable=changeable), budget=rate)
    log, notices = MemoryLog(), Notices()
    sinks: list[Any] = [sink]
    if later:
        sink.send_later(next(filter(is_whole, made)), NO_LIMIT)
        sinks.append(LaterSink(lambda: sink.budget_outputs, sink.url))
    tasks = [
        SinkTask(each, log.cursor(f"uplink{place}"), notices.cursor(), SinkHealth(f"uplink{place}"))
        for place, each in enumerate(sinks)
    ]
    drains = [asyncio.create_task(task.drain()) for task in tasks]
    while not tasks[0].health.up:
        await asyncio.sleep(0.1)
    try:
        yield Trip(oracle, link, sink, log, notices, tasks)
    finally:
        for drain in drains:
            drain.cancel()
        await asyncio.gather(*drains, return_exceptions=True)


async def fly(seconds: float, rate: float, tables: Sequence[dict[str, Any]] = TABLES, **how: Any) -> Flight:
    """Four streams at 30 Hz for so many virtual seconds."""
    async with trip(rate, tables, **how) as on:
        begin, wire, total = _now(), on.link.sent.wire, on.uplink.budget.total
        alerts = await on.feed(seconds)
        flown, kernel = _now() - begin, round(on.uplink.budget.total - total)
        wire = on.link.sent.wire - wire
        await on.tasks[0].settle()
        steps = [orjson.loads(each.message.payload) for each in on.oracle.arrivals if each.topic == "klvrelay/uplink"]
        arrivals = [replace(each, at=each.at - begin) for each in on.oracle.arrivals]
        return Flight(flown, on.tasks[0].sums(), on.link, arrivals, wire, kernel, steps, alerts)


def record_at(raw: bytes, stream: str, seq: int) -> Record:
    """A record that arrives now."""
    return Record(raw, "ST0601", "ok", "ok", None, None, EPOCH_US + round(_now() * 1e6), stream, "5f2c9a", seq)
