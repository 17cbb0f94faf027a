"""Times in the parameters of a query."""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import UTC, datetime

from klvrelay.config.units import parse_time
from klvrelay.web.problems import Problem

TIME_FORM = "a time ago such as 24h or 7d, or a date and time such as 2026-12-01T08:00:00Z"


def time_us(name: str, text: str) -> int:
    """Microseconds since 1970 UTC of a time ago, or of a date and time, which is UTC without a zone. Raises Problem."""
    if (seconds := parse_time(text)) is not None:
        return max(0, time.time_ns() // 1000 - round(seconds * 1e6))
    with suppress(ValueError, OverflowError):
        at = datetime.fromisoformat(text)
        return max(0, round((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1e6))
    raise Problem(400, f"{name}: must be {TIME_FORM}")
