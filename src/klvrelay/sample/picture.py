"""Draws one frame: the ground as seen by the camera, the lorry, and the overlay.

A frame is one array with the planes Y, U, V of 4:2:0 (BT.601, limited range). Ground positions are computed for every
eighth pixel and interpolated between; the error is at most a few hundredths of a pixel.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from klvrelay.sample.camera import Camera
from klvrelay.sample.canvas import Colour, Floats, inside
from klvrelay.sample.flight import LORRY, Flight, Instant, Vehicle
from klvrelay.sample.ground import Ground
from klvrelay.sample.overlay import Luma, Overlay
from klvrelay.sample.terrain import paint

_STEP = 8
_BAND = 48  # rows per look-up, few enough to stay in the processor's cache
_FRACTION = 256
_SHADOW, _GLASS, _ROOF = (34, 36, 34), (38, 44, 52), (226, 224, 216)
_MATRIX = np.array([[0.257, 0.504, 0.098], [-0.148, -0.291, 0.439], [0.439, -0.368, -0.071]], np.float32)
_BASE = np.array([16, 128, 128], np.float32)


class Picture:
    """Draws frames of one size; `planes` is the latest frame, overwritten by the next."""

    def __init__(self, seed: int, flight: Flight, width: int, height: int) -> None:
        self.planes = np.empty((height * 3 // 2, width), np.uint8)
        self._luma = self.planes[:height]
        chroma = self.planes[height:].reshape(2, height // 2, width // 2)
        self._chroma = chroma[0], chroma[1]
        self._overlay = Overlay(self._luma, self._chroma)
        self._ground = flight.ground
        canvas = paint(seed, flight.ground, flight.road, tile_side(width))
        self._texel = canvas.texel
        self._bright = _quads(_plane(canvas.pixels, 0))
        self._colour = _pairs(_plane(canvas.pixels, 1), _plane(canvas.pixels, 2))

    def draw(self, instant: Instant, time_us: int, number: int, call_sign: str) -> NDArray[np.uint8]:
        """Draw the frame of an instant."""
        ground = self.positions(instant.camera)
        for top in range(0, len(self._luma), _BAND):
            band = slice(top, top + _BAND)
            _sample(self._bright, ground[:, band], self._texel, self._luma[band])
        _sample_colour(self._colour, ground[:, ::2, ::2], self._texel, self._chroma)
        self._drive(ground, instant)
        self._overlay.draw(instant, time_us, number, call_sign)
        return self.planes

    def positions(self, camera: Camera) -> NDArray[np.float32]:
        """East and north of the ground point at the centre of each pixel, shape (2, height, width)."""
        columns, rows = (np.arange(0, size + _STEP, _STEP) * 1.0 for size in (camera.width, camera.height))
        nodes = sight(self._ground, camera, columns, rows)
        return _between(_between(nodes, 2), 1)[:, : camera.height, : camera.width]

    def _drive(self, ground: NDArray[np.float32], instant: Instant) -> None:
        """Draw the lorry at its ground position."""
        camera, vehicle = instant.camera, instant.vehicle
        outline = [camera.pixel(corner) for corner in vehicle.corners()]
        columns, rows = zip(*(at for at in outline if at), strict=True)
        margin = 6 + camera.width // 80
        across = slice(*(_even(edge, camera.width) for edge in (min(columns) - margin, max(columns) + margin)))
        down = slice(*(_even(edge, camera.height) for edge in (min(rows) - margin, max(rows) + margin)))
        east, north = ground[:, down, across]
        metres = 2 * camera.tangents[0] * instant.slant / camera.width
        for colour, share in _lorry(east - vehicle.point[0], north - vehicle.point[1], vehicle, metres):
            level = (_MATRIX * np.array(colour, np.float32)).sum(1) + _BASE
            _mix(self._luma[down, across], share, float(level[0]))
            coarse = _halve(share)
            there = slice(down.start // 2, down.stop // 2), slice(across.start // 2, across.stop // 2)
            for plane, wanted in zip(self._chroma, level[1:], strict=True):
                _mix(plane[there], coarse, float(wanted))


def _halve(share: Floats) -> Floats:
    """Half resolution at the sample positions of 4:2:0: on every other column, between two rows."""
    rows = (share[::2] + share[1::2]) / 2
    coarse: Floats = rows[:, ::2] / 2 + (rows[:, 1::2] + np.roll(rows, 1, 1)[:, ::2]) / 4
    return coarse


def _even(edge: float, limit: int) -> int:
    return min(max(int(edge), 0), limit) // 2 * 2


def tile_side(width: int) -> int:
    """Texels per side of the ground tile for a picture of this width: about one per pixel."""
    return 512 if width <= 200 else 1024 if width <= 400 else 2048


def sight(ground: Ground, camera: Camera, columns: Floats, rows: Floats) -> NDArray[np.float32]:
    """East and north of the ground at every crossing of these pixel columns and rows."""
    across, down = camera.tangents
    right = (2 * columns / camera.width - 1)[None, :] * across
    below = (2 * rows / camera.height - 1)[:, None] * down
    east, north, up = (axis[0] + axis[1] * right + axis[2] * below for axis in camera.axes)
    middle = ground.seen(camera.eye, camera.axes[:, 0])
    height = np.full_like(east, 0.0 if middle is None else middle[2])
    for _ in range(4):
        far = (height - camera.eye[2]) / up
        height = ground.height(camera.eye[0] + far * east, camera.eye[1] + far * north)
    far = (height - camera.eye[2]) / up
    return np.array([camera.eye[0] + far * east, camera.eye[1] + far * north], np.float32)


def _between(nodes: NDArray[np.float32], axis: int) -> NDArray[np.float32]:
    """Interpolate along an axis, from the edge of each eighth pixel to the centre of every pixel."""
    low = nodes.take(range(nodes.shape[axis] - 1), axis)
    step = np.expand_dims(nodes.take(range(1, nodes.shape[axis]), axis) - low, axis + 1)
    share = (np.arange(_STEP, dtype=np.float32) + np.float32(0.5)) / np.float32(_STEP)
    fine: NDArray[np.float32] = np.expand_dims(low, axis + 1) + step * (share[:, None] if axis == 1 else share)
    shape = list(nodes.shape)
    shape[axis] = -1
    return fine.reshape(shape)


def _plane(pixels: NDArray[np.uint8], number: int) -> NDArray[np.uint8]:
    """Y, U or V of the tile."""
    level = np.full(pixels.shape[:2], _BASE[number] + 0.5, np.float32)
    for channel in range(3):
        level += pixels[..., channel] * _MATRIX[number, channel]
    return level.astype(np.uint8)


def _quads(plane: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """Each texel with its three neighbours to the right and above, packed into one number."""
    packed = plane.astype(np.uint32)
    packed |= np.roll(plane, -1, 1).astype(np.uint32) << 8
    packed |= np.roll(plane, -1, 0).astype(np.uint32) << 16
    packed |= np.roll(plane, (-1, -1), (0, 1)).astype(np.uint32) << 24
    return packed


def _pairs(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> NDArray[np.uint16]:
    """Two planes at half resolution, packed into one number."""
    sums = (p[::2, ::2].astype(np.uint16) + p[1::2, ::2] + p[::2, 1::2] + p[1::2, 1::2] for p in (first, second))
    low, high = ((total + 2) >> 2 for total in sums)
    return (low | high << 8).astype(np.uint16)


def _sample(tile: NDArray[np.uint32], ground: NDArray[np.float32], texel: float, out: Luma) -> None:
    """Sample the tile with interpolation. Two 16-bit sums are kept in one 32-bit number."""
    side = tile.shape[0]
    # The offset makes everything positive; the middle of the tile is the map's origin.
    scaled = ground * np.float32(_FRACTION / texel) + np.float32((side // 2 + 4 * side) * _FRACTION)
    fixed = scaled.astype(np.uint32)
    right, up = fixed & (_FRACTION - 1)
    column, row = fixed >> 8 & side - 1
    four = tile.ravel().take((row * side + column).astype(np.intp))
    lanes = (four & 0xFF00FF) * (_FRACTION - right)
    lanes += (four >> 8 & 0xFF00FF) * right
    level = (lanes & 0xFFFF) * (_FRACTION - up)
    level += (lanes >> 16) * up
    np.right_shift(level, 16, out=out, casting="unsafe")


def _sample_colour(tile: NDArray[np.uint16], ground: NDArray[np.float32], texel: float,
                   out: tuple[Luma, Luma]) -> None:  # fmt: skip
    side = tile.shape[0]
    scaled = ground * np.float32(0.5 / texel) + np.float32(side // 2 + 4 * side)
    column, row = scaled.astype(np.int32) & side - 1
    both = tile.ravel().take(row * side + column)
    np.bitwise_and(both, 0xFF, out=out[0], casting="unsafe")
    np.right_shift(both, 8, out=out[1], casting="unsafe")


def _lorry(east: Floats, north: Floats, vehicle: Vehicle, soft: float) -> list[tuple[Colour, Floats]]:
    """Shadow, body, windscreen, tail and roof stripe of the lorry: colours and their coverage of each pixel."""
    turned, heading = math.radians(vehicle.heading), vehicle.heading
    end = 0.4 * vehicle.length
    front = east - end * math.sin(turned), north - end * math.cos(turned)
    back = east + end * math.sin(turned), north + end * math.cos(turned)
    whole = heading, vehicle.length, vehicle.width, soft
    return [
        (_SHADOW, 0.7 * inside(east + 1.4, north - 1.7, *whole)),
        (LORRY, inside(east, north, *whole)),
        (_GLASS, inside(*front, heading, 0.7, 2.2, soft)),
        (_SHADOW, inside(*back, heading, 0.7, 2.2, soft)),
        (_ROOF, 0.8 * inside(east, north, heading, 4.5, 0.5, soft)),
    ]


def _mix(plane: Luma, share: Floats, level: float) -> None:
    plane[:] = plane + (level - plane) * share
