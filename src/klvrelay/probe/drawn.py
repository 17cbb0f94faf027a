"""What the page draws: numbers over time and places, no longer than a picture is wide; next door, `series.py` makes
them, `svg.py` draws them.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Line:
    """A curve: one point a bin of `width` seconds, None for a bin without; `low` and `high` are its band."""

    name: str
    width: float
    mean: tuple[float | None, ...]
    low: tuple[float | None, ...]
    high: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Strip:
    """How many records of each bin hold an item, of `most` in that bin."""

    name: str
    width: float
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Path:
    """Places in their order, (latitude, longitude) in degrees."""

    name: str
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Plots:
    """What the page draws of one KLV stream."""

    pid: int | None
    set: str
    rate: Line
    gaps: Line
    offsets: tuple[Line, ...]
    altitudes: tuple[Line, ...]
    records: Strip
    strips: tuple[Strip, ...]
    paths: tuple[Path, ...]
