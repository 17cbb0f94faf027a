"""The checks of successive records: frozen encoders and steps of the position."""

from __future__ import annotations

from cases import each_case
from plausible_flights import START_US, Sent, flown, found_in, ids, made, scene

from klvrelay import geo

MOVING = ("sensor_latitude", "sensor_longitude", "frame_center_latitude", "frame_center_longitude")


def standing(seconds: float = 20.0, *, rate: int = 5, pace: float = 1.0, **changes: object) -> list[Sent]:
    """The same values in every record, with a running time."""
    return [
        Sent(made(scene() | changes, START_US + number * 1_000_000 // rate), number / rate / pace)
        for number in range(int(seconds * rate) + 1)
    ]


def frozen_time(seconds: float, *, rate: int = 5) -> list[Sent]:
    """A flight whose time stands still."""
    return [
        Sent(made(scene(geo.destination(56.0, 9.0, 90.0, 8.0 * number)), START_US), number / rate)
        for number in range(int(seconds * rate) + 1)
    ]


@each_case("speed, rate, pace", [(40, 5, 1.0), (40, 1, 1.0), (250, 30, 1.0), (0, 5, 1.0), (3, 5, 1.0), (40, 5, 100.0),
                                 (40, 5, 0.05)])  # fmt: skip
def test_a_flight_is_plausible(speed, rate, pace):
    """Fast, slow, hovering; at any record rate; replayed at any speed."""
    assert found_in(flown(speed=speed, rate=rate, pace=pace, changes={"platform_ground_speed": speed})) == []


def test_values_that_stand_still_at_speed_are_found_after_five_seconds():
    """The finding says for how long, and the speed; it lasts as long as the fault."""
    found = found_in(standing(8))

    assert [each.id for each in found] == ["frozen"] * 16  # 5.0 s to 8.0 s, five a second
    assert found[0].what == (
        "Position, attitude and picture have not changed for 5.0 s, at a reported speed of 40 m/s (limit: 5.0 s)"
    )
    assert (round(found[-1].seen, 6), found[-1].limit) == (8.0, 5.0)


@each_case("changes", [
    {"platform_ground_speed": 0}, {"platform_ground_speed": 2}, {"platform_ground_speed": None},
    {"platform_ground_speed": None, "platform_true_airspeed": 25},
    {"platform_ground_speed": 0, "platform_true_airspeed": 60},
    {"platform_ground_speed": 40, "sensor_north_velocity": 0.3, "sensor_east_velocity": 0.1},
    {"sensor_latitude": None},
])  # fmt: skip
def test_what_hovers_or_is_parked_may_stand_still(changes):
    """No speed over ground, wind over a parked aircraft, no position at all."""
    assert found_in(standing(40, rate=2, **changes)) == []


def test_a_drone_that_starts_after_it_hovered_is_plausible():
    """Its coarse position and its picture change a second after the first speed is reported."""
    hovering = standing(60, rate=2, platform_ground_speed=0)
    starting = [Sent(made(scene() | {"platform_ground_speed": 8}, START_US + 60_500_000 + n * 500_000), 60.5 + n / 2)
                for n in range(5)]  # fmt: skip

    assert found_in(hovering + starting) == []


def test_a_speed_that_is_sent_now_and_then_holds_until_the_next():
    """Every second record has one."""
    sent = [
        each._replace(record=made(scene() | ({"platform_ground_speed": None} if number % 2 else {}),
                                  START_US + number * 200_000))
        for number, each in enumerate(standing(8))
    ]  # fmt: skip

    assert ids(sent) == {"frozen"}


@each_case("changes, seconds", [
    ({"platform_ground_speed": 5}, 10.0), ({"platform_ground_speed": 3}, 17.0),
    ({"platform_ground_speed": None, "sensor_north_velocity": -30.0, "sensor_east_velocity": 40.0}, 5.0),
    ({"platform_ground_speed": None, "platform_true_airspeed": 60}, 5.0),
    ({"platform_ground_speed": None, "platform_indicated_airspeed": 50}, 5.0),
])  # fmt: skip
def test_slow_platforms_are_given_more_time(changes, seconds):
    """Until they should have moved by 50 m, which is several steps of coarse positions."""
    found = found_in(standing(30, **changes))

    assert {each.id for each in found} == {"frozen"}
    assert abs(found[0].seen - seconds) <= 0.4


def test_coarse_positions_that_are_sent_often_are_plausible():
    """Four decimals of a degree (11 m) at 3 m/s, and all else standing still: the position moves now and then."""
    sent = []
    for number in range(300):
        place = geo.destination(56.0, 9.0, 0.0, 0.6 * number)
        items = scene() | {"sensor_latitude": round(place[0], 4), "platform_ground_speed": 3}
        sent.append(Sent(made(items, START_US + number * 200_000), number / 5))

    assert found_in(sent) == []


def test_a_position_alone_that_stands_still_is_found_later():
    """Attitude and picture move: a navigation that is lost. 10 s, for positions are measured less often."""
    sent = [
        Sent(made(scene() | {"platform_heading_angle": float(number % 360)}, START_US + number * 200_000), number / 5)
        for number in range(80)
    ]
    found = found_in(sent)

    assert {each.id for each in found} == {"frozen"}
    assert found[0].what.startswith("The position has not changed for 10.0 s, at a reported speed of 40 m/s")


def test_items_that_are_sent_now_and_then_are_compared_with_their_last_value():
    """Records that leave out items are no movement."""
    sent = [
        each._replace(record=made({key: value for key, value in scene().items() if number % 2 or key in MOVING[:2]}
                                  | {"platform_ground_speed": 40}, START_US + number * 200_000))
        for number, each in enumerate(standing(10))
    ]  # fmt: skip

    assert ids(sent) == {"frozen"}


def test_a_pause_or_a_time_that_goes_back_starts_the_comparison_again():
    """A recording of four seconds that is repeated, and records two minutes apart."""
    loop = [made(scene(), START_US + number % 20 * 200_000) for number in range(100)]
    rare = [made(scene(), START_US + number * 120_000_000) for number in range(5)]

    assert found_in([Sent(record, number / 5) for number, record in enumerate(loop)]) == []
    assert found_in([Sent(record, number * 120.0) for number, record in enumerate(rare)]) == []


def test_without_record_times_the_arrival_counts():
    """A sender without item 2."""
    sent = [Sent(made(scene(), None), number / 5) for number in range(40)]

    assert ids(sent) == {"frozen"}
    assert found_in([each._replace(arrival_s=None) for each in sent]) == []


def test_a_time_that_stands_still_is_found_after_five_seconds():
    """While the positions move on: one finding per record, with the number of records."""
    found = found_in(frozen_time(6))

    assert {each.id for each in found} == {"frozen"}
    assert found[0].what == "The record time has not changed for 5.0 s, in 26 records (limit: 5 s)"
    assert found_in(frozen_time(4.8)) == []


def test_a_time_that_is_repeated_for_a_second_is_plausible():
    """A sensor that measures once a second, sent thirty times a second; or one record repeated after a long pause."""
    sent = [
        Sent(made(scene(geo.destination(56.0, 9.0, 90.0, 40.0 * (number // 30))), START_US + number // 30 * 1_000_000),
             number / 30)
        for number in range(300)
    ]  # fmt: skip
    twice = [Sent(made(scene()), 0.0), Sent(made(scene()), 600.0)]

    assert found_in(sent) == []
    assert found_in(twice) == []


def moved(metres: float, seconds: float, *, arrival: float | None = None, **changes: object) -> list[Sent]:
    """Two records; the second so far away and so much later."""
    there = scene(geo.destination(56.0, 9.0, 30.0, metres)) | changes
    second = Sent(made(there, START_US + round(seconds * 1e6)), seconds if arrival is None else arrival)
    return [Sent(made(scene() | changes), 0.0), second]


NO_SPEED = {"platform_ground_speed": None}


@each_case("sent", [
    moved(99, 0.0), moved(99, 0.03), moved(170, 1.0), moved(2600, 20.0), moved(900, 1.0, **NO_SPEED),
    moved(5000, -1.0), moved(500_000, 86_400.0), moved(5000, 0.03, arrival=60.0), moved(5000, 60.0, arrival=0.03),
    moved(600, 1.0, platform_ground_speed=255), moved(300, 1.0, **NO_SPEED, platform_true_airspeed=60),
    moved(500, 1.0, **NO_SPEED, platform_indicated_airspeed=60), moved(700, 1.0, sensor_north_velocity=327.0,
                                                                       sensor_east_velocity=0.0),
    moved(1200, 10.0, platform_ground_speed=10), moved(5000, 0.03, sensor_latitude=0.0, sensor_longitude=0.0),
])  # fmt: skip
def test_a_step_that_a_platform_can_fly_is_plausible(sent):
    """Noise, reported speed, acceleration, wind; speeds beyond their items; fast and slow replays; a time set back."""
    assert "position_step" not in ids(sent)


@each_case("sent", [
    moved(150, 0.03), moved(300, 1.0), moved(5000, 10.0), moved(1200, 1.0, **NO_SPEED), moved(100_000, 30.0),
    moved(800, 1.0, **NO_SPEED, platform_true_airspeed=60), moved(150, 0.0, arrival=0.0),
    moved(400, 1.0, platform_ground_speed=0),
])  # fmt: skip
def test_a_step_that_no_platform_can_fly_is_found(sent):
    """Beyond the reported speed, or beyond 1,000 m/s without one."""
    assert [found.id for found in found_in(sent)] == ["position_step"]


def test_a_step_is_found_once_with_its_values():
    """The records after it are compared with the new position."""
    before, after = flown(4), flown(8, start=(56.05, 9.0))[21:]
    (found,) = found_in(before + after)

    assert found.id == "position_step"
    assert found.what.startswith("The sensor's position stepped by 5,5")
    assert "within 0.20 s, at a speed of at most 40 m/s (limit: 116 m)" in found.what


def test_positions_that_are_measured_rarely_are_plausible():
    """Every five seconds at 250 m/s, in thirty records a second: steps of 1,250 m between two records."""
    sent = []
    for number in range(600):
        items = scene(geo.destination(56.0, 9.0, 90.0, number // 150 * 1250.0)) | {"platform_ground_speed": 250}
        items["platform_heading_angle"] = number % 360
        sent.append(Sent(made(items, START_US + number * 33_333), number / 30))

    assert found_in(sent) == []


def test_records_out_of_order_are_no_steps():
    """A record that arrives late, in a fast flight."""
    sent = flown(10, speed=250, rate=1, changes={"platform_ground_speed": 250})
    swapped = [*sent[:4], sent[5], sent[4], *sent[6:]]

    assert found_in(swapped) == []


def test_the_antimeridian_and_the_pole_are_no_steps():
    """Longitudes that change by 360 or by 180 degrees."""
    assert found_in(flown(start=(10.0, 179.999))) == []
    assert found_in(flown(start=(89.998, 0.0), course=0.0, changes={"platform_heading_angle": 1.0})) == []


def test_two_senders_on_one_stream_are_found():
    """Their positions alternate."""
    both = [each for pair in zip(flown(2), flown(2, start=(57.0, 9.0)), strict=True) for each in pair]

    assert ids(both) == {"position_step"}
