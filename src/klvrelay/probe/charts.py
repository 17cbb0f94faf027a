"""Data for the charts of the HTML page: series over time and paths, reduced to the width of a chart."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ChartLine:
    """A curve with one point per bin of `width` seconds, None for an empty bin; `low` and `high` are its band."""

    name: str
    width: float
    mean: tuple[float | None, ...]
    low: tuple[float | None, ...]
    high: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class ChartStrip:
    """Number of records per bin of `width` seconds that hold an item."""

    name: str
    width: float
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ChartPath:
    """Positions in order: (latitude, longitude) in degrees."""

    name: str
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Plots:
    """Chart data of one KLV stream."""

    pid: int | None
    set: str
    rate: ChartLine
    gaps: ChartLine
    offsets: tuple[ChartLine, ...]
    altitudes: tuple[ChartLine, ...]
    records: ChartStrip
    strips: tuple[ChartStrip, ...]
    paths: tuple[ChartPath, ...]
