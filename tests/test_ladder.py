"""The ladder of a budget, on a simulated uplink."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from klvrelay.shape.budget.ladder import (
    HALVINGS,
    HOLD,
    HOLD_MOST,
    LAST_RESORT,
    LATE,
    Ladder,
    LinkLoad,
    Reduction,
    Rung,
    rungs_of,
)

TICK = 0.1
RUNGS = rungs_of()
NEEDS = (120_000, 90_000, 50_000, 40_000, 25_000, 15_000, 9_000, 6_000, 4_000, 2_000)
"""Bits per second of each rung."""


class Uplink:
    """A queue in front of a link: what it needs on each rung, and what it has, which may change."""

    def __init__(self, has: Callable[[float], float], needs: tuple[int, ...] = NEEDS) -> None:
        self.has, self.needs = has, needs
        self.now = 0.0
        self.queue = 0.0
        self.ladder = Ladder(RUNGS, 0.0)
        self.changes: list[tuple[float, int]] = []
        self.fits = 0.0

    @property
    def at(self) -> int:
        return RUNGS.index(self.ladder.rung)

    def run(self, seconds: float) -> None:
        for _ in range(round(seconds / TICK)):
            self.now += TICK
            has, needs = self.has(self.now), self.needs[self.at]
            self.queue = max(0.0, self.queue + (needs - has) * TICK)
            dropped = self.queue > 8 * has
            self.queue = min(self.queue, 8 * has)
            load = LinkLoad(self.queue / has, int(dropped), min(1.0, (needs + self.queue) / has))
            self.fits += TICK if needs <= 1.03 * has else 0.0  # within 3 % it is late once in minutes
            if self.ladder.update(load, self.now):
                self.changes.append((self.now, self.at))


def test_the_rungs_are_the_steps_with_rates_halved():
    assert RUNGS[:4] == tuple(map(Rung, list(Reduction)[:4]))
    assert RUNGS[4:9] == tuple(Rung(Reduction.LOWER_RATES, count) for count in range(1, 6))
    assert RUNGS[9:] == (Rung(Reduction.POSITION_ONLY, HALVINGS),)
    assert rungs_of((Reduction.ON_CHANGE, Reduction.LOWER_RATES), 1) == (
        Rung(Reduction.CONFIGURED), Rung(Reduction.ON_CHANGE), Rung(Reduction.LOWER_RATES, 1),
    )  # fmt: skip
    assert len({step.label for step in Reduction}) == 6


def test_the_first_step_down_is_taken_at_once_and_has_a_reason():
    ladder = Ladder(RUNGS, 0.0)
    assert not ladder.update(LinkLoad(LATE - 0.01), 1.0)
    assert ladder.update(LinkLoad(LATE, 0, 0.97), 1.1)
    assert ladder.rung.step is Reduction.NO_BULK
    assert ladder.since == 1.1
    assert ladder.reason == "values wait 1.0 s, 97% of the budget used in the last 5 s"


def test_displaced_records_are_a_reason_too():
    ladder = Ladder(RUNGS, 0.0)
    assert ladder.update(LinkLoad(0.1, 3, 1.0), 1.0)
    assert ladder.reason == "3 records displaced, 100% of the budget used in the last 5 s"


def test_a_step_that_helps_is_given_time():
    """While values wait less and less, no further step follows."""
    ladder = Ladder(RUNGS, 0.0)
    ladder.update(LinkLoad(3.0), 1.0)
    now, waited = 1.0, 3.0
    while waited >= LATE:
        now, waited = now + 0.1, waited * 0.97
        assert not ladder.update(LinkLoad(waited), now)
    assert ladder.rung.step is Reduction.NO_BULK


@pytest.mark.parametrize("has", [2_500, 5_000, 8_000, 16_000, 39_000, 41_000, 64_000, 150_000])
def test_it_finds_the_rung_that_fits_and_rarely_leaves_it(has):
    """Overload ends within seconds. Attempts to climb become rarer: an hour has few changes."""
    uplink = Uplink(lambda _: has)
    uplink.run(60)
    before, uplink.fits = len(uplink.changes), 0.0
    uplink.run(3600)
    assert len(uplink.changes) - before <= 40
    assert uplink.fits > 0.93 * 3600


@pytest.mark.parametrize(("needs", "seconds"), [(3_000, 1), (3_000, 300), (8_000, 30), (50_000, 120)])
def test_it_returns_to_the_top_once_there_is_room(needs, seconds):
    """However long the bottleneck lasted, within the doubled pauses."""
    uplink = Uplink(lambda now: needs if now < seconds else 1e6)
    uplink.run(seconds)
    assert uplink.at > 0
    uplink.run(3 * HOLD_MOST)
    assert uplink.at == 0
    assert uplink.ladder.reason.startswith("no delay for")


def test_position_only_is_the_last_resort():
    """Before it, values may wait longer: what is urgent is sent first anyway."""
    ladder = Ladder(RUNGS, 0.0)
    now = 0.0
    while ladder.rung.step is not Reduction.LOWER_RATES or ladder.rung.halvings < HALVINGS:
        now += 1.1
        assert ladder.update(LinkLoad(2.0 + now / 10), now)
    for _ in range(100):
        now += 1.1
        assert not ladder.update(LinkLoad(LAST_RESORT - 0.1, 1), now)
    assert ladder.update(LinkLoad(LAST_RESORT), now + 1)
    assert ladder.rung.step is Reduction.POSITION_ONLY


def test_full_records_after_a_step_up_are_no_failure():
    ladder = Ladder(RUNGS, 0.0)
    ladder.update(LinkLoad(2.0), 0.0)
    assert ladder.update(LinkLoad(0.0), 10.0)
    assert not ladder.update(LinkLoad(2.5), 12.0)
    assert ladder.update(LinkLoad(2.5), 15.1)


def test_each_failed_step_up_doubles_the_pause_before_the_next():
    """Only that of the rung that failed: what is above it is tried soon once it holds."""
    ladder = Ladder(RUNGS, 0.0)
    now, pauses = 0.0, []
    ladder.update(LinkLoad(1.0), now)
    for _ in range(8):
        begin = now
        while not ladder.update(LinkLoad(0.0), now):
            now += 0.1
        pauses.append(now - begin)
        now += 0.2
        assert ladder.update(LinkLoad(3.0), now)
    assert pauses == pytest.approx([min(HOLD_MOST, HOLD * 2**n) for n in range(8)], abs=0.15)
    now += 1.1
    assert ladder.update(LinkLoad(3.0), now)
    assert ladder.hold == HOLD


def test_a_budget_that_is_nearly_used_up_is_not_tried_again():
    ladder = Ladder(RUNGS, 0.0)
    ladder.update(LinkLoad(1.0), 0.0)
    assert not any(ladder.update(LinkLoad(0.0, 0, 0.95), float(now)) for now in range(1, 10_000))


@settings(deadline=None)
@given(
    loads=st.lists(st.tuples(st.floats(0.0, 5.0), st.integers(0, 3), st.floats(0.0, 1.2)), max_size=300),
    tick=st.floats(0.05, 20.0),
)
def test_each_change_is_one_rung_and_has_a_time_and_a_reason(loads, tick):
    ladder = Ladder(RUNGS, 0.0)
    at, now = 0, 0.0
    for waited, dropped, used in loads:
        now += tick
        changed = ladder.update(LinkLoad(waited, dropped, used), now)
        place = RUNGS.index(ladder.rung)
        assert abs(place - at) == changed
        assert not changed or (ladder.since == now and "of the budget used in the last 5 s" in ladder.reason)
        assert place <= at or waited >= LATE or dropped
        assert place >= at or waited < LATE
        assert HOLD <= ladder.hold <= HOLD_MOST
        at = place
