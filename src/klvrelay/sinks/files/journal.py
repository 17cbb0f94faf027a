"""Records on their way to a file: they survive the end of the process, and of the machine once they are synced.

    0  4  bytes that follow the checksum
    4  4  CRC-32 of these
    8  2  bytes of the head
   10  n  head: a JSON array with the fields of the record but `raw`
       m  the packet

All numbers are little-endian. What follows the first frame that is not whole is not read.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import BinaryIO
from zlib import crc32

import orjson

from klvrelay.json_output import dumps
from klvrelay.record import Record

_FRAME = struct.Struct("<II")
_HEAD = struct.Struct("<H")
FRAME_MOST = 64 << 20
"""Bytes of a frame; a larger number is damage."""


def frame_of(record: Record) -> bytes:
    """The frame of a record."""
    head = dumps(record[1:])
    body = _HEAD.pack(len(head)) + head + record.raw
    return _FRAME.pack(len(body), crc32(body)) + body


def records_in(file: BinaryIO) -> Iterator[Record]:
    """The records up to the first frame that is not whole. Raises OSError."""
    while len(begin := file.read(_FRAME.size)) == _FRAME.size:
        size, checksum = _FRAME.unpack(begin)
        if not _HEAD.size < size <= FRAME_MOST:
            return
        body = file.read(size)
        if len(body) < size or crc32(body) != checksum:
            return
        yield _record(body)


def _record(body: bytes) -> Record:
    (size,) = _HEAD.unpack_from(body)
    end = _HEAD.size + size
    return Record(body[end:], *orjson.loads(body[_HEAD.size : end]))
