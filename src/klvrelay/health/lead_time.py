"""Lead time: from the arrival of a record to its confirmation by a sink, in histograms with fixed buckets."""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate
from typing import Any

from klvrelay.health.arrival_age import ArrivalAge
from klvrelay.record import Record

_E12 = (10, 12, 15, 18, 22, 27, 33, 39, 47, 56, 68, 82)
BOUNDS: tuple[int, ...] = (*(digits * 10**power for power in range(1, 7) for digits in _E12), 100_000_000)
"""Upper bounds of the buckets in microseconds, from 0.1 ms to 100 s, in steps of about 20 %; one more has the rest."""
COARSE = tuple(bound for bound in BOUNDS if str(bound).rstrip("0") in ("1", "22", "47"))
"""The bounds of the histogram in the metrics, which has fewer buckets."""
QUANTILES = (0.5, 0.95, 0.99)
SLOTS, SLOT = 6, 10.0
"""The last minute is in SLOTS parts of SLOT seconds."""
STREAMS_MOST = 1000
"""Maximum number of streams of a sink; records of further ones are counted together."""
TOGETHER = 1024
"""Lead times that are entered together: with many streams, this saves cache misses."""
_SIZE = len(BOUNDS) + 2
"""Counts of a histogram: one for each bucket, one for the rest, and the sum of all values."""

Counts = list[int]


class StreamLeadTime:
    """The lead times of one stream: of the last minute, and in total."""

    def __init__(self) -> None:
        self.current: Counts = [0] * _SIZE
        self._slots: list[Counts] = []  # of the last minute, without the current one
        self._before: Counts = [0] * _SIZE  # all others

    def rotate(self, slots: int) -> None:
        """So many parts of a minute have passed."""
        for _ in range(min(slots, SLOTS)):
            self._slots.append(self.current)
            self.current = [0] * _SIZE
            if len(self._slots) >= SLOTS:
                self._before = _sum([self._before, self._slots.pop(0)])

    @property
    def total(self) -> Counts:
        """The counts of all buckets, and the sum of the values."""
        return _sum([self._before, *self._slots, self.current])

    @property
    def last_minute(self) -> Counts:
        """Those of the last 50 to 60 seconds."""
        return _sum([*self._slots, self.current])

    def document(self) -> dict[str, Any]:
        """Number of records and quantiles in milliseconds, in total and of the last minute."""
        return _figures(self.total) | {"last_minute": _figures(self.last_minute)}

    def cumulative(self) -> tuple[list[int], float]:
        """Number of records up to each bound of COARSE, and of all; and the sum of all values in seconds."""
        total = self.total
        counts, reached, bounds = [], 0, iter(COARSE)
        wanted = next(bounds)
        for bound, count in zip(BOUNDS, total, strict=False):
            reached += count
            if bound == wanted:
                counts.append(reached)
                wanted = next(bounds, 0)
        return [*counts, sum(total[:-1])], total[-1] / 1e6


class LeadTimes:
    """The lead times of one sink, by stream.

    A record of a backlog has a long lead time, as it has one for its reader; so has a record of an earlier run. Records
    without a time of arrival, such as those of recordings, are not counted.

    unclear   number of records that were left out, since their time of arrival is unclear: see `ArrivalAge`
    """

    def __init__(
        self, monotonic: Callable[[], float] = time.monotonic, wall_ns: Callable[[], int] = time.time_ns
    ) -> None:
        self.unclear = 0
        self._others = StreamLeadTime()
        self._streams: dict[str, StreamLeadTime] = {}
        self._waiting: list[tuple[str, int]] = []  # streams and lead times that are not entered yet
        self._monotonic = monotonic
        self._age = ArrivalAge(monotonic, wall_ns)
        self._next = self._age.now + SLOT

    @property
    def streams(self) -> dict[str, StreamLeadTime]:
        """Those that have confirmed records, by name."""
        self._settle()
        return self._streams

    def add(self, records: Iterable[Record], confirmed: Sequence[float] | None = None) -> None:
        """The sink has confirmed these records: at these times of the monotonic clock, in seconds, or now."""
        age = self._age
        age.look()
        if age.now >= self._next:
            self.rotate(age.now)
        now_us, sure_us, waiting = age.now_us, age.sure_us, self._waiting
        for place, record in enumerate(records):
            arrived = record.received_us
            if arrived is None:
                continue
            lead = now_us - arrived
            if not 0 <= lead < sure_us:
                if (known := age.age_us(arrived)) is None:
                    self.unclear += 1
                    continue
                lead = known
            if confirmed is not None:
                lead = max(0, lead - int((age.now - confirmed[place]) * 1e6))
            waiting.append((record.stream, lead))
        if len(waiting) >= TOGETHER:
            self._settle()

    def _settle(self) -> None:
        """Enter what waits."""
        waiting, self._waiting = self._waiting, []
        streams = self._streams
        for name, lead in waiting:
            of_stream = streams.get(name) or self._begin(name)
            counts = of_stream.current
            counts[bisect_left(BOUNDS, lead)] += 1
            counts[-1] += lead

    def rotate(self, now: float) -> None:
        """Begin the part of the minute that contains `now`. Call it before reading, too."""
        if now < self._next:
            return
        passed = int((now - self._next) // SLOT) + 1
        self._next += passed * SLOT
        for stream in self._all():
            stream.rotate(passed)

    def of(self, stream: str) -> StreamLeadTime | None:
        """The lead times of a stream now."""
        self.rotate(self._monotonic())
        return self.streams.get(stream)

    def all(self) -> StreamLeadTime:
        """Those of all streams together."""
        self.rotate(self._monotonic())
        both = StreamLeadTime()
        both._slots = [_sum([each.last_minute for each in self._all()])]
        both._before = _sum([each._before for each in self._all()])
        return both

    def describe(self) -> str:
        """`, lead time p50 1.24 ms, p99 8.3 ms` of all records; "" without any."""
        total = self.all().total
        p50, p99 = quantile(total, 0.5), quantile(total, 0.99)
        return "" if p50 is None or p99 is None else f", lead time p50 {_ms(p50)}, p99 {_ms(p99)}"

    def forget(self, stream: str) -> None:
        """The stream was removed."""
        self.streams.pop(stream, None)

    def watch(self) -> None:
        """Look whether the system clock was set. Call it a few times per second."""
        self._age.look()

    def _all(self) -> list[StreamLeadTime]:
        return [*self.streams.values(), self._others]

    def _begin(self, stream: str) -> StreamLeadTime:
        if len(self._streams) >= STREAMS_MOST:
            return self._others
        made = self._streams[stream] = StreamLeadTime()
        return made


def _sum(all_counts: Sequence[Counts]) -> Counts:
    return [sum(column) for column in zip(*all_counts, strict=True)] if all_counts else [0] * _SIZE


def quantile(counts: Counts, share: float) -> float | None:
    """The value in microseconds that this share of the values does not exceed, by interpolation; None without one."""
    return _quantile(list(accumulate(counts[:-1])), share)


def _quantile(reached: Counts, share: float) -> float | None:
    """The same, from the number of values up to each bound."""
    if not reached[-1]:
        return None
    wanted = share * reached[-1]
    place = bisect_left(reached, wanted)
    if place == len(BOUNDS):
        return float(BOUNDS[-1])
    before, low = (reached[place - 1], float(BOUNDS[place - 1])) if place else (0, 0.0)
    return low + (BOUNDS[place] - low) * (wanted - before) / (reached[place] - before)


def _figures(counts: Counts) -> dict[str, Any]:
    reached = list(accumulate(counts[:-1]))
    figures: dict[str, Any] = {"count": reached[-1]}
    for share in QUANTILES:
        value = _quantile(reached, share)
        figures[f"p{share * 100:.0f}_ms"] = None if value is None else round(value / 1000, 3)
    return figures


def _ms(us: float) -> str:
    return f"{us / 1000:.{3 if us < 1000 else 1}f} ms"
