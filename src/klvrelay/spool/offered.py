"""The batches of one sink that are in flight: what of them is not answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from klvrelay.gap import Gap, Item
from klvrelay.spool.queue import size_of


@dataclass(slots=True)
class _Offer:
    """A batch, its unanswered items, and the bytes of their records."""

    batch: Sequence[Item]
    rest: Sequence[Item]
    size: int


class OfferedBatches:
    """The batches in flight.

    count   number of their unanswered records and gaps
    size    bytes of the records among them
    gaps    number of gaps among them
    """

    __slots__ = ("_offers", "count", "gaps", "size")

    def __init__(self) -> None:
        self._offers: dict[int, _Offer] = {}  # by the id of the batch, which the offer keeps alive
        self.clear()

    def clear(self) -> None:
        """Nothing is in flight."""
        self._offers.clear()
        self.count = self.size = self.gaps = 0

    def add(self, batch: Sequence[Item], size: int, gaps: int) -> None:
        """A batch is sent. `size`: bytes of its records; `gaps`: number of its gaps."""
        self._offers[id(batch)] = _Offer(batch, batch, size)
        self.count += len(batch)
        self.size += size
        self.gaps += gaps

    def has(self, batch: Sequence[Item]) -> bool:
        return id(batch) in self._offers

    def rest(self, batch: Sequence[Item]) -> Sequence[Item]:
        """The unanswered items of a batch."""
        return self._offers[id(batch)].rest

    def remove(self, batch: Sequence[Item], answered: int, gaps: int) -> None:
        """So many leading items of the rest of a batch are answered, and so many of these are gaps."""
        offer = self._offers[id(batch)]
        size = offer.size if answered == len(offer.rest) else _size_of_all(offer.rest[:answered])
        self.count -= answered
        self.size -= size
        self.gaps -= gaps
        offer.size -= size
        offer.rest = offer.rest[answered:]
        if not offer.rest:
            del self._offers[id(batch)]

    def items(self) -> list[Item]:
        """The unanswered items, in order."""
        return [item for offer in self._offers.values() for item in offer.rest]


def _size_of_all(items: Sequence[Item]) -> int:
    return sum(size_of(item) for item in items if not isinstance(item, Gap))
