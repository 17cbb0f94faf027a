"""KLV in a separate RTP track (RFC 6597): takes payloads and returns KLV units.

A unit here is one KLV packet. It may be split across several payloads with one time stamp, and a time stamp may have
several units. The marker and the sequence numbers would reveal ends and losses, but libav exposes neither. Its output
is in sequence, so a loss shows as a mismatch: a unit is good only if it lies in one payload, or if payloads with one
time stamp add up to exactly its length.

If two units with one time stamp are split in the same way, and the first loses its tail and the second its head, they
look like one complete unit: only a checksum detects that.

     time stamp  | 1             | 2             | 3
     payloads    | KEY..  .. end | KEY..  ..     |  ..  .. end
     out         | good          | damaged       | damaged
"""

from __future__ import annotations

from typing import NamedTuple

from klvrelay.core import LIMIT
from klvrelay.core.carriage import KEY

_SET = KEY + b"\x02"
"""Prefix of the key of a set or a pack; the key of an item inside a set begins differently (SMPTE ST 336)."""
_KEY_SIZE = 16


class Unit(NamedTuple):
    """A complete KLV unit, or, if `damaged`, the bytes that remain after a loss."""

    data: bytes
    ticks: int | None
    damaged: bool = False


class Track:
    """The payloads of one track, each with its time stamp, in order and without duplicates.

    limit   maximum bytes of a unit's value
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._held = b""
        self._ticks: int | None = None
        self._refused = False

    def units(self, payload: bytes, ticks: int | None) -> list[Unit]:
        """The units that this payload completes, or proves to be incomplete."""
        found = []
        if ticks != self._ticks:
            found = self.rest()
            self._ticks, self._refused = ticks, False
        if self._refused and not payload.startswith(_SET):  # an item key may occur anywhere inside a set
            return [*found, self._lost(payload)]
        self._refused = False
        return found + self._split(self._held + payload, spans=bool(self._held))

    def rest(self) -> list[Unit]:
        """The unfinished unit at the end of the stream."""
        held, self._held = self._held, b""
        return [self._lost(held)] if held else []

    def _split(self, held: bytes, *, spans: bool) -> list[Unit]:
        """The units in the held bytes; keeps the unfinished rest. `spans`: it came in several payloads."""
        found: list[Unit] = []
        at, self._held = 0, b""
        while at < len(held):
            size = _size_at(held, at, self._limit)
            if size == 0:
                self._refused = True
                # If a unit of several payloads does not end at the end of one, it was assembled from two.
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
    """Octets of the unit at `at`; 0: none begins there; None: too few bytes to tell (SMPTE ST 336)."""
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
