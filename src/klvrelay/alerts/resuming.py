"""Continues the alerts that an earlier run of the relay had raised and, since it was killed, did not end."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from klvrelay.alerts.alert import Alert
from klvrelay.alerts.rule import AlertRule
from klvrelay.alerts.rules import past_rule
from klvrelay.alerts.subjects import Watched

RESUME = 60.0
"""Seconds after `startup` in which the values of these alerts must become known."""
NEVER_RESUMED = ("relay_restarted",)
"""Rules whose alert is about one start of the relay."""

PublishEnd = Callable[[Alert, AlertRule, str], None]
"""Publishes that an alert ended, and why."""


class Resuming:
    """The alerts of an earlier run: each is continued with its rule, or ended."""

    def __init__(
        self, kept: Iterable[Alert], publish: Callable[[Alert, AlertRule], None], publish_end: PublishEnd, until: float
    ) -> None:
        """`until`: monotonic seconds at which those are ended whose values are still not known."""
        self._kept = list(kept)
        self._publish, self._publish_end, self._until = publish, publish_end, until
        self._resumed: list[tuple[Watched, AlertRule]] = []

    def resume(self, watched: Watched) -> None:
        """Continue what was raised for this subject."""
        found = [one for one in self._kept if (one.subject, one.name) == (watched.subject, watched.name)]
        self._kept = [one for one in self._kept if one not in found]
        for alert in found:
            rule = None if alert.rule in NEVER_RESUMED else watched.resume(alert)
            if rule is None:
                self._publish_end(alert, past_rule(alert), "the relay was restarted")
            else:
                self._resumed.append((watched, rule))
                self._publish(replace(alert, news="continues"), rule)

    def end_unknown(self, now: float) -> None:
        """End, in time, those about which nothing became known."""
        if not (self._kept or self._resumed) or now < self._until:
            return
        self.end("the relay was restarted without it")
        resumed, self._resumed = self._resumed, []
        for watched, rule in resumed:
            if rule.id in watched.raised and rule.meaning.measure(watched.sample) is None:
                alert, by = watched.release(rule.id)
                self._publish_end(alert, by, "the relay was restarted, and the value is not known since")

    def end(self, reason: str) -> None:
        """End those whose subject was not seen."""
        kept, self._kept = self._kept, []
        for alert in kept:
            self._publish_end(alert, past_rule(alert), reason)
