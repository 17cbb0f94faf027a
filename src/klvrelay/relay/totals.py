"""The counts of all openings of one source."""

from __future__ import annotations

from dataclasses import replace

from klvrelay.json_output import added
from klvrelay.link_stats import LinkStats
from klvrelay.sources.contract import Source


class Totals:
    """Sums of the openings that have ended. Each method adds the source that is open now."""

    def __init__(self) -> None:
        self._past: LinkStats | None = None
        self._dropped = 0

    def link(self, source: Source | None) -> LinkStats:
        """The link statistics. Do not modify the result."""
        if source is None:
            return self._past or LinkStats()
        return source.link if self._past is None else self._past + source.link

    def dropped(self, source: Source | None) -> int:
        """Datagrams or packets that were discarded."""
        return self._dropped if source is None else added(self._dropped, source.dropped)

    def size(self, source: Source | None) -> int:
        """Bytes received. For datagrams, cheaper than `link`."""
        past = self._past.size if self._past else 0
        if source is None:
            return past
        count: int | None = getattr(source, "received", None)
        return past + (source.link.size if count is None else count)

    def close(self, source: Source) -> int:
        """Keep the counts of an opening that has ended; returns the bytes received so far."""
        self._past = replace(self.link(source))
        self._dropped = self.dropped(source)
        return self._past.size
