"""Draws the overlay of the video: clock, frame counter, positions, cross-hairs, north arrow, target box.

`read_counter` reads the frame counter from a decoded picture, which identifies the frame.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from klvrelay.sample.flight import GEOID, Instant
from klvrelay.sample.font import ADVANCE, HEIGHT, WIDTH, glyph, text
from klvrelay.sample.geodesy import Point

Luma = NDArray[np.uint8]

WHITE, BLACK, GREY = 235, 20, 128
DIGITS = 6
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FULL_TEXT_WIDTH = 480  # minimum width in pixels for more than clock and counter


class Overlay:
    """Draws on one frame: `luma` in full and `chroma` (U, V) in half resolution, modified in place."""

    __slots__ = ("_chroma", "_luma", "_scale")

    def __init__(self, luma: Luma, chroma: tuple[Luma, Luma]) -> None:
        self._luma = luma
        self._chroma = chroma
        self._scale = _scale(luma)

    def draw(self, instant: Instant, time_us: int, number: int, call_sign: str) -> None:
        """Draw the complete overlay of a frame."""
        height, width = self._luma.shape
        clock = _EPOCH + timedelta(microseconds=time_us)
        self._right(f"F{number % 10**DIGITS:0{DIGITS}d}", 0, shade=True)
        if width < _FULL_TEXT_WIDTH:
            self._write(f"{clock:%H:%M:%S}.{clock.microsecond // 1000:03d}", 0, 0, shade=True)
            return
        self._right(f"{clock:%Y-%m-%d %H:%M:%S}.{clock.microsecond // 1000:03d}Z", 1, shade=True)
        self._left(f"{call_sign}  EO  VFOV {instant.camera.vfov:.1f}°", 0)
        self._left(f"HDG {instant.heading:05.1f}  P{instant.pitch:+.1f}  R{instant.roll:+.1f}", 1)
        self._left(f"ACFT {_position(instant.place)}", -2)
        speed = math.hypot(instant.north, instant.east)
        self._left(f"ALT {instant.place.hae - GEOID:.0f}M  GS {speed:.0f}", -1)
        self._right(f"TGT {_position(instant.centre)}", -2)
        self._right(f"ELV {instant.centre.hae - GEOID:.0f}M  SLR {instant.slant:.0f}M", -1)
        self._cross(width // 2, height // 2)
        self._north(instant)
        self._box(instant)

    def _left(self, line: str, row: int) -> None:
        self._write(line, 2 * self._scale, self._row(row))

    def _right(self, line: str, row: int, *, shade: bool = False) -> None:
        left = self._luma.shape[1] - (len(line) * ADVANCE + 1) * self._scale
        self._write(line, left, self._row(row), shade=shade)

    def _row(self, row: int) -> int:
        top = row * (HEIGHT + 3) * self._scale
        return top if row >= 0 else self._luma.shape[0] + top

    def _write(self, line: str, left: int, top: int, *, shade: bool = False) -> None:
        """Outlined letters, with `shade` on a darkened background that keeps them readable."""
        ink, outline = text(line, self._scale)
        there = slice(top, top + ink.shape[0]), slice(left, left + ink.shape[1])
        if shade:
            self._luma[there] //= 3
        self._luma[there][outline] = BLACK
        self._luma[there][ink] = WHITE
        touched = (ink | outline)[::2, ::2]
        for plane in self._chroma:
            part = plane[top // 2 : top // 2 + touched.shape[0], left // 2 : left // 2 + touched.shape[1]]
            part[touched[: part.shape[0], : part.shape[1]]] = GREY

    def _bars(self, *bars: tuple[int, int, int, int]) -> None:
        """White bars (left, top, width, height) with one dark rim around all of them."""
        for grow, level in ((1, BLACK), (0, WHITE)):
            for left, top, width, height in bars:
                rows = slice(max(0, top - grow), max(0, top + height + grow))
                columns = slice(max(0, left - grow), max(0, left + width + grow))
                self._luma[rows, columns] = level
        for left, top, width, height in bars:
            rows = slice(max(0, top // 2), max(0, (top + height + 1) // 2))
            columns = slice(max(0, left // 2), max(0, (left + width + 1) // 2))
            for plane in self._chroma:
                plane[rows, columns] = GREY

    def _cross(self, column: int, row: int) -> None:
        thick, gap, arm = max(1, self._scale // 2), 6 * self._scale, 9 * self._scale
        self._bars(
            (column - gap - arm, row - thick // 2, arm, thick),
            (column + gap, row - thick // 2, arm, thick),
            (column - thick // 2, row - gap - arm, thick, arm),
            (column - thick // 2, row + gap, thick, arm),
        )

    def _north(self, instant: Instant) -> None:
        """An arrow along the direction of north on the ground at the picture's centre."""
        camera = instant.camera
        sight = camera.axes[:, 0]
        level = np.array([0.0, 1.0, 0.0]) - sight * sight[1]
        angle = math.atan2(float(level @ camera.axes[:, 1]), -float(level @ camera.axes[:, 2]))
        s, c, dot = math.sin(angle), math.cos(angle), max(1, self._scale // 2)
        column, row = self._luma.shape[1] - 22 * self._scale, self._luma.shape[0] // 2
        steps = range(-10 * self._scale, 10 * self._scale, dot)
        self._bars(*((round(column + s * step), round(row - c * step), dot, dot) for step in steps))
        tip, rim = 16 * self._scale, self._scale
        left = round(column + s * tip) - WIDTH * self._scale // 2 - rim
        self._write("N", left, round(row - c * tip) - HEIGHT * self._scale // 2 - rim)

    def _box(self, instant: Instant) -> None:
        """Brackets around the target."""
        target, clear, arm, thick = instant.target, 4 * self._scale, 4 * self._scale, max(1, self._scale // 2)
        if target is None:
            return
        left, right = round(target.left) - clear, round(target.right) + clear
        top, bottom = round(target.top) - clear, round(target.bottom) + clear
        for column, inward in ((left, 0), (right - arm, arm - thick)):
            for row, upright in ((top, top), (bottom, bottom - arm + thick)):
                self._bars((column, row, arm, thick), (column + inward, upright, thick, arm))


def read_counter(luma: Luma) -> int | None:
    """The frame counter in a decoded picture's luma plane; None if it is not readable."""
    scale = _scale(luma)
    right = luma.shape[1] - scale
    total = 0
    for place in range(DIGITS):
        left = right - (DIGITS - place) * ADVANCE * scale + scale
        cell = luma[scale : (HEIGHT + 1) * scale, left : left + WIDTH * scale].astype(np.float32)
        seen = cell > (WHITE + BLACK) / 2
        matches = [float((seen == glyph(str(digit), scale)).mean()) for digit in range(10)]
        if max(matches) < 0.85:
            return None
        total = total * 10 + matches.index(max(matches))
    return total


def _scale(luma: Luma) -> int:
    """Pixels per dot of the font."""
    height, width = luma.shape
    return int(max(1, min((height + 120) // 240, width // 320)))


def _position(place: Point) -> str:
    north, east = "NS"[place.lat < 0], "EW"[place.lon < 0]
    return f"{abs(place.lat):.5f}{north} {abs(place.lon):09.5f}{east}"
