"""KLV as an RTP track of its own (RFC 6597): payloads in, KLV units out; next door, `source.py` hands them over.

A unit here is one KLV packet. It may be cut over several payloads of one time stamp, and a time stamp may have
several. The marker and the sequence numbers would tell the end and the losses, but libav keeps both to itself. What
it gives is in their order, so a loss shows in what does not add up: a unit is good only if it lies in one payload, or
if payloads of one time stamp make up its length exactly.

Two units cut alike under one time stamp, one without its tail and the next without its head, can't be told from a whole
one here: of such a pair only a checksum can tell.

     time stamp  | 1             | 2             | 3
     payloads    | KEY..  .. end | KEY..  ..     |  ..  .. end
     out         | good          | damaged       | damaged
"""

from __future__ import annotations

from typing import NamedTuple

from klvrelay.core import LIMIT
from klvrelay.core.carriage import KEY

_SET = KEY + b"\x02"
"""How the key of a set or a pack begins, and that of an item in one does not (SMPTE ST 336)."""
_KEY_SIZE = 16


class Unit(NamedTuple):
    """A KLV unit that is whole, or, `damaged`, bytes that a loss has left."""

    data: bytes
    ticks: int | None
    damaged: bool = False


class Track:
    """The payloads of one track, each with its time stamp, in order and none of them twice.

    limit   bytes that the value of a unit may have
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._held = b""
        self._ticks: int | None = None
        self._refused = False

    def units(self, payload: bytes, ticks: int | None) -> list[Unit]:
        """What is whole, or lost for certain, once this payload has come."""
        found = []
        if ticks != self._ticks:
            found = self.rest()
            self._ticks, self._refused = ticks, False
        if self._refused and not payload.startswith(_SET):  # an item's key may stand anywhere inside a set
            return [*found, self._lost(payload)]
        self._refused = False
        return found + self._cut(self._held + payload, spans=bool(self._held))

    def rest(self) -> list[Unit]:
        """What began and never came to its end: no more will come of it."""
        held, self._held = self._held, b""
        return [self._lost(held)] if held else []

    def _cut(self, held: bytes, *, spans: bool) -> list[Unit]:
        """The units in what is held; keeps the unfinished rest. `spans`: it came in several payloads."""
        found: list[Unit] = []
        at, self._held = 0, b""
        while at < len(held):
            size = _size_at(held, at, self._limit)
            if size == 0:
                self._refused = True
                # A unit of several payloads that does not end where one of them ends is made up of two.
                return [self._lost(held)] if spans else [*found, self._lost(held[at:])]
            if size is None or at + size > len(held):
                self._held = held[at:]
                break
            found.append(Unit(held[at : at + size], self._ticks))
            at += size
        return found

    def _lost(self, data: bytes) -> Unit:
        return Unit(data, self._ticks, damaged=True)


def _size_at(held: bytes, at: int, limit: int) -> int | None:
    """Octets of the unit that begins there; 0: none does; None: too little is there to tell (SMPTE ST 336)."""
    if not held.startswith(KEY[: len(held) - at], at):
        return 0
    head = at + _KEY_SIZE
    if len(held) <= head:
        return None
    first = held[head]
    if first < 0x80:
        return _KEY_SIZE + 1 + first
    octets = first & 0x7F
    if not 0 < octets <= 8:
        return 0
    if len(held) < head + 1 + octets:
        return None
    length = int.from_bytes(held[head + 1 : head + 1 + octets])
    return _KEY_SIZE + 1 + octets + length if length <= limit else 0
