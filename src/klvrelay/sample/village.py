"""Paints the village on the ring road: gardens, roads, houses with drives and parked cars."""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random

import numpy as np

from klvrelay.sample.canvas import Canvas, Colour, Floats
from klvrelay.sample.ground import TILE, RingRoad

_ROAD, _DRIVE = (126, 124, 122), (146, 138, 128)
_ROOFS = ((136, 82, 68), (144, 92, 74), (112, 104, 102), (92, 92, 98), (160, 150, 140), (124, 70, 62))
_CARS: tuple[Colour, ...] = ((214, 214, 210), (52, 54, 60), (150, 152, 156), (60, 78, 120), (34, 36, 38))
_MIDDLE = 8.0  # metres north of the origin: the street across the ring
_BARNS = ((-185.0, 130.0, 12.0), (190.0, -120.0, 100.0), (175.0, 148.0, 60.0))


@dataclass(frozen=True, slots=True)
class House:
    """A roof on the ground: metres, and heading of its ridge in degrees from north."""

    east: float
    north: float
    heading: float
    length: float
    width: float


@dataclass(frozen=True, slots=True)
class Village:
    """Positions of the streets and houses."""

    road: RingRoad
    houses: tuple[House, ...]

    def outside(self, east: Floats, north: Floats) -> Floats:
        """Metres outside the ring road's centre line; negative inside."""
        road = self.road
        across = np.abs(east) - (road.half_east - road.radius)
        along = np.abs(north) - (road.half_north - road.radius)
        corner = np.hypot(np.maximum(across, 0), np.maximum(along, 0))
        distance: Floats = corner + np.minimum(np.maximum(across, along), 0) - road.radius
        return distance

    def from_street(self, east: Floats, north: Floats) -> Floats:
        """Approximate distance to the centre line of the nearest street in metres."""
        outside = self.outside(east, north)
        north_road = np.abs(east - _sway(14, north - self.road.half_north))
        east_road = np.abs(north - _sway(20, east - self.road.half_east))
        leaving = np.where(outside > 0, np.minimum(north_road, east_road), np.abs(north - _MIDDLE))
        nearest: Floats = np.minimum(np.abs(outside), leaving)
        return nearest

    def streets(self, canvas: Canvas) -> None:
        """Paint the ring, the street across it, and main roads to all four sides."""
        ring, tile = self.road, TILE
        ways = (
            (lambda way: ring.at(way)[:2], ring.length),
            (lambda way: (_sway_of(14, way), way + ring.half_north), tile - 2 * ring.half_north),
            (lambda way: (way + ring.half_east, _sway_of(20, way)), tile - 2 * ring.half_east),
            (lambda way: (way - ring.half_east, _MIDDLE), 2 * ring.half_east),
        )
        for at, length in ways:
            canvas.line(at, length, 5.2, (120, 122, 98), 0.7)
        for at, length in ways:
            canvas.line(at, length, 3.6, _ROAD)
        for at, length in ways[:3]:
            canvas.line(at, length, 0.25, (196, 194, 186), 0.9, (4.0, 10.0))

    def gardens(self, canvas: Canvas) -> None:
        """Paint lawns on both sides of the ring road."""
        box = slice(*(round(canvas.side / 2 + edge / canvas.texel) for edge in (-190, 190)))
        metres = canvas.axis()[box]
        outside = self.outside(metres[None, :], metres[:, None])
        share = np.clip((46 - outside) / 6 + 2 * canvas.cloud(12.8)[box, box], 0, 1)
        lawn = 6 * canvas.cloud(3.2)[box, box] + 4 * canvas.cloud(1.6)[box, box]
        patch = canvas.pixels[box, box]
        for channel, level in enumerate((104, 120, 78)):
            patch[..., channel] = patch[..., channel] * (1 - share) + (level + lawn) * share

    def build(self, canvas: Canvas, chance: Random) -> None:
        """Paint all houses and barns."""
        for house in self.houses:
            _build(canvas, chance, house)


def plan(chance: Random, road: RingRoad) -> Village:
    """A village with houses along its streets, clear of the streets and of each other."""
    village = Village(road, ())
    houses: list[House] = []
    street = [road.at(number * 4.0) for number in range(int(road.length / 4))]
    street += [(number * 4.0 - road.half_east, _MIDDLE, 90.0) for number in range(int(road.half_east / 2))]
    for east, north, heading in street:
        side = chance.choice((-1, 1))
        away = side * chance.uniform(14, 20)
        s, c = math.sin(math.radians(heading)), math.cos(math.radians(heading))
        turned = heading + chance.uniform(-4, 4) + 90 * (chance.random() < 0.3)
        length, width = chance.uniform(9.5, 15), chance.uniform(7, 9.5)
        house = House(east + away * c, north - away * s, turned, length, width)
        clear = float(village.from_street(np.array(house.east), np.array(house.north))) > 13
        if clear and all(math.hypot(house.east - h.east, house.north - h.north) > 18 for h in houses):
            houses.append(house)
    houses += [House(*barn, chance.uniform(34, 46), chance.uniform(15, 19)) for barn in _BARNS]
    return Village(road, tuple(houses))


def _sway_of(metres: float, way: float) -> float:
    return metres * math.sin(math.tau * way / TILE)


def _sway(metres: float, way: Floats) -> Floats:
    bend: Floats = metres * np.sin(way * (math.tau / TILE))
    return bend


def _build(canvas: Canvas, chance: Random, house: House) -> None:
    """Paint a roof with a light and a dark side, its shadow, a drive and possibly a car."""
    east, north, heading, length, width = house.east, house.north, house.heading, house.length, house.width
    s, c = math.sin(math.radians(heading)), math.cos(math.radians(heading))
    sunny = 1 if c + s > 0 else -1  # the sun is in the south-east
    yard = east + sunny * (width / 2 + 3) * c, north - sunny * (width / 2 + 3) * s
    canvas.block(*yard, heading, length * 0.8, 5.0, _DRIVE, 0.8)
    canvas.block(east - 2.2, north + 2.6, heading, length + 0.6, width + 0.6, (38, 42, 36), 0.6)
    red, green, blue = chance.choice(_ROOFS)
    canvas.block(east, north, heading, length, width, (red * 0.78, green * 0.78, blue * 0.78))
    bright = (red * 1.14, green * 1.14, blue * 1.14)
    quarter = sunny * width / 4
    canvas.block(east + quarter * c, north - quarter * s, heading, length, width / 2, bright)
    canvas.block(east + width / 5 * c, north, heading, 1.2, 1.2, (70, 66, 64))
    for spot in range(chance.choice((0, 1, 1, 2))):
        along = length * 0.2 - spot * 5.4
        car = yard[0] + along * s, yard[1] + along * c
        canvas.block(car[0] - 0.5, car[1] + 0.6, heading, 4.5, 2.0, (40, 42, 40), 0.6)
        canvas.block(*car, heading, 4.4, 1.8, chance.choice(_CARS))
