"""Check what a process reports about its source against what that source can be.

live      only for http:// and https:// does the process know it better than the URL, and only until its first
          packet. A source that was live stays live, so that a process cannot report the end of a live source
fixed     likewise, except for sources that are always fixed
counts    grow within a connection, and are added to those of earlier connections
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from klvrelay.core import MEASURES, Counters
from klvrelay.json_output import added
from klvrelay.link_stats import LinkStats, figures_of
from klvrelay.sources.isolated.messages import Status
from klvrelay.sources.web.resume import Resume

if TYPE_CHECKING:
    from klvrelay.sources.contract import Source

UNKNOWN = ("http", "https")
"""Schemes for which only the response tells whether it is a file."""

T = TypeVar("T")


class CheckedStatus:
    """The status of one source across connections. Call `begin` for each, `update` with each status, and `confirm` at
    its first packet.

    plain    the same source, not isolated
    resume   whether it was live before
    """

    def __init__(self, plain: Source, resume: Resume) -> None:
        self.live, self.fixed = plain.live, plain.fixed
        self.dropped, self.link = 0, LinkStats()
        self._resume = resume
        self._by_response = plain.url.scheme in UNKNOWN
        self._confirmed = False
        self._before = 0, LinkStats()
        self._latest: Status | None = None  # as received
        self._accepted: Status | None = None  # as accepted

    def begin(self) -> None:
        """A new process, which counts from 0."""
        self._confirmed, self._accepted, self._latest = False, None, None
        self._before = self.dropped, self.link

    def update(self, status: Status | None) -> None:
        """The latest status, which may be the same as before."""
        if status is None or status is self._latest:
            return
        self._latest = status
        if self._accepted is not None:
            link = _not_decreasing(self._accepted.link, status.link)
            status = status._replace(dropped=max(self._accepted.dropped, status.dropped), link=link)
        self._accepted = status
        dropped, link = self._before
        self.dropped, self.link = added(dropped, status.dropped), link + status.link
        if self._by_response and not self._confirmed:
            self.live, self.fixed = status.live or self._resume.was_live, status.fixed

    def confirm(self) -> None:
        """A packet arrived: `live` and `fixed` are final for this connection."""
        self._confirmed = True
        self._resume.was_live |= self.live


def _not_decreasing(before: T, now: T) -> T:
    """Counters never decrease; for gauges, the later value applies."""
    changes: dict[str, Any] = {}
    for name in figures_of(before):
        one, two = getattr(before, name), getattr(now, name)
        if isinstance(one, Counters):
            two = _not_decreasing(one, two)
        elif isinstance(one, int) and name not in MEASURES:
            two = max(one, two)
        changes[name] = two
    return type(before)(**changes)
