"""The log of shed records: when shedding starts, once a minute, and when it ends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from klvrelay.health import SinkHealth
from klvrelay.outcome import Sums

Said = Callable[[], list[str]]

STARTS = "mqtt://h: too many records wait, the oldest are being shed:"


@dataclass
class Clock:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


def looked(shed_at: Callable[[float], int], seconds: float, clock: Clock, health: SinkHealth) -> None:
    """Four checks a second of a sink that has shed so many after so many seconds."""
    start = clock.now
    while clock.now < start + seconds:
        health.counted(Sums(shed=shed_at(clock.now - start), waiting=100))
        clock.now += 0.25


def test_shedding_is_logged_when_it_starts_once_a_minute_and_when_it_ends(said: Said):
    """Ten records a second for 150 s: four lines, with the number up to then."""
    clock = Clock()
    health = SinkHealth("mqtt://h", clock=clock)
    looked(lambda _: 0, 5, clock, health)
    assert said() == []
    looked(lambda at: 1 + int(10 * min(at, 150)), 300, clock, health)
    assert said() == [
        f"{STARTS} shed=1 waiting=100",
        "mqtt://h: records are still being shed: shed=601 seconds=60 waiting=100",
        "mqtt://h: records are still being shed: shed=1201 seconds=120 waiting=100",
        "mqtt://h: records are no longer shed: shed=1501 seconds=150",
    ]


def test_shedding_that_starts_again_is_logged_again_with_its_own_count(said: Said):
    """The second time counts from its own first record."""
    clock = Clock()
    health = SinkHealth("mqtt://h", clock=clock)
    looked(lambda _: 7, 20, clock, health)
    looked(lambda _: 9, 20, clock, health)
    assert said() == [
        f"{STARTS} shed=7 waiting=100",
        "mqtt://h: records are no longer shed: shed=7 seconds=0",
        f"{STARTS} shed=2 waiting=100",
        "mqtt://h: records are no longer shed: shed=2 seconds=0",
    ]


def test_a_pause_shorter_than_ten_seconds_ends_nothing(said: Said):
    """One record every nine seconds is one period of shedding; every eleven seconds, several."""
    clock = Clock()
    health = SinkHealth("mqtt://h", clock=clock)
    looked(lambda at: 1 + int(at // 9), 40, clock, health)
    assert said() == [f"{STARTS} shed=1 waiting=100"]
    looked(lambda at: 5 + int(at // 11), 24, clock, health)
    assert sum("no longer" in line for line in said()) == 2


def test_a_sink_that_sheds_nothing_logs_nothing(said: Said):
    """Its health has the counters all the same."""
    clock = Clock()
    health = SinkHealth("mqtt://h", clock=clock)
    sums = Sums(10, 9, 0, 0, 0, 1)
    health.counted(sums)
    assert (said(), health.sums) == ([], sums)
