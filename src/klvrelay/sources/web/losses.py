"""Count lost segments of a playlist in the link statistics, and log them."""

from __future__ import annotations

import logging
import time

from klvrelay.link_stats import LinkStats

LOG = logging.getLogger("klvrelay.sources")

EVERY = 1.0
"""Minimum seconds between two log lines."""


class Losses:
    """The losses of one connection to a playlist; `end` logs what is still pending."""

    def __init__(self, url: str, link: LinkStats) -> None:
        self._url, self._link = url, link
        self._pending, self._logged_at, self._reason = 0, 0.0, ""

    def add(self, count: int, reason: str) -> None:
        self._link.hls_lost += count
        self._pending += count
        self._reason = reason
        if time.monotonic() - self._logged_at >= EVERY:
            self.end()

    def end(self) -> None:
        if self._pending:
            LOG.warning(
                "%s: HLS segments lost: count=%d total=%d reason=%r",
                self._url, self._pending, self._link.hls_lost, self._reason,
            )  # fmt: skip
            self._pending, self._logged_at = 0, time.monotonic()
