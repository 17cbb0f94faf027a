"""What a process says of its source, held to what that source can be: `source.py` shows nothing else.

    live      only of http:// and https:// does the process know it better than the URL, and only until its first
              packet. One that was live once stays so: a process does not say that a live source came to its end
    fixed     the same, but for what is always fixed
    counts    grow within an opening, and are added to those of the openings before
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
"""Schemes of which only the answer tells whether it is a file."""

T = TypeVar("T")


class Claims:
    """Of one source over all its openings: `begin` each, `hear` each status, `settle` at the first packet.

    plain   the same source as the relay would read it
    given   whether it was live once
    """

    def __init__(self, plain: Source, given: Resume) -> None:
        self.live, self.fixed = plain.live, plain.fixed
        self.dropped, self.link = 0, LinkStats()
        self._given = given
        self._open = plain.url.scheme in UNKNOWN
        self._settled = False
        self._before = 0, LinkStats()
        self._latest: Status | None = None  # as it was sent
        self._heard: Status | None = None  # as it is believed

    def begin(self) -> None:
        """A new process: it counts from 0."""
        self._settled, self._heard, self._latest = False, None, None
        self._before = self.dropped, self.link

    def hear(self, status: Status | None) -> None:
        """The latest status, which may be the one that was heard before."""
        if status is None or status is self._latest:
            return
        self._latest = status
        if self._heard is not None:
            status = status._replace(
                dropped=max(self._heard.dropped, status.dropped), link=_no_less(self._heard.link, status.link)
            )
        self._heard = status
        dropped, link = self._before
        self.dropped, self.link = added(dropped, status.dropped), link + status.link
        if self._open and not self._settled:
            self.live, self.fixed = status.live or self._given.was_live, status.fixed

    def settle(self) -> None:
        """A packet came: what it is is settled for this opening."""
        self._settled = True
        self._given.was_live |= self.live


def _no_less(before: T, now: T) -> T:
    """Counts that only grow; of a measure the later one stands."""
    changes: dict[str, Any] = {}
    for name in figures_of(before):
        one, two = getattr(before, name), getattr(now, name)
        if isinstance(one, Counters):
            two = _no_less(one, two)
        elif isinstance(one, int) and name not in MEASURES:
            two = max(one, two)
        changes[name] = two
    return type(before)(**changes)
