"""An alert is also one log line when it is raised, and one when it is cleared."""

from __future__ import annotations

import logging

from klvrelay.alerts.alert import Alert
from klvrelay.alerts.rule import AlertRule
from klvrelay.text import printable

LOG = logging.getLogger("klvrelay.alerts")
_LEVELS = {"info": logging.INFO, "warning": logging.WARNING, "critical": logging.ERROR}


def log_alert(alert: Alert, rule: AlertRule) -> None:
    """Log an alert: raised as warning, or as error if it is critical; cleared as info."""
    where = f"{alert.subject}={printable(alert.name)}"
    if alert.cleared_us is None:
        LOG.log(
            _LEVELS[alert.severity],
            "alert raised: rule=%s %s severity=%s value=%.6g threshold=%.6g unit=%r text=%r advice=%r",
            alert.rule, where, alert.severity, alert.value, alert.threshold, alert.unit, alert.text, alert.advice,
        )  # fmt: skip
        return
    seconds = (alert.cleared_us - alert.since_us) / 1e6
    LOG.info("alert cleared: rule=%s %s severity=%s seconds=%.1f worst=%.6g", alert.rule, where, alert.severity,
             seconds, alert.worst)  # fmt: skip
