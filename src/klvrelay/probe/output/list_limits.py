"""Shortens the lists of a report until it fits its size limit; the omitted entries are counted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any, TypeVar

T = TypeVar("T")
Text = TypeVar("Text", str, bytes)


@dataclass(frozen=True, slots=True)
class ListLimits:
    """Maximum length of each list.

    streams, items, remarks   per program or KLV stream; `strips` are items drawn over time
    """

    programs: int
    streams: int
    pids: int
    klv: int
    items: int
    remarks: int
    findings: int
    strips: int

    def half(self) -> ListLimits:
        """Half of each limit, at least 1."""
        return ListLimits(*(max(1, getattr(self, field.name) // 2) for field in fields(ListLimits)))


def shorten_to_fit(write: Callable[[ListLimits], Text], limits: ListLimits, most: int) -> Text:
    """The output of `write` with the longest lists for which it has at most `most` bytes."""
    while True:
        text = write(limits)
        size = len(text) if isinstance(text, bytes) else len(text.encode())
        if size <= most or limits == limits.half():
            return text
        limits = limits.half()


def pick_largest(rows: Sequence[T], most: int, weight: Callable[[T], Any]) -> list[T]:
    """The rows with the largest weights, in their original order."""
    if len(rows) <= most:
        return list(rows)
    places = sorted(range(len(rows)), key=lambda place: weight(rows[place]), reverse=True)[:most]
    return [rows[place] for place in sorted(places)]


def more(count: int, noun: str = "") -> str:
    """`and 940 more`; empty if `count` is 0 or less."""
    return " ".join(filter(None, (f"and {count:,} more", noun))) if count > 0 else ""
