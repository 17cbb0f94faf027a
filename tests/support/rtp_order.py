"""RTP reordering in the C core, for tests: datagrams in, payloads out."""

from __future__ import annotations

import struct
from typing import NamedTuple

from klvrelay.core._core import ffi, lib

HELD, NEAR = lib.RTP_HELD, lib.RTP_NEAR


class Datagram(NamedTuple):
    """An RTP datagram as the core parses or outputs it."""

    payload: bytes
    sequence: int
    timestamp: int
    ssrc: int
    kind: int
    marker: int
    gap: int


def parse(data: bytes) -> Datagram | None:
    """One datagram's parts; the input ends flush against memory that must not be read."""
    found = ffi.new("struct rtp_datagram *")
    return _of(found) if lib.rtp_parse(ffi.from_buffer("uint8_t[]", data), len(data), found) else None


def _of(found) -> Datagram:
    payload = bytes(ffi.buffer(found.payload, found.size))
    return Datagram(
        payload, found.sequence, found.timestamp, found.ssrc, found.kind, found.marker, found.gap
    )  # fmt: skip


class Order:
    """Payloads in sending order; a pushed buffer is overwritten after the core was asked what is due."""

    def __init__(self, room: int = 1 << 16) -> None:
        self._bytes = ffi.new("uint8_t[]", lib.rtp_order_size())
        self._memory = ffi.new("uint8_t[]", room)
        self._order = ffi.cast("struct rtp_order *", self._bytes)
        lib.rtp_order_init(self._order, self._memory, room)

    def push(self, sequence: int, payload: bytes, ssrc: int = 7) -> list[tuple[bytes, bool]]:
        """The payloads that are due after this one, each with whether a loss precedes it."""
        data = struct.pack(">BBHII", 0x80, 33, sequence & 0xFFFF, 0, ssrc) + payload
        place, found = ffi.new("uint8_t[]", data), ffi.new("struct rtp_datagram *")
        assert lib.rtp_parse(place, len(data), found)
        lib.rtp_order_push(self._order, found)
        due = self._due()
        ffi.memmove(place, b"\xee" * len(data), len(data))
        return due

    def release(self) -> list[tuple[bytes, bool]]:
        """All that is held."""
        lib.rtp_order_release(self._order)
        return self._due()

    def _due(self) -> list[tuple[bytes, bool]]:
        found, due = ffi.new("struct rtp_datagram *"), []
        while lib.rtp_order_next(self._order, found):
            datagram = _of(found)
            due.append((datagram.payload, bool(datagram.gap)))
        return due

    @property
    def waiting(self) -> bool:
        return lib.rtp_order_waiting(self._order) >= 0

    @property
    def counts(self) -> tuple[int, int, int, int]:
        """(lost, reordered, duplicates, restarts)."""
        counts = ffi.new("struct rtp_counts *")
        lib.rtp_order_counts(self._order, counts)
        return counts.lost, counts.reordered, counts.duplicates, counts.restarts
