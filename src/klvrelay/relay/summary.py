"""The counts of a run: of its streams and sinks, including those that a reload removed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from klvrelay.outcome import Sums
from klvrelay.relay.stream import Stream
from klvrelay.text import counted


class StreamCounts(NamedTuple):
    """The counts of streams.

    records  KLV packets; of these `unfit` are bad or damaged
    dropped  packets that sources dropped because the relay was too slow
    gaps     in the transport
    outages  with `away` seconds in total
    """

    records: int = 0
    unfit: int = 0
    dropped: int = 0
    gaps: int = 0
    outages: int = 0
    away: float = 0.0

    def describe(self) -> str:
        lost = f"{counted(self.dropped, 'packet')} dropped"
        if self.gaps:
            lost += f", {counted(self.gaps, 'gap')} in the transport"
        away = f", {counted(self.outages, 'outage')} of {self.away:.1f} s" if self.outages else ""
        return f"{counted(self.records, 'record')}, {self.unfit} bad or damaged, {lost}{away}"


def counts_of(stream: Stream) -> StreamCounts:
    healths, lane = stream.healths, stream.health.link.lane
    return StreamCounts(
        sum(health.records for health in healths),
        sum(health.unfit for health in healths),
        stream.health.dropped,
        lane.discontinuities + lane.sync_losses,
        sum(health.outages for health in healths),
        sum(health.away_so_far for health in healths),
    )


def total(counts: Iterable[StreamCounts]) -> StreamCounts:
    return StreamCounts(*map(sum, zip(NOTHING, *counts, strict=True)))


NOTHING = StreamCounts()


@dataclass(slots=True)
class Removed:
    """The counts of removed streams, and those of removed sinks by name."""

    streams: StreamCounts = NOTHING
    sinks: dict[str, Sums] = field(default_factory=dict)

    def add_stream(self, stream: Stream) -> None:
        self.streams = total((self.streams, counts_of(stream)))

    def add_sink(self, name: str, sums: Sums) -> None:
        """Records that wait for a removed sink are excluded by the settings."""
        sums = sums._replace(waiting=0, unwanted=sums.unwanted + sums.waiting)
        self.sinks[name] = Sums(*map(sum, zip(self.sinks.get(name, Sums()), sums, strict=True)))
