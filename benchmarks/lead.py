"""What the lead time of a record costs: from the outcome of a batch to the counts of its stream.

A batch has the records of up to 16 streams in turn, as it comes from the log.
"""

from __future__ import annotations

import time
from functools import partial

from benchmarks.clock import Timing, take_turns
from benchmarks.show import Goal, goals, number, table
from klvrelay.health import SinkHealth
from klvrelay.outcome import Outcome
from klvrelay.record import Record
from klvrelay.sinks.results import DELIVERED, THINNED, counted

_SIZES = (1, 20, 200)
_STREAMS = 16
_MOST = 2_000.0
"""Nanoseconds: 100 streams of 30 Hz then need 6 ms per second, if each record is a batch."""


def run(*, quick: bool) -> None:
    calls = {
        f"{size} per batch": (partial(_health().note_answer, _batch(size), Outcome(size)), size) for size in _SIZES
    }
    thinned = counted([THINNED, DELIVERED] * 100)
    calls["200 per batch, half of them thinned"] = partial(_health().note_answer, _batch(200), thinned), 100
    timed = Outcome(200)
    timed.confirmed = [time.monotonic()] * 200
    calls["200 per batch, each with a time"] = partial(_health().note_answer, _batch(200), timed), 200
    timings = take_turns(calls, rounds=5 if quick else 25)
    rows = [(name, number(timing.median * 1e9), number(timing.least * 1e9)) for name, timing in timings.items()]
    table("CPU time", ("lead time of a record", "ns, median", "ns, least"), rows)
    goals([_goal(name, timing) for name, timing in timings.items()])


def _goal(name: str, timing: Timing) -> Goal:
    return Goal(name, _MOST, timing.median * 1e9, "ns", at_most=True)


def _health() -> SinkHealth:
    return SinkHealth("mqtt://broker")


def _batch(size: int) -> list[Record]:
    """Records that arrived in the last second, one millisecond apart."""
    now_us = time.time_ns() // 1000
    return [
        Record(b"", "ST0601", "ok", "ok", None, None, now_us - 1000 * place, f"uav{place % _STREAMS}", "boot", place)
        for place in range(size)
    ]
