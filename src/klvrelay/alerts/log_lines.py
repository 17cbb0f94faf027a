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
    if alert.is_raised:
        value = f" value={alert.value:.6g} threshold={alert.threshold:.6g} unit={alert.unit!r}" if alert.unit else ""
        LOG.log(_LEVELS[alert.severity], "alert %s: rule=%s %s severity=%s%s text=%r advice=%r", alert.event,
                alert.rule, where, alert.severity, value, alert.text, alert.advice, extra=named)  # fmt: skip
        return
    reason = f" reason={alert.ended!r}" if alert.ended else ""
    LOG.info("alert %s: rule=%s %s severity=%s seconds=%.1f worst=%.6g%s", alert.event, alert.rule, where,
             alert.severity, alert.seconds, alert.worst, reason, extra=named)  # fmt: skip
