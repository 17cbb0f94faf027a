"""KLV time compared with arrival, PTS and PCR: offset, drift, steps; and what is not a step."""

from __future__ import annotations

from collections.abc import Callable

import feed
import pytest
import records

from klvrelay.health.clocks import CONFIRMED, Clocks, Offset, TickUnwrapper
from klvrelay.record import Record

HZ = 30.0
TURN = 1 << 33


Said = Callable[[], list[str]]


def at(seconds: float, *, klv: float = 0.0, wall: float = 0.0, pts: float = 0.0, number: int = 0) -> Record:
    """A record of `seconds` after the start, each clock off by so many seconds."""
    time_us = feed.FIRST_TIME + round((seconds + klv) * 1e6)
    raw = feed.klv_packet(number, time_us)
    received = feed.FIRST_TIME + round((seconds + wall) * 1e6)
    ticks = round((seconds + pts) * 90_000) % TURN
    return Record(raw, "ST0601", "ok", "ok", ticks, 257, received, "uav1", "b", number, (ticks - 9000) % TURN)


def run(clocks: Clocks, seconds: float, shape: Callable[[float], dict[str, float]], begin: float = 0.0) -> None:
    for number in range(round(seconds * HZ)):
        now = begin + number / HZ
        clocks.add(at(now, **shape(now)), now)


def test_clocks_that_agree_have_no_drift_and_a_steady_offset():
    """The system clock a quarter of a second late, the PTS two seconds ahead, the PCR a tenth behind that."""
    clocks = Clocks("uav1")
    run(clocks, 30, lambda _: {"wall": 0.25, "pts": 2.0})
    assert clocks.against["wall"].offset_s == pytest.approx(0.25, abs=1e-3)
    first = feed.FIRST_TIME / 1e6
    assert clocks.against["pts"].offset_s == pytest.approx(2.0 - first, abs=1e-3)
    assert clocks.against["pcr"].offset_s == pytest.approx(1.9 - first, abs=1e-3)
    for offset in clocks.against.values():
        assert offset.drift_ppm == pytest.approx(0, abs=2)
    assert clocks.jumps == 0


@pytest.mark.parametrize("ppm", [200.0, -50.0])
def test_drift_is_measured_through_the_jitter_of_the_network(ppm: float):
    """A clock that gains or loses, with network delays of up to 40 ms."""
    clocks = Clocks("uav1")
    run(clocks, 100, lambda now: {"wall": now * ppm / 1e6 + 0.02 + 0.02 * ((now * 7919) % 1.0)})
    assert clocks.against["wall"].drift_ppm == pytest.approx(ppm, abs=15)
    assert clocks.jumps == 0


@pytest.mark.parametrize("by", [3600.0, -3600.0, 315_360_000.0, -2.5])
def test_a_step_of_klv_time_is_reported_once_against_each_clock(by: float, said: Said):
    """An hour, ten years, two seconds and a half: the size, in one line, and then the new offset."""
    clocks = Clocks("uav1")
    run(clocks, 60, lambda now: {"klv": by if now >= 20 else 0.0})
    assert [offset.jumps for offset in clocks.against.values()] == [1, 1, 1]
    assert clocks.last_jump is not None
    assert clocks.last_jump.seconds == pytest.approx(by, abs=0.1)
    assert clocks.against["wall"].offset_s == pytest.approx(-by, abs=0.1)
    (line,) = said()
    assert f"{by:+.3f} s relative to the system clock" in line
    assert clocks.against["wall"].drift_ppm == pytest.approx(0, abs=5)


def test_a_change_of_the_system_clock_affects_that_clock_only():
    """The system clock is set back a day: PTS and PCR show that the KLV's time continued."""
    clocks = Clocks("uav1")
    run(clocks, 60, lambda now: {"wall": -86_400.0 if now >= 20 else 0.0})
    assert {name: offset.jumps for name, offset in clocks.against.items()} == {"wall": 1, "pts": 0, "pcr": 0}


def test_late_records_are_no_step(said: Said):
    """The network was blocked for three seconds, then a burst of old records arrives: too few of them agree for a step.
    """
    clocks = Clocks("uav1")
    run(clocks, 60, lambda now: {"wall": 23.0 - now if 20 <= now < 23 else 0.0})
    assert clocks.jumps == 0
    assert said() == []


def test_a_wrap_of_the_pts_is_no_step():
    """33 bits of 90 kHz wrap every 26.5 hours."""
    clocks = Clocks("uav1")
    run(clocks, 20, lambda _: {"pts": TURN / 90_000 - 10})
    assert clocks.jumps == 0


def test_a_clock_that_steps_all_the_time_does_not_flood_the_log(said: Said):
    """Ten minutes of random time stamps: each step is counted, and logged once a minute."""
    clocks = Clocks("uav1")
    run(clocks, 600, lambda now: {"klv": 1000.0 * (int(now) // 2)})
    assert clocks.jumps > 500
    assert 5 <= len(said()) <= 11


def test_a_stopped_clock_changes_the_offset():
    """It is no step; the offset to the other clocks grows by a second per second."""
    clocks = Clocks("uav1")
    run(clocks, 10, lambda _: {})
    run(clocks, 30, lambda now: {"klv": 10.0 - now}, begin=10.0)
    assert clocks.against["wall"].offset_s == pytest.approx(30, abs=0.5)
    assert clocks.jumps == 0


def test_only_platform_sets_are_measured():
    """Sets without a time change nothing, and KLV that moves to another PID continues."""
    clocks = Clocks("uav1")
    for number in range(200):
        now = number / HZ
        clocks.add(at(now), now)
        clocks.add(at(now)._replace(pid=300), now)
        clocks.add(at(now)._replace(set="ST0903"), now)
    assert clocks.jumps == 0
    assert CONFIRMED < 200


def test_a_file_without_arrival_times_has_no_wall():
    """Decoded from a disk: PTS and PCR are measured, the system clock stays unknown."""
    clocks = Clocks("uav1")
    for number in range(90):
        clocks.add(at(number / HZ)._replace(received_us=None), number / HZ)
    assert clocks.against["wall"].offset_s is None
    assert clocks.against["pts"].offset_s is not None


def test_measuring_in_batches_gives_the_same_figures():
    """Records are measured in batches; every figure is the same, whenever it is requested."""
    together, one_by_one = Clocks("uav1"), Clocks("uav1")
    for number in range(203):
        now = number / HZ
        step = at(now, klv=60.0 if now > 3 else 0.0, wall=now * 1e-4, number=number)
        together.add(step, now)
        one_by_one.add(step, now)
        one_by_one.settle()

    assert together.jumps == one_by_one.jumps == 3
    assert together.last_jump == one_by_one.last_jump
    for name, offset in together.against.items():
        other = one_by_one.against[name]
        assert (offset.offset_s, offset.drift_ppm, offset.jumps) == (other.offset_s, other.drift_ppm, other.jumps)


# ---- the thresholds, from both sides ----


def offset_of(*measures: tuple[float, float]) -> Offset:
    """The clock offset computed from these (seconds of the KLV, offset)."""
    offset = Offset()
    for now, apart in measures:
        offset.add(now, apart)
    return offset


@pytest.mark.parametrize(("by", "jumps"), [(0.9, 0), (-0.9, 0), (1.1, 1), (-1.1, 1)])
def test_a_step_is_more_than_a_second(by: float, jumps: int):
    """On either side."""
    assert offset_of(*((n / 10, 0.0 if n < 50 else by) for n in range(100))).jumps == jumps


@pytest.mark.parametrize(("records", "jumps"), [(4, 0), (5, 1)])
def test_five_records_confirm_a_step(records: int, jumps: int):
    """Where records are rare, the time that they span is soon long enough."""
    assert offset_of(*((float(n), 0.0) for n in range(10)), *((10.0 + n, 5.0) for n in range(records))).jumps == jumps


@pytest.mark.parametrize(("last", "jumps"), [(0.9, 0), (1.0, 1)])
def test_a_step_is_confirmed_over_a_second(last: float, jumps: int):
    """A burst of late records has many of them, and is no step."""
    burst = [(10 + last * n / 20, 5.0) for n in range(21)]
    assert offset_of(*((float(n), 0.0) for n in range(10)), *burst).jumps == jumps


def test_late_records_between_punctual_ones_are_no_step():
    """However many they are, and however well they agree."""
    measures = ((n / 10, 5.0 if n % 2 else 0.0) for n in range(1, 200))
    assert offset_of((0.0, 0.0), *measures).jumps == 0


@pytest.mark.parametrize(("seconds", "is_known"), [(9, False), (10, True)])
def test_a_drift_is_known_from_ten_points_on(seconds: int, is_known: bool):
    """One a second; a line through fewer points would show jitter."""
    offset = offset_of(*((float(n), n * 1e-3) for n in range(seconds + 1)))
    assert (offset.drift_ppm is not None) is is_known
    assert offset.drift_ppm is None or offset.drift_ppm == pytest.approx(1000)


def test_an_offset_is_of_the_last_second_also_where_time_went_back():
    """A recording that restarts: both clocks go back, and earlier measurements are discarded."""
    before = ((1000 + n / 40, 0.0) for n in range(30))
    after = ((n / 40, 0.4) for n in range(10))
    assert offset_of(*before, *after).offset_s == 0.4


def test_a_step_is_logged_even_where_no_figures_are_requested(said: Said):
    """Only a few records wait for measurement at a time."""
    clocks = Clocks("uav1")
    run(clocks, 10, lambda now: {"wall": 0.0 if now < 5 else 30.0})
    assert len(said()) == 1


@pytest.mark.parametrize("step", [3600.0, -3600.0, 3.2e8])
def test_a_step_of_the_system_clock_is_not_logged_as_one_of_klv_time(step: float, said: Said):
    """The offset has it, but the cause is known; another step than that is logged."""
    clocks = Clocks("uav1")
    clocks.note_wall_step(step, 5.0)
    run(clocks, 10, lambda now: {"wall": 0.0 if now < 5 else step})
    assert (clocks.against["wall"].jumps, said()) == (1, [])
    run(clocks, 10, lambda now: {"wall": step if now < 15 else step + 60}, begin=10.0)
    assert len(said()) == 1


def test_steps_of_the_system_clock_in_a_row_are_known_by_their_sum(said: Said):
    """Only the last of them lasts long enough to be measured."""
    clocks = Clocks("uav1")
    for number, step in enumerate((3600.0, -7200.0, 100.0)):
        clocks.note_wall_step(step, 5.0 + number / 10)
    run(clocks, 10, lambda now: {"wall": 0.0 if now < 5 else -3500.0})
    assert (clocks.against["wall"].jumps, said()) == (1, [])


def test_an_old_step_of_the_system_clock_explains_nothing(said: Said):
    """A minute later, the same step is one of the KLV."""
    clocks = Clocks("uav1")
    clocks.note_wall_step(60.0, 5.0)
    run(clocks, 20, lambda now: {"wall": 0.0 if now < 110 else 60.0}, begin=100.0)
    assert len(said()) == 1


@pytest.mark.parametrize(("apart", "jumps"), [(0.2, 1), (0.3, 0)])
def test_records_that_agree_to_a_quarter_of_a_second_confirm_a_step(apart: float, jumps: int):
    """Network jitter is less; two alternating senders are further apart."""
    odd = ((10 + n / 10, 5.0 + apart * (n % 2)) for n in range(20))
    assert offset_of(*((float(n), 0.0) for n in range(10)), *odd).jumps == jumps


@pytest.mark.parametrize("step", [TURN // 2 - 1, -TURN // 2, TURN * 3 // 8, -TURN * 3 // 8])
def test_ticks_are_extended_by_the_shorter_distance(step: int):
    """Up to half of the range either way, across the wrap too."""
    for begin in (0, 1, TURN // 2, TURN - 1):
        turns = TickUnwrapper()
        first = turns.seconds(begin)
        assert turns.seconds((begin + step) % TURN) - first == pytest.approx(step / 90_000)


def test_a_record_without_a_time_measures_nothing():
    """It is not a record of 1970."""
    clocks = Clocks("uav1")
    clocks.add(at(0.0)._replace(raw=records.packet("ST0601", [(65, b"\x13")], checksum=True)), 0.0)
    assert clocks.against["wall"].offset_s is None
