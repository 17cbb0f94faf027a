"""Times as text."""

from __future__ import annotations

from klvrelay.record import utc


def iso_time(time_us: int | None) -> str | None:
    """Microseconds since 1970 as UTC (ISO 8601, with microseconds); None for None, and outside the years 1 to 9999."""
    time = utc(time_us)
    return None if time is None else f"{time:%Y-%m-%dT%H:%M:%S}.{time.microsecond:06d}Z"
