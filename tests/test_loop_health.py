"""The heartbeat of the event loop: its lag, its listeners, and steps of the system clock."""

from __future__ import annotations

import asyncio
import logging
import time

import pytest
from brokers import until
from manual_clock import Clock

from klvrelay.health.loop import BEAT, LoopHealth
from klvrelay.health.wall_clock import LOG_EVERY, STEP, ClockStep, WallClock
from klvrelay.relay.supervise import contain


@pytest.fixture
def logged(monkeypatch, caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    monkeypatch.setattr(logging.getLogger("klvrelay"), "propagate", True)
    caplog.set_level(logging.INFO, "klvrelay")
    return caplog


@pytest.fixture
async def health():
    found = LoopHealth(contain)
    found.start()
    yield found
    found.stop()


async def test_the_lag_of_a_blocked_loop_is_measured(health: LoopHealth):
    """The longest of the last minute, and of all time."""
    await until(lambda: health.beats)
    time.sleep(0.3)
    assert health.lag_longest_s >= 0.3 - BEAT  # already, though no beat came since
    beats = health.beats
    await until(lambda: health.beats > beats + 1)
    assert 0.3 - BEAT <= health.lag_longest_s == health.lag_max_s
    assert health.lag_s <= health.lag_max_s


async def test_the_longest_lag_is_forgotten_after_a_minute(health: LoopHealth):
    """The one of all time is not; and no more than a minute is kept."""
    now = asyncio.get_running_loop().time()
    health._note(now - 70, 2.0)
    health._note(now - 50, 0.5)
    for second in range(200):
        health._note(now - 49 + second / 100, 0.001)
    assert 0.5 <= health.lag_longest_s < 2.0
    assert health.lag_max_s == 2.0
    for second in range(200):
        health._note(now + second, 0.002)
    assert len(health._longest) == 60


async def test_a_listener_that_fails_hurts_no_other(health: LoopHealth, logged: pytest.LogCaptureFixture):
    """Its fault is logged once, and the heartbeat continues."""
    beats: list[int] = []

    def fail() -> None:
        raise KeyError("secret")

    health.on_beat += [fail, lambda: beats.append(health.beats)]
    await until(lambda: len(beats) >= 3)
    assert len([line for line in logged.messages if "KeyError" in line]) == 1
    assert "secret" not in logged.text


async def test_a_stopped_heartbeat_is_silent(health: LoopHealth):
    """Nothing is called any more, and its lag is none."""
    await until(lambda: health.beats)
    health.stop()
    beats = health.beats
    await asyncio.sleep(3 * BEAT)
    assert health.beats == beats


class Clocks:
    """A system clock that is set, beside a monotonic one."""

    def __init__(self) -> None:
        self.monotonic, self.offset = Clock(), 1e9
        self.wall = WallClock(lambda: self.monotonic() + self.offset, self.monotonic)

    def after(self, seconds: float, shift: float = 0.0) -> ClockStep | None:
        self.monotonic.now += seconds
        self.offset += shift
        return self.wall.check()


@pytest.mark.parametrize("shift", [3600.0, -3600.0, 3.2e8, -3.2e8, STEP, -STEP])
def test_a_step_of_the_system_clock_is_reported_once(shift: float, logged: pytest.LogCaptureFixture):
    """With its size; the time that passes beside it does not count."""
    clocks = Clocks()
    assert clocks.after(7.0) is None
    step = clocks.after(1.0, shift)
    assert step is not None
    assert step.seconds == pytest.approx(shift)
    assert step.at_us == pytest.approx((clocks.monotonic.now + clocks.offset) * 1e6)
    assert [clocks.after(0.05) for _ in range(100)] == [None] * 100
    assert (clocks.wall.steps, clocks.wall.last_step) == (1, step)
    assert logged.messages == [f"system clock stepped: seconds={shift:+.3f} count=1"]


def test_small_steps_are_reported_once_they_add_up():
    """A clock that is set by little again and again."""
    clocks = Clocks()
    found = [clocks.after(1.0, STEP / 4) for _ in range(8)]
    assert [step is not None for step in found] == [False, False, False, True] * 2


def test_a_process_that_stopped_between_the_clocks_saw_no_step():
    """The two clocks are read one after the other."""
    now = [0.0]

    def monotonic() -> float:
        return now[0]

    late = iter([0.0, 5.0, 0.0, 0.0, 0.0])

    def wall() -> float:
        found = now[0] + 1e9
        now[0] += next(late)  # stopped after it was read
        return found

    clock = WallClock(wall, monotonic)
    assert clock.check() is None
    assert clock.steps == 0


def test_a_clock_that_is_set_all_the_time_does_not_fill_the_log(logged: pytest.LogCaptureFixture):
    """At most one line a second, with the sum and the count of those since the last."""
    clocks = Clocks()
    for _ in range(100):
        clocks.after(LOG_EVERY / 20, 1.0)
    clocks.after(LOG_EVERY)
    assert clocks.wall.steps == 100
    assert len(logged.messages) <= 7
    counts = [int(line.rpartition("count=")[2]) for line in logged.messages]
    assert sum(counts) == 100


async def test_listeners_hear_of_a_step(logged: pytest.LogCaptureFixture):
    """Each of them, also after one that fails."""
    clocks, heard = Clocks(), list[ClockStep]()
    health = LoopHealth(contain, clocks.wall)

    def fail(step: ClockStep) -> None:
        raise ValueError

    clocks.wall.listeners += [fail, heard.append]
    health.start()
    clocks.offset -= 5
    await until(lambda: heard)
    health.stop()
    assert heard[0].seconds == pytest.approx(-5)
    assert len([line for line in logged.messages if "ValueError" in line]) == 1
