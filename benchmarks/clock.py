"""Timing of calls that take turns, so that whatever else the machine does meets them all alike."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median

Call = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds a unit, one figure a round; rounds of all calls belong together."""

    rounds: tuple[float, ...]

    @property
    def median(self) -> float:
        return median(self.rounds)

    def times_faster(self, other: Timing) -> float:
        """The median of the ratios round by round."""
        return median(theirs / ours for ours, theirs in zip(self.rounds, other.rounds, strict=True))


def take_turns(
    calls: Mapping[str, tuple[Call, int]], *, rounds: int, slice_: float = 0.02, clock: Callable[[], float] = time.process_time
) -> dict[str, Timing]:
    """Time calls round by round. Each comes with the units of work that one call does.

    slice_   seconds that a call is repeated for in each round, at least once
    clock    CPU time of the process, or time.perf_counter where threads work side by side
    """
    repeats = {name: _repeats(call, slice_) for name, (call, _) in calls.items()}
    found: dict[str, list[float]] = {name: [] for name in calls}
    gc.collect()
    gc.disable()
    try:
        for _ in range(rounds):
            for name, (call, units) in calls.items():
                found[name].append(_time(call, repeats[name], clock) / (repeats[name] * units))
            gc.collect()
    finally:
        gc.enable()
    return {name: Timing(tuple(figures)) for name, figures in found.items()}


def _time(call: Call, repeats: int, clock: Callable[[], float]) -> float:
    begin = clock()
    for _ in range(repeats):
        call()
    return clock() - begin


def _repeats(call: Call, slice_: float) -> int:
    call()
    begin = time.perf_counter()
    call()
    return max(1, int(slice_ / max(time.perf_counter() - begin, 1e-9)))
