"""Paints the ground tile: fields, hedges, woods, a stream, a village."""

from __future__ import annotations

import math
from random import Random

import numpy as np
from numpy.typing import NDArray

from klvrelay.sample.canvas import Canvas, Colour, Plane
from klvrelay.sample.ground import TILE, Ground, RingRoad
from klvrelay.sample.village import Village, plan

Mask = NDArray[np.bool_]

# Field colours (R, G, B) and the strength of their rows: wheat, stubble, grass, beet, ploughed earth, rape.
_FIELDS: tuple[tuple[Colour, float], ...] = (
    ((158, 144, 98), 9), ((171, 158, 118), 13), ((94, 116, 68), 4), ((78, 108, 58), 11), ((121, 101, 80), 12),
    ((108, 126, 76), 7), ((139, 133, 88), 10), ((86, 104, 62), 3), ((164, 156, 82), 6),
)  # fmt: skip
_TRACK = (158, 142, 116)
_CANOPY = np.array([(48, 66, 38), (56, 76, 42), (42, 58, 36), (64, 82, 46)], float)


def paint(seed: int, ground: Ground, road: RingRoad, side: int) -> Canvas:
    """The tile with `side` texels per edge; equal seeds give equal tiles."""
    chance = Random(f"terrain {seed}")
    canvas = Canvas(side, np.random.Generator(np.random.PCG64(chance.getrandbits(64))))
    village = plan(chance, road)
    borders = _fields(canvas, chance)
    village.gardens(canvas)
    _tracks(canvas, chance)
    village.streets(canvas)
    village.build(canvas, chance)
    _trees(canvas, chance, borders, village)
    _light(canvas, ground)
    return canvas


def _fields(canvas: Canvas, chance: Random) -> Mask:
    """Paint fields with their rows; return their borders."""
    plots: list[tuple[int, int, int, int]] = []
    _split(plots, chance, canvas.texel, 0, 0, canvas.side, canvas.side)
    labels = np.zeros((canvas.side, canvas.side), np.uint8)
    for number, (top, left, bottom, right) in enumerate(plots):
        labels[top:bottom, left:right] = number
    labels = _bend(labels, chance, canvas.texel)
    kinds = [chance.choice(_FIELDS) for _ in plots]
    tints = [[level * chance.uniform(0.97, 1.03) for level in colour] for colour, _ in kinds]
    shade = np.array(tints, np.float32)
    shade *= np.array([chance.uniform(0.9, 1.1) for _ in kinds], np.float32)[:, None]
    grain = _rows(canvas, labels, [strength for _, strength in kinds], chance)
    for size, strength in ((25.6, 9.0), (6.4, 7.0), (1.6, 6.0)):
        grain += np.float32(strength) * canvas.cloud(size)
    for channel in range(3):
        canvas.pixels[..., channel] = np.clip(shade[:, channel][labels] + grain, 0, 255)
    borders: Mask = (labels != np.roll(labels, 1, 0)) | (labels != np.roll(labels, 1, 1))
    return borders


def _split(plots: list[tuple[int, int, int, int]], chance: Random, texel: float, top: int, left: int,
           bottom: int, right: int) -> None:  # fmt: skip
    """Divide a rectangle of land until its parts have the size of fields."""
    high, wide = bottom - top, right - left
    if max(high, wide) * texel < chance.uniform(104, 248) or min(high, wide) * texel < 60:
        plots.append((top, left, bottom, right))
        return
    at = chance.uniform(0.36, 0.64)
    if high > wide:
        cut = top + int(high * at)
        _split(plots, chance, texel, top, left, cut, right)
        _split(plots, chance, texel, cut, left, bottom, right)
    else:
        cut = left + int(wide * at)
        _split(plots, chance, texel, top, left, bottom, cut)
        _split(plots, chance, texel, top, cut, bottom, right)


def _bend(labels: NDArray[np.uint8], chance: Random, texel: float) -> NDArray[np.uint8]:
    """Shift rows and columns in long waves, so that no border is exactly straight."""
    side = labels.shape[0]
    at = np.arange(side) * (math.tau / side)

    def wave() -> NDArray[np.int32]:
        metres = 10 * np.sin(at + chance.random() * 6) + 4 * np.sin(3 * at + chance.random() * 6)
        texels: NDArray[np.int32] = (metres / texel).astype(np.int32)
        return texels

    number = np.arange(side, dtype=np.int32)
    columns = (number[None, :] + wave()[:, None]) % side
    flat = (number[:, None] + wave()[None, :]) % side * side + columns
    bent: NDArray[np.uint8] = labels.ravel()[flat]
    return bent


def _rows(canvas: Canvas, labels: NDArray[np.uint8], strength: list[float], chance: Random) -> Plane:
    """Brightness of drill rows, at a different angle in each field, where the resolution permits."""
    angles = np.radians([chance.choice((0, 90)) + chance.uniform(-12, 12) for _ in strength])
    periods = np.array([chance.uniform(2.4, 5.0) for _ in strength]) / canvas.texel
    visible = (np.array(strength) * np.clip(periods / 3 - 1, 0, 1)).astype(np.float32)
    ramp = np.arange(canvas.side, dtype=np.float32)
    phase = (math.tau / periods * np.cos(angles)).astype(np.float32)[labels] * ramp
    phase += (math.tau / periods * np.sin(angles)).astype(np.float32)[labels] * ramp[:, None]
    rows: Plane = np.sin(phase, out=phase)
    rows *= visible[labels]
    return rows


def _tracks(canvas: Canvas, chance: Random) -> None:
    """Paint farm tracks and a stream across the tile."""
    phases = [chance.random() * math.tau for _ in range(3)]

    def west(way: float) -> tuple[float, float]:
        return -265 + 18 * math.sin(math.tau * way / TILE + phases[0]), way

    def east(way: float) -> tuple[float, float]:
        return 250 + 26 * math.sin(math.tau * way / TILE + phases[1]), way

    def stream(way: float) -> tuple[float, float]:
        return way, -205 + 34 * math.sin(2 * math.tau * way / TILE + phases[2])

    for track in (west, east):
        canvas.line(track, TILE, 1.7, _TRACK, 0.85)
    canvas.line(stream, TILE, 7.0, (74, 88, 54), 0.8)
    canvas.line(stream, TILE, 3.2, (62, 72, 70))


def _trees(canvas: Canvas, chance: Random, borders: Mask, village: Village) -> None:
    """Paint woods, hedgerows and garden trees; none on a street or roof."""
    axis = canvas.axis()
    outside = village.outside(axis[None, :], axis[:, None])
    free = village.from_street(axis[None, :], axis[:, None]) > 7
    for house in village.houses:
        rows, columns = canvas.around(house.east, house.north, math.hypot(house.length, house.width) / 2 + 2)
        free[np.ix_(rows, columns)] = False
    wood = (canvas.cloud(102.4) > 0.85) & (outside > 70) & free
    hedge = borders & (outside > 48) & (canvas.cloud(12.8) > -0.9) & free
    garden = (outside < 42) & free
    kinds = ((wood, 5200, 2.4, 4.4), (hedge, 900, 1.2, 2.6), (garden, 230, 1.4, 3.2))
    picked = [_pick(canvas, chance, *kind) for kind in kinds]
    east, north, radius = (np.concatenate(column) for column in zip(*picked, strict=True))
    # Several rounds let crowns cover the shadows of others.
    for number in range(6):
        _plant(canvas, chance, east[number::6], north[number::6], radius[number::6])


def _pick(canvas: Canvas, chance: Random, where: Mask, count: int, small: float, large: float
          ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:  # fmt: skip
    """Positions of up to `count` trees, and their radii."""
    spots = np.flatnonzero(where).tolist()
    chosen = np.array(chance.sample(spots, min(count, len(spots))), int)
    north, east = np.divmod(chosen, canvas.side)
    radius = np.array([chance.uniform(small, large) for _ in chosen], float)
    half = canvas.side // 2
    return (east - half) * canvas.texel, (north - half) * canvas.texel, radius


def _plant(canvas: Canvas, chance: Random, east: NDArray[np.float64], north: NDArray[np.float64],
           radius: NDArray[np.float64]) -> None:  # fmt: skip
    """Paint crowns, each with its shadow and its sunlit side."""
    crown = _CANOPY[[chance.randrange(len(_CANOPY)) for _ in radius]]
    shadow = np.full_like(crown, 33.0)
    canvas.discs(east - radius * 0.6, north + radius * 0.8, radius, shadow, 0.5)
    canvas.discs(east, north, radius, crown, 0.95)
    canvas.discs(east + radius * 0.25, north - radius * 0.3, radius * 0.5, crown * 1.35, 0.7)


def _light(canvas: Canvas, ground: Ground) -> None:
    """Apply sunlight from the south-east, haze, and grain."""
    height = ground.relief(canvas.axis(), canvas.axis())
    slope = 2 * height - np.roll(height, 1, 1) - np.roll(height, -1, 0)
    light = 0.94 - slope * np.float32(0.85 / canvas.texel) + np.float32(0.02) * canvas.cloud(1.6)
    for channel, haze in enumerate((10, 12, 16)):
        canvas.pixels[..., channel] = np.clip(canvas.pixels[..., channel] * light + haze, 0, 255)
