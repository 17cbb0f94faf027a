"""The only caller of the C core (`native/klv.h`): bytes in, bytes and numbers out, no objects of ours.

Next door: `record.py` asks for its JSON here, `klv.py` builds decoders and columns on it.
"""

from __future__ import annotations

import io
import operator
import re
import struct
import threading
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

from klvrelay._core import ffi, lib
from klvrelay.errors import ConfigError, DecodeError
from klvrelay.integers import added

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LIMIT = 1 << 20
"""Bytes that one packet's value may have by default."""

LIMIT_LEAST, LIMIT_MOST = 512, 8 << 20
"""What that may be set to."""

PACKET_HEAD = 25
"""Bytes of a packet before its value, at most: a key, and a length in long form."""


def checked_limit(limit: int) -> int:
    """A `packet_limit` that can be; raises ConfigError for another."""
    if not LIMIT_LEAST <= limit <= LIMIT_MOST:
        raise ConfigError(f"packet_limit {limit}: give {LIMIT_LEAST} to {LIMIT_MOST} bytes")
    return limit


Checksum = Literal["ok", "bad", "absent", "partial"]
Transport = Literal["ok", "damaged"]

CHECKSUMS: tuple[Checksum, ...] = ("absent", "ok", "bad", "partial")
TRANSPORTS: tuple[Transport, ...] = ("ok", "damaged")
SET_NAMES = [ffi.string(lib.klv_set_name(i)).decode() for i in range(256)]

_POOL_SPARE = 64 << 10  # for what a lane held before
_LINES_ROOM = 256 << 10  # text goes through here in pieces that stay in the processor's cache

_ENTRY = struct.Struct("=IIqqqiiBBBB4x")
_NO_CLEAR = ffi.new_allocator(should_clear_after_alloc=False)


class Counters(NamedTuple):  # a dataclass would load a dozen modules when a command starts
    """What went through a decoder so far; the checks of the transport with their numbers in ETSI TR 101 290.

    passed_over                bytes that are in no packet
    too_large                  keys whose packet would be larger than `packet_limit`, and were passed over
    discontinuities            of the continuity counters of KLV PIDs
    sync_losses                1.1, and each wrong sync byte; `sync_byte_errors` (1.2): those that cost one packet only
    pat_errors, pmt_errors     1.3, 1.5: none for 0.5 s, scrambled, or another table on PID 0
    continuity_errors          1.4, of all PIDs
    pid_errors                 1.6: a PID that a PMT lists was not seen for `Lane`'s `absent_us`
    transport_errors           2.1: packets that a receiver marked as damaged
    crc_errors                 2.2, of PAT and PMT
    pcr_repetition_errors      2.3: more than 100 ms between two PCRs of a programme
    pcr_discontinuity_errors   2.3: its clock jumped, and nothing announced it
    scrambled                  packets; `duplicates` are packets that came twice, as they may
    pat_sections, pmt_sections taken with a good CRC, each repetition too
    klv_packets                TS packets on the PIDs that are followed as KLV; of those `klv_scrambled`,
                               `klv_transport_errors`, and `unlisted_packets` on PIDs that no table lists
    private_packets            TS packets of listed private streams in which no KLV was seen
    fill, fill_bytes           KLV Fill items that were skipped (SMPTE ST 336), and their bytes
    pcr_jitter_us              deviation of the PCRs from their arrival, smoothed (of the worst clock), and its
    pcr_jitter_max_us          maximum; 0 where no arrival is known
    """

    packets: int = 0
    bad_checksum: int = 0
    damaged: int = 0
    unknown_items: int = 0
    passed_over: int = 0
    too_large: int = 0
    ts_packets: int = 0
    discontinuities: int = 0
    sync_losses: int = 0
    sync_byte_errors: int = 0
    pat_errors: int = 0
    continuity_errors: int = 0
    pmt_errors: int = 0
    pid_errors: int = 0
    transport_errors: int = 0
    crc_errors: int = 0
    pcr_repetition_errors: int = 0
    pcr_discontinuity_errors: int = 0
    scrambled: int = 0
    duplicates: int = 0
    pat_sections: int = 0
    pmt_sections: int = 0
    klv_packets: int = 0
    klv_scrambled: int = 0
    klv_transport_errors: int = 0
    unlisted_packets: int = 0
    private_packets: int = 0
    fill: int = 0
    fill_bytes: int = 0
    pcr_jitter_us: int = 0
    pcr_jitter_max_us: int = 0

    def __add__(self, other: Counters) -> Counters:  # type: ignore[override]  # counts, not a sequence
        """Both together: counts are added (see `added`), of a measure the larger one stands."""
        figures = zip(_TOGETHER, self, other, strict=True)
        return Counters(*(together(one, two) for together, one, two in figures))


MEASURES = frozenset(("pcr_jitter_us", "pcr_jitter_max_us"))
"""Figures among the counters that are no counts: they may also become less."""
_TOGETHER: list[Callable[[int, int], int]] = [max if name in MEASURES else added for name in Counters._fields]
_figures: Callable[[Any], tuple[int, ...]] = operator.attrgetter(*Counters._fields)


EVERYTHING = ffi.NULL
"""The selection of all items."""


class _Room(threading.local):
    """Where C writes text: one buffer a thread, which grows to the largest record seen."""

    def __init__(self) -> None:
        self.unknown = ffi.new("uint64_t *")
        self.grow(32768)
        self.time = ffi.new("uint64_t *")
        bits = ffi.new("uint64_t[3]")
        self.bits = bits, ffi.buffer(bits)

    def grow(self, size: int) -> None:
        self.size = size
        self.out = _NO_CLEAR("char[]", size)
        self.text = self.out, ffi.buffer(self.out), size, self.unknown


_CODES: dict[Checksum, int] = {name: code for code, name in enumerate(CHECKSUMS)}
_room = _Room()
_klv_record = lib.klv_record
_klv_whole = lib.klv_whole


_PLAIN = re.compile(r"[A-Za-z0-9_.-]*")
"""A name that needs no escape in JSON, as those that are made of a file's name."""


@lru_cache(maxsize=4096)
def head(stream: str, boot: str | None) -> bytes:
    """The first keys of every record of one stream, escaped once."""
    if _PLAIN.fullmatch(stream) and boot is None:
        return f'{{"schema":"klvrelay/1","stream":"{stream}","boot":null'.encode()
    from klvrelay.documents import dumps  # here, since a command that reads a file has no use for it

    return dumps({"schema": "klvrelay/1", "stream": stream, "boot": boot})[:-1]


def record_json(
    raw: bytes,
    head_: bytes,
    seq: int = 0,
    received_us: int | None = None,
    pts: int | None = None,
    damaged: bool = False,
    pid: int | None = None,
    program: int | None = None,
    checksum: Checksum | None = None,
    safe: bool = False,
    chosen: Any = EVERYTHING,
) -> bytes:
    """One packet as a record's JSON document, UTF-8; `head_` is from `head()`. Raises DecodeError for no packet.

    `checksum` is what was found when the packet was; None: it is summed once more. `chosen`: a `selection()` of items.
    """
    out, text, size, unknown = _room.text
    received = -1 if received_us is None else received_us
    written = _klv_record(
        raw, len(raw), head_, len(head_), seq, received, -1 if pts is None else pts,
        -1 if pid is None else pid, -1 if program is None else program, damaged,
        -1 if checksum is None else _CODES[checksum], safe, chosen, out, size, unknown,
    )  # fmt: skip
    if written > 0:
        return text[:written]  # type: ignore[no-any-return]
    if written < 0:
        raise DecodeError("not a KLV packet: no key and length at its beginning")
    _room.grow(min(4 * size, lib.klv_json_room(len(raw), len(head_))))
    return record_json(raw, head_, seq, received_us, pts, damaged, pid, program, checksum, safe, chosen)


def selection() -> Any:
    """Which items `record_json` is to write: none yet."""
    return ffi.new("struct klv_selection *")


def select(chosen: Any, key: str) -> int:
    """Add the items of one key to a selection; how many sets and tables have one."""
    name = key.encode(errors="replace")
    return int(lib.klv_select(chosen, name, len(name)))


def unknown_items() -> int:
    """Items that this thread's calls of `record_json` kept raw, so far."""
    return int(_room.unknown[0])


def items_json(raw: bytes) -> bytes:
    """The items of one packet as a JSON object, as in the record."""
    return record_json(raw, b"")


def tags(raw: bytes) -> bytes | None:
    """A mark of which items a packet holds; None where it can't be told so shortly."""
    bits, view = _room.bits
    return view[:] if lib.klv_tags(raw, len(raw), bits) else None


def time_us(raw: bytes) -> int | None:
    """Item 2 of a packet (ST 0603 microseconds), or None."""
    out = ffi.new("uint64_t *")
    return int(out[0]) if lib.klv_time(raw, len(raw), out) else None


def clock_us(raw: bytes) -> int | None:
    """`micros` of item 2 of a packet, or None."""
    out = _room.time
    return int(lib.klv_micros(out[0])) if lib.klv_time(raw, len(raw), out) else None


def micros(sent: int) -> int:
    """A time stamp in microseconds since 1970, where its sender may count nanoseconds, milliseconds or seconds."""
    return int(lib.klv_micros(sent))


def time_unit(sent: int) -> str | None:
    """The unit that a time stamp counts where that is not microseconds: "nanoseconds", "milliseconds", "seconds"."""
    name = lib.klv_time_unit(sent)
    return ffi.string(name).decode() if name else None


_CODECS = {
    "h264": lib.KLV_H264,
    "hevc": lib.KLV_HEVC,
    "mpeg1video": lib.KLV_MPEG2,
    "mpeg2video": lib.KLV_MPEG2,
}
STAMPED_CODECS = frozenset(_CODECS)
"""Names, as libav has them, of the codecs whose frames may hold a time stamp (ST 0604)."""


def stamp(frame: Any, codec: str) -> tuple[int, int | None, int, bool, bool] | None:
    """(microseconds, nanoseconds beside them, status, they were nanoseconds, odd) of a video frame's first stamp."""
    source = ffi.from_buffer("uint8_t[]", frame)
    out = ffi.new("struct klv_stamp *")
    if codec not in _CODECS or not lib.klv_stamp(source, len(source), _CODECS[codec], out):
        return None
    beside = None if out.nanoseconds < 0 else int(out.nanoseconds)
    sniffed, odd = bool(out.flags & lib.KLV_NANOSECONDS), bool(out.flags & lib.KLV_ODD_BODY)
    return int(out.time_us), beside, int(out.status), sniffed, odd


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


def whole(data: bytes, limit: int = LIMIT) -> tuple[str, Checksum] | None:
    """(set, checksum) of a buffer that is one whole packet and nothing odd about it; None: only a `Lane` can tell."""
    found = _klv_whole(data, len(data), limit)
    return None if found < 0 else (SET_NAMES[found >> 2], CHECKSUMS[found & 3])


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


def is_numeric(tag: int) -> bool:
    """May item `tag` of ST 0601 be a column?"""
    return bool(lib.klv_numeric(tag))


def columns(data: Any, tags: Sequence[int], *, every: bool = False, limit: int = LIMIT) -> NDArray[np.float64]:
    """ST 0601 and ST 0104 packets of a buffer as float64 of shape (len(tags), packets), NaN where absent."""
    import numpy as np  # here, since it takes 60 ms and 13 MiB that a relay has no use for

    source = ffi.from_buffer("uint8_t[]", data)
    wanted = ffi.new("uint16_t[]", list(tags))
    used, row, at = ffi.new("size_t *"), ffi.new("size_t *"), 0
    search = ffi.new("struct klv_search *")
    parts: list[NDArray[np.float64]] = []
    rows = _likely_rows(source)
    while True:
        table = np.empty((len(tags), rows), dtype=np.float64)
        row[0] = used[0] = 0
        status = lib.klv_columns(
            source + at, len(source) - at, limit, every, wanted, len(tags),
            ffi.from_buffer("double[]", table), rows, rows, row, search, used,
        )  # fmt: skip
        parts.append(table[:, : row[0]])
        at += used[0]
        if status != lib.KLV_FULL:
            return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)


def _likely_rows(source: Any) -> int:
    view, search = ffi.new("struct klv_view *"), ffi.new("struct klv_search *")
    if lib.klv_next(source, min(len(source), 1 << 17), 1 << 16, 1, search, view) != lib.KLV_OK:
        return 16
    return int(len(source) // view.size * 5 // 4 + 16)


# ---- primitives, for tests and tools ----


def ber_length(data: bytes) -> tuple[int, int]:
    """(length, octets used) of a BER length (SMPTE ST 336)."""
    value, used = ffi.new("uint64_t *"), ffi.new("size_t *")
    if lib.klv_ber_length(data, len(data), value, used) != lib.KLV_OK:
        raise DecodeError("not a BER length of at most 8 octets")
    return int(value[0]), int(used[0])


def ber_oid(data: bytes) -> tuple[int, int]:
    """(value, octets used) of a BER-OID number of at most 9 octets."""
    value, used = ffi.new("uint64_t *"), ffi.new("size_t *")
    if lib.klv_ber_oid(data, len(data), 9, value, used) != lib.KLV_OK:
        raise DecodeError("not a BER-OID number of at most 9 octets")
    return int(value[0]), int(used[0])


def checksum16(data: bytes) -> int:
    """The 16-bit running sum of ST 0601 item 1."""
    return int(lib.klv_sum16(data, len(data)))


def crc16(data: bytes) -> int:
    """CRC-16-CCITT as ST 1002, ST 1107 and ST 1108 use it."""
    return int(lib.klv_crc16(data, len(data)))


def crc32(data: bytes) -> int:
    """CRC-32/MPEG-2 (ISO/IEC 13818-1, ST 0806)."""
    return int(lib.klv_crc32(data, len(data)))


def imapb(data: bytes, minimum: float, maximum: float) -> float | str:
    """An IMAPB code (ST 1201) as its value, or the name of what it says instead of a number."""
    value = ffi.new("double *")
    name = lib.klv_imapb(data, len(data), minimum, maximum, value)
    return ffi.string(name).decode().strip('"') if name else float(value[0])
