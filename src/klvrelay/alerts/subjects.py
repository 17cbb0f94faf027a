"""A stream, a sink or the relay with its sample and the tracks of its rules."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from typing import Any

from klvrelay.alerts.alert import Alert
from klvrelay.alerts.rule import AlertRule
from klvrelay.alerts.tracking import RuleTrack, Transition
from klvrelay.config.alert_rules import AlertSubject
from klvrelay.errors import describe_bug
from klvrelay.text import printable

LOG = logging.getLogger("klvrelay.alerts")


class Watched:
    """One subject of rules.

    sample  its latest values
    raised  its raised alerts by rule; `raised_by`, the rules as they were then
    """

    def __init__(self, subject: AlertSubject, name: str, sample: Any, rules: Sequence[AlertRule]) -> None:
        self.subject, self.name, self.sample = subject, name, sample
        self.raised: dict[str, Alert] = {}
        self.raised_by: dict[str, AlertRule] = {}
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

    def check(self, now: float) -> Iterator[tuple[AlertRule, Transition, float, RuleTrack]]:
        """Evaluate all rules. A rule that fails is disabled, with one log line."""
        sample, tracks = self.sample, self._tracks
        for rule in self._due():
            try:
                value = rule.meaning.measure(sample)
                track = tracks.get(rule.id)
                if track is None or track.state == "quiet":
                    if value is None or not rule.exceeds(value):
                        continue  # nearly always
                    track = track or self._track(rule)
                began = now if value is None else now - rule.meaning.began(sample, value)
                transition = track.step(value, now, began)
            except Exception as error:  # noqa: BLE001 (a bug of a rule must not end the others)
                self._disable(rule, error)
                return
            if transition is not None:
                yield rule, transition, value or 0.0, track

    def _due(self) -> Sequence[AlertRule]:
        """The rules that may have anything to raise or clear."""
        return self.rules

    def _disable(self, rule: AlertRule, error: Exception) -> None:
        self.rules = [one for one in self.rules if one is not rule]
        self._tracks.pop(rule.id, None)
        LOG.error("alert rule disabled: rule=%s %s=%s error=%r", rule.id, self.subject, printable(self.name),
                  describe_bug(error))  # fmt: skip

    def is_tracked(self, rule: str) -> bool:
        return any(one.id == rule for one in self.rules)

    def clear(self, now: float) -> None:
        """Nothing is measured any longer."""
        for track in self._tracks.values():
            track.clear(now)
