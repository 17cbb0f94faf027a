"""Painting on the ground tile: noise, lines, discs and blocks, in metres.

The tile repeats at its edges. Its middle texel is the map's origin; rows go north and columns east.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from klvrelay.sample.ground import TILE

Colour = tuple[float, float, float]
Floats = NDArray[np.floating]
Indices = NDArray[np.intp]
Plane = NDArray[np.float32]


class Canvas:
    """`pixels[row, column]` is R, G, B; `texel` is the distance between two of them in metres."""

    __slots__ = ("_dice", "pixels", "side", "texel")

    def __init__(self, side: int, dice: np.random.Generator) -> None:
        self.pixels = np.zeros((side, side, 3), np.uint8)
        self.side = side
        self.texel = TILE / side
        self._dice = dice

    def axis(self) -> Plane:
        """Metres from the origin, for each column (east) and equally for each row (north)."""
        return (np.arange(self.side, dtype=np.float32) - self.side // 2) * np.float32(self.texel)

    def cloud(self, metres: float) -> Plane:
        """Smooth noise of about unit deviation with features of about this size; different in each call."""
        cells = min(self.side, 2 ** round(math.log2(TILE / metres)))
        noise: Plane = self._dice.standard_normal((cells, cells), dtype=np.float32)
        times = self.side // cells
        share = np.linspace(0, 1, times, endpoint=False, dtype=np.float32)
        share *= share * (3 - 2 * share)
        for axis in (0, 1):
            low = np.expand_dims(noise, axis + 1)
            step = np.expand_dims(np.roll(noise, -1, axis) - noise, axis + 1)
            part = share[:, None] if axis == 0 else share
            noise = np.asarray(low + step * part, np.float32).reshape(self.side, -1)
        return noise

    def line(self, at: Callable[[float], tuple[float, float]], length: float, radius: float, colour: Colour,
             strength: float = 1.0, dash: tuple[float, float] | None = None) -> None:  # fmt: skip
        """Draw the path `at` (distance along it in metres -> east, north), `radius` wide on each side."""
        step = max(self.texel / 2, min(radius / 3, 1.2))
        ways = [number * step for number in range(math.ceil(length / step) + 1)]
        if dash:
            ways = [way for way in ways if way % sum(dash) < dash[0]]
        points = np.array([at(way) for way in ways])
        self._cover(points[:, 0], points[:, 1], np.full(len(points), radius), colour, strength)

    def discs(self, east: Floats, north: Floats, radius: Floats, colour: Floats, strength: float) -> None:
        """Draw soft-edged discs; where two discs of a call overlap, one of them is on top."""
        flat, share, which = self._near(east, north, radius)
        self._blend(flat, share, colour[which], strength)

    def block(self, east: float, north: float, heading: float, length: float, width: float, colour: Colour,
              strength: float = 1.0) -> None:  # fmt: skip
        """Draw a rectangle with its length along `heading`."""
        reach = math.hypot(length, width) / 2 + 2 * self.texel
        rows, columns = self.around(east, north, reach)
        metres_east = (columns - self.side // 2) * self.texel - east
        metres_north = (rows - self.side // 2) * self.texel - north
        share = inside(metres_east, metres_north[:, None], heading, length, width, self.texel)
        flat = (rows % self.side * self.side)[:, None] + columns % self.side
        self._blend(flat[share > 0], share[share > 0], np.array(colour), strength)

    def around(self, east: float, north: float, reach: float) -> tuple[Indices, Indices]:
        """The rows and columns within `reach` of a position; not wrapped."""
        row, column, texels = north / self.texel, east / self.texel, reach / self.texel
        half = self.side // 2
        rows = np.arange(math.floor(row - texels), math.ceil(row + texels) + 1) + half
        columns = np.arange(math.floor(column - texels), math.ceil(column + texels) + 1) + half
        return rows, columns

    def _near(self, east: Floats, north: Floats, radius: Floats) -> tuple[Indices, Floats, Indices]:
        """The texels that discs cover: flat index, coverage, and number of the disc."""
        reach = int(float(radius.max()) / self.texel) + 2
        offsets = np.arange(-reach, reach + 1)
        column, row = np.rint(east / self.texel).astype(int), np.rint(north / self.texel).astype(int)
        away_east = (column[:, None] + offsets) * self.texel - east[:, None]
        away_north = (row[:, None] + offsets) * self.texel - north[:, None]
        away = np.hypot(away_east[:, None, :], away_north[:, :, None])
        share = np.clip((radius[:, None, None] - away) / self.texel + 0.5, 0, 1)
        rows, columns = ((at[:, None] + offsets + self.side // 2) % self.side for at in (row, column))
        flat = rows[:, :, None] * self.side + columns[:, None, :]
        hit = np.flatnonzero(share > 0)
        return flat.ravel()[hit], share.ravel()[hit], hit // share[0].size

    def _cover(self, east: Floats, north: Floats, radius: Floats, colour: Colour, strength: float) -> None:
        """Blend each texel once, by the disc that covers most of it."""
        flat, share, _ = self._near(east, north, radius)
        cover = np.zeros(self.side * self.side, np.float32)
        np.maximum.at(cover, flat, share.astype(np.float32))
        where = np.flatnonzero(cover)
        self._blend(where, cover[where], np.array(colour), strength)

    def _blend(self, flat: Indices, share: Floats, colour: Floats, strength: float) -> None:
        pixels = self.pixels.reshape(-1, 3)
        part = (share * strength)[:, None].astype(np.float32)
        under = pixels[flat].astype(np.float32)
        under += (np.clip(colour, 0, 255).astype(np.float32) - under) * part
        pixels[flat] = under.astype(np.uint8)


def inside(east: Floats, north: Floats, heading: float, length: float, width: float, soft: float) -> Floats:
    """Coverage of points, relative to the centre of a rectangle, by it: 0 to 1 over `soft` metres at its edge."""
    s, c = math.sin(math.radians(heading)), math.cos(math.radians(heading))
    along = length / 2 - np.abs(east * s + north * c)
    across = width / 2 - np.abs(east * c - north * s)
    share: Floats = np.clip(along / soft + 0.5, 0, 1) * np.clip(across / soft + 0.5, 0, 1)
    return share
