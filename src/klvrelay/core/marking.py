"""Security markings of packets (MISB ST 0102)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from klvrelay.core._core import lib
from klvrelay.core.memory import Memory

LEVELS = ("UNCLASSIFIED", "RESTRICTED", "CONFIDENTIAL", "SECRET", "TOP SECRET")
"""Classifications from 1 on."""

_MORE = int(lib.KLV_MARKING_MORE)
_marking = lib.klv_marking
_memory = Memory()
_SEPARATORS = re.compile(r"[/,;\0]")
_CODE = re.compile(r"[0-9A-Z�]+")


class Marking(NamedTuple):
    """The highest of the markings of one packet.

    level       1 UNCLASSIFIED to 5 TOP SECRET; 0 if not `readable`
    caveats     of any of its security sets, with control systems (SCI, SHI), in capitals
    releasable  country codes that each of its security sets names in its releasing instructions, in capitals
    readable    False: a marking, or a place where one may be, can't be read: no limit may let it pass
    """

    level: int
    caveats: frozenset[str]
    releasable: frozenset[str]
    readable: bool = True


UNREADABLE = Marking(0, frozenset(), frozenset(), False)


def marking(raw: bytes) -> Marking | None:
    """The marking of a packet; None: it has none, and is not one that can't be read."""
    return marking_of(written) if (written := marking_bytes(raw)) else None


def marking_bytes(raw: bytes) -> bytes:
    """What `marking_of` reads: equal for packets with the same security sets; empty: there are none."""
    memory = _memory
    size = len(raw)
    if size + _MORE > memory.size:
        memory.grow(2 * size + _MORE)
    return memory.view[: _marking(raw, size, memory.out, memory.size)]  # type: ignore[no-any-return]


def marking_of(written: bytes) -> Marking:
    """The marking that `marking_bytes` has found."""
    if not written[0]:
        return UNREADABLE
    level, caveats, releasable = 0, set[str](), list[set[str]]()
    for one, control, caveat, releasing in _sets(written):
        level = max(level, one)
        caveats |= {word for text in (control, caveat) for word in map(str.strip, _SEPARATORS.split(text)) if word}
        releasable.append(set(_CODE.findall(releasing)))
    return Marking(level, frozenset(caveats), frozenset(set.intersection(*releasable)))


def _sets(written: bytes) -> Iterator[tuple[int, str, str, str]]:
    at = 1
    while at < len(written):
        level, at = written[at], at + 1
        texts = []
        for _ in range(3):
            end = at + 2 + int.from_bytes(written[at : at + 2], "big")
            texts.append(written[at + 2 : end].decode("utf-8", "replace").upper())
            at = end
        yield level, texts[0], texts[1], texts[2]
