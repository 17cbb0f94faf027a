"""How much of each list a report shows: as much as fits into its size, whatever came; what is left out is counted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any, TypeVar

T = TypeVar("T")
Text = TypeVar("Text", str, bytes)


@dataclass(frozen=True, slots=True)
class Room:
    """The longest that each list may be.

    streams, items, remarks   of one program or KLV stream; `strips` are items that are drawn over time
    """

    programs: int
    streams: int
    pids: int
    klv: int
    items: int
    remarks: int
    findings: int
    strips: int

    def half(self) -> Room:
        """Half of it, and one of each at least."""
        return Room(*(max(1, getattr(self, field.name) // 2) for field in fields(Room)))


def fitted(write: Callable[[Room], Text], room: Room, most: int) -> Text:
    """What `write` makes, with lists so long that it has at most so many bytes."""
    while True:
        text = write(room)
        size = len(text) if isinstance(text, bytes) else len(text.encode())
        if size <= most or room == room.half():
            return text
        room = room.half()


def picked(rows: Sequence[T], most: int, weight: Callable[[T], Any]) -> list[T]:
    """Those of most weight, in the order that they had."""
    if len(rows) <= most:
        return list(rows)
    places = sorted(range(len(rows)), key=lambda place: weight(rows[place]), reverse=True)[:most]
    return [rows[place] for place in sorted(places)]


def more(count: int, noun: str = "") -> str:
    """`and 940 more`; empty where there are no more."""
    return " ".join(filter(None, (f"and {count:,} more", noun))) if count > 0 else ""
