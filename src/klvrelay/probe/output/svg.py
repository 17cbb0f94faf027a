"""Draws charts as inline SVG: axes, curves, strips, maps.

Colours are classes of the page's style sheet, so that they adapt to light, dark and print.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from html import escape

from klvrelay.probe.charts import ChartLine, ChartPath, ChartStrip

WIDTH, HEIGHT = 720, 180
LEFT, RIGHT, TOP, BOTTOM = 64, 18, 10, 26
ROW = 14
STRIP_LEFT = 232
SHADES = 5
MAP = 360
COLOURS = 4

Number = float | None


def figure(title: str, body: str, height: float, legend: Sequence[str] = ()) -> str:
    """A figure with its caption; `title` is also the text for screen readers."""
    keys = "".join(
        f'<span class="key"><i class="k{number % COLOURS}"></i>{escape(name)}</span>'
        for number, name in enumerate(legend)
    )
    return (
        f"<figure><figcaption>{escape(title)} {keys}</figcaption>"
        f'<svg viewBox="0 0 {WIDTH} {height:.0f}" role="img" aria-label="{escape(title)}">{body}</svg></figure>'
    )


def curves(title: str, lines: Sequence[ChartLine], unit: str, *, scale: float = 1.0, from_zero: bool = False) -> str:
    """Curves over time, each with its band; empty without data."""
    shown = [line for line in lines if sum(y is not None for y in line.mean) > 1]
    numbers = [y * scale for line in shown for side in (line.low, line.high) for y in side if y is not None]
    if not numbers:
        return ""
    low, high = _with_margin(0.0 if from_zero else min(numbers), max(numbers))
    seconds = max(len(line.mean) * line.width for line in shown)
    frame = _Frame(seconds, low, high)
    body = frame.axes(unit) + "".join(
        frame.band(line, scale, number % COLOURS) + frame.curve(line, scale, number % COLOURS)
        for number, line in enumerate(shown)
    )
    return figure(title, body, HEIGHT, [line.name for line in shown] if len(shown) > 1 else ())


class _Frame:
    """The plot area: seconds on the x axis, `unit` on the y axis."""

    def __init__(self, seconds: float, low: float, high: float) -> None:
        self._seconds = max(seconds, 1e-9)
        self._low, self._high = low, high

    def x(self, seconds: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * seconds / self._seconds

    def y(self, number: float) -> float:
        return TOP + (HEIGHT - TOP - BOTTOM) * (self._high - number) / (self._high - self._low)

    def axes(self, unit: str) -> str:
        parts = []
        for tick in ticks(self._low, self._high, 4):
            y = self.y(tick)
            parts.append(f'<path class="grid" d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}"/>')
            parts.append(_text(LEFT - 6, y + 4, f"{_plain(tick)} {unit}".rstrip(), "end"))
        return "".join(parts) + time_axis(self._seconds, LEFT, HEIGHT - BOTTOM)

    def curve(self, line: ChartLine, scale: float, colour: int) -> str:
        pieces = []
        for run in _runs(line.mean):
            points = " ".join(f"{self.x((n + 0.5) * line.width):.1f},{self.y(y * scale):.1f}" for n, y in run)
            if len(run) == 1:
                x, y = points.split(",")
                pieces.append(f'<circle class="f{colour}" cx="{x}" cy="{y}" r="1.6"/>')
            else:
                pieces.append(f'<polyline class="l{colour}" points="{points}"/>')
        return "".join(pieces)

    def band(self, line: ChartLine, scale: float, colour: int) -> str:
        """The band between minimum and maximum where they differ."""
        pieces = []
        for run in _runs(line.low):
            top = [line.high[n] for n, _ in run]
            if len(run) < 2 or all(a == b for (_, a), b in zip(run, top, strict=True)):
                continue
            there = [f"{self.x((n + 0.5) * line.width):.1f},{self.y(low * scale):.1f}" for n, low in run]
            back = [f"{self.x((n + 0.5) * line.width):.1f},{self.y((line.high[n] or 0.0) * scale):.1f}" for n, _ in run]
            pieces.append(f'<polygon class="b{colour}" points="{" ".join(there + back[::-1])}"/>')
        return "".join(pieces)


def _runs(numbers: Sequence[Number]) -> Iterator[list[tuple[int, float]]]:
    """Split numbers at gaps. One or two empty bins are no gap: bins may be shorter than the record interval."""
    run: list[tuple[int, float]] = []
    for place, number in enumerate(numbers):
        if number is None:
            continue
        if run and place - run[-1][0] > 3:
            yield run
            run = []
        run.append((place, number))
    if run:
        yield run


def time_axis(seconds: float, left: float, y: float) -> str:
    """The time axis in seconds."""
    parts = [f'<path class="axis" d="M{left} {y}H{WIDTH - RIGHT}"/>']
    for tick in ticks(0.0, seconds, 8):
        x = left + (WIDTH - left - RIGHT) * tick / max(seconds, 1e-9)
        parts.append(f'<path class="axis" d="M{x:.1f} {y}v4"/>' + _text(x, y + 16, _clock(tick, seconds), "middle"))
    return "".join(parts)


def strips(title: str, records: ChartStrip, rows: Sequence[ChartStrip]) -> str:
    """When each item was present: the darker, the more of the records hold it."""
    count = len(records.counts)
    if not count or not rows:
        return ""
    height = TOP + ROW * len(rows) + BOTTOM
    step = (WIDTH - STRIP_LEFT - RIGHT) / count
    parts = []
    for number, row in enumerate(rows):
        y = TOP + ROW * number
        parts.append(_text(STRIP_LEFT - 8, y + 10.5, row.name[:38], "end"))
        for begin, end, shade in _shades(row.counts, records.counts):
            parts.append(
                f'<rect class="s{shade}" x="{STRIP_LEFT + begin * step:.1f}" y="{y + 1}"'
                f' width="{(end - begin) * step:.1f}" height="{ROW - 2}"/>'
            )
    parts.append(time_axis(count * records.width, STRIP_LEFT, TOP + ROW * len(rows)))
    return figure(title, "".join(parts), height)


def _shades(counts: Sequence[int], records: Sequence[int]) -> Iterator[tuple[int, int, int]]:
    """(from, to, shade) of runs of equal shade. Empty runs (shade 0) and bins without records are omitted."""
    begin, shade = 0, 0
    for place in range(len(records) + 1):
        there = place < len(records) and records[place]
        share = counts[place] / records[place] if there and place < len(counts) else 0.0
        now = min(SHADES - 1, math.ceil(share * (SHADES - 1))) if place < len(records) else 0
        if place < len(records) and not records[place] and place > 0:
            now = shade  # bins are shorter than the record interval
        if now != shade:
            if shade:
                yield begin, place, shade
            begin, shade = place, now
    if shade:
        yield begin, len(records), shade


def track(title: str, paths: Sequence[ChartPath]) -> str:
    """Positions on a map, north up, with a scale bar and a ring at the end of each path."""
    points = [point for path in paths for point in path.points if _on_earth(point)]
    if len(points) < 2:
        return ""
    lat = sum(point[0] for point in points) / len(points)
    east = 111_320.0 * max(0.01, math.cos(math.radians(lat)))
    xs, ys = [point[1] * east for point in points], [point[0] * 110_574.0 for point in points]
    size = max(max(xs) - min(xs), (max(ys) - min(ys)) * WIDTH / MAP, 1.0) * 1.12
    scale = (WIDTH - 2 * RIGHT) / size
    middle = (max(xs) + min(xs)) / 2, (max(ys) + min(ys)) / 2
    body = ""
    for number, path in enumerate(paths):
        places = [
            (WIDTH / 2 + (lon * east - middle[0]) * scale, MAP / 2 - (at * 110_574.0 - middle[1]) * scale)
            for at, lon in path.points if _on_earth((at, lon))
        ]  # fmt: skip
        body += _trail(places, number % COLOURS)
    return figure(title, body + _bar(size, scale), MAP, [path.name for path in paths])


def _on_earth(point: tuple[float, float]) -> bool:
    return abs(point[0]) <= 90 and abs(point[1]) <= 180 and point != (0.0, 0.0)


def _trail(places: Sequence[tuple[float, float]], colour: int) -> str:
    if not places:
        return ""
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    x, y = places[-1]
    return f'<polyline class="l{colour}" points="{points}"/><circle class="r{colour}" cx="{x:.1f}" cy="{y:.1f}" r="5"/>'


def _bar(size: float, scale: float) -> str:
    """A scale bar of a round length, about a fifth of the width."""
    length = _round(size / 5)
    name = f"{length / 1000:g} km" if length >= 1000 else f"{length:g} m"
    x, y = LEFT / 2, MAP - 14
    return f'<path class="axis" d="M{x} {y - 4}v4h{length * scale:.1f}v-4"/>' + _text(x, y - 9, name, "start")


def ticks(low: float, high: float, most: int) -> list[float]:
    """Round numbers between `low` and `high`."""
    step = _round((high - low) / most * 1.001)
    first = math.ceil(low / step - 1e-9)
    return [number * step for number in range(first, first + 2 * most + 1) if number * step <= high + step * 1e-9]


def _round(number: float) -> float:
    """The smallest of 1, 2, 5, 10, ... that is not below `number`."""
    if not number > 0 or not math.isfinite(number):
        return 1.0
    power = 10.0 ** math.floor(math.log10(number))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= number * (1 - 1e-9))


def _with_margin(low: float, high: float) -> tuple[float, float]:
    """The range with a margin, never empty."""
    if high - low <= abs(high) * 1e-9:
        wide = abs(high) * 0.1 or 1.0
        return (low, high + wide) if low == 0.0 else (low - wide, high + wide)
    return (low if low == 0.0 else low - (high - low) * 0.06), high + (high - low) * 0.06


def _plain(number: float) -> str:
    return f"{number:.10g}" if abs(number) < 1e6 else f"{number:.4g}"


def _clock(seconds: float, whole: float) -> str:
    if whole < 120:
        return f"{seconds:g} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if whole >= 3600 else f"{minutes}:{rest:02}"


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
