"""Lead time: from arrival to confirmation, of records that were delivered, on clocks that may be set."""

from __future__ import annotations

from bisect import bisect_left
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from records import record

from klvrelay.gap import Gap
from klvrelay.health import SinkHealth
from klvrelay.health.lead_time import BOUNDS, COARSE, SLOT, TOGETHER, LeadTimes, StreamLeadTime, quantile
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


@pytest.mark.parametrize("step", [3600.0, -3600.0, 0.5, -0.5, 1e9])
def test_a_step_of_the_system_clock_changes_no_lead_time(clocks: Clocks, times: LeadTimes, step: float):
    """Of records that arrived before it and are confirmed after it, or arrived after it."""
    before = arrived(clocks)
    clocks.now += 0.2
    clocks.offset += step
    after = arrived(clocks, 1)
    clocks.now += 0.1
    times.add([before, after])
    counts = times.streams["uav1"].current
    assert times.unclear == 0
    assert sum(counts[:-1]) == 2
    assert counts[-1] == pytest.approx(400_000, abs=10)


def test_several_steps_are_undone_in_turn(clocks: Clocks, times: LeadTimes):
    """Each is found when records are confirmed."""
    before = arrived(clocks)
    for step in (7200.0, -3600.0):
        clocks.now += 1
        clocks.offset += step
        times.add([])
    clocks.now += 1
    times.add([before])
    assert times.streams["uav1"].current[-1] == pytest.approx(3_000_000, abs=10)


def test_what_cannot_be_explained_is_left_out(clocks: Clocks, times: LeadTimes):
    """A time of arrival in the future is no lead time."""
    times.add([record(0)._replace(received_us=clocks.wall_us() + 5_000_000)])
    assert (times.unclear, times.streams) == (1, {})


def test_a_slewed_clock_is_no_step(clocks: Clocks, times: LeadTimes):
    """It moves by less than a tenth of a second between two batches."""
    for _ in range(100):
        clocks.now += 1
        clocks.offset += 0.0005
        times.add([arrived(clocks)])
    assert (times.unclear, of(times)["count"], times._steps) == (0, 100, [])


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
    batch = [record(number, f"uav{number}")._replace(received_us=1) for number in range(3)]
    health.note_answer(batch, counted(results))
    assert sorted(health.lead_times.streams) == [f"uav{number}" for number in delivered]


def test_a_gap_has_no_lead_time():
    """It stands for records that were not delivered."""
    health = SinkHealth("mqtt://broker")
    health.note_answer([GAP_ITEM, record(0)._replace(received_us=1)], counted([GAP, DELIVERED]))
    assert list(health.lead_times.streams) == ["uav1"]
    health.note_answer([GAP_ITEM], Outcome(gaps=1))
    assert health.lead_times.all().document()["count"] == 1
