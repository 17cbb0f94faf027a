"""Logs KLV packets that exceed the packet limit: they are skipped, and nothing else reports them."""

from __future__ import annotations

import logging

LOG = logging.getLogger("klvrelay.relay")

EVERY = 1.0
"""Minimum seconds between two log lines."""


class Oversize:
    """Counts the skipped packets of one source."""

    def __init__(self, name: str, limit: int) -> None:
        self._name = name
        self._limit = limit
        self._count, self._last = 0, 0.0

    def is_due(self, now: float) -> bool:
        """Is it time for a check?"""
        if now - self._last < EVERY:
            return False
        self._last = now
        return True

    def check(self, count: int) -> None:
        """Log how many packets were skipped since the last check, if any were."""
        if count > self._count:
            LOG.warning(
                "%s: KLV packets too large, skipped; raise packet_limit: count=%d packet_limit=%d",
                self._name, count - self._count, self._limit,
            )  # fmt: skip
        self._count = count
