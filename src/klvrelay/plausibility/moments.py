"""`time`: a time stamp before 2000, or in the future."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from klvrelay.plausibility.implausibility import Implausibility, implausible

FIRST_US = 946_684_800_000_000
"""2000-01-01: no digital recording with this metadata is older."""
LAST_US = 4_102_444_800_000_000
"""2100-01-01: in the future, whatever this machine's clock says."""
AHEAD_US = 600_000_000
"""By this the record may be ahead of its arrival: clocks without NTP differ by minutes, time zones by half hours."""
CLOCK_SET_US = 1_767_225_600_000_000
"""2026-01-01: an arrival before it means that this machine's clock is not set."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def check_time(clock_us: int | None, received_us: int | None) -> Implausibility | None:
    """`time` of a record, both in microseconds since 1970; None where unknown.

    clock_us   item 2, converted if it was sent in another unit (`Record.clock_us`)
    """
    if clock_us is None:
        return None
    if clock_us < FIRST_US:
        return _found(f"The record time {_text(clock_us)} is before 2000", clock_us, FIRST_US)
    if received_us is not None and received_us >= CLOCK_SET_US and clock_us > received_us + AHEAD_US:
        ahead = f"The record time {_text(clock_us)} is in the future: the record arrived at {_text(received_us)}"
        return _found(ahead, clock_us, received_us + AHEAD_US)
    if clock_us >= LAST_US:
        return _found(f"The record time {_text(clock_us)} is in the future", clock_us, LAST_US)
    return None


def _found(what: str, clock_us: int, limit_us: int) -> Implausibility:
    return implausible("time", what, clock_us / 1e6, limit_us / 1e6, "s since 1970")


def _text(time_us: int) -> str:
    try:
        return f"{_EPOCH + timedelta(microseconds=time_us):%Y-%m-%dT%H:%M:%SZ}"
    except OverflowError:
        return f"{time_us} µs"
