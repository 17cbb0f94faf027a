"""A stream, a sink or the relay with its sample and the tracks of its rules."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from klvrelay.alerts.alert import Alert
from klvrelay.alerts.rule import AlertRule
from klvrelay.alerts.tracking import RuleTrack, Transition
from klvrelay.config.alert_rules import AlertSubject
from klvrelay.health.changes import Contain
from klvrelay.text import printable

LOG = logging.getLogger("klvrelay.alerts")

RuleChange = tuple[AlertRule, Transition, float, RuleTrack]
"""A rule, whether it was raised or cleared, the value, and the track of the rule."""


class Watched:
    """One subject of rules. For `contain` see `Changes`.

    sample  its latest values
    raised  its raised alerts by rule; `raised_by`, the rules as they were then
    """

    def __init__(
        self, subject: AlertSubject, name: str, sample: Any, rules: Sequence[AlertRule], contain: Contain
    ) -> None:
        self.subject, self.name, self.sample = subject, name, sample
        self._contain = contain
        self.raised: dict[str, Alert] = {}
        self.raised_by: dict[str, AlertRule] = {}
        self._tracks = [RuleTrack(rule) for rule in rules]

    @property
    def rules(self) -> list[AlertRule]:
        return [track.rule for track in self._tracks]

    def set_rules(self, rules: Sequence[AlertRule]) -> None:
        """Replace the rules. Those with the same id continue in their state."""
        before = {track.rule.id: track for track in self._tracks}
        self._tracks = [RuleTrack(rule) for rule in rules]
        for track in self._tracks:
            if (old := before.get(track.rule.id)) is not None:
                track.adopt(old)

    def check(self, now: float) -> list[RuleChange]:
        """Evaluate all rules. A rule that fails is disabled, with one log line; the rules after it follow next time."""
        changes: list[RuleChange] = []
        evaluated: list[RuleTrack] = []
        fault = self._contain(lambda: self._evaluate(now, changes, evaluated), self.name)
        if fault is not None:
            self._disable(evaluated[-1], fault)
        return changes

    def _evaluate(self, now: float, changes: list[RuleChange], evaluated: list[RuleTrack]) -> None:
        """Add each rule to `evaluated` before it is evaluated, and what changed to `changes`."""
        sample = self.sample
        for track in self._tracks:
            evaluated.append(track)
            rule = track.rule
            value = rule.meaning.measure(sample)
            if track.state == "quiet" and (value is None or not rule.exceeds(value)):
                continue  # nearly always
            began = now if value is None else now - rule.meaning.began(sample, value)
            transition = track.step(value, now, began)
            if transition is not None:
                changes.append((rule, transition, value or 0.0, track))

    def _disable(self, track: RuleTrack, fault: Exception) -> None:
        self._tracks = [one for one in self._tracks if one is not track]
        LOG.error("alert rule disabled: rule=%s %s=%s error=%r", track.rule.id, self.subject, printable(self.name),
                  str(fault))  # fmt: skip

    def is_tracked(self, rule: str) -> bool:
        return any(track.rule.id == rule for track in self._tracks)

    def clear(self, now: float) -> None:
        """Nothing is measured any longer."""
        for track in self._tracks:
            track.clear(now)
