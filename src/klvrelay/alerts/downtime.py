"""The time before a start of the relay in which it did not run although it should have."""

from __future__ import annotations

from typing import NamedTuple


class Downtime(NamedTuple):
    """Seconds without a relay, and why. 0 seconds: it had been stopped, or had reached the end of its files."""

    seconds: float
    reason: str
