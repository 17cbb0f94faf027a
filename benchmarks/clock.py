"""Times calls in turns, so that other load on the machine affects all of them equally."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median

Call = Callable[[], object]

_TURN = 0.02
"""Seconds for which a call is repeated in each round; at least one call."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds per unit, one number per round; the rounds of all calls correspond."""

    rounds: tuple[float, ...]

    @property
    def median(self) -> float:
        return median(self.rounds)

    @property
    def least(self) -> float:
        return min(self.rounds)

    def times_faster(self, other: Timing) -> float:
        """Median of the ratios of corresponding rounds."""
        return median(theirs / ours for ours, theirs in zip(self.rounds, other.rounds, strict=True))


def take_turns(calls: Mapping[str, tuple[Call, int]], *, rounds: int) -> dict[str, Timing]:
    """Measure the CPU time of calls in turns. Each call has a number of units of work."""
    repeats = {name: _repeats(call) for name, (call, _) in calls.items()}
    found: dict[str, list[float]] = {name: [] for name in calls}
    gc.collect()
    gc.disable()
    try:
        for _ in range(rounds):
            for name, (call, units) in calls.items():
                found[name].append(_time(call, repeats[name]) / (repeats[name] * units))
            gc.collect()
    finally:
        gc.enable()
    return {name: Timing(tuple(figures)) for name, figures in found.items()}


def _time(call: Call, repeats: int) -> float:
    begin = time.process_time()
    for _ in range(repeats):
        call()
    return time.process_time() - begin


def _repeats(call: Call) -> int:
    """Number of calls that fill a turn; the first call is a warm-up."""
    call()
    return max(1, int(_TURN / max(_time(call, 1), 1e-9)))
