"""The scene at any instant: drone, camera, view, and vehicle.

The scene depends only on time and seed, so that instants can be computed in any order.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random

import numpy as np

from klvrelay.sample.camera import Camera
from klvrelay.sample.geodesy import Array, Point, World, turn
from klvrelay.sample.ground import Ground, RingRoad

ORIGIN = Point(56.1203, 9.4127, 97.0)  # farmland in Jutland; the map's plane is 58 m above sea level
GEOID = 39.0  # height of the geoid above the ellipsoid in metres, assumed constant over the scene

LORRY = (196, 44, 38)  # R, G, B of the vehicle: nothing else in the picture is as red

_RADIUS, _CLIMB, _SPEED = 1090.0, 985.0, 43.0  # metres, metres above the map's plane, metres per second
_HFOV = 12.4
_WIND = (4.0, 2.5)  # metres per second towards east and north
_GRAVITY = 9.81


@dataclass(frozen=True, slots=True)
class Vehicle:
    """A lorry on the ring road: its ground point, heading, speed, and size in metres."""

    point: Array
    place: Point
    heading: float
    speed: float
    length: float = 9.0
    width: float = 3.0

    def corners(self) -> Array:
        """The four ground points of its outline, as rows."""
        s, c = math.sin(math.radians(self.heading)), math.cos(math.radians(self.heading))
        ahead, right = np.array([s, c, 0.0]), np.array([c, -s, 0.0])
        signs = ((1, -1), (1, 1), (-1, 1), (-1, -1))
        rows = [self.point + ahead * (a * self.length / 2) + right * (b * self.width / 2) for a, b in signs]
        return np.array(rows)


@dataclass(frozen=True, slots=True)
class Target:
    """The vehicle in the picture: pixel positions from the top left outer corner."""

    column: float
    row: float
    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True, slots=True)
class Instant:
    """The scene at one instant; angles in degrees, lengths in metres.

    azimuth, elevation, twist   of the sensor, relative to the platform (items 18-20)
    north, east, climb          velocity in metres per second
    centre, corners             ground positions of the picture's centre and outer corners, clockwise from the top left
    slant, across               range to the centre, and the width of the ground across it
    target                      None while the vehicle is out of sight
    """

    seconds: float
    place: Point
    heading: float
    pitch: float
    roll: float
    north: float
    east: float
    climb: float
    azimuth: float
    elevation: float
    twist: float
    camera: Camera
    centre: Point
    corners: tuple[Point, ...]
    slant: float
    across: float
    vehicle: Vehicle
    target: Target | None


class Wander:
    """A small smooth movement: a few sines with different periods, about 1 at most."""

    __slots__ = ("_parts",)

    def __init__(self, chance: Random, *periods: float) -> None:
        self._parts = tuple((math.tau / p, chance.random() * math.tau) for p in periods)

    def __call__(self, seconds: float) -> float:
        return sum(math.sin(seconds * rate + phase) for rate, phase in self._parts) / len(self._parts)


class Flight:
    """A drone on a left-hand orbit whose gimbal partly follows a lorry on a ring road."""

    def __init__(self, seed: int, width: int, height: int) -> None:
        chance = Random(f"flight {seed}")
        self.ground = Ground(seed)
        self.road = RingRoad()
        self.world = World(ORIGIN)
        self._size = width, height
        self._bearing = chance.random() * math.tau
        self._way = chance.random() * self.road.length
        self._drive = Wander(chance, 23.0)
        self._wide = Wander(chance, 47.0, 83.0)
        self._high = Wander(chance, 31.0, 59.0)
        self._nod = Wander(chance, 3.1, 7.7, 1.3)
        self._rock = Wander(chance, 2.7, 6.1, 1.1)
        self._yaw = Wander(chance, 5.3, 11.9)
        self._zoom = Wander(chance, 37.0)
        self._drift = Wander(chance, 19.0, 43.0), Wander(chance, 17.0, 41.0)
        self._shake = Wander(chance, 0.61, 1.7), Wander(chance, 0.73, 1.9)

    def at(self, seconds: float) -> Instant:
        """The scene at a time in seconds since the start."""
        eye, place = self._drone(seconds)
        east, north, climb = self._velocity(seconds)
        heading, pitch, roll = self._attitude(seconds, east, north)
        vehicle = self._vehicle(seconds)
        body = self.world.north_east_down(place) @ turn(heading, pitch, roll)
        gimbal = self._gimbal(seconds, eye, vehicle.point, body)
        camera = Camera(eye, body @ turn(*gimbal), _HFOV * (1 + 0.08 * self._zoom(seconds)), *self._size)
        centre, corners, across = self._footprint(camera)
        return Instant(
            seconds, place, heading, pitch, roll, north, east, climb, gimbal[0] % 360, gimbal[1],
            gimbal[2] % 360, camera, self.world.place(centre), corners,
            float(np.linalg.norm(centre - eye)), across, vehicle, _target(camera, vehicle),
        )  # fmt: skip

    def _drone(self, seconds: float) -> tuple[Array, Point]:
        bearing = self._bearing - seconds * _SPEED / _RADIUS
        radius = _RADIUS + 25 * self._wide(seconds)
        up = _CLIMB + 12 * self._high(seconds)
        eye = np.array([radius * math.sin(bearing), radius * math.cos(bearing), up])
        return eye, self.world.place(eye)

    def _velocity(self, seconds: float) -> tuple[float, float, float]:
        step = 1e-3
        ahead, behind = self._drone(seconds + step)[0], self._drone(seconds - step)[0]
        east, north, up = (float(v) for v in (ahead - behind) / (2 * step))
        return east, north, up

    def _attitude(self, seconds: float, east: float, north: float) -> tuple[float, float, float]:
        through_air = east - _WIND[0], north - _WIND[1]
        heading = math.degrees(math.atan2(*through_air)) + 0.8 * self._yaw(seconds)
        bank = math.degrees(math.atan2((east**2 + north**2) / _RADIUS, _GRAVITY))
        return heading % 360, 2.4 + 0.7 * self._nod(seconds), -bank + 1.1 * self._rock(seconds)

    def _vehicle(self, seconds: float) -> Vehicle:
        def way(when: float) -> float:
            return self._way + 10.5 * when + 9.0 * self._drive(when)

        east, north, heading = self.road.at(way(seconds))
        point = self.ground.at(east, north)
        speed = (way(seconds + 1e-3) - way(seconds - 1e-3)) / 2e-3
        return Vehicle(point, self.world.place(point), heading, speed)

    def _gimbal(self, seconds: float, eye: Array, follow: Array, body: Array) -> tuple[float, float, float]:
        """Azimuth and elevation towards the aim point, and the twist that levels the picture."""
        aim = self.ground.at(
            0.55 * float(follow[0]) + 14 * self._drift[0](seconds),
            0.55 * float(follow[1]) + 14 * self._drift[1](seconds),
        )
        forward, right, down = (float(v) for v in body.T @ (aim - eye))
        azimuth = math.degrees(math.atan2(right, forward)) + 0.012 * self._shake[0](seconds)
        elevation = math.degrees(math.atan2(-down, math.hypot(forward, right)))
        elevation += 0.012 * self._shake[1](seconds)
        level = body @ turn(azimuth, elevation, 0.0)
        twist = math.degrees(math.atan2(float(level[2, 1]), -float(level[2, 2])))
        return azimuth, elevation, twist

    def _footprint(self, camera: Camera) -> tuple[Array, tuple[Point, ...], float]:
        right, bottom = camera.width, camera.height
        centre = self._seen(camera, right / 2, bottom / 2)
        corners = [self._seen(camera, *at) for at in ((0, 0), (right, 0), (right, bottom), (0, bottom))]
        edges = self._seen(camera, 0, bottom / 2), self._seen(camera, right, bottom / 2)
        across = float(np.linalg.norm(edges[1] - edges[0]))
        return centre, tuple(self.world.place(point) for point in corners), across

    def _seen(self, camera: Camera, column: float, row: float) -> Array:
        point = self.ground.seen(camera.eye, camera.ray(column, row))
        assert point is not None  # this orbit looks down steeply
        return point


def _target(camera: Camera, vehicle: Vehicle) -> Target | None:
    """The vehicle in pixels; None unless its centre is in the picture."""
    centre = camera.pixel(vehicle.point)
    outline = [camera.pixel(corner) for corner in vehicle.corners()]
    if centre is None or None in outline:
        return None
    if not (0 <= centre[0] < camera.width and 0 <= centre[1] < camera.height):
        return None
    columns, rows = zip(*(at for at in outline if at), strict=True)
    return Target(
        *centre,
        max(0.0, min(columns)), max(0.0, min(rows)),
        min(float(camera.width), max(columns)), min(float(camera.height), max(rows)),
    )  # fmt: skip
