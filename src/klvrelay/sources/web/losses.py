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
        self._unsaid, self._said, self._why = 0, 0.0, ""

    def add(self, count: int, why: str) -> None:
        self._link.hls_lost += count
        self._unsaid += count
        self._why = why
        if time.monotonic() - self._said >= EVERY:
            self.end()

    def end(self) -> None:
        if self._unsaid:
            counted = "a segment was" if self._unsaid == 1 else f"{self._unsaid} segments were"
            LOG.warning("%s: %s lost, %s in all: %s", self._url, counted, self._link.hls_lost, self._why)
            self._unsaid, self._said = 0, time.monotonic()
