"""Where a record is published, by its quality: the last level of its topic."""

from __future__ import annotations

from klvrelay.config.sinks.far_end import PublishBad
from klvrelay.record import Record


def leaf_of(record: Record, publish_bad: PublishBad) -> str | None:
    """telemetry or rejected; None: it is not published."""
    if record.good:
        return "telemetry"
    if publish_bad == "telemetry" and record.transport != "ok":
        return "rejected"
    return None if publish_bad == "drop" else publish_bad
