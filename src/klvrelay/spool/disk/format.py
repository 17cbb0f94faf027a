"""Bytes of the spool: the header of a segment, its entries, and the record within an entry.

    segment     header, entries, zeros (or entries of an earlier use of the file) up to its fixed size

    header      0  8  "KLVSPOOL"
                8  2  version
               10  6  zeros
               16 16  id of the spool
               32  8  position of its first entry
               40  8  wall-clock time of its creation, microseconds since 1970
               48 12  zeros
               60  4  CRC-32 of the 60 bytes before

    entry       0  4  mark: the first bytes of the spool's id, to find the next entry behind damaged bytes
                4  4  length of the payload
                8  4  CRC-32 of the spool's id, length, skipped, position and payload
               12  4  skipped: how many positions directly before this one were never written
               16  8  position in the log, ascending
               24  n  payload: one record

    record      0  1  which of the optional values are present (bits 0 to 5: received, pts, pcr, pid, program, boot)
                1  1  checksum
                2  1  transport
                3  1  length of the set's name
                4  2  length of the stream's name
                6  1  length of the boot id
                7  1  zero
                8  8  seq
               16  8  received_us, signed
               24  8  pts
               32  8  pcr
               40  4  pid
               44  4  program
               48     set, stream, boot (UTF-8), raw

All numbers are little-endian. An entry of an earlier use of the file has a lower position than the segment's first, so
it is not mistaken for a new one. The id is random: a packet cannot contain bytes that pass for an entry.
"""

from __future__ import annotations

import os
import struct
from collections import deque
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple
from zlib import crc32

from klvrelay.core import Checksum, Transport
from klvrelay.record import Record

VERSION = 1
MAGIC = b"KLVSPOOL"
MARK_SIZE, ID_SIZE = 4, 16

_HEADER = struct.Struct("<8sH6x16sQq12x")
HEADER_SIZE = _HEADER.size + 4
_ENTRY = struct.Struct("<4sIIIQ")
ENTRY_SIZE = _ENTRY.size
_PLACE = struct.Struct("<IIQ")
_RECORD = struct.Struct("<BBBBHBxQqQQII")

_CHECKSUMS: tuple[Checksum, ...] = ("ok", "bad", "absent", "partial")
_TRANSPORTS: tuple[Transport, ...] = ("ok", "damaged")
_CHECKSUM_CODES = {name: code for code, name in enumerate(_CHECKSUMS)}
_TRANSPORT_CODES = {name: code for code, name in enumerate(_TRANSPORTS)}


def new_id() -> bytes:
    """A random id for a new spool; its mark is not zeros, which fill unused segments."""
    while not any((spool := os.urandom(ID_SIZE))[:MARK_SIZE]):
        pass
    return spool


class Header(NamedTuple):
    """The header of a segment: id of the spool, position of its first entry, microseconds since 1970."""

    spool: bytes
    first: int
    created_us: int

    def pack(self) -> bytes:
        data = _HEADER.pack(MAGIC, VERSION, *self)
        return data + crc32(data).to_bytes(4, "little")


def read_header(data: bytes) -> Header | None:
    """The header at the start of `data`; None if it is absent, damaged or of another version."""
    if len(data) < HEADER_SIZE or crc32(data[: _HEADER.size]).to_bytes(4, "little") != data[_HEADER.size : HEADER_SIZE]:
        return None
    magic, version, *fields = _HEADER.unpack_from(data)
    return Header(*fields) if (magic, version) == (MAGIC, VERSION) else None


class Entry(NamedTuple):
    """An entry of a segment: its position in the log, and its bytes from `start` to `end`; the payload comes last."""

    position: int
    skipped: int
    start: int
    end: int


class Codec:
    """Packs and finds the entries of one spool."""

    def __init__(self, spool: bytes) -> None:
        self.spool = spool
        self._mark = spool[:MARK_SIZE]
        self._seed = crc32(spool)

    def pack(self, position: int, payload: bytes, skipped: int = 0) -> bytes:
        length = len(payload)
        checksum = crc32(payload, crc32(_PLACE.pack(length, skipped, position), self._seed))
        return _ENTRY.pack(self._mark, length, checksum, skipped, position) + payload

    def scan(self, data: bytes, start: int, first: int) -> Iterator[Entry]:
        """The valid entries of a segment from `start` on, in order, whose position is at least `first`.

        After damaged bytes the scan continues with the next valid entry.
        """
        at, least = start, first
        while (entry := self._entry(data, at, least) or self._next(data, at + 1, least)) is not None:
            yield entry
            at, least = entry.end, entry.position + 1

    def last(self, data: bytes, start: int, first: int) -> Entry | None:
        """The last entry that `scan` yields, in a third of the time."""
        end, at, least = start, -1, first
        while end + ENTRY_SIZE <= len(data):
            mark, length, _, _, position = _ENTRY.unpack_from(data, end)
            if mark != self._mark or position < least or end + ENTRY_SIZE + length > len(data):
                break
            at, end, least = end, end + ENTRY_SIZE + length, position + 1
        found = self._entry(data, at, first) if at >= 0 else None
        if (at >= 0 and found is None) or self._next(data, end, least) is not None:  # damaged or torn
            return next(iter(deque(self.scan(data, start, first), maxlen=1)), None)
        return found

    def is_broken_at(self, data: bytes, at: int, least: int) -> bool:
        """Is there an entry at this position that only one wrong field makes invalid, or that was not written whole?

        `data` has no valid entry from here on whose position is at least `least`. An entry of an earlier use of the
        file is whole, and nothing else in its place has the mark.
        """
        if at + ENTRY_SIZE > len(data):
            return False
        mark, length, checksum, skipped, position = _ENTRY.unpack_from(data, at)
        payload = memoryview(data)[at + ENTRY_SIZE : at + ENTRY_SIZE + length]
        valid = len(payload) == length and checksum == crc32(
            payload, crc32(_PLACE.pack(length, skipped, position), self._seed)
        )
        return (not valid) if mark == self._mark else (valid and position >= least)

    def _entry(self, data: bytes, at: int, least: int) -> Entry | None:
        """The entry at this position; None if it is not valid."""
        if at + ENTRY_SIZE > len(data):
            return None
        mark, length, checksum, skipped, position = _ENTRY.unpack_from(data, at)
        end = at + ENTRY_SIZE + length
        if mark != self._mark or position < least or end > len(data):
            return None
        payload = memoryview(data)[at + ENTRY_SIZE : end]
        if checksum != crc32(payload, crc32(_PLACE.pack(length, skipped, position), self._seed)):
            return None
        return Entry(position, skipped, at, end)

    def _next(self, data: bytes, at: int, least: int) -> Entry | None:
        """The first valid entry at or behind this position."""
        while (at := data.find(self._mark, at)) >= 0:
            if (entry := self._entry(data, at, least)) is not None:
                return entry
            at += 1
        return None


def pack_record(record: Record) -> bytes:
    """The payload of an entry. Raises ValueError for a record that does not fit its fields."""
    set_name, stream = record.set.encode(), record.stream.encode()
    boot = record.boot.encode() if record.boot is not None else b""
    received, pts, pcr, pid, program = record.received_us, record.pts, record.pcr, record.pid, record.program
    present = (
        (received is not None)
        | (pts is not None) << 1
        | (pcr is not None) << 2
        | (pid is not None) << 3
        | (program is not None) << 4
        | (record.boot is not None) << 5
    )
    try:
        head = _RECORD.pack(
            present, _CHECKSUM_CODES[record.checksum], _TRANSPORT_CODES[record.transport], len(set_name), len(stream),
            len(boot), record.seq, received or 0, pts or 0, pcr or 0, pid or 0, program or 0,
        )  # fmt: skip
    except struct.error as fault:
        raise ValueError(f"a record that the spool cannot hold: {fault}") from None
    return b"".join((head, set_name, stream, boot, record.raw))


def unpack_record(payload: bytes) -> Record:
    """The record of an entry; `payload` has passed its checksum."""
    (
        present, checksum, transport, set_size, stream_size, boot_size, seq, received, pts, pcr, pid, program,
    ) = _RECORD.unpack_from(payload)  # fmt: skip
    stream_at = _RECORD.size + set_size
    boot_at = stream_at + stream_size
    raw_at = boot_at + boot_size
    return Record(
        payload[raw_at:],
        _text(payload[_RECORD.size : stream_at]),
        _CHECKSUMS[checksum],
        _TRANSPORTS[transport],
        pts if present & 2 else None,
        pid if present & 8 else None,
        received if present & 1 else None,
        _text(payload[stream_at:boot_at]),
        _text(payload[boot_at:raw_at]) if present & 32 else None,
        seq,
        pcr if present & 4 else None,
        program if present & 16 else None,
    )


class RecordHead(NamedTuple):
    """What identifies a record. The names are UTF-8."""

    stream: bytes
    boot: bytes | None
    seq: int
    received_us: int | None


def read_head(data: bytes, at: int) -> RecordHead:
    """The head of the record whose payload begins at this position; the payload has passed its checksum."""
    present, _, _, set_size, stream_size, boot_size, seq, received, *_ = _RECORD.unpack_from(data, at)
    stream_at = at + _RECORD.size + set_size
    boot_at = stream_at + stream_size
    boot = data[boot_at : boot_at + boot_size] if present & 32 else None
    return RecordHead(data[stream_at:boot_at], boot, seq, received if present & 1 else None)


@lru_cache(maxsize=256)
def _text(data: bytes) -> str:
    """Names repeat in every record: one object each."""
    return data.decode()
