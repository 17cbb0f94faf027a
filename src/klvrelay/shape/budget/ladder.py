"""The steps by which the outputs of a sink are reduced until they fit its budget, and are restored afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import NamedTuple


class Reduction(IntEnum):
    """What is reduced; each step includes those before it."""

    CONFIGURED = 0
    NO_BULK = 1
    ON_CHANGE = 2
    DEAD_BAND = 3
    LOWER_RATES = 4
    POSITION_ONLY = 5

    @property
    def label(self) -> str:
        """Its name for people."""
        return _LABELS[self]


_LABELS = {
    Reduction.CONFIGURED: "as configured",
    Reduction.NO_BULK: "without bulk items",
    Reduction.ON_CHANGE: "on change",
    Reduction.DEAD_BAND: "dead band",
    Reduction.LOWER_RATES: "lower rates",
    Reduction.POSITION_ONLY: "position only",
}


class Rung(NamedTuple):
    """A step; `halvings`: how often the rates are halved, down to one record per second."""

    step: Reduction
    halvings: int = 0


class LinkLoad(NamedTuple):
    """The load of the uplink.

    waited     seconds that the longest waiting value has waited
    dropped    number of records that the bounds displaced since the last load
    used       share of the budget in use
    """

    waited: float
    dropped: int = 0
    used: float = 0.0


HALVINGS = 5
"""From 30 records per second to one."""
LATE = 1.0
"""Seconds of waiting from which the step is too low."""
LAST_RESORT = 5.0
"""The same before the last step: until then, what is urgent is sent first, and the rest as often as possible."""
GRACE, GRACE_LATE = 5.0, 3.0
"""For so many seconds after a step up the bound is GRACE_LATE: full records are sent first."""
SETTLE = 1.0
"""Seconds for a step down to take effect before the next one."""
BETTER = 0.9
"""A step down takes effect if values wait less than this part of what they waited before; then no other follows yet."""
HOLD, HOLD_MOST = 10.0, 640.0
"""Seconds without delay before a step up: at first, and at most after failed ones. Each failure doubles them."""
PROVEN = 10
"""A step up has failed if the uplink is late within so many of these periods."""
SPARE = 0.9
"""Share of the budget in use from which a step up would not fit."""


def rungs_of(steps: Sequence[Reduction] = tuple(Reduction), halvings: int = HALVINGS) -> tuple[Rung, ...]:
    """The rungs for the steps that change something. `halvings`: how often the highest rate can be halved."""
    rungs: list[Rung] = []
    for step in sorted({Reduction.CONFIGURED, *steps}):
        if step is Reduction.LOWER_RATES:
            rungs += [Rung(step, count) for count in range(1, halvings + 1)]
        else:
            rungs.append(Rung(step, halvings if step > Reduction.LOWER_RATES else 0))
    return tuple(rungs)


class Ladder:
    """Which rung is in use. Goes down at once, and up with hysteresis.

    event                                              effect
    late, and not better since the last step           one rung down, SETTLE after it
    late, within PROVEN * hold of a step up            one rung down, and the hold of the rung that failed doubles
    calm for the hold of the rung above, with a spare  one rung up, and the hold of the rung that was left is halved

    Late: a value has waited for LATE seconds, or the bounds displaced records. Before the last step, only LAST_RESORT
    counts, and just after a step up GRACE_LATE.
    """

    def __init__(self, rungs: Sequence[Rung], now: float) -> None:
        self._rungs = tuple(rungs)
        self._at = 0
        self._holds = [HOLD] * len(self._rungs)
        self._since = self._calm_since = self._judged = now
        self._waited = 0.0  # when the last step down was judged
        self._went_up = False
        self.reason = "the budget suffices"

    @property
    def rung(self) -> Rung:
        """The rung in use."""
        return self._rungs[self._at]

    @property
    def since(self) -> float:
        """The time of the last change."""
        return self._since

    @property
    def hold(self) -> float:
        """Seconds without delay before the next step up."""
        return self._holds[max(0, self._at - 1)]

    def update(self, load: LinkLoad, now: float) -> bool:
        """Judge the load. Returns true if the rung has changed."""
        if self._is_late(load, now):
            return self._late(load, now)
        if load.waited >= LATE:
            self._calm_since = now
        calm = now - self._calm_since
        if not self._at or calm < self.hold or load.used > SPARE:
            return False
        self._holds[self._at] = max(HOLD, self._holds[self._at] / 2)
        self._move(-1, now, f"no delay for {calm:.0f} s, {load.used:.0%} of the budget used in the last 5 s")
        self._went_up = True
        return True

    def _is_late(self, load: LinkLoad, now: float) -> bool:
        if self._went_up and now - self._since < GRACE:
            return load.waited >= GRACE_LATE
        following = self._rungs[min(self._at + 1, len(self._rungs) - 1)]
        if following.step is Reduction.POSITION_ONLY:
            return load.waited >= LAST_RESORT
        return load.waited >= LATE or load.dropped > 0

    def _late(self, load: LinkLoad, now: float) -> bool:
        self._calm_since = now
        if self._went_up:
            if now - self._since < PROVEN * self._holds[self._at]:
                self._holds[self._at] = min(HOLD_MOST, 2 * self._holds[self._at])
        elif self._takes_effect(load, now):
            return False
        self._went_up = False
        if self._at == len(self._rungs) - 1:
            return False
        waits = f"values wait {load.waited:.1f} s" if load.waited >= LATE else f"{load.dropped} records displaced"
        self._move(1, now, f"{waits}, {load.used:.0%} of the budget used in the last 5 s")
        self._judged, self._waited = now, load.waited
        return True

    def _takes_effect(self, load: LinkLoad, now: float) -> bool:
        """Is the last step down too recent to judge, or does it help?"""
        if not self._at:
            return False
        if now - self._judged < SETTLE:
            return True
        before, self._judged, self._waited = self._waited, now, load.waited
        return not load.dropped and load.waited < BETTER * before

    def _move(self, by: int, now: float, reason: str) -> None:
        self._at += by
        self._since = self._calm_since = now
        self.reason = reason
