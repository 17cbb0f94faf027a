"""An alert is also one log line when it is raised, and one when it is cleared or ended."""

from __future__ import annotations

import logging

from klvrelay.alerts.alert import Alert
from klvrelay.alerts.rule import AlertRule
from klvrelay.text import printable

LOG = logging.getLogger("klvrelay.alerts")
_LEVELS = {"info": logging.INFO, "warning": logging.WARNING, "critical": logging.ERROR}


def log_alert(alert: Alert, rule: AlertRule) -> None:
    """Log an alert: raised as warning, or as error if it is critical; its end as info."""
    where = f"{alert.subject}={printable(alert.name)}"
    named: dict[str, object] | None = {alert.subject: alert.name} if alert.subject in ("stream", "sink") else None
    form = "alert %s: rule=%s %s severity=%s"
    values: list[object] = [alert.event, alert.rule, where, alert.severity]
    if alert.is_raised:
        if alert.unit:
            form += " value=%.6g threshold=%.6g unit=%r"
            values += [alert.value, alert.threshold, alert.unit]
        LOG.log(_LEVELS[alert.severity], f"{form} text=%r advice=%r", *values, alert.text, alert.advice, extra=named)
        return
    form += " seconds=%.1f worst=%.6g"
    values += [alert.seconds, alert.worst]
    if alert.ended:
        form += " reason=%r"
        values.append(alert.ended)
    LOG.info(form, *values, extra=named)
