"""The platform's movement: course over ground, speed and climb, reported or derived from successive positions."""

from __future__ import annotations

import math
from collections import OrderedDict, deque
from typing import NamedTuple

from klvrelay.geo.positions import LocatedPoint
from klvrelay.geo.quantity import Items, Quantity, number
from klvrelay.geo.wgs84 import GeoPoint, dot, north_east_down, to_ecef

MOST_STREAMS = 1000
"""Streams of which positions are kept; beyond it, the one that was silent for longest is forgotten."""

_WINDOW_US = 2_000_000
_LONGEST_US = 30_000_000
_SHORTEST_US = 200_000
_SPACING_US = 100_000
_FASTEST = 1500.0
_STILL = 0.5  # m/s below which a course has no meaning
_NEAREST = 1.0  # metres below which it is the noise of the positions


class PlatformTrack(NamedTuple):
    """Movement of the platform; None for what is not known.

    course   over ground, degrees from true north; None while it stands still
    speed    over ground, m/s
    climb    m/s, positive upwards

    Methods of derived values: "positions" (the mean over the last two seconds, so it lags by one), "velocity" (items 79
    and 80), "heading" (item 5, in place of a course: the wind is not known).
    """

    course: Quantity | None
    speed: Quantity | None
    climb: Quantity | None


class _Fix(NamedTuple):
    time_us: int
    place: GeoPoint


class TrackHistory:
    """The latest positions of each stream: at most two seconds, or the last two if they are further apart.

    most_streams   bounds the memory: about 3 kB each

    For use in one thread.
    """

    __slots__ = ("_most", "_trails")

    def __init__(self, most_streams: int = MOST_STREAMS) -> None:
        self._most = most_streams
        self._trails: OrderedDict[str, _Trail] = OrderedDict()

    def follow(self, stream: str, items: Items, time_us: int | None, platform: LocatedPoint | None) -> PlatformTrack:
        """The track of a stream at its newest record.

        time_us    `Record.clock_us`; without it the record's position is not used
        platform   the position in the same items
        """
        moved = None
        if time_us is not None and platform is not None:
            hae = platform.hae.value if platform.hae else 0.0
            moved = self._trail(stream).moved(_Fix(time_us, GeoPoint(platform.lat, platform.lon, hae)))
        return reported_track(items, moved)

    def forget(self, stream: str) -> None:
        """Drop the positions of a stream."""
        self._trails.pop(stream, None)

    def _trail(self, stream: str) -> _Trail:
        trail = self._trails.setdefault(stream, _Trail())
        self._trails.move_to_end(stream)
        if len(self._trails) > self._most:
            self._trails.popitem(last=False)
        return trail


class _Trail:
    """The positions of one stream, each when it was first sent."""

    __slots__ = ("fixes", "track")

    def __init__(self) -> None:
        self.fixes: deque[_Fix] = deque(maxlen=32)
        self.track: PlatformTrack | None = None

    def moved(self, fix: _Fix) -> PlatformTrack | None:
        """The track at a new position; None until it is known."""
        fixes = self.fixes
        if fixes and not 0 <= fix.time_us - fixes[-1].time_us <= _LONGEST_US:
            self._clear()  # the time stepped, or the stream was interrupted
        if fixes and fix.place == fixes[-1].place and fix.time_us - fixes[-1].time_us < _WINDOW_US:
            return self.track  # many receivers have a new position less often than records are sent
        while len(fixes) > 1 and fix.time_us - fixes[0].time_us > _WINDOW_US:
            fixes.popleft()
        if fixes and fix.time_us - fixes[0].time_us >= _SHORTEST_US:
            self.track = _velocity(fixes[0], fix)
        if self.track and self.track.speed and self.track.speed.value > _FASTEST:
            self._clear()  # the position jumped
        if not fixes or fix.time_us - fixes[-1].time_us >= _SPACING_US:
            fixes.append(fix)
        return self.track

    def _clear(self) -> None:
        self.fixes.clear()
        self.track = None


def reported_track(items: Items, moved: PlatformTrack | None = None) -> PlatformTrack:
    """The track in a record's items. `moved`, derived from positions, is used for what they lack.

    course   item 112, or 79 and 80, or `moved`, or item 5 (heading)
    speed    items 79 and 80, or 56, or `moved`
    climb    item 51, or `moved`
    """
    course, speed = _course(items), _reported(items, "platform_ground_speed", 0, 255)
    north, east = (number(items, f"sensor_{axis}_velocity", -327, 327) for axis in ("north", "east"))
    if north is not None and east is not None:
        speed = Quantity(math.hypot(north, east), "derived", "velocity")
        if course is None and speed.value >= _STILL:
            course = Quantity(math.degrees(math.atan2(east, north)) % 360, "derived", "velocity")
    climb = _reported(items, "platform_vertical_speed", -180, 180)
    if moved is not None:
        course, speed, climb = course or moved.course, speed or moved.speed, climb or moved.climb
    standing = speed is not None and speed.value < _STILL
    return PlatformTrack(course or (None if standing else _heading(items)), speed, climb)


def _reported(items: Items, key: str, low: float, high: float) -> Quantity | None:
    value = number(items, key, low, high)
    return None if value is None else Quantity(value, "reported", key)


def _course(items: Items) -> Quantity | None:
    return _reported(items, "platform_course_angle", 0, 360)


def _heading(items: Items) -> Quantity | None:
    value = number(items, "platform_heading_angle", 0, 360)
    return None if value is None else Quantity(value, "derived", "heading")


def _velocity(first: _Fix, last: _Fix) -> PlatformTrack:
    """The mean velocity between two fixes, in the axes of the last."""
    seconds = (last.time_us - first.time_us) / 1e6
    begin, end = to_ecef(first.place.lat, first.place.lon, last.place.hae), to_ecef(*last.place)
    north_axis, east_axis, _ = north_east_down(last.place.lat, last.place.lon)
    away = end[0] - begin[0], end[1] - begin[1], end[2] - begin[2]
    north, east = dot(north_axis, away), dot(east_axis, away)
    distance = math.hypot(north, east)
    speed, climb = distance / seconds, (last.place.hae - first.place.hae) / seconds
    course = None
    if distance >= _NEAREST and speed >= _STILL:
        course = Quantity(math.degrees(math.atan2(east, north)) % 360, "derived", "positions")
    return PlatformTrack(course, Quantity(speed, "derived", "positions"), Quantity(climb, "derived", "positions"))
