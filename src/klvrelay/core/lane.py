"""A stream's bytes through the C core: packets out, the transport checked on the way."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from klvrelay.core._core import ffi, lib
from klvrelay.errors import DecodeError

if TYPE_CHECKING:
    pass
from klvrelay.core.counters import Counters, _figures
from klvrelay.core.packet import (
    _NO_CLEAR,
    CHECKSUMS,
    LIMIT,
    PACKET_HEAD,
    SET_NAMES,
    TRANSPORTS,
    Checksum,
    Transport,
    _room,
)

_POOL_SPARE = 64 << 10  # for what a lane held before
_LINES_ROOM = 256 << 10  # text goes through here in pieces that stay in the processor's cache

_ENTRY = struct.Struct("=IIqqqiiBBBB4x")


Entry = tuple[bytes, int | None, int | None, str, Checksum, Transport, int | None, int | None, int | None, int]
"""(bytes, pts, pid, set, checksum, transport, received_us, pcr, program, listing) of one packet."""

LOWER, LOWER_HERE, ALONE = lib.KLV_LOWER, lib.KLV_LOWER_HERE, lib.KLV_ALONE
"""Bits of an entry's `listing`: a lower PID may carry KLV too, in any program or in its own; no other of that may."""


class Sighting(NamedTuple):
    """What is known of a packet that says which stream it is of; `ticks` is its program's clock, or its PTS."""

    pid: int | None
    program: int | None
    set: str
    listing: int
    ticks: int | None


class Names(Protocol):
    """Who knows under which names and numbers the records of a lane go out."""

    def turn(self, next_: Sighting) -> tuple[bytes, int] | None:
        """The head and the number of the next record; None: it does not go straight to text, but `aside`."""

    def wrote(self, seq: int, pts: int | None, pcr: int | None, sets: int) -> None:
        """Since the last turn so many records were written that the next number is `seq`; times of the last one."""

    def aside(self, entry: Entry) -> bytes:
        """A record that does not go straight to text: what is to be written now."""


_NO_PID = -2
"""Equal to the PID of no packet."""


def listing_of(pid: int, others: Iterable[int], program_of: Callable[[int], int | None]) -> int:
    """The `listing` of a PID beside others that may carry KLV too."""
    others = [other for other in others if other != pid]
    here = [other for other in others if program_of(other) == program_of(pid)]
    lower, lower_here = (any(other < pid for other in some) for some in (others, here))
    return int(LOWER * lower | LOWER_HERE * lower_here | ALONE * (not here))


def _known(value: Any) -> int | None:
    return int(value) if value >= 0 else None


def entry_octets(entries: Any, count: int) -> Any:
    """The rows that the core wrote for a batch, as a buffer."""
    return ffi.buffer(entries, count * _ENTRY.size)


def entry_rows(octets: bytes) -> Any:
    """Such octets as rows again, for `entries_of`."""
    return ffi.from_buffer("struct klv_entry[]", octets)


def entries_of(pool: Any, entries: Any, count: int) -> list[Entry]:
    """What C wrote of a batch: the buffer of its pool, its `struct klv_entry[]`, and how many there are."""
    return [
        (
            pool[at : at + size],
            pts if pts >= 0 else None,
            pid if pid >= 0 else None,
            SET_NAMES[set_],
            CHECKSUMS[checksum],
            TRANSPORTS[damaged],
            received_us if received_us >= 0 else None,
            pcr if pcr >= 0 else None,
            program if program >= 0 else None,
            listing,
        )
        for at, size, pts, received_us, pcr, pid, program, set_, checksum, damaged, listing in _ENTRY.iter_unpack(
            entry_octets(entries, count)
        )
    ]


class Lane:
    """Transport bytes or bare KLV in any cut, whole packets out: one a stream, not for two threads at once.

    limit       bytes that a packet's value may have; memory of 1.125 x that and 8 KiB for each of eight PIDs (of bare
                KLV: of one), of which no more is touched than packets need
    absent_us   how long a PID that a PMT lists may stay away before that is counted
    """

    def __init__(self, *, ts: bool, limit: int = LIMIT, absent_us: int = 5_000_000) -> None:
        self._memory = _NO_CLEAR("uint8_t[]", lib.klv_lane_memory(ts, limit))
        self._bytes = _NO_CLEAR("uint8_t[]", lib.klv_lane_size())
        self._lane = ffi.cast("struct klv_lane *", self._bytes)
        lib.klv_lane_init(self._lane, ts, limit, self._memory)
        lib.klv_lane_absent(self._lane, absent_us)
        self._limit = limit
        self._used = ffi.new("size_t *")
        self._count = ffi.new("size_t *")
        self._pool = _NO_CLEAR("uint8_t[]", 0)
        self._entries = _NO_CLEAR("struct klv_entry[]", 64)

    @property
    def pointer(self) -> Any:
        """The lane as C knows it, for another of its callers to feed; good while this object is."""
        return self._lane

    def mark(self, pts: int | None, pid: int | None, program: int | None, listing: int, damaged: bool) -> None:
        """Bare KLV: what is known of the bytes to come."""
        known = (-1 if value is None else value for value in (pts, pid, program))
        lib.klv_lane_mark(self._lane, *known, listing, damaged)

    def program_of(self, pid: int) -> int | None:
        """The number of the first program whose map lists a PID."""
        return _known(lib.klv_lane_program(self._lane, pid))

    def cut(self) -> None:
        """Bytes were lost here, or the source restarts: what is held comes out with the next call."""
        lib.klv_lane_break(self._lane)

    def packets(self, data: Any, received_us: int | None = None) -> list[Entry]:
        """Every packet that is whole once `data` (a buffer) is added. One C call, as a rule."""
        lib.klv_lane_at(self._lane, -1 if received_us is None else received_us)
        source = ffi.from_buffer("uint8_t[]", data)
        if len(self._pool) < len(source):
            self._pool = _NO_CLEAR("uint8_t[]", len(source) + _POOL_SPARE)
        self._used[0] = 0
        found: list[Entry] = []
        while True:
            status = lib.klv_lane_batch(
                self._lane, source, len(source), self._used, self._pool, len(self._pool),
                self._entries, len(self._entries), self._count,
            )  # fmt: skip
            count = self._count[0]
            if count:
                found += self._found(ffi.buffer(self._pool), self._entries, count)
            if status != lib.KLV_FULL:
                return found
            if count == 0:
                self._pool = _NO_CLEAR("uint8_t[]", max(len(self._pool), self._limit + PACKET_HEAD))
            if count == len(self._entries):
                self._entries = _NO_CLEAR("struct klv_entry[]", min(4 * count, 65536))

    def _found(self, pool: Any, entries: Any, count: int) -> list[Entry]:
        """What is given of a batch: all of it."""
        return entries_of(pool, entries, count)

    def lines(self, data: Any, names: Names, received_us: int | None = None, *, safe: bool = False) -> bytes:
        """Every record of `data` as JSON Lines. One C call for all that come in a row from one PID, as a rule."""
        text = io.BytesIO()
        self.write_lines(data, names, text.write, received_us, safe=safe)
        return text.getvalue()  # hands its bytes over, without a copy

    def write_lines(
        self,
        data: Any,
        names: Names,
        out: Callable[[Any], object],
        received_us: int | None = None,
        *,
        safe: bool = False,
    ) -> None:
        """The same, in pieces to `out`: buffers that are good for the call only, or bytes."""
        lib.klv_lane_at(self._lane, -1 if received_us is None else received_us)
        source = ffi.from_buffer("uint8_t[]", data)
        envelope, other = ffi.new("struct klv_envelope *"), ffi.new("struct klv_packet *")
        envelope.received_us, envelope.safe = -1 if received_us is None else received_us, safe
        room = _room
        self._used[0], other.pid, kept = 0, _NO_PID, None
        if room.size < _LINES_ROOM:
            room.grow(_LINES_ROOM)
        while True:
            status = lib.klv_lane_lines(
                self._lane, source, len(source), self._used, envelope, other, room.out, room.size, self._count
            )
            if self._count[0]:
                out(ffi.buffer(room.out, self._count[0]))
            elif status == lib.KLV_FULL:
                room.grow(min(4 * room.size, lib.klv_json_room(self._limit + PACKET_HEAD, envelope.head_size) + 1))
            if status == lib.KLV_FULL:
                continue
            if status < 0:
                raise DecodeError("the core can't write a packet that it found")
            if kept is not None:
                names.wrote(int(envelope.seq), _known(envelope.pts), _known(envelope.pcr), int(envelope.sets))
            if status != lib.KLV_OTHER:
                return
            kept = self._turn(names, envelope, other)
            if kept is None:
                out(names.aside(self._one(source)))
                other.pid = _NO_PID

    def _turn(self, names: Names, envelope: Any, other: Any) -> Any:
        """Make the envelope that of the next packet's stream; None where that one does not go straight to text."""
        found = names.turn(
            Sighting(
                _known(other.pid), _known(other.program), SET_NAMES[other.set], other.listing,
                _known(other.pts if other.pcr < 0 else other.pcr),
            )
        )  # fmt: skip
        if found is None:
            return None
        kept = ffi.from_buffer(found[0])
        envelope.head, envelope.head_size, envelope.seq, envelope.sets = kept, len(found[0]), found[1], 0
        return kept

    def _one(self, source: Any) -> Entry:
        """The next packet of `source`, which is known to be whole."""
        if len(self._pool) < self._limit + PACKET_HEAD:
            self._pool = _NO_CLEAR("uint8_t[]", self._limit + PACKET_HEAD)
        lib.klv_lane_batch(
            self._lane, source, len(source), self._used, self._pool, len(self._pool), self._entries, 1, self._count
        )
        return entries_of(ffi.buffer(self._pool), self._entries, 1)[0]

    @property
    def counters(self) -> Counters:
        counts = ffi.new("struct klv_counts *")
        lib.klv_lane_counts(self._lane, counts)
        return Counters(*_figures(counts))
