"""Records of a consistent flight anywhere on earth, their faults, and what `klvrelay.plausibility` finds in them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import klvrelay
from klvrelay import geo
from klvrelay.encode import encode
from klvrelay.plausibility import Implausibility, Plausibility
from klvrelay.record import Record

START_US = 1_780_306_200_000_000
SPEED = 40
ALTITUDE, GROUND = 1000.0, 100.0

Items = dict[str, object]


class Sent(NamedTuple):
    """A record and the second of its arrival."""

    record: Record
    arrival_s: float | None


def scene(place: geo.LatLon = (56.0, 9.0), heading: float = 90.0, *, full: bool = True) -> Items:
    """All items that the checks read: a sensor that looks 1 km ahead, at a picture of 200 m by 120 m."""
    centre = geo.destination(*place, heading, 1000.0)
    corners = [geo.destination(*centre, heading + turn, 116.6) for turn in (-59, 59, 121, 239)]
    return {
        "platform_heading_angle": heading % 360,
        "platform_pitch_angle_full": 2.0,
        "platform_roll_angle_full": 0.0,
        "sensor_latitude": place[0],
        "sensor_longitude": place[1],
        "sensor_true_altitude": ALTITUDE,
        "sensor_relative_azimuth_angle": 0.0,
        "sensor_relative_elevation_angle": -44.0,
        "sensor_relative_roll_angle": 0.0,
        "slant_range": math.hypot(1000.0, ALTITUDE - GROUND),
        "frame_center_latitude": centre[0],
        "frame_center_longitude": centre[1],
        "frame_center_elevation": GROUND,
        "platform_ground_speed": SPEED,
        **(full_corners(corners) if full else offset_corners(corners, centre)),
    }


def full_corners(corners: Iterable[geo.LatLon]) -> Items:
    """Items 82-89."""
    return {
        f"corner_{axis}_point_{number}_full": value
        for number, corner in enumerate(corners, 1)
        for axis, value in zip(("latitude", "longitude"), corner, strict=True)
    }


def offset_corners(corners: Iterable[geo.LatLon], centre: geo.LatLon) -> Items:
    """Items 26-33."""
    steps = [(lat - centre[0], (lon - centre[1] + 180) % 360 - 180) for lat, lon in corners]
    return {
        f"offset_corner_{axis}_point_{number}": value
        for number, step in enumerate(steps, 1)
        for axis, value in zip(("latitude", "longitude"), step, strict=True)
    }


def made(items: Mapping[str | int, object], time_us: int | None = START_US, **fields: Any) -> Record:
    """A record of these items (None: without it), as it would be decoded."""
    raw = encode({
        **({} if time_us is None else {"precision_time_stamp": time_us}),
        **{key: value for key, value in items.items() if value is not None},
    })  # fmt: skip
    whole: dict[str, Any] = {
        "set": "ST0601", "checksum": "ok", "transport": "ok", "pts": None, "pid": None, "received_us": None,
        "stream": "uav", "boot": None, "seq": 0, **fields,
    }  # fmt: skip
    return Record(raw=raw, **whole)


def flown(
    seconds: float = 20.0,
    *,
    rate: int = 5,
    speed: float = SPEED,
    course: float = 90.0,
    start: geo.LatLon = (56.0, 9.0),
    changes: Mapping[str, object] | None = None,
    pace: float = 1.0,
) -> list[Sent]:
    """A straight flight; `changes` in every record (None: without it); `pace`: seconds flown per second of arrival."""
    found = []
    for number in range(int(seconds * rate) + 1):
        after = number / rate
        items = {**scene(geo.destination(*start, course, speed * after), course), **(changes or {})}
        found.append(Sent(made(items, START_US + round(after * 1e6)), after / pace))
    return found


def found_in(sent: Iterable[Sent]) -> list[Implausibility]:
    """What one `Plausibility` finds in these records, in order."""
    checks = Plausibility()
    return [found for record, arrival_s in sent for found in checks.check(record, arrival_s)]


def ids(sent: Iterable[Sent]) -> set[str]:
    return {found.id for found in found_in(sent)}


def alone(items: Mapping[str | int, object], **fields: Any) -> list[Implausibility]:
    """What is found in a single record."""
    return Plausibility().check(made(items, **fields), 0.0)


def in_recording(path: Path) -> Counter[str]:
    """The findings in a recording by id, as `klvrelay probe` counts them: by PID, with the PTS as arrival."""
    checks: dict[int | None, Plausibility] = {}
    counts: Counter[str] = Counter()
    for record in klvrelay.open(path):
        arrival_s = None if record.pts is None else record.pts / 90_000
        counts.update(found.id for found in checks.setdefault(record.pid, Plausibility()).check(record, arrival_s))
    return counts
