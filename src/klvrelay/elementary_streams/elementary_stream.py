"""One KLV elementary stream: the number of its next record, and the usual interval of its records."""

from __future__ import annotations

from collections.abc import Iterable

from klvrelay.core import PacketInfo

LOOK = 1024
"""Records between two updates of the usual interval."""
_WRAP = 1 << 33


class ElementaryStream:
    """One KLV elementary stream: name, number of its next record, last PID and time.

    last          time of its last record, in ticks
    first         time and number of an earlier record, from which its usual interval is computed
    opened_at     number of its next record when the source was opened
    """

    __slots__ = ("first", "head", "last", "name", "opened_at", "pid", "program", "seq", "sets", "usual")

    def __init__(self, name: str, head: bytes, seq: int, seen: PacketInfo) -> None:
        self.name = name
        self.head = head
        self.seq = self.opened_at = seq
        self.pid, self.program, self.sets = seen.pid, seen.program, {seen.set}
        self.last = seen.ticks
        self.first: tuple[int | None, int] = seen.ticks, seq
        self.usual: float | None = None

    def count(self, count: int, ticks: int | None, sets: Iterable[str]) -> None:
        """Count packets that became records; `ticks` is the time of the last one."""
        before, self.seq, self.last = self.seq, self.seq + count, ticks
        self.sets.update(sets)
        if before // LOOK != self.seq // LOOK:
            self.look()

    @property
    def was_seen(self) -> bool:
        """Has a record arrived since the source was opened?"""
        return self.seq > self.opened_at

    def interval(self) -> float | None:
        """Usual ticks between two records; None if unknown."""
        ticks, number = self.first
        taken, count = ticks_between(self.last, ticks), self.seq - 1 - number
        return self.usual if taken is None or taken < 0 or count < 1 else taken / count

    def look(self) -> None:
        """Restart the measurement of the usual interval, well before the clock wraps."""
        self.usual = self.interval()
        self.first = self.last, self.seq - 1


def ticks_between(ticks: int | None, before: int | None) -> int | None:
    """Ticks between two times, negative if the clock went back; None if one is unknown."""
    if ticks is None or before is None:
        return None
    return (ticks - before + _WRAP // 2) % _WRAP - _WRAP // 2
