"""The metrics of the alerts, and of the notifications about them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from klvrelay.alerts.alert import Alert
from klvrelay.alerts.rule import AlertRule
from klvrelay.alerts.running import Alerting
from klvrelay.web.metrics.exposition import labels
from klvrelay.web.metrics.family import Family, Sample

_Key = tuple[str, str, str]
"""Subject, rule and severity."""


class AlertCounts:
    """Counts the alerts that were raised since the server was started."""

    def __init__(self) -> None:
        self.raised: Counter[_Key] = Counter()

    def note(self, alert: Alert, rule: AlertRule) -> None:
        """An alert was raised or cleared."""
        if alert.event == "raised":
            self.raised[_key(alert)] += 1


def _key(alert: Alert) -> _Key:
    return alert.subject, alert.rule, alert.severity


def families_of_alerts(alerting: Alerting, counts: AlertCounts) -> Iterator[Family]:
    """All metrics of alerts. Rules without alerts are 0, so that the first one is an increase."""
    now = Counter(_key(alert) for alert in alerting.alerts.raised())
    rules = {(rule.subject, rule.id, rule.severity) for rule in alerting.alerts.rules()}
    keys = sorted({*rules, *now, *counts.raised})
    known = [(key, labels(subject=key[0], rule=key[1], severity=key[2])) for key in keys]
    yield Family("klvrelay_raised_alerts", "gauge", "Alerts that are raised",
                 [Sample(label, now[key]) for key, label in known])  # fmt: skip
    yield Family("klvrelay_alerts_total", "counter", "Alerts that were raised",
                 [Sample(label, counts.raised[key]) for key, label in known])  # fmt: skip
    yield Family(
        "klvrelay_notifications_total", "counter", "Notifications by what became of them",
        [Sample(labels(destination=name, outcome=outcome), getattr(sent, outcome))
         for name, sent in alerting.notifier.counts().items() for outcome in ("sent", "failed", "dropped")],
    )  # fmt: skip
    yield Family("klvrelay_notification_failed_attempts_total", "counter", "Failed attempts to send a notification",
                 [Sample(labels(destination=name), sent.attempts_failed)
                  for name, sent in alerting.notifier.counts().items()])  # fmt: skip
