"""Streams, sinks and a relay on a manual clock, with the alerts over them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from manual_clock import Clock
from records import platform, record

from klvrelay.alerts.alert import Alert
from klvrelay.alerts.engine import Alerts
from klvrelay.config.alerts import AlertEntry, AlertsSettings
from klvrelay.core import Counters
from klvrelay.health import SinkHealth, StreamHealth
from klvrelay.health.board import Board
from klvrelay.relay.supervise import contain

WALL_US = 1_800_000_000_000_000
"""Wall time at the manual clock's 0, microseconds since 1970."""


class LiveStream:
    """A stream whose records arrive at a rate; KLV time is `behind` seconds behind the system clock.

    rate    records per second; 0: none. `bytes_only`: bytes arrive nevertheless
    make    makes the record from its number and its KLV time in microseconds
    """

    def __init__(self, health: StreamHealth, rate: float, wall_us: Callable[[], int]) -> None:
        self.health, self.rate, self.behind = health, rate, 0.3
        self.bytes_only, self.checksum = False, "ok"
        self.wall_us = wall_us
        self._owed, self._size, self._seq = 0.0, 0, 0

    def pass_time(self, seconds: float) -> None:
        self._owed += self.rate * seconds
        if self.rate or self.bytes_only:
            self._size += 1000
            self.health.set_size(self._size)
        while self._owed >= 1:
            self._owed -= 1
            self._seq += 1
            now_us = self.wall_us()
            stamp_us = now_us - round(self.behind * 1e6)
            raw = platform(0)
            raw = raw.replace(raw[raw.index(b"\x02\x08") + 2 :][:8], stamp_us.to_bytes(8, "big"))
            fields = {"received_us": now_us, "checksum": self.checksum}
            self.health.add_record(record(self._seq, self.health.name, raw=raw, **fields))
        self.health.check()

    def count(self, **counts: int) -> None:
        """Add to the transport counters."""
        link = self.health.link
        lane = {name: getattr(link.lane, name) + n for name, n in counts.items() if name in Counters._fields}
        rest = {name: getattr(link, name) + n for name, n in counts.items() if name not in Counters._fields}
        self.health.note_link(replace(link, lane=link.lane._replace(**lane), **rest))


class Scene:
    """A board with streams and sinks, and its alerts. `events`: what was raised and cleared, in order."""

    def __init__(self, *entries: AlertEntry, **settings: Any) -> None:
        self.clock, self.wall_ahead = Clock(), 0.0
        self.board = Board("5f2c9a", contain)
        self.streams: list[LiveStream] = []
        self.sinks: list[SinkHealth] = []
        self.board.streams = lambda: [stream.health for stream in self.streams]
        self.board.sinks = lambda: self.sinks
        self.settings = AlertsSettings(entries=entries, **settings)
        self.board.refresh = self._count
        self.alerts = Alerts(self.board, self.settings, clock=self.clock, wall=self.wall)
        self.events: list[Alert] = []
        self.alerts.listeners.append(lambda alert, rule: self.events.append(alert))

    def _count(self, part: int, parts: int) -> None:
        for stream in self.streams[part::parts]:
            stream.count()

    def wall(self) -> float:
        return WALL_US / 1e6 + self.clock.now + self.wall_ahead

    def add_stream(self, name: str = "uav1", rate: float = 30.0, url: str = "udp://:5000") -> LiveStream:
        health = StreamHealth(name, url, clock=self.clock)
        self.streams.append(LiveStream(health, rate, lambda: round(self.wall() * 1e6)))
        return self.streams[-1]

    def add_sink(self, name: str = "mqtt") -> SinkHealth:
        self.sinks.append(SinkHealth(f"{name}://broker", key=name, clock=self.clock))
        self.sinks[-1].mark_connected()
        return self.sinks[-1]

    def run(self, seconds: float, each: Callable[[], object] = lambda: None, *, late: float = 0.0) -> None:
        """Let time pass in quarters of a second, and evaluate each second. `each` runs before each evaluation."""
        for quarter in range(round(4 * seconds)):
            self.clock.now += 0.25
            for stream in self.streams:
                stream.pass_time(0.25)
            if quarter % 4 == 3:
                each()
                self.alerts.check(late)

    @property
    def seen(self) -> list[str]:
        """`raised no_klv`, `cleared no_klv`, ..."""
        return [f"{alert.event} {alert.rule}" for alert in self.events]
