"""The security markings of records (ST 0102), and which of them an output may publish."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal, NamedTuple

from klvrelay.core.marking import LEVELS, marking_bytes, marking_of
from klvrelay.record import Record

CLASSIFICATIONS = LEVELS
UNREADABLE = 255
"""The level of a marking that cannot be read: above every limit."""
CARRIERS = frozenset({"ST0601", "ST0102", "ST0102-US", "ST0104", "ST0806"})
"""Sets that may have a security set, or are one."""
RUNS_MOST, CHANGES_MOST, STREAMS_MOST = 32, 256, 4096
"""What is kept of the markings of a stream: intervals without holes, and changes in each."""
PIDS_MOST = 16
"""Maximum number of PIDs of a stream whose markings are kept. Records of others count as above every limit."""

Unmarked = Literal["pass", "withhold"]


class RecordMarking(NamedTuple):
    """The marking of a record.

    level          of `CLASSIFICATIONS`, from 1; 0: unmarked; UNREADABLE
    caveats        in upper case
    releasable_to  country codes in upper case
    is_sure        no record is missing between this one and the one that has the security set
    """

    level: int = 0
    caveats: frozenset[str] = frozenset()
    releasable_to: frozenset[str] = frozenset()
    is_sure: bool = True


UNMARKED, ABOVE_ALL = RecordMarking(), RecordMarking(UNREADABLE)


def words(text: str) -> frozenset[str]:
    """The caveats of a text such as `FOUO//EYES ONLY`, in capitals."""
    return frozenset(filter(None, map(str.strip, re.split(r"[/,;]", text.upper()))))


@dataclass(frozen=True, slots=True)
class Limit:
    """The markings that may be published.

    level          the highest classification; None: any
    caveats        allowed ones; None: any
    releasable_to  countries that a marking must all name
    unmarked       what becomes of records without a marking; None: withheld if there is another limit
    """

    level: int | None = None
    caveats: frozenset[str] | None = None
    releasable_to: frozenset[str] = frozenset()
    unmarked: Unmarked | None = None

    @property
    def is_set(self) -> bool:
        """Does it depend on the marking of a record whether it is published?"""
        return (self.level, self.caveats) != (None, None) or bool(self.releasable_to) or self.unmarked == "withhold"

    def admits(self, mark: RecordMarking) -> bool:
        """May a record with this marking be published?"""
        if not self.is_set:
            return True
        if self.unmarked != "pass" and not (mark.level and mark.is_sure):
            return False
        if not mark.level:
            return True
        if mark.level == UNREADABLE or (self.level is not None and mark.level > self.level):
            return False
        return (self.caveats is None or mark.caveats <= self.caveats) and self.releasable_to <= mark.releasable_to


NO_LIMIT = Limit()


class Gate:
    """A limit that keeps its answer for the last marking: most records have that of the record before."""

    __slots__ = ("_answer", "_mark", "limit")

    def __init__(self, limit: Limit) -> None:
        self.limit, self._mark = limit, UNMARKED
        self._answer = limit.admits(UNMARKED)

    def admits(self, mark: RecordMarking) -> bool:
        """May a record with this marking be published?"""
        if mark is not self._mark:
            self._mark, self._answer = mark, self.limit.admits(mark)
        return self._answer


Pid = int | None
_Changes = list[tuple[int, RecordMarking]]


@dataclass(slots=True)
class _Run:
    """Consecutive records, and for each PID the changes of the marking: number of the record, and the new marking.

    A PID without a security set so far has the highest marking of the others, which is not sure: the stream may have
    moved to this PID, or another one may carry the sets for it.

    marked   the PIDs that had a security set
    """

    first: int
    last: int
    changes: dict[Pid, _Changes] = field(default_factory=dict)
    marked: set[Pid] = field(default_factory=set)

    def mark_at(self, seq: int, pid: Pid) -> RecordMarking:
        """The marking that a record of this PID has without a security set."""
        changes = self.changes.get(pid)
        if changes is None:
            if len(self.changes) >= PIDS_MOST:
                return ABOVE_ALL
            changes = self.changes[pid] = [(self.first, self._highest())]
        if (last := changes[-1])[0] <= seq:
            return last[1]
        return next((mark for start, mark in reversed(changes) if start <= seq), ABOVE_ALL)

    def set(self, seq: int, pid: Pid, mark: RecordMarking, *, is_own: bool) -> None:
        """From this record on, this is the marking of the PID, unless it is an earlier record that came again."""
        if seq < self.last:
            return
        self.last = seq
        if pid not in self.changes:
            return  # one PID too many
        _change(self.changes[pid], seq, mark)
        if not is_own:
            return
        self.marked.add(pid)
        if len(self.marked) < len(self.changes):
            highest = self._highest()
            for other in self.changes.keys() - self.marked:
                _change(self.changes[other], seq, highest)

    def _highest(self) -> RecordMarking:
        """Of a PID without a security set."""
        marks = [self.changes[pid][-1][1] for pid in self.marked]
        return _highest(marks)._replace(is_sure=False) if marks else UNMARKED


def _change(changes: _Changes, seq: int, mark: RecordMarking) -> None:
    before = changes[-1][1]
    if before is not mark and before != mark:
        changes.append((seq, mark))
        if len(changes) > CHANGES_MOST:
            del changes[0]  # records before that count as above every limit


def _highest(marks: Sequence[RecordMarking]) -> RecordMarking:
    return RecordMarking(
        max(mark.level for mark in marks),
        frozenset.union(*(mark.caveats for mark in marks)),
        frozenset.intersection(*(mark.releasable_to for mark in marks)),
    )


class Markings:
    """The marking of each record of all streams: its own one, or that of the record before it of the same PID.

    Records may come again, or before earlier ones, as after a lost connection: a record always has the same marking. If
    the records before it are missing, its marking is that of the nearest one before it, and not sure.

    A packet of an unknown set is above every limit, and changes nothing for others: only sets of CARRIERS mark those
    after them.
    """

    def __init__(self) -> None:
        self._runs: dict[tuple[str, str | None], list[_Run]] = {}

    def mark(self, record: Record) -> RecordMarking:
        """The marking of a record. A damaged one is above every limit; it may have marked those after it."""
        runs = self._runs.get((record.stream, record.boot))
        if runs is None:
            runs = self._runs[record.stream, record.boot] = []
            if len(self._runs) > STREAMS_MOST:
                del self._runs[next(iter(self._runs))]
        run = _run_at(runs, record.seq) or _new_run(runs, record.seq)
        return _mark_in(run, record)


def _mark_in(run: _Run, record: Record) -> RecordMarking:
    seq = record.seq
    before = run.mark_at(seq, record.pid)
    if not record.good:
        if seq > run.last:
            run.set(seq, record.pid, before._replace(is_sure=False), is_own=False)
        return ABOVE_ALL
    own = own_marking(record.raw)
    marks = own is not None and record.set in CARRIERS
    if seq > run.last or marks:
        run.set(seq, record.pid, own if own is not None and marks else before, is_own=marks)
    return before if own is None else own


def _run_at(runs: Iterable[_Run], seq: int) -> _Run | None:
    """The run that contains a record, or ends just before it."""
    for run in runs:
        if run.first <= seq <= run.last + 1:
            return run
    return None


def _new_run(runs: list[_Run], seq: int) -> _Run:
    before = max((run for run in runs if run.last < seq), key=lambda run: run.last, default=None)
    run = _Run(seq, seq)
    if before is not None:
        run.marked = {*before.marked}
        for pid, changes in before.changes.items():
            run.changes[pid] = [(seq, changes[-1][1]._replace(is_sure=False))]
    runs.append(run)
    if len(runs) > RUNS_MOST:
        del runs[0]
    return run


def own_marking(raw: bytes) -> RecordMarking | None:
    """The marking that a packet has itself: the highest of its security sets; None if it has none."""
    return _record_marking(written) if (written := marking_bytes(raw)) else None


@lru_cache(maxsize=256)
def _record_marking(written: bytes) -> RecordMarking:
    found = marking_of(written)
    return RecordMarking(found.level, found.caveats, found.releasable) if found.readable else ABOVE_ALL
