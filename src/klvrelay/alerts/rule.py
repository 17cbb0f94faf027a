"""A rule: what it measures, when that is an alert, and what to do then."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from klvrelay.config.alert_rules import AlertSubject, RuleValues, Severity

Measure = Callable[[Any], float | None]
"""The value of a sample; None: it cannot be measured at present."""
Words = Callable[[Any, float], str]
"""A sentence about a sample and its value, without a full stop."""


@dataclass(frozen=True, slots=True)
class RuleMeaning:
    """What a rule measures, and how an alert is worded.

    began  seconds between the time at which the value left its normal range and the time at which it was measured
    over   seconds between the time at which the value was normal again and the time at which that was measured
    areas  the names of the areas for which it holds: another one updates the text of a raised alert
    """

    measure: Measure
    text: Words
    advice: Words
    began: Callable[[Any, float], float] = lambda sample, value: 0.0
    over: Callable[[Any], float] = lambda sample: 0.0
    areas: Callable[[Any], frozenset[str]] | None = None


@dataclass(frozen=True, slots=True)
class AlertRule:
    """A rule with its values, as the settings have them. For the values see `RuleValues`.

    quiet    quiet hours apply
    notify   names of the destinations; None: all
    origin   where the values come from: "default", or the entry of the settings
    """

    id: str
    subject: AlertSubject
    unit: str
    threshold: float
    clear: float
    hold: float
    rearm: float
    severity: Severity
    below: bool
    meaning: RuleMeaning
    quiet: bool = True
    notify: tuple[str, ...] | None = None
    origin: str = "default"

    def document(self) -> dict[str, Any]:
        """The rule as members of a JSON document."""
        return {
            "rule": self.id, "subject": self.subject, "unit": self.unit, "below": self.below,
            "threshold": self.threshold, "clear": self.clear, "hold_s": self.hold, "rearm_s": self.rearm,
            "severity": self.severity, "quiet": self.quiet, "origin": self.origin,
            "notify": None if self.notify is None else list(self.notify),
        }  # fmt: skip

    def exceeds(self, value: float) -> bool:
        """Is the value beyond the threshold?"""
        return value < self.threshold if self.below else value > self.threshold

    def is_over(self, value: float) -> bool:
        """Is the value back in its normal range, so that a raised alert is cleared?"""
        return value >= self.clear if self.below else value <= self.clear

    def worse(self, one: float, other: float) -> float:
        return min(one, other) if self.below else max(one, other)


def clear_for(values: RuleValues, threshold: float) -> float:
    """The clear threshold of a rule with another threshold: at the same ratio as that of the defaults."""
    if not values.threshold or values.clear is None:
        return threshold
    return threshold * values.clear / values.threshold
