"""The counts of a run: of its streams and sinks, including those that a reload removed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from klvrelay.errors import KlvrelayError, NoKlv
from klvrelay.health.diagnosis import no_klv
from klvrelay.outcome import Sums
from klvrelay.relay.sink_task import SinkTask
from klvrelay.relay.stream import Stream
from klvrelay.spool.contract import Log
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


class RunCounts:
    """The counts of all streams and sinks of a run.

    streams, sink_tasks  return those at present; those that a reload removed are counted with `add_removed_...`
    log                  where records wait: if it keeps them, they survive the end of the process
    """

    def __init__(
        self, streams: Callable[[], Sequence[Stream]], sink_tasks: Callable[[], Sequence[SinkTask]], log: Log
    ) -> None:
        self._streams, self._sink_tasks, self._log = streams, sink_tasks, log
        self._removed = Removed()

    def add_removed_stream(self, stream: Stream) -> None:
        self._removed.add_stream(stream)

    def add_removed_sink(self, name: str, sums: Sums, *, is_best_effort: bool) -> None:
        self._removed.add_sink(name, sums, is_best_effort=is_best_effort)

    def describe(self) -> str:
        """All counts, on one line."""
        tasks = self._sink_tasks()
        sinks = (task.sums().describe(task.health.name) + task.health.lead_times.describe() for task in tasks)
        removed = (sums.describe(name) for name, sums in self._removed.sums(with_best_effort=True))
        return "; ".join([self._total.describe(), *sinks, *removed])

    @property
    def fault(self) -> KlvrelayError | None:
        """Why a source was not read to its end, or NoKlv if there was no record at all."""
        streams = self._streams()
        failed = next((stream.failed for stream in streams if stream.failed is not None), None)
        if failed is None and streams and not self._total.records:
            missed = next((stream.decoder.streams.missed for stream in streams if stream.decoder.streams.missed), "")
            return NoKlv(f"no KLV was received: {missed or no_klv(streams[0].health.link.lane).sentence}")
        return failed

    @property
    def lost(self) -> int:
        """Number of lost records."""
        return sum(self._lost_of(sums) for _, sums in self._sums(with_best_effort=False))

    @property
    def losses(self) -> str:
        """The counts of lost records by cause, for the log."""
        return "; ".join(
            f"sink={name} shed={sums.shed} rejected={sums.rejected} left_out={sums.left_out} waiting={sums.waiting}"
            for name, sums in self._sums(with_best_effort=False)
            if self._lost_of(sums)
        )

    @property
    def _total(self) -> StreamCounts:
        return total((self._removed.streams, *map(counts_of, self._streams())))

    def _sums(self, *, with_best_effort: bool = True) -> list[tuple[str, Sums]]:
        """The names and sums of all sinks, those removed last."""
        tasks = [task for task in self._sink_tasks() if with_best_effort or not task.is_best_effort]
        return [*((task.health.name, task.sums()) for task in tasks), *self._removed.sums(with_best_effort)]

    def _lost_of(self, sums: Sums) -> int:
        return sums.lost - (sums.waiting if self._log.keeps else 0)


@dataclass(slots=True)
class Removed:
    """The counts of removed streams, and those of removed sinks by name.

    best_effort   the names of those whose undelivered records are no loss
    """

    streams: StreamCounts = NOTHING
    sinks: dict[str, Sums] = field(default_factory=dict)
    best_effort: set[str] = field(default_factory=set)

    def add_stream(self, stream: Stream) -> None:
        self.streams = total((self.streams, counts_of(stream)))

    def add_sink(self, name: str, sums: Sums, *, is_best_effort: bool = False) -> None:
        """Records that wait for a removed sink are excluded by the settings."""
        sums = sums._replace(waiting=0, unwanted=sums.unwanted + sums.waiting)
        if is_best_effort:
            self.best_effort.add(name)
        self.sinks[name] = Sums(*map(sum, zip(self.sinks.get(name, Sums()), sums, strict=True)))

    def sums(self, with_best_effort: bool) -> list[tuple[str, Sums]]:
        """The names and sums of removed sinks."""
        return [each for each in self.sinks.items() if with_best_effort or each[0] not in self.best_effort]
