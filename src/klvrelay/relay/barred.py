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


@dataclass(slots=True)
class _Found:
    """A record that was set aside: its size; `answered`: others were answered since, so the connection is sound."""

    size: int
    answered: bool = False
    until: float | None = None


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
        if found is None or found.until is None or len(record.raw) < found.size:
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
        self._found[record.stream] = found = _Found(min(size, before.size), until=self.clock() + HOLD)
        return found.size

    def answered(self, batch: Sequence[Record]) -> None:
        """Records were answered: one as large of a stream proves that size is not the cause there."""
        for record in batch:
            found = self._found.get(record.stream)
            if found is not None and found.until is None and len(record.raw) >= found.size:
                del self._found[record.stream]
        for found in self._found.values():
            found.answered = True
