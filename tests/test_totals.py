"""The counters of a source over its openings: they only grow, and an ended opening does not change them."""

from __future__ import annotations

from klvrelay.link_stats import LinkStats
from klvrelay.relay.totals import Totals


class Opening:
    """One opening of a source, as far as it is counted."""

    def __init__(self, size: int, dropped: int = 0) -> None:
        self.link = LinkStats(size=size, datagrams=size // 100)
        self.dropped = dropped


class Datagrams(Opening):
    """A source whose link is expensive to read; `received` is not."""

    def __init__(self, received: int) -> None:
        super().__init__(0)
        self.received = received


def test_bytes_are_summed_over_openings():
    """A later opening begins at 0, and its first bytes count as data."""
    totals, sizes = Totals(), []
    for size in (1000, 200, 50):
        opening = Opening(size)
        sizes.append(totals.size(opening))  # type: ignore[arg-type]
        sizes.append(totals.settle(opening))  # type: ignore[arg-type]
        sizes.append(totals.size(None))

    assert sizes == [1000, 1000, 1000, 1200, 1200, 1200, 1250, 1250, 1250]


def test_bytes_of_datagrams_are_read_the_cheap_way():
    """Even where there are none yet."""
    totals = Totals()
    totals.settle(Opening(1000))  # type: ignore[arg-type]
    source = Datagrams(0)
    source.link.size = 7

    assert totals.size(source) == 1000  # type: ignore[arg-type]
    source.received = 300
    assert totals.size(source) == 1300  # type: ignore[arg-type]


def test_drops_are_summed_too():
    """Of all openings that ended, and of the current one."""
    totals = Totals()
    for dropped in (3, 4):
        totals.settle(Opening(0, dropped))  # type: ignore[arg-type]

    assert (totals.dropped(Opening(0, 5)), totals.dropped(None)) == (12, 7)  # type: ignore[arg-type]


def test_an_abandoned_opening_is_not_counted_any_more():
    """Its thread may continue for a while: the relay does not read its data."""
    totals, opening = Totals(), Opening(1000, 1)
    totals.settle(opening)  # type: ignore[arg-type]
    opening.link.size += 500
    opening.link.datagrams += 5

    assert (totals.size(None), totals.link(None).size, totals.link(None).datagrams) == (1000, 1000, 10)


def test_the_link_is_that_of_all_openings():
    """And empty before the first."""
    totals = Totals()
    before = totals.link(None)
    totals.settle(Opening(1000))  # type: ignore[arg-type]
    link = totals.link(Opening(500))  # type: ignore[arg-type]

    assert (before, link.size, link.datagrams) == (LinkStats(), 1500, 15)
