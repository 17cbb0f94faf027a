"""The ground: its height, its ring road, and its intersection with rays.

Coordinates are metres east, north and up of the map's origin. Heights repeat every `TILE` metres, as does the tile.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random

import numpy as np
from numpy.typing import NDArray

from klvrelay.sample.geodesy import Array

TILE = 819.2

Floats = NDArray[np.floating]


@dataclass(frozen=True, slots=True)
class Wave:
    """One wave of the ground: cycles per tile east and north, amplitude in metres, phase in radians."""

    east: int
    north: int
    height: float
    phase: float


class Ground:
    """Gentle hills that depend on the seed."""

    __slots__ = ("_waves",)

    def __init__(self, seed: int) -> None:
        chance = Random(f"ground {seed}")
        shapes = ((1, 0, 9.0), (0, 1, 7.0), (1, 1, 4.0), (2, -1, 3.0), (-1, 3, 1.5))
        self._waves = tuple(Wave(e, n, h, chance.random() * math.tau) for e, n, h in shapes)

    def height(self, east: Floats, north: Floats) -> Floats:
        """Height above the map's plane in metres."""
        turn = math.tau / TILE
        total = np.zeros_like(east)
        for wave in self._waves:
            phase = (east * wave.east + north * wave.north) * turn + wave.phase
            total += wave.height * np.sin(phase)
        return total

    def relief(self, east: Floats, north: Floats) -> NDArray[np.float32]:
        """Heights over a grid: a row for each `north`, a column for each `east`."""
        rows, columns = [], []
        for wave in self._waves:
            across = east * (wave.east * math.tau / TILE) + wave.phase
            along = north * (wave.north * math.tau / TILE)
            rows += [np.cos(along), np.sin(along)]
            columns += [wave.height * np.sin(across), wave.height * np.cos(across)]
        heights: NDArray[np.float32] = np.array(rows, np.float32).T @ np.array(columns, np.float32)
        return heights

    def at(self, east: float, north: float) -> Array:
        """The ground point at a map position."""
        turn = math.tau / TILE
        up = sum(w.height * math.sin((east * w.east + north * w.north) * turn + w.phase) for w in self._waves)
        return np.array([east, north, up])

    def seen(self, eye: Array, ray: Array) -> Array | None:
        """The ground point that a ray from `eye` meets; None if it looks at the sky.

        Each iteration intersects the plane at the height found before. It converges quickly, because the slopes are
        gentle and the rays steeper.
        """
        if ray[2] > -0.3 * math.hypot(ray[0], ray[1]):
            return None
        up = 0.0
        for _ in range(40):
            point = eye + ray * ((up - eye[2]) / ray[2])
            found = self.at(float(point[0]), float(point[1]))
            if abs(found[2] - up) < 1e-7:
                break
            up = float(found[2])
        return found


@dataclass(frozen=True, slots=True)
class RingRoad:
    """A rectangle with rounded corners; half sides and radius in metres."""

    half_east: float = 112.0
    half_north: float = 72.0
    radius: float = 34.0

    @property
    def length(self) -> float:
        """Circumference in metres."""
        straight = 4 * (self.half_east + self.half_north - 2 * self.radius)
        return straight + math.tau * self.radius

    def at(self, way: float) -> tuple[float, float, float]:
        """East, north and heading (degrees from north) after `way` metres, clockwise from the west end of the
        north side."""
        way %= self.length
        flat_east, flat_north = self.half_east - self.radius, self.half_north - self.radius
        bend = self.radius * math.tau / 4
        sides = ((flat_east, flat_north, 90.0), (flat_north, flat_east, 180.0)) * 2
        for number, (along, across, heading) in enumerate(sides):
            heading = (heading + (180.0 if number > 1 else 0.0)) % 360
            if way < 2 * along:
                return _place(heading, way - along, across + self.radius, heading)
            way -= 2 * along
            if way < bend:
                angle = way / self.radius
                forward = along + self.radius * math.sin(angle)
                left = across + self.radius * math.cos(angle)
                return _place(heading, forward, left, (heading + math.degrees(angle)) % 360)
            way -= bend
        return self.at(0.0)


def _place(side: float, forward: float, left: float, heading: float) -> tuple[float, float, float]:
    """Convert a side's own axes (`forward` along it, `left` out to its left) to east, north and heading."""
    s, c = math.sin(math.radians(side)), math.cos(math.radians(side))
    return forward * s - left * c, forward * c + left * s, heading
