"""The endpoints of the alerts, their rules and their destinations."""

from __future__ import annotations

from typing import Any

from klvrelay.alerts.running import Alerting
from klvrelay.config.alert_rules import SEVERITIES
from klvrelay.schema.alert import alert_schema
from klvrelay.schema.parts import COUNT, SECONDS, TEXT, closed, described
from klvrelay.web.api.endpoint import ApiEndpoint, Call, Parameter
from klvrelay.web.problems import Problem

_SUBJECTS = ["stream", "sink", "relay"]


def _alerting(call: Call) -> Alerting:
    if call.observed.alerting is None:
        raise Problem(503, "this relay has no alerts")
    return call.observed.alerting


async def alerts(call: Call) -> Any:
    wanted = {name: value for name, value in call.values.items() if value is not None}
    raised = (alert.document() for alert in _alerting(call).alerts.raised())
    return [each for each in raised if all(each[name] == value for name, value in wanted.items())]


async def rules(call: Call) -> Any:
    found, (subject, name) = _alerting(call).alerts, (call.values["subject"], call.values["name"])
    if name is not None and subject is None:
        raise Problem(400, "name: needs subject")
    active = found.rules(subject) if name is None else found.rules(subject, name)
    return [rule.document() for rule in active]


async def destinations(call: Call) -> Any:
    return {
        name: {"sent": one.sent, "failed": one.failed, "dropped": one.dropped, "failed_attempts": one.attempts_failed}
        for name, one in _alerting(call).notifier.counts().items()
    }


_SUBJECT = Parameter("subject", "Only of this kind", {"type": "string", "enum": _SUBJECTS})
_NAME = Parameter("name", "Only of the stream or sink of this name", {"type": "string"})
_SEVERITY = Parameter("severity", "Only of this severity", {"type": "string", "enum": [*SEVERITIES]})
_RULE = closed(
    {
        "rule": described(TEXT, "Id of the rule"),
        "subject": {"enum": _SUBJECTS, "description": "What it is about"},
        "unit": described(TEXT, "Unit of the thresholds"),
        "below": {"type": "boolean", "description": "The alert is raised below the threshold, not above"},
        "threshold": {"type": "number", "description": "Threshold at which it is raised"},
        "clear": {"type": "number", "description": "Threshold at which it is cleared"},
        "hold_s": described(SECONDS, "Time beyond the threshold until it is raised, s"),
        "rearm_s": described(SECONDS, "Time after a clear in which it is not raised again, s"),
        "severity": {"enum": [*SEVERITIES]},
        "quiet": {"type": "boolean", "description": "Quiet hours apply"},
        "origin": described(TEXT, "Where its values come from"),
        "notify": {"type": ["array", "null"], "items": TEXT, "description": "Names of its destinations; null: all"},
    }
)
_COUNTS = closed(
    {
        "sent": described(COUNT, "Notifications that were taken"),
        "failed": described(COUNT, "Notifications that failed after all attempts"),
        "dropped": described(COUNT, "Notifications dropped since too many waited"),
        "failed_attempts": described(COUNT, "Attempts that failed"),
    }
)

ENDPOINTS = (
    ApiEndpoint("/alerts", "What is raised, the oldest first", alerts, {"type": "array", "items": alert_schema()},
                (_SUBJECT, _NAME, _SEVERITY)),
    ApiEndpoint("/alerts/rules", "The active rules, with their thresholds", rules, {"type": "array", "items": _RULE},
                (_SUBJECT, Parameter("name", "As they apply to the stream or sink of this name", {"type": "string"}))),
    ApiEndpoint("/alerts/destinations", "Counts of notifications by destination", destinations,
                {"type": "object", "additionalProperties": _COUNTS}),
)  # fmt: skip
