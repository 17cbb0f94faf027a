"""Unpack and check the messages of an isolated source's process; see `messages.py` for their layout.

An attacker who controls the process can send anything, so received data is bounded and checked, and never executed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar

import orjson

from klvrelay.core import (
    ALONE,
    CHECKSUMS,
    LIMIT,
    LOWER,
    LOWER_HERE,
    PACKET_HEAD,
    SET_NAMES,
    TRANSPORTS,
    Counters,
    Entry,
    ber_length,
)
from klvrelay.errors import DecodeError, SourceDown
from klvrelay.json_output import MOST as COUNT_MOST
from klvrelay.link_stats import LinkStats, figures_of
from klvrelay.record import Packet, Units
from klvrelay.sources.isolated.messages import (
    CLEAN,
    DAMAGED,
    ENDS,
    ENTRY,
    HEAD,
    KLV,
    MOST,
    PACKET,
    SMALL,
    TEXT_MOST,
    UNITS_MOST,
    WAIT,
    WAIT_MOST,
    End,
    MalformedMessage,
    Status,
)
from klvrelay.text import printable

T = TypeVar("T")

PIDS_MOST = 64
"""Maximum KLV streams of one source that a decoder is created for."""
MEASURE_MOST = 1e9

_SMALL_KINDS = (b"S", b"M", b"E")
_ENTRY_MOST = ENTRY.size + 255 + PACKET_HEAD
_PTS_END = 1 << 33
_PID_END, _UNIT_PID_END = 1 << 31, 1 << 13  # of a track; of MPEG-TS, the only source of units
_PROGRAM_END = 1 << 16
_LISTINGS = LOWER | LOWER_HERE | ALONE
_TIME_END = 253_402_300_800_000_000  # the year 10000
_NAMES = {name.encode(): name for name in SET_NAMES}


class Unpacker:
    """Takes octets in pieces of any size and returns packets; raises MalformedMessage at the first invalid message.

    limit   maximum bytes of a KLV packet's value
    most    maximum octets of a packet message

    Memory: one message. `status`, `position` and `end` hold the latest ones received.
    """

    def __init__(self, limit: int = LIMIT, most: int = MOST) -> None:
        self._limit = limit
        self._most_of = {b"P": most, b"U": UNITS_MOST + limit + _ENTRY_MOST}
        self._most_of |= dict.fromkeys(_SMALL_KINDS, SMALL - HEAD.size)
        self.status: Status | None = None
        self.position: bytes | None = None
        self.end: End | None = None
        self._small = bytearray(SMALL)
        self._have = 0
        self._large: bytearray | None = None  # a message that does not fit into `_small`
        self._filled = 0
        self._kind = b""
        self._pids: set[int] = set()

    def buffer(self) -> memoryview:
        """The buffer for the next octets."""
        if self._large is not None:
            return memoryview(self._large)[self._filled :]
        return memoryview(self._small)[self._have :]

    def unpack(self, count: int) -> list[Packet | Units]:
        """This many octets were written to the buffer: returns the packets completed by them."""
        found: list[Packet | Units] = []
        if self._large is None:
            self._have += count
            self._parse(found)
            return found
        self._filled += count
        if self._filled == len(self._large):
            whole, self._large = self._large, None
            self._unpack_message(self._kind, memoryview(whole), found)
        return found

    def _parse(self, found: list[Packet | Units]) -> None:
        at, have, view = 0, self._have, memoryview(self._small)
        last_status = None
        while have - at >= HEAD.size and self.end is None:
            kind, size = HEAD.unpack_from(view, at)
            if size > self._most_of.get(kind, -1):
                raise MalformedMessage(f"a message of unknown kind or size ({size} octets)")
            begin, end = at + HEAD.size, at + HEAD.size + size
            if end > have:
                if end - at > len(view):
                    self._begin_large(kind, size, view[begin:have])
                    at = have
                break
            if kind == b"S":
                last_status = bytes(view[begin:end])  # of several statuses only the last counts, and is parsed
            else:
                self._unpack_message(kind, view[begin:end], found)
            at = end
        if last_status is not None:
            self.status = _unpack_status(last_status)
        if self.end is not None:  # anything after the end is ignored
            at = have
        view[: have - at] = view[at:have]
        self._have = have - at

    def _begin_large(self, kind: bytes, size: int, begun: memoryview) -> None:
        self._kind, self._large, self._filled = kind, bytearray(size), len(begun)
        self._large[: len(begun)] = begun

    def _unpack_message(self, kind: bytes, payload: memoryview, found: list[Packet | Units]) -> None:
        match kind:
            case b"P":
                found.append(self._packet(payload))
            case b"U":
                found.append(Units(list(_unpack_entries(payload, self._limit))))
            case b"M":
                self.position = bytes(payload)
            case _:
                self.end = _unpack_end(bytes(payload))

    def _packet(self, payload: memoryview) -> Packet:
        if len(payload) < PACKET.size:
            raise MalformedMessage("an incomplete packet")
        received_us, pts, pid, program, flags, listing = PACKET.unpack_from(payload)
        _check(received_us, pts, pid, program, listing)
        if flags & ~(KLV | DAMAGED):
            raise MalformedMessage("a packet of unknown carriage")
        if flags & KLV:
            self._pids.add(pid)
            if len(self._pids) > PIDS_MOST:
                raise MalformedMessage(f"more than {PIDS_MOST} KLV streams")
        data = payload[PACKET.size :]
        return Packet(
            data if len(payload) > SMALL else bytes(data),
            None if received_us < 0 else received_us,
            "klv" if flags & KLV else "ts",
            None if pts < 0 else pts,
            None if pid < 0 else pid,
            bool(flags & DAMAGED),
            None if program < 0 else program,
            listing,
        )


def _check(received_us: int, pts: int, pid: int, program: int, listing: int, pcr: int = -1) -> None:
    times = -1 <= received_us < _TIME_END and -1 <= pts < _PTS_END and -1 <= pcr < _PTS_END
    if not (times and -1 <= pid < _PID_END and -1 <= program < _PROGRAM_END and not listing & ~_LISTINGS):
        raise MalformedMessage("a time or a number out of range")


def _unpack_entries(payload: memoryview, limit: int) -> Iterator[Entry]:
    at = 0
    while at < len(payload):
        if len(payload) - at < ENTRY.size:
            raise MalformedMessage("an incomplete unit")
        size, pts, pid, received_us, pcr, program, checksum, transport, listing, named = ENTRY.unpack_from(payload, at)
        _check(received_us, pts, pid, program, listing, pcr)
        if pid >= _UNIT_PID_END:
            raise MalformedMessage("a PID out of range")
        at += ENTRY.size
        name = _NAMES.get(bytes(payload[at : at + named]))
        raw = bytes(payload[at + named : at + named + size])
        at += named + size
        if name is None or len(raw) != size or not _is_klv(raw, limit):
            raise MalformedMessage("a unit that is not a KLV packet")
        if checksum >= len(CHECKSUMS) or transport >= len(TRANSPORTS):
            raise MalformedMessage("a unit of unknown quality")
        yield (
            raw,
            None if pts < 0 else pts,
            None if pid < 0 else pid,
            name,
            CHECKSUMS[checksum],
            TRANSPORTS[transport],
            None if received_us < 0 else received_us,
            None if pcr < 0 else pcr,
            None if program < 0 else program,
            listing,
        )


def _is_klv(raw: bytes, limit: int) -> bool:
    """What every sink may rely on: a key and a length; the C core handles anything after them."""
    if not 16 < len(raw) <= limit + PACKET_HEAD:
        return False
    try:
        ber_length(raw[16:26])
    except DecodeError:
        return False
    return True


def _unpack_status(payload: bytes) -> Status:
    try:
        plain = orjson.loads(payload)
    except orjson.JSONDecodeError as fault:
        raise MalformedMessage("a status that is not JSON") from fault
    match plain:
        case {"live": bool(live), "fixed": bool(fixed), "dropped": int(dropped), "link": link, **more} if not more:
            return Status(live, fixed, _check_value(0, dropped), _rebuild(LinkStats, link))
    raise MalformedMessage("a status of another form")


def _rebuild(kind: type[T], plain: object) -> T:
    """Counts from JSON: the same names, and each value of the type that a new object has."""
    blank = kind()
    names = set(figures_of(kind))
    if not isinstance(plain, dict) or plain.keys() != names:
        raise MalformedMessage(f"no {kind.__name__}")
    return kind(**{name: _check_value(getattr(blank, name), plain[name]) for name in names})


def _check_value(blank: Any, value: Any) -> Any:
    if isinstance(blank, Counters):
        return _rebuild(Counters, value)
    if isinstance(blank, int) and type(value) is int and 0 <= value <= COUNT_MOST:
        return value
    if blank is None and value is None:
        return None
    if blank is None and type(value) in (int, float) and 0 <= value <= MEASURE_MOST:
        return float(value)  # sums of counts may arrive as integers
    raise MalformedMessage("an invalid count")


def _unpack_end(payload: bytes) -> End:
    letter, wait, text = payload[:1], payload[1:5], payload[5:]
    if payload == CLEAN:
        return End(None)
    if letter not in ENDS or not text:
        raise MalformedMessage("an end of unknown kind")
    shown = printable(text.decode("utf-8", "replace"))[:TEXT_MOST]
    if letter == b"D":
        return End(SourceDown(shown, wait=min(WAIT.unpack(wait)[0], WAIT_MOST)))
    return End(ENDS[letter](shown))
