"""What the steps of the ladder leave of outputs, and how many bytes may be unanswered."""

from __future__ import annotations

import random
from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from klvrelay.config.outputs import output_of
from klvrelay.shape.budget.classes import Urgency
from klvrelay.shape.budget.ladder import Reduction, Rung, rungs_of
from klvrelay.shape.budget.reduction import BULK, POSITION_RATE, reduced, reduced_all, rungs_for, urgency_of
from klvrelay.shape.budget.window import LEAST, TARGET, Window
from klvrelay.shape.items import chosen_keys, groups
from klvrelay.shape.output import Output
from klvrelay.shape.presets import DEFAULTS, preset_output
from klvrelay.shape.shaper import Shaper

ALL = rungs_of()
POSITION = Output("position", "{prefix}/{stream}/position", items=("position",), rate=4.0)
ALERT = Output("alert", "{prefix}/{stream}/alert", priority="alert")


def test_the_class_of_an_output_follows_from_its_items():
    telemetry, state = DEFAULTS
    assert urgency_of(telemetry) is Urgency.OTHER
    assert urgency_of(state) is Urgency.STATE
    assert urgency_of(POSITION) is Urgency.POSITION
    assert urgency_of(Output("a", "a", items=("position", "attitude"))) is Urgency.ATTITUDE
    assert urgency_of(Output("a", "a", items=("position", "vmti"))) is Urgency.OTHER
    assert urgency_of(ALERT) is Urgency.ALERT
    assert urgency_of(output_of({"preset": "telemetry", "class": "position"})) is Urgency.POSITION


def test_each_step_of_telemetry_publishes_less():
    (telemetry,) = reduced_all([DEFAULTS[0]], ALL[1])
    assert telemetry is not None
    for name in BULK:
        assert not chosen_keys(telemetry.items) & groups()[name]
    assert groups()["position"] <= chosen_keys(telemetry.items)
    rates = [getattr(reduced(DEFAULTS[0], rung), "rate", None) for rung in ALL[4:9]]
    assert rates == [15.0, 7.5, 3.75, 1.875, 1.0]
    last = reduced(DEFAULTS[0], ALL[-1])
    assert last is not None
    assert chosen_keys(last.items) == groups()["position"]
    assert (last.on_change, last.dead_bands) == (True, True)


def test_positions_alone_remain_where_an_output_has_them():
    """An alert is never reduced, and the state waits."""
    telemetry, state = DEFAULTS
    left = reduced_all([ALERT, POSITION, telemetry, state], ALL[-1])
    assert left[0] is ALERT
    assert left[1] is not None
    assert left[1].rate == POSITION_RATE
    assert left[2:] == [None, None]


def test_steps_that_change_nothing_are_skipped():
    small = Output("small", "small", items=("sensor_latitude",), rate=2.0, on_change=True, dead_bands=True)
    assert rungs_for([small]) == (Rung(Reduction.CONFIGURED),)
    assert rungs_for([ALERT]) == (Rung(Reduction.CONFIGURED),)
    steps = [rung.step for rung in rungs_for([preset_output("osd")])]
    assert steps == [0, 2, 3, 5]


PRESETS = ["telemetry", "osd", "state", "items"]


@given(rung=st.sampled_from(ALL), preset=st.sampled_from(PRESETS), rate=st.floats(0.1, 100))
def test_what_is_left_is_a_valid_output_with_no_more_than_before(rung, preset, rate):
    """Shaped without error, of no more items, at no higher rate, with the same limits."""
    output = output_of({"preset": preset, "rate": rate, "max_classification": "SECRET"})
    left = reduced(output, rung)
    if left is None:
        return
    Shaper([left])
    assert chosen_keys(left.items) <= chosen_keys(output.items)
    assert left.rate is not None
    assert left.rate <= rate
    assert (left.limit, left.coarse, left.topic, left.streams) == (output.limit, 0.0, output.topic, ())


@pytest.mark.parametrize("has", [500, 2_000, 4_000, 8_000, 100_000])
@pytest.mark.parametrize("trip", [0.05, 0.6])
def test_a_slow_link_gets_a_window_that_its_queue_does_not_grow(has, trip):
    """A budget of 8000 bytes per second on a link of `has`: a new message is answered soon, and the link is used."""
    chance, window = random.Random(1), Window(8_000)
    now, free, flying, sent = 0.0, 0.0, 0.0, 0.0
    answers: deque[tuple[float, float, float]] = deque()
    allowed, delays = 0.0, []
    while now < 120:
        now += 0.01
        allowed = min(800.0, allowed + 80.0)
        while answers and answers[0][0] <= now:
            due, size, at = answers.popleft()
            flying -= size
            window.answered(size, due - at, now)
            delays.append((now, due - at - trip - size / has))
        while allowed > 0 and (not flying or flying < window.size):
            size = float(chance.randrange(100, 600))
            free = max(free, now) + size / has
            answers.append((free + trip, size, now))
            flying += size
            allowed -= size
            sent += size if now > 60 else 0.0
    settled = [delay for at, delay in delays if at > 60]
    assert sorted(settled)[len(settled) * 9 // 10] <= max(2 * TARGET, (LEAST + 600) / has)
    assert sent > 0.85 * min(has, 8_000) * 60
