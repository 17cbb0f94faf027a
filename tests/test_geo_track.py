"""Course, speed and climb of the platform."""

from __future__ import annotations

import math

import pytest
from cases import each_case
from geo_truth import flight

from klvrelay import geo

SECOND = 1_000_000


def at(lat: float, lon: float, hae: float = 1000.0) -> geo.LocatedPoint:
    height = geo.Quantity(hae, "reported", "sensor_ellipsoid_height")
    return geo.LocatedPoint(lat, lon, height, height, "reported", "sensor_latitude")


def flown(
    history: geo.TrackHistory,
    course: float,
    speed: float,
    *,
    seconds: float = 3.0,
    rate: int = 10,
    start: geo.LatLon = (56.0, 9.0),
    stream: str = "uav",
    items: dict | None = None,
) -> geo.PlatformTrack:
    """The track after a straight flight that climbs with 2 m/s."""
    found = None
    for number in range(int(seconds * rate) + 1):
        place = geo.destination(*start, course, speed * number / rate)
        point = at(*place, 1000 + 2 * number / rate)
        found = history.follow(stream, items or {}, SECOND + number * SECOND // rate, point)
    return found


@each_case("course, speed, start", [
    (0.0, 30.0, (56.0, 9.0)), (123.4, 55.0, (56.0, 9.0)), (270.0, 3.0, (-33.0, 151.0)), (90.0, 100.0, (10.0, 179.9985)),
    (10.0, 60.0, (89.999, 50.0)),
])  # fmt: skip
def test_a_straight_flight(course, speed, start):
    """From positions alone, over the antimeridian and near the pole."""
    found = flown(geo.TrackHistory(), course, speed, start=start)

    end = geo.destination(*start, course, 3 * speed)
    there = geo.between(*start, *end).final_bearing
    assert (found.course.source, found.course.method) == ("derived", "positions")
    assert (found.course.value - there + 180) % 360 - 180 == pytest.approx(0, abs=0.6 if start[0] > 89 else 0.01)
    assert found.speed.value == pytest.approx(speed, rel=1e-3)
    assert found.climb.value == pytest.approx(2, abs=0.01)


def test_a_generated_flight():
    """The course of a turn lags by half the time between the positions; speed and climb are reported."""
    history = geo.TrackHistory()
    for number, shot in enumerate(flight(1)):
        found = history.follow("uav", shot.items, shot.time_us, geo.platform_position(shot.items))
        course = math.degrees(math.atan2(shot.truth.east, shot.truth.north)) % 360

        assert (found.speed.source, found.speed.method) == ("reported", "platform_ground_speed")
        assert found.climb == (shot.items["platform_vertical_speed"], "reported", "platform_vertical_speed")
        if number < 2:
            continue
        assert found.course.method == "positions"
        assert (found.course.value - course + 180) % 360 - 180 == pytest.approx(2.3, abs=0.6)


REPORTED = [
    ({"platform_course_angle": 80.0, "platform_heading_angle": 70.0, "platform_ground_speed": 20},
     (80.0, "reported", "platform_course_angle"), (20.0, "reported", "platform_ground_speed")),
    ({"sensor_north_velocity": -3.0, "sensor_east_velocity": 4.0, "platform_ground_speed": 6},
     (pytest.approx(126.8699), "derived", "velocity"), (5.0, "derived", "velocity")),
    ({"platform_course_angle": 80.0, "sensor_north_velocity": 3.0, "sensor_east_velocity": 4.0},
     (80.0, "reported", "platform_course_angle"), (5.0, "derived", "velocity")),
    ({"platform_heading_angle": 70.0}, (70.0, "derived", "heading"), None),
    ({"platform_heading_angle": 70.0, "platform_ground_speed": 0}, None, (0.0, "reported", "platform_ground_speed")),
    ({"sensor_north_velocity": 0.1, "sensor_east_velocity": 0.0}, None, (0.1, "derived", "velocity")),
    ({"sensor_north_velocity": None, "sensor_east_velocity": 4.0}, None, None),
    ({"platform_course_angle": None, "platform_heading_angle": math.nan}, None, None),
]  # fmt: skip


@each_case("items, course, speed", REPORTED)
def test_the_items_of_a_record(items, course, speed):
    """Course over ground before velocity before heading; velocity before the ground speed in whole m/s."""
    found = geo.reported_track(items)

    assert (found.course, found.speed) == (course, speed)


def test_positions_are_better_than_the_heading_and_worse_than_items():
    """The heading says nothing about the wind."""
    assert flown(geo.TrackHistory(), 120, 20, items={"platform_heading_angle": 100.0}).course.method == "positions"
    reported = flown(geo.TrackHistory(), 120, 20, items={"platform_course_angle": 119.0, "platform_ground_speed": 21})
    assert (reported.course.value, reported.speed.value) == (119.0, 21.0)


def test_a_hovering_platform_has_no_course():
    """Its speed is 0, and the noise of its positions is no direction."""
    history = geo.TrackHistory()
    for number in range(30):
        found = history.follow("uav", {}, number * SECOND // 10, at(56.0 + (number % 2) * 1e-6, 9.0))

    assert found.course is None
    assert found.speed.value < 0.2


def test_a_receiver_that_is_slower_than_the_records():
    """A new position once a second, sent 30 times: the speed does not swing."""
    history = geo.TrackHistory()
    speeds = []
    for number in range(240):
        place = geo.destination(56.0, 9.0, 77, 40 * (number // 30))
        found = history.follow("uav", {}, number * SECOND // 30, at(*place))
        speeds.append(found.speed.value if found.speed else None)

    assert set(speeds[:30]) == {None}
    assert speeds[31:] == pytest.approx([40.0] * 209, rel=0.01)
    for number in range(240, 330):
        found = history.follow("uav", {}, number * SECOND // 30, at(*place))
    assert found.speed.value == pytest.approx(0, abs=0.1)
    assert found.course is None


def test_a_short_way_is_no_course():
    """0.3 m in 0.2 s may be noise."""
    history = geo.TrackHistory()
    history.follow("uav", {}, 0, at(56.0, 9.0))

    found = history.follow("uav", {}, SECOND // 5, at(*geo.destination(56.0, 9.0, 45, 0.3)))

    assert found.course is None
    assert found.speed.value == pytest.approx(1.5, rel=0.01)


@each_case("change", [{"time": -5 * SECOND}, {"time": 60 * SECOND}])
def test_a_step_of_time_begins_a_new_track(change):
    """Backwards, or after an interruption: the old position says nothing about the speed."""
    history = geo.TrackHistory()
    flown(history, 90, 30)

    after = history.follow("uav", {}, 4 * SECOND + change["time"], at(56.0, 9.01))

    assert after == (None, None, None)
    assert history.follow("uav", {}, 5 * SECOND + change["time"], at(56.0, 9.011)).speed.value == pytest.approx(
        62, abs=1
    )


def test_a_jump_of_the_position_is_no_speed():
    """Faster than 1500 m/s: a new fix of the receiver."""
    history = geo.TrackHistory()
    flown(history, 90, 30)

    assert history.follow("uav", {}, 4 * SECOND + SECOND // 2, at(57.0, 9.0)) == (None, None, None)
    assert history.follow("uav", {}, 6 * SECOND, at(57.0, 9.001)).speed.value == pytest.approx(60 / 1.5, abs=2)


def test_slow_records_have_a_track_too():
    """One every ten seconds."""
    assert flown(geo.TrackHistory(), 200, 25, seconds=60, rate=1).speed.value == pytest.approx(25, rel=1e-3)
    history = geo.TrackHistory()
    for number in range(4):
        found = history.follow("uav", {}, number * 10 * SECOND, at(*geo.destination(56, 9, 30, 400 * number)))
    assert found.speed.value == pytest.approx(40, rel=1e-3)
    assert found.course.value == pytest.approx(30, abs=0.05)


def test_records_of_the_same_time_are_one_fix():
    """No division by zero; a record without time or position keeps the history."""
    history = geo.TrackHistory()
    flown(history, 90, 30)

    assert history.follow("uav", {}, 4 * SECOND, at(56.0, 9.0)).speed is not None
    assert history.follow("uav", {}, None, at(56.0, 9.0)) == (None, None, None)
    assert history.follow("uav", {}, 4 * SECOND, None) == (None, None, None)


def test_streams_are_kept_apart_and_bounded():
    """The stream that was silent for longest is forgotten first."""
    history = geo.TrackHistory(most_streams=2)
    flown(history, 0, 10, stream="a")
    flown(history, 90, 20, stream="b")
    flown(history, 0, 10, stream="a")
    flown(history, 180, 30, stream="c")

    later = 4 * SECOND + SECOND // 2
    assert history.follow("a", {}, later, at(56.0004, 9.0)).course is not None
    assert history.follow("b", {}, later, at(56.0, 9.001)).course is None
    history.forget("a")
    assert history.follow("a", {}, later + SECOND, at(56.0005, 9.0)).course is None


def test_the_memory_of_a_stream_is_bounded():
    """Whatever its rate: 32 positions at most."""
    history = geo.TrackHistory()
    flown(history, 0, 10, seconds=5, rate=300)

    assert max(len(trail.fixes) for trail in history._trails.values()) <= 32
