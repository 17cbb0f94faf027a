"""A stream, a sink or the relay with its sample and the tracks of its rules."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from klvrelay.alerts.alert import Alert
from klvrelay.alerts.area_changes import AreaChanges
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
        self._areas = AreaChanges()
        self.rules = list(rules)
        self._tracks: dict[str, RuleTrack] = {}  # of the rules whose thresholds were exceeded once

    def set_rules(self, rules: Sequence[AlertRule]) -> None:
        """Replace the rules. Those with the same id continue in their state."""
        before, self._tracks, self.rules = self._tracks, {}, list(rules)
        for rule in rules:
            if (old := before.get(rule.id)) is not None:
                self._track(rule).adopt(old)

    def _track(self, rule: AlertRule) -> RuleTrack:
        track = self._tracks[rule.id] = RuleTrack(rule)
        return track

    def check(self, now: float) -> list[RuleChange]:
        """Evaluate all rules. A rule that fails is disabled, with one log line; the rules after it follow next time."""
        changes: list[RuleChange] = []
        evaluated: list[AlertRule] = []
        fault = self._contain(lambda: self._evaluate(now, changes, evaluated), self.name)
        if fault is not None:
            self._disable(evaluated[-1], fault)
        return changes

    def _evaluate(self, now: float, changes: list[RuleChange], evaluated: list[AlertRule]) -> None:
        """Add each rule to `evaluated` before it is evaluated, and what changed to `changes`."""
        sample, tracks = self.sample, self._tracks
        for rule in self._due():
            evaluated.append(rule)
            value = rule.meaning.measure(sample)
            track = tracks.get(rule.id)
            if track is None or track.state == "quiet":
                if value is None or not rule.exceeds(value):
                    continue  # nearly always
                track = track or self._track(rule)
            began = now if value is None else now - rule.meaning.began(sample, value)
            transition = track.step(value, now, began)
            if transition is not None:
                changes.append((rule, transition, value or 0.0, track))

    def _due(self) -> Sequence[AlertRule]:
        """The rules that may have anything to raise or clear."""
        return self.rules

    def _disable(self, rule: AlertRule, fault: Exception) -> None:
        self.rules = [one for one in self.rules if one is not rule]
        self._tracks.pop(rule.id, None)
        LOG.error("alert rule disabled: rule=%s %s=%s error=%r", rule.id, self.subject, printable(self.name),
                  str(fault))  # fmt: skip

    def resume(self, alert: Alert) -> AlertRule | None:
        """Continue an alert of an earlier run of the relay. The rule of it; None if it does not apply any longer."""
        rule = next((one for one in self.rules if one.id == alert.rule), None)
        if rule is not None:
            self._track(rule).resume(alert.worst)
            self.raised[rule.id], self.raised_by[rule.id] = alert, rule
        return rule

    def release(self, rule: str) -> tuple[Alert, AlertRule]:
        """A raised alert, which is not raised from now on, and its rule."""
        alert, track = self._present(rule), self._tracks.get(rule)
        if track is not None and track.state == "raised":
            track.state = "quiet"
        del self.raised[rule]
        return alert, self.raised_by.pop(rule)

    def present(self) -> list[Alert]:
        """The raised alerts, with the worst values so far."""
        return [self._present(rule) for rule in self.raised]

    def _present(self, rule: str) -> Alert:
        alert, track = self.raised[rule], self._tracks.get(rule)
        return alert if track is None else replace(alert, worst=track.worst)

    def changed_areas(self, now: float) -> list[AlertRule]:
        """The raised rules of geofences that hold for another area than the text of the alert names."""
        self._areas.keep([alert.id for alert in self.raised.values()])
        return [
            rule for name, rule in self.raised_by.items()
            if (areas := rule.meaning.areas) is not None and name in self.raised
            and self._areas.is_due(self.raised[name].id, areas(self.sample), now)
        ]  # fmt: skip

    def is_tracked(self, rule: str) -> bool:
        return any(one.id == rule for one in self.rules)

    def clear(self, now: float) -> None:
        """Nothing is measured any longer."""
        for track in self._tracks.values():
            track.clear(now)
