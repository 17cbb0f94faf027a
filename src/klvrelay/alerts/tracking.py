"""The state of one rule for one stream, sink or the relay.

    state     event                                   next state
    quiet     value beyond the threshold              pending; raised at once if `hold` is 0
    pending   value within the threshold, or unknown  quiet
    pending   `hold` seconds have passed              raised
    raised    value back in its normal range          rearming
    rearming  `rearm` seconds have passed             quiet, or pending since the time at which the value went beyond

An unknown value changes nothing while it is raised. Times are monotonic seconds.
"""

from __future__ import annotations

from typing import Literal

from klvrelay.alerts.rule import AlertRule

TrackState = Literal["quiet", "pending", "raised", "rearming"]
Transition = Literal["raised", "cleared"]


class RuleTrack:
    """One rule for one subject.

    state   see above
    since   when the value left its normal range, if it has
    worst   the worst value since then
    """

    __slots__ = ("_beyond", "_cleared", "rule", "since", "state", "worst")

    def __init__(self, rule: AlertRule) -> None:
        self.rule = rule
        self.state: TrackState = "quiet"
        self.since = self.worst = 0.0
        self._cleared = 0.0
        self._beyond: float | None = None

    def step(self, value: float | None, now: float, began: float) -> Transition | None:
        """Take a value, and return what happened.

        began   when the value left its normal range, if it is beyond the threshold; the hold begins `now`
        """
        if self.state == "raised":
            return self._step_raised(value, now)
        if self.state == "rearming" and now - self._cleared >= self.rule.rearm:
            self.state = "quiet"
        if value is not None and self.rule.exceeds(value):
            return self._step_beyond(value, now, began)
        self._beyond = None
        if self.state == "pending":
            self.state = "quiet"
        return None

    def _step_beyond(self, value: float, now: float, began: float) -> Transition | None:
        if self._beyond is None:
            self._beyond, self.since, self.worst = now, began, value
        self.worst = self.rule.worse(self.worst, value)
        if self.state == "rearming":
            return None
        self.state = "pending" if now - self._beyond < self.rule.hold else "raised"
        return "raised" if self.state == "raised" else None

    def _step_raised(self, value: float | None, now: float) -> Transition | None:
        if value is None:
            return None
        if self.rule.is_over(value):
            return self.clear(now)
        self.worst = self.rule.worse(self.worst, value)
        return None

    def clear(self, now: float) -> Transition | None:
        """The value is normal again, or is not measured any more."""
        was_raised = self.state == "raised"
        self._beyond = None
        if was_raised:
            self._cleared = now
        self.state = "rearming" if was_raised else "quiet"
        return "cleared" if was_raised else None

    def resume(self, worst: float) -> None:
        """Continue an alert that an earlier run of the relay raised."""
        self.state, self.worst = "raised", worst

    def adopt(self, other: RuleTrack) -> None:
        """Continue with the state of a track with other values of the same rule."""
        self.state, self.since, self.worst = other.state, other.since, other.worst
        self._cleared, self._beyond = other._cleared, other._beyond
