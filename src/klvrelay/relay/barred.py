"""Records that would break each connection, as others of their stream did: left out without another try for a while.

To find one such record takes several connections. A stream of them would keep those of all other streams waiting.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from klvrelay.record import Record

HOLD = 600.0
"""Seconds until another record of that size is tried."""
MARGIN = 8
"""Records are left out from 1/MARGIN below the size of the smallest that was set aside."""


@dataclass(slots=True)
class _Found:
    """The smallest record of a stream that was set aside.

    answered   others were answered since, so the connection is sound
    largest    bytes of the largest of these that is of the same stream
    """

    size: int
    answered: bool = False
    largest: int = 0
    until: float | None = None

    @property
    def least(self) -> int:
        """Bytes from which records are left out: a little less, since the sizes of a stream vary."""
        return max(self.largest + 1, self.size - self.size // MARGIN)


@dataclass(slots=True)
class Barred:
    """By stream, the size from which its records are left out: two in succession were set aside, others answered."""

    clock: Callable[[], float] = time.monotonic
    _found: dict[str, _Found] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self._found)

    def bars(self, record: Record) -> bool:
        """Is this record to be left out?"""
        found = self._found.get(record.stream)
        if found is None or found.until is None or len(record.raw) < found.least:
            return False
        if self.clock() < found.until:
            return True
        del self._found[record.stream]
        return False

    def set_aside(self, record: Record) -> int | None:
        """A record was set aside; gives the size from which those of its stream are left out from now on."""
        size, before = len(record.raw), self._found.get(record.stream)
        if before is None or not before.answered:
            self._found[record.stream] = _Found(size)
            return None
        until = self.clock() + HOLD
        self._found[record.stream] = found = _Found(min(size, before.size), True, before.largest, until)
        return found.least

    def answered(self, batch: Sequence[Record]) -> None:
        """Records were answered: one as large of a stream proves that size is not the cause there."""
        for record in batch:
            found, size = self._found.get(record.stream), len(record.raw)
            if found is not None and found.until is None and size >= found.size:
                del self._found[record.stream]
            elif found is not None:
                found.largest = max(found.largest, size)
        for found in self._found.values():
            found.answered = True
