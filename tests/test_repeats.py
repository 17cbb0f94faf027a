"""The log of a far end that repeatedly disconnects: few lines, and every fault is counted."""

from __future__ import annotations

import pytest

from klvrelay.backoff import PACE, SLOWEST, TEXTS_MOST, Repeats


class Clock:
    now = 500.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_fault_is_logged_once_while_it_lasts(clock: Clock):
    """A night without a broker is one line."""
    repeats = Repeats(clock)
    said = []
    for _ in range(1000):
        said.append(repeats.add("refused"))
        clock.now += 30
    assert said == ["refused", *[None] * 999]


def test_there_is_at_most_one_line_a_second_and_it_counts_the_others(clock: Clock):
    """Ten different faults in a second: the first, and later a line with the number of the others."""
    repeats = Repeats(clock)
    said = []
    for number in range(11):
        said.append(repeats.add(f"fault {number}"))
        clock.now += PACE / 10
    assert said == ["fault 0", *[None] * 9, "fault 10 (10 faults)"]


def test_a_fault_after_the_end_of_the_last_one_is_logged_again(clock: Clock):
    """An outage a day: each is logged, at once and without a count."""
    repeats = Repeats(clock)
    for _ in range(3):
        assert repeats.add("refused") == "refused"
        assert repeats.add("refused") is None
        assert repeats.logged
        repeats.over()
        assert not repeats.logged
        clock.now += 86_400


@pytest.mark.parametrize(("back", "lines"), [(9.99, 1), (10.0, 2)])
def test_only_a_steady_period_makes_the_next_fault_logged_at_once(clock: Clock, back: float, lines: int):
    """After some flapping, from both sides of the limit."""
    repeats = Repeats(clock, steady=10.0)
    for _ in range(40):
        repeats.add("closed")
        repeats.over()
        clock.now += 2
    repeats.add("closed")
    clock.now += SLOWEST + 1
    said = [repeats.add("x")]  # the log rate is at its slowest now
    repeats.over()
    clock.now += back
    said.append(repeats.add("closed"))
    assert len([line for line in said if line]) == lines


def test_a_steady_period_begins_when_the_far_end_is_back_for_the_first_time(clock: Clock):
    """A repeated "still there", or a return after a silence, does not restart it."""
    repeats = Repeats(clock, steady=10.0)
    lines = 0
    while lines < 8:  # the last of them delays the next one for SLOWEST seconds
        lines += repeats.add("closed") is not None
        repeats.over()
        clock.now += 2
    assert repeats.add("closed") is None
    repeats.over()
    clock.now += 6
    repeats.over()
    clock.now += 6
    assert repeats.add("closed") == "closed"


def test_a_flapping_far_end_is_logged_ever_more_rarely(clock: Clock):
    """Two relays that disconnect each other once a second for an hour: few lines, and each fault is counted."""
    repeats = Repeats(clock)
    said = []
    for _ in range(3600):
        if (line := repeats.add("taken over")) is not None:
            said.append((clock.now - 500, line))
        repeats.over()
        clock.now += 1
    assert len([at for at, _ in said if at < 12]) == 4
    assert len(said) < 70
    assert said[-1][1].startswith("taken over (64 faults)")


def test_the_memory_for_different_faults_is_bounded(clock: Clock):
    """Each has another number in it, for weeks."""
    repeats = Repeats(clock)
    for number in range(10 * TEXTS_MOST):
        repeats.add(f"fault {number}")
        clock.now += 2 * SLOWEST
    assert len(repeats._texts) <= TEXTS_MOST


def test_after_a_reset_the_next_fault_is_logged_whatever_was_before(clock: Clock):
    """The final message about an abandoned source is never delayed."""
    repeats = Repeats(clock)
    repeats.add("a")
    repeats.add("b")
    repeats.reset()
    assert repeats.add("a") == "a"
