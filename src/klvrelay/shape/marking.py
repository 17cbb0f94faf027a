"""The security markings of records (ST 0102), and which of them an output may publish."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import orjson

from klvrelay import core

CLASSIFICATIONS = ("UNCLASSIFIED", "RESTRICTED", "CONFIDENTIAL", "SECRET", "TOP SECRET")
"""In the order of their codes in ST 0102 item 1, from 1."""
UNREADABLE = 255
"""The level of a marking that cannot be read: above every limit."""
RUNS_MOST, CHANGES_MOST, STREAMS_MOST = 32, 256, 4096
"""What is kept of the markings of a stream: intervals without holes, and changes in each."""

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
    """The words of a text such as `//REL//FOUO` or `USA CAN;GBR`, in upper case."""
    return frozenset(filter(None, re.split(r"[\s/,;]+", text.upper())))


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


@dataclass(slots=True)
class _Run:
    """Consecutive records, and the changes of the marking among them: number of the record, and the new marking."""

    first: int
    last: int
    changes: list[tuple[int, RecordMarking]] = field(default_factory=list)

    def mark_at(self, seq: int) -> RecordMarking:
        return next((mark for start, mark in reversed(self.changes) if start <= seq), ABOVE_ALL)

    def set(self, seq: int, mark: RecordMarking) -> None:
        """From this record on, this is the marking, unless it is an earlier one that came again."""
        if seq < self.last:
            return
        self.last = seq
        if not self.changes or self.changes[-1][1] != mark:
            self.changes.append((seq, mark))
            if len(self.changes) > CHANGES_MOST:
                del self.changes[0]  # records before that count as above every limit


class Markings:
    """The marking of each record of all streams: its own one, or that of the record before it.

    Records may come again, or before earlier ones, as after a lost connection: a record always has the same marking. If
    the records before it are missing, its marking is that of the nearest one before it, and not sure.

    own   the marking that a packet has itself; None without a security set
    """

    def __init__(self, own: Callable[[bytes], RecordMarking | None]) -> None:
        self._own = own
        self._runs: dict[tuple[str, str | None], list[_Run]] = {}

    def mark(self, stream: str, boot: str | None, seq: int, raw: bytes, *, is_damaged: bool = False) -> RecordMarking:
        """The marking of a record. A damaged one is above every limit; it may have marked those after it."""
        runs = self._runs.get((stream, boot))
        if runs is None:
            runs = self._runs[stream, boot] = []
            if len(self._runs) > STREAMS_MOST:
                del self._runs[next(iter(self._runs))]
        run = _run_at(runs, seq) or _new_run(runs, seq)
        own = None if is_damaged else self._own(raw)
        mark = run.mark_at(seq) if own is None else own
        if seq > run.last or own is not None:
            run.set(seq, mark._replace(is_sure=mark.is_sure and not is_damaged))
        return ABOVE_ALL if is_damaged else mark


def _run_at(runs: Iterable[_Run], seq: int) -> _Run | None:
    """The run that contains a record, or ends just before it."""
    return next((run for run in runs if run.first <= seq <= run.last + 1), None)


def _new_run(runs: list[_Run], seq: int) -> _Run:
    before = max((run for run in runs if run.last < seq), key=lambda run: run.last, default=None)
    start = UNMARKED if before is None else before.changes[-1][1]
    run = _Run(seq, seq, [(seq, start._replace(is_sure=seq == 0))])
    runs.append(run)
    if len(runs) > RUNS_MOST:
        del runs[0]
    return run


def own_marking(raw: bytes) -> RecordMarking | None:
    """The marking that a packet has itself: the highest of its security sets; None if it has none."""
    items = orjson.loads(core.items_json(raw))
    found = [_read(each) for each in (*_security_sets(items), *([items] if "security_classification" in items else []))]
    if not found:
        return None
    return RecordMarking(
        max(each.level for each in found),
        frozenset().union(*(each.caveats for each in found)),
        frozenset.intersection(*(each.releasable_to for each in found)),
    )


def _security_sets(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, list):
        for each in value:
            yield from _security_sets(each)
    elif isinstance(value, dict):
        for key, each in value.items():
            if key == "security_local_set":
                yield from each if isinstance(each, list) else [each]
            else:
                yield from _security_sets(each)


def _read(items: Any) -> RecordMarking:
    if not isinstance(items, dict):
        return ABOVE_ALL
    name = str(items.get("security_classification")).upper()
    level = CLASSIFICATIONS.index(name) + 1 if name in CLASSIFICATIONS else UNREADABLE
    return RecordMarking(
        level, words(str(items.get("caveats") or "")), words(str(items.get("releasing_instructions") or ""))
    )
