"""A pinhole camera over the map: rays from pixels, and pixels from points.

Pixel positions are continuous: 0,0 is the outer corner of the top left pixel, columns go right and rows down.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from klvrelay.sample.geodesy import Array


@dataclass(frozen=True, slots=True)
class Camera:
    """Position, orientation and field of view.

    eye           position on the map
    axes          forward, right, down as the columns of a matrix on the map
    hfov          horizontal field of view in degrees
    width, height size of the picture in (square) pixels
    """

    eye: Array
    axes: Array
    hfov: float
    width: int
    height: int

    @property
    def tangents(self) -> tuple[float, float]:
        """Half the picture's width and height at distance 1."""
        across = math.tan(math.radians(self.hfov) / 2)
        return across, across * self.height / self.width

    @property
    def vfov(self) -> float:
        """Vertical field of view in degrees."""
        return 2 * math.degrees(math.atan(self.tangents[1]))

    def ray(self, column: float, row: float) -> Array:
        """The viewing direction of a pixel position, on the map; not normalized."""
        across, down = self.tangents
        sight = np.array([1.0, (2 * column / self.width - 1) * across, (2 * row / self.height - 1) * down])
        ray: Array = self.axes @ sight
        return ray

    def pixel(self, point: Array) -> tuple[float, float] | None:
        """Column and row of a map point in the picture; None if it is behind the camera."""
        forward, right, down = (float(v) for v in self.axes.T @ (point - self.eye))
        if forward <= 0:
            return None
        across, below = self.tangents
        return (
            (right / forward / across + 1) / 2 * self.width,
            (down / forward / below + 1) / 2 * self.height,
        )
