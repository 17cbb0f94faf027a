"""Unbounded series of numbers in bounded memory: spreads, curves over time and paths.

Short series are exact. Longer ones are thinned to every second, fourth, ... element.
"""

from __future__ import annotations

from collections import Counter
from itertools import zip_longest

from klvrelay.probe import charts, transport_report

KINDS, BEYOND = 512, 2048
"""Maximum number of distinct texts listed, and of further ones counted."""
SHORTEST = 0.5
"""Shortest interval in seconds that a rate is computed for: a single burst has no rate."""
KEPT = 2048
"""Numbers kept to compute a median."""
BINS = 240
"""Maximum number of points of a curve; a bin starts at `WIDTH` seconds and doubles."""
WIDTH = 0.05
POINTS = 1200
STEADY, FEWEST = 12, 12
"""Average number of records per bin of a rate (STEADY), and the bins that must remain (FEWEST)."""


def rate_of(count: int, seconds: float) -> float | None:
    """Rate per second; None if the interval is too short."""
    return count / seconds if seconds >= SHORTEST else None


class Spread:
    """Spread of a series of numbers; `freeze` returns it."""

    __slots__ = ("_kept", "_median", "_stride", "count", "high", "low", "total")

    def __init__(self) -> None:
        self.count = 0
        self._median: tuple[int, float] = (0, 0.0)  # (count, median) when it was last computed
        self.total = 0.0
        self.low = float("inf")
        self.high = float("-inf")
        self._kept: list[float] = []
        self._stride = 1

    def add(self, number: float) -> None:
        if number < self.low:
            self.low = number
        if number > self.high:
            self.high = number
        if self.count % self._stride == 0:
            self._kept.append(number)
            if len(self._kept) >= KEPT:
                del self._kept[1::2]
                self._stride *= 2
        self.count += 1
        self.total += number

    @property
    def median(self) -> float | None:
        return sorted(self._kept)[len(self._kept) // 2] if self._kept else None

    @property
    def usual(self) -> float | None:
        """Cheap median for a query after each number: it may ignore up to the last sixteenth, which saves sorting."""
        if not self.count:
            return None
        if self.count - self._median[0] > self.count >> 4:
            self._median = self.count, self.median or 0.0
        return self._median[1]

    def freeze(self) -> transport_report.SpreadReport:
        if not self.count:
            return transport_report.SpreadReport(0, None, None, None, None)
        return transport_report.SpreadReport(self.count, self.low, self.median, self.total / self.count, self.high)


class Kinds:
    """Counts distinct texts up to a limit; `left_out` is a lower bound of the number of others."""

    __slots__ = ("_beyond", "counts")

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._beyond: set[str] = set()

    def add(self, text: str) -> None:
        if text in self.counts or len(self.counts) < KINDS:
            self.counts[text] += 1
        elif len(self._beyond) < BEYOND:
            self._beyond.add(text)

    @property
    def left_out(self) -> int:
        return len(self._beyond)


class Counts:
    """Counts events in bins of time."""

    __slots__ = ("counts", "width")

    def __init__(self) -> None:
        self.width = WIDTH
        self.counts: list[int] = []

    def add(self, at: float, count: int = 1) -> None:
        index = int(at / self.width)
        while index >= BINS:
            self._widen()
            index //= 2
        counts = self.counts
        if index >= len(counts):
            counts.extend([0] * (index + 1 - len(counts)))
        counts[index] += count

    def _widen(self) -> None:
        self.width *= 2
        self.counts = [a + b for a, b in zip_longest(self.counts[::2], self.counts[1::2], fillvalue=0)]

    def merge(self, other: Counts) -> None:
        """Add the counts of `other`."""
        if not other.counts:
            return
        while self.width < other.width:
            self._widen()
        while other.width < self.width:
            other._widen()
        self.counts = [a + b for a, b in zip_longest(self.counts, other.counts, fillvalue=0)]

    def strip(self, name: str, width: float) -> charts.ChartStrip:
        """The counts in bins of `width`, which is this width doubled zero or more times."""
        while self.width < width:
            self._widen()
        return charts.ChartStrip(name, self.width, tuple(self.counts))

    def line(self, name: str) -> charts.ChartLine:
        """The counts as events per second, in bins wide enough for a rate; the incomplete last bin is left out."""
        coarse = Counts()
        coarse.width, coarse.counts = self.width, self.counts
        while len(coarse.counts) > FEWEST and sum(coarse.counts) < STEADY * len(coarse.counts):
            coarse._widen()
        whole = coarse.counts[:-1] if len(coarse.counts) > 2 else coarse.counts
        rates: tuple[float | None, ...] = tuple(count / coarse.width for count in whole)
        return charts.ChartLine(name, coarse.width, rates, rates, rates)


class Curve:
    """A number over time: mean, minimum and maximum of each bin."""

    __slots__ = ("_bins", "name", "width")

    def __init__(self, name: str) -> None:
        self.name = name
        self.width = WIDTH
        self._bins: list[list[float] | None] = []  # count, sum, minimum, maximum

    def add(self, at: float, number: float) -> None:
        index = int(at / self.width)
        while index >= BINS:
            self._widen()
            index //= 2
        bins = self._bins
        if index >= len(bins):
            bins.extend([None] * (index + 1 - len(bins)))
        there = bins[index]
        if there is None:
            bins[index] = [1, number, number, number]
            return
        there[0] += 1
        there[1] += number
        if number < there[2]:
            there[2] = number
        if number > there[3]:
            there[3] = number

    def _widen(self) -> None:
        self.width *= 2
        self._bins = [_merge_bins(a, b) for a, b in zip_longest(self._bins[::2], self._bins[1::2])]

    def line(self) -> charts.ChartLine:
        return charts.ChartLine(
            self.name,
            self.width,
            tuple(None if each is None else each[1] / each[0] for each in self._bins),
            tuple(None if each is None else each[2] for each in self._bins),
            tuple(None if each is None else each[3] for each in self._bins),
        )


def _merge_bins(a: list[float] | None, b: list[float] | None) -> list[float] | None:
    if a is None or b is None:
        return a or b
    return [a[0] + b[0], a[1] + b[1], min(a[2], b[2]), max(a[3], b[3])]


class PathSeries:
    """A sequence of positions."""

    __slots__ = ("_seen", "_stride", "points")

    def __init__(self) -> None:
        self.points: list[tuple[float, float]] = []
        self._stride = 1
        self._seen = 0

    def add(self, latitude: float, longitude: float) -> None:
        if self._seen % self._stride == 0:
            self.points.append((latitude, longitude))
            if len(self.points) >= POINTS:
                del self.points[1::2]
                self._stride *= 2
        self._seen += 1


class Slope:
    """Least-squares line through points: its slope and standard error."""

    __slots__ = ("_origin", "_sx", "_sxx", "_sxy", "_sy", "_syy", "count", "span")

    def __init__(self) -> None:
        self.count = 0
        self._sx = self._sy = self._sxx = self._sxy = self._syy = 0.0
        self._origin = (0.0, 0.0)
        self.span = 0.0

    def add(self, x: float, y: float) -> None:
        if not self.count:
            self._origin = x, y
        x, y = x - self._origin[0], y - self._origin[1]
        self.count += 1
        self._sx += x
        self._sy += y
        self._sxx += x * x
        self._sxy += x * y
        self._syy += y * y
        self.span = x

    def fit(self) -> tuple[float, float] | None:
        """(slope, standard error); None if there are too few points."""
        n = self.count
        wide = self._sxx - self._sx * self._sx / n if n > 2 else 0.0
        if wide <= 1e-9:
            return None
        slope = (self._sxy - self._sx * self._sy / n) / wide
        rest = max(0.0, self._syy - self._sy * self._sy / n - slope * slope * wide)
        return slope, (rest / (n - 2) / wide) ** 0.5
