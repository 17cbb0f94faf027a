"""Lead time: from arrival to confirmation, of records that were delivered, on clocks that may be set."""

from __future__ import annotations

import time
from bisect import bisect_left
from itertools import combinations
from typing import Any

import pytest
from cases import each_case
from hypothesis import given
from hypothesis import strategies as st
from records import record

from klvrelay.gap import Gap
from klvrelay.health import SinkHealth
from klvrelay.health.arrival_age import LONGEST_US, SETTLE, STEPS_MOST
from klvrelay.health.lead_time import BOUNDS, COARSE, SLOT, STREAMS_MOST, TOGETHER, LeadTimes, StreamLeadTime, quantile
from klvrelay.outcome import Outcome
from klvrelay.record import Record
from klvrelay.sinks.results import DELIVERED, GAP, LEFT_OUT, REJECTED, THINNED, UNCHOSEN, UNWANTED, WITHHELD, counted


class Clocks:
    """A monotonic clock, and a system clock that can be set."""

    def __init__(self) -> None:
        self.now, self.offset = 100.0, 1_700_000_000.0

    def monotonic(self) -> float:
        return self.now

    def wall_ns(self) -> int:
        return round((self.now + self.offset) * 1e6) * 1000

    def wall_us(self) -> int:
        return self.wall_ns() // 1000

    def pass_time(self, seconds: float, times: LeadTimes) -> None:
        """With a look at the clocks four times a second."""
        end = self.now + seconds
        while self.now < end:
            self.now = min(end, self.now + 0.25)
            times.watch()


@pytest.fixture
def clocks() -> Clocks:
    return Clocks()


@pytest.fixture
def times(clocks: Clocks) -> LeadTimes:
    return LeadTimes(clocks.monotonic, clocks.wall_ns)


def arrived(clocks: Clocks, number: int = 0, stream: str = "uav1") -> Record:
    """A record that arrives now."""
    return record(number, stream)._replace(received_us=clocks.wall_us())


def of(times: LeadTimes, stream: str = "uav1") -> dict[str, Any]:
    found = times.of(stream)
    assert found is not None
    return found.document()


def total(times: LeadTimes, stream: str = "uav1") -> tuple[int, float, int]:
    """Number and sum of the lead times of a stream, in seconds, and the number of those that are unclear."""
    counts, seconds = times.streams[stream].cumulative()
    return counts[-1], seconds, times.unclear


@pytest.mark.parametrize("place", range(len(BOUNDS)))
def test_a_bound_belongs_to_its_bucket(clocks: Clocks, times: LeadTimes, place: int):
    """And one microsecond more to the next."""
    now_us = clocks.wall_us()
    exact, above = (record(0)._replace(received_us=now_us - lead) for lead in (BOUNDS[place], BOUNDS[place] + 1))
    times.add([exact, above])
    counts = times.streams["uav1"].current
    assert (counts[place], counts[place + 1], counts[-1]) == (1, 1, 2 * BOUNDS[place] + 1)


@given(st.lists(st.integers(101, 10_000_000), min_size=1, max_size=300), st.sampled_from([0.5, 0.95, 0.99]))
def test_a_quantile_is_within_one_bucket_of_the_exact_one(leads: list[int], share: float):
    """A bucket is about 20 % wide."""
    counts = [0] * (len(BOUNDS) + 2)
    for lead in leads:
        counts[bisect_left(BOUNDS, lead)] += 1
    exact = sorted(leads)[max(0, -(-round(share * 1000) * len(leads) // 1000) - 1)]
    found = quantile(counts, share)
    assert found is not None
    assert exact / 1.26 <= found <= exact * 1.26


def test_without_a_record_there_is_no_quantile():
    """And beyond the last bound there is only that bound."""
    assert StreamLeadTime().document()["p50_ms"] is None
    assert quantile([0] * len(BOUNDS) + [5, 0], 0.5) == BOUNDS[-1]


def test_the_last_minute_ends_and_the_total_stays(clocks: Clocks, times: LeadTimes):
    """In steps of ten seconds, also after a long pause."""
    times.add([arrived(clocks)])
    counts = []
    for _ in range(8):
        document = of(times)
        counts.append((document["count"], document["last_minute"]["count"]))
        clocks.now += SLOT
    assert counts == [(1, 1)] * 6 + [(1, 0)] * 2
    times.add([arrived(clocks)])
    clocks.now += 1e6
    assert (of(times)["count"], of(times)["last_minute"]["count"]) == (2, 0)


def test_all_streams_of_a_sink_are_summed(clocks: Clocks, times: LeadTimes):
    """Without changing theirs; a removed stream is forgotten."""
    times.add([arrived(clocks), arrived(clocks, 1, "uav2"), arrived(clocks, 2, "uav2")])
    assert [times.all().document()[key] for key in ("count",)] == [3]
    clocks.now += 100
    assert (times.all().document()["count"], times.all().document()["last_minute"]["count"]) == (3, 0)
    times.forget("uav2")
    assert times.of("uav2") is None
    assert times.all().document()["count"] == 1


def test_the_buckets_of_metrics_are_cumulative(clocks: Clocks, times: LeadTimes):
    """Three for each power of ten, and the number of all."""
    now = clocks.wall_us()
    times.add([record(0)._replace(received_us=now - lead) for lead in (100, 101, 5_000, 200_000_000)])
    counts, seconds = times.streams["uav1"].cumulative()
    assert len(counts) == len(COARSE) + 1 == 20
    assert counts[0] == 1
    assert counts[1] == 2
    assert counts[COARSE.index(10_000)] == 3
    assert counts[-1] == 4
    assert seconds == pytest.approx(200.005201)


def test_lead_times_that_wait_to_be_entered_count_in_their_part_of_the_minute(clocks: Clocks, times: LeadTimes):
    """However many there are, they are in it when it ends, and are read at any time."""
    for _ in range(3 * TOGETHER // 2):
        times.add([arrived(clocks)])
    assert of(times)["count"] == 3 * TOGETHER // 2
    times.add([arrived(clocks)])
    clocks.now += 6 * SLOT
    assert (of(times)["count"], of(times)["last_minute"]["count"]) == (3 * TOGETHER // 2 + 1, 0)


def test_a_recording_has_no_lead_time(times: LeadTimes):
    """Its records never arrived."""
    times.add([record(0)._replace(received_us=None)])
    assert times.streams == {}


@pytest.mark.parametrize("step", [3600.0, 1e6, 0.5, 0.2])
def test_a_step_forward_of_the_system_clock_changes_no_lead_time(clocks: Clocks, times: LeadTimes, step: float):
    """Of records that arrived before it and are confirmed after it, or arrived after it."""
    before = arrived(clocks)
    clocks.pass_time(0.2, times)
    clocks.offset += step
    clocks.now += 0.05
    after = arrived(clocks, 1)
    clocks.now += 0.1
    times.add([before, after])
    assert total(times) == (2, pytest.approx(0.35 + 0.1, abs=1e-5), 0)


@pytest.mark.parametrize("step", [-0.1, -0.5, -30.0, -3600.0])
def test_a_step_back_of_the_system_clock_makes_no_false_lead_time(clocks: Clocks, times: LeadTimes, step: float):
    """One that may have arrived before the step or after it is left out at first. Later ones are measured again."""
    before = [arrived(clocks, number, "before") for number in range(2)]
    clocks.pass_time(0.2, times)
    clocks.offset += step
    clocks.now += 0.05
    after = arrived(clocks, 2, "after")
    times.add(before[:1])
    clocks.pass_time(1, times)
    times.add([after, before[1]])
    leads = {"before": (0.25, 1.25), "after": (1.0,)}
    for stream, found in times.streams.items():
        counts, seconds = found.cumulative()
        assert any(seconds == pytest.approx(sum(true), abs=1e-5) for true in combinations(leads[stream], counts[-1]))
    assert times.unclear == 3 - sum(found.cumulative()[0][-1] for found in times.streams.values())
    clocks.pass_time(SETTLE + 0.1, times)
    late = arrived(clocks, 3, "late")
    clocks.pass_time(0.1, times)
    times.add([late])
    assert total(times, "late")[:2] == (1, pytest.approx(0.1, abs=1e-5))


def test_a_record_that_arrived_before_a_small_step_back_is_not_taken_for_a_later_one(clocks: Clocks, times: LeadTimes):
    """By the system clock alone, it would have arrived after the step."""
    clocks.pass_time(1, times)
    before = arrived(clocks)
    clocks.pass_time(0.4, times)
    clocks.offset -= 0.5
    clocks.pass_time(0.3, times)
    times.add([before])
    assert (times.unclear, times.streams) == (1, {})


def test_several_steps_are_undone_in_turn(clocks: Clocks, times: LeadTimes):
    """Each is found when records are confirmed, or at the next look."""
    before = arrived(clocks)
    for step in (7200.0, -3600.0):
        clocks.pass_time(1, times)
        clocks.offset += step
        clocks.now += 0.1
        times.watch()
    clocks.pass_time(1, times)
    times.add([before])
    assert total(times) == (1, pytest.approx(3.2, abs=1e-5), 0)


def test_an_arrival_before_too_many_steps_is_unclear(clocks: Clocks, times: LeadTimes):
    """The first of them is no longer remembered, only the others are undone."""
    records = []
    for number in range(STEPS_MOST + 1):
        records.append(arrived(clocks, number))
        clocks.pass_time(1, times)
        clocks.offset += 100.0
        clocks.now += 0.1
        times.watch()
    clocks.pass_time(SETTLE + 1, times)
    times.add(records)
    leads = [SETTLE + 1 + 1.1 * (STEPS_MOST + 1 - number) for number in range(1, STEPS_MOST + 1)]
    assert total(times) == (STEPS_MOST, pytest.approx(sum(leads), abs=1e-3), 1)


@each_case("arrived_us", [1, 2**62, -(2**62), 1_700_000_000_000_000 - 2 * LONGEST_US, 1_700_000_105_000_000])
def test_an_absurd_time_of_arrival_is_no_lead_time(arrived_us: int):
    """One in the future, or that of an earlier run whose clock was not set."""
    clocks = Clocks()
    times = LeadTimes(clocks.monotonic, clocks.wall_ns)
    times.add([record(0)._replace(received_us=arrived_us)])
    assert (times.unclear, times.streams) == (1, {})


def test_a_slewed_clock_is_no_step(clocks: Clocks, times: LeadTimes):
    """Half a millisecond per second, for an hour: by less than a step between two looks."""
    for _ in range(3600):
        clocks.now += 1
        clocks.offset += 0.0005
        times.watch()
    late = arrived(clocks)
    clocks.now += 0.25
    times.add([late])
    assert total(times) == (1, pytest.approx(0.25, abs=1e-5), 0)
    assert list(times._age._steps) == []


def test_a_pause_between_the_readings_of_both_clocks_is_no_step():
    """The process was stopped for a second, then continued: the clocks are read again."""
    clocks = Clocks()
    times = LeadTimes(clocks.monotonic, clocks.wall_ns)
    pauses = [1.0, 0.0]

    def wall_ns() -> int:
        clocks.now += pauses.pop(0) if pauses else 0.0
        return clocks.wall_ns()

    times._age._wall_ns = wall_ns
    times.watch()
    assert pauses == []
    assert list(times._age._steps) == []


def test_an_earlier_confirmation_makes_the_lead_time_shorter(clocks: Clocks, times: LeadTimes):
    """The records of a batch may be confirmed at different times; none before its arrival."""
    records = [arrived(clocks, number) for number in range(3)]
    begin = clocks.now
    clocks.now += 2
    times.add(records, [begin + 0.5, begin + 2, begin - 1])
    assert total(times) == (3, pytest.approx(0.5 + 2 + 0, abs=1e-5), 0)


def test_the_streams_of_a_sink_are_bounded(clocks: Clocks, times: LeadTimes):
    """Records of further streams count only in the sum of all; there is room again when a stream is removed."""
    times.add([arrived(clocks, number, f"uav{number}") for number in range(STREAMS_MOST + 5)])
    assert len(times.streams) == STREAMS_MOST
    assert times.all().document()["count"] == STREAMS_MOST + 5
    clocks.now += 100
    assert times.all().document()["last_minute"]["count"] == 0
    times.forget("uav0")
    times.add([arrived(clocks, 0, "next")])
    assert "next" in times.streams


@each_case(
    ("leads", "text"),
    [
        ([], ""),
        ([82], ", lead time p50 0.050 ms, p99 0.099 ms"),
        ([1_000_000] * 99 + [12_000_000], ", lead time p50 910.9 ms, p99 1000.0 ms"),
        ([500_000_000], ", lead time p50 100000.0 ms, p99 100000.0 ms"),
    ],
)
def test_the_last_line_of_a_run_has_two_quantiles(leads: list[int], text: str):
    """In milliseconds; nothing without a lead time."""
    clocks = Clocks()
    times = LeadTimes(clocks.monotonic, clocks.wall_ns)
    times.add([record(0)._replace(received_us=clocks.wall_us() - lead) for lead in leads])
    assert times.describe() == text


GAP_ITEM = Gap.of(record(9), "memory")


@pytest.mark.parametrize(
    ("results", "delivered"),
    [
        ([DELIVERED] * 3, [0, 1, 2]),
        ([THINNED, DELIVERED, THINNED], [1]),
        ([REJECTED, LEFT_OUT, UNWANTED], []),
        ([WITHHELD, UNCHOSEN, DELIVERED], [2]),
        ([DELIVERED, THINNED], [0]),
        ([], []),
    ],
)
def test_only_records_that_were_delivered_count(results: list[int], delivered: list[int]):
    """The others were answered, but no one has them."""
    health = SinkHealth("mqtt://broker")
    batch = [record(number, f"uav{number}")._replace(received_us=time.time_ns() // 1000) for number in range(3)]
    health.note_answer(batch, counted(results))
    assert sorted(health.lead_times.streams) == [f"uav{number}" for number in delivered]


def test_a_gap_has_no_lead_time():
    """It stands for records that were not delivered."""
    health = SinkHealth("mqtt://broker")
    health.note_answer([GAP_ITEM, record(0)._replace(received_us=time.time_ns() // 1000)], counted([GAP, DELIVERED]))
    assert list(health.lead_times.streams) == ["uav1"]
    health.note_answer([GAP_ITEM], Outcome(gaps=1))
    assert health.lead_times.all().document()["count"] == 1
