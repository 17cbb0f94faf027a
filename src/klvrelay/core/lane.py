"""Extracts KLV packets from the bytes of a stream by the C core, and checks the transport."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, Protocol

from klvrelay.core._core import ffi, lib
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
    text_buffer,
)
from klvrelay.errors import DecodeError

_POOL_SPARE = 64 << 10  # for data that a lane already holds
_LINES_SIZE = 256 << 10  # chunk size of text, small enough for the CPU cache

_ENTRY = struct.Struct("=IIqqqiiBBBB4x")


Entry = tuple[bytes, int | None, int | None, str, Checksum, Transport, int | None, int | None, int | None, int]
"""(bytes, pts, pid, set, checksum, transport, received_us, pcr, program, listing) of one packet."""

LOWER, LOWER_HERE, ALONE = lib.KLV_LOWER, lib.KLV_LOWER_HERE, lib.KLV_ALONE
"""Bits of `listing`: a lower PID may carry KLV too, in any program or in this one; no other PID of it may."""


class PacketInfo(NamedTuple):
    """The properties of a packet that identify its stream. `ticks` is the clock of its program, or its PTS."""

    pid: int | None
    program: int | None
    set: str
    listing: int
    ticks: int | None


class Names(Protocol):
    """Assigns stream names and sequence numbers to the records of a lane."""

    def turn(self, next_: PacketInfo) -> tuple[bytes, int] | None:
        """The head and number of the next record; None: pass its packet to `take_packet` instead of writing it."""

    def count_written(self, seq: int, pts: int | None, pcr: int | None, sets: int) -> None:
        """Records were written since the last `turn`: the next number is `seq`; `pts`, `pcr` are of the last record."""

    def take_packet(self, entry: Entry) -> bytes:
        """Take a packet for which `turn` returned None. Returns the text to write now."""


_NO_PID = -2
"""Differs from every PID."""


def listing_of(pid: int, others: Iterable[int], program_of: Callable[[int], int | None]) -> int:
    """The `listing` of a PID, given others that may carry KLV too."""
    others = [other for other in others if other != pid]
    here = [other for other in others if program_of(other) == program_of(pid)]
    lower, lower_here = (any(other < pid for other in some) for some in (others, here))
    return int(LOWER * lower | LOWER_HERE * lower_here | ALONE * (not here))


def _known(value: Any) -> int | None:
    return int(value) if value >= 0 else None


def entry_octets(entries: Any, count: int) -> Any:
    """The rows written by the core for a batch, as a buffer."""
    return ffi.buffer(entries, count * _ENTRY.size)


def entry_rows(octets: bytes) -> Any:
    """A copy of such a buffer as rows, for `entries_of`."""
    return ffi.from_buffer("struct klv_entry[]", octets)


def entries_of(pool: Any, entries: Any, count: int) -> list[Entry]:
    """The result of a batch: the buffer of the pool, its `struct klv_entry[]`, and their number."""
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
    """Takes MPEG-TS or bare KLV in chunks of any size and returns whole packets. Use one per stream, in one thread.

    limit       maximum bytes of a packet's value; allocates 1.125 x that and 8 KiB for each of eight PIDs (bare KLV:
                one), of which only the part that packets need is touched
    absent_us   microseconds without a PID listed in a PMT after which that is counted
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
        """The C structure, for other C functions to feed. Valid while this object exists."""
        return self._lane

    def mark(self, pts: int | None, pid: int | None, program: int | None, listing: int, damaged: bool) -> None:
        """Bare KLV: set the properties of the following bytes."""
        known = (-1 if value is None else value for value in (pts, pid, program))
        lib.klv_lane_mark(self._lane, *known, listing, damaged)

    def program_of(self, pid: int) -> int | None:
        """The number of the first program whose PMT lists a PID."""
        return _known(lib.klv_lane_program(self._lane, pid))

    def cut(self) -> None:
        """Bytes were lost here, or the source restarts: the next call returns the packets held."""
        lib.klv_lane_break(self._lane)

    def packets(self, data: Any, received_us: int | None = None) -> list[Entry]:
        """The packets completed by `data` (a buffer). Usually one C call."""
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
        """The entries of a batch to return: all of them."""
        return entries_of(pool, entries, count)

    def lines(self, data: Any, names: Names, received_us: int | None = None, *, safe: bool = False) -> bytes:
        """The records of `data` as JSON Lines. Usually one C call for consecutive records of one PID."""
        text = io.BytesIO()
        self.write_lines(data, names, text.write, received_us, safe=safe)
        return text.getvalue()  # returns its bytes without a copy

    def write_lines(
        self,
        data: Any,
        names: Names,
        out: Callable[[Any], object],
        received_us: int | None = None,
        *,
        safe: bool = False,
    ) -> None:
        """The same, passed to `out` in chunks: bytes, or buffers that are valid during the call only."""
        lib.klv_lane_at(self._lane, -1 if received_us is None else received_us)
        source = ffi.from_buffer("uint8_t[]", data)
        envelope, other = ffi.new("struct klv_envelope *"), ffi.new("struct klv_packet *")
        envelope.received_us, envelope.safe = -1 if received_us is None else received_us, safe
        buffer = text_buffer
        self._used[0], other.pid, kept = 0, _NO_PID, None
        if buffer.size < _LINES_SIZE:
            buffer.grow(_LINES_SIZE)
        while True:
            status = lib.klv_lane_lines(
                self._lane, source, len(source), self._used, envelope, other, buffer.out, buffer.size, self._count
            )
            if self._count[0]:
                out(ffi.buffer(buffer.out, self._count[0]))
            elif status == lib.KLV_FULL:
                buffer.grow(min(4 * buffer.size, lib.klv_json_room(self._limit + PACKET_HEAD, envelope.head_size) + 1))
            if status == lib.KLV_FULL:
                continue
            if status < 0:
                raise DecodeError("the core can't write a packet that it found")
            if kept is not None:
                names.count_written(int(envelope.seq), _known(envelope.pts), _known(envelope.pcr), int(envelope.sets))
            if status != lib.KLV_OTHER:
                return
            kept = self._set_envelope(names, envelope, other)
            if kept is None:
                out(names.take_packet(self._one(source)))
                other.pid = _NO_PID

    def _set_envelope(self, names: Names, envelope: Any, other: Any) -> Any:
        """Set the envelope for the stream of the next packet; None if `turn` returned None."""
        found = names.turn(
            PacketInfo(
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
        """The next packet of `source`, which must be whole."""
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
