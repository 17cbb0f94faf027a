"""Reports KLV packets above the limit, which nothing else would show."""

from __future__ import annotations

import logging

LOG = logging.getLogger("klvrelay")

EVERY = 1.0
"""Seconds between two looks: however many such packets come, there is a line a second at most."""


class Oversize:
    """The packets of one stream that were passed over, by their count so far."""

    def __init__(self, name: str, limit: int) -> None:
        self._name = name
        self._limit = limit
        self._count, self._last = 0, 0.0

    def is_due(self, now: float) -> bool:
        """Is it time for a look?"""
        if now - self._last < EVERY:
            return False
        self._last = now
        return True

    def look(self, count: int) -> None:
        """Log how many came since the last look, if any did."""
        if count > self._count:
            LOG.warning(
                "%s: KLV packets too large: count=%d packet_limit=%d; they are passed over, raise packet_limit",
                self._name, count - self._count, self._limit,
            )  # fmt: skip
        self._count = count
