"""What an outage cost: records lost and delayed, from the counters before and after it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from klvrelay.health import SinkHealth, StreamHealth
from klvrelay.health.board import Board
from klvrelay.health.changes import Change
from klvrelay.link_stats import LinkStats

KNOWN = 1.0
"""Seconds for which the streams and sinks that were found by name are kept."""


@dataclass(frozen=True, slots=True)
class Cost:
    """lost: records; None: not known. `estimated`, or counted. delayed: records that waited, of a sink."""

    lost: int | None = None
    estimated: bool = False
    delayed: int | None = None


Measure = Callable[[float], Cost]
"""What an outage cost that lasted so many seconds, by the present counters."""


class Costs(Protocol):
    """Measures what outages cost."""

    def begin(self, change: Change) -> Measure:
        """An outage begins: note the counters."""


class BoardCosts:
    """Measures by the health of the streams and sinks of the relay."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._known: dict[tuple[str, str], StreamHealth | SinkHealth] = {}
        self._next = 0.0

    def begin(self, change: Change) -> Measure:
        health = self._find(change)
        if isinstance(health, StreamHealth):
            return _of_stream(health)
        if isinstance(health, SinkHealth):
            return _of_sink(health)
        return lambda _: Cost(lost=0) if change.subject == "spool" else Cost()

    def _find(self, change: Change) -> StreamHealth | SinkHealth | None:
        if change.at >= self._next:
            self._known = {("stream", health.name): health for health in self._board.streams()}
            self._known |= {("sink", health.key or health.name): health for health in self._board.sinks()}
            self._next = change.at + KNOWN
        return self._known.get((change.subject, change.name))


def _of_stream(health: StreamHealth) -> Measure:
    """Missing datagrams that were counted, as records by their share; else the rate before, times the time."""
    link = health.link
    missing, dropped = missing_of(link), health.dropped
    share = health.records / link.datagrams if link.datagrams else 0.0
    rate = health.rhythm.rate(health.last_record) if health.records else 0.0

    def measure(seconds: float) -> Cost:
        packets = missing_of(health.link) - missing
        counted = max(0, health.dropped - dropped)
        if packets > 0 and share:
            return Cost(counted + round(packets * share), estimated=True)
        if not rate:
            return Cost(counted or None)
        return Cost(counted + round(rate * seconds), estimated=True)

    return measure


def missing_of(link: LinkStats) -> int:
    """Number of datagrams that were sent and not received, as far as the transport counts them."""
    return link.rtp_lost + link.srt_dropped + link.kernel_drops


def _of_sink(health: SinkHealth) -> Measure:
    """Records that were shed are lost, those that wait at its end are delayed."""
    shed = health.sums.shed

    def measure(_: float) -> Cost:
        return Cost(max(0, health.sums.shed - shed), delayed=health.sums.waiting)

    return measure
