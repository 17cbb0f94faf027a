"""The file of one cursor: which positions of the log its sink has still to answer for.

    file    slot at 0, slot at 4096; each save writes the other one, so that a torn write leaves the older one

    slot     0    8  "KLVCURSR"
             8    8  generation: the higher one is valid
            16    2  number of ranges
            18    6  zeros
            24  480  ranges: first position, end (64 bits each); the last end is 2^64 - 1
           504    4  zeros
           508    4  CRC-32 of the spool's id and the 508 bytes before

All numbers are little-endian. The file has its full size from the start, so a full disk does not prevent a save.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import NamedTuple
from zlib import crc32

from klvrelay.spool.disk.files import File, Folder

MAGIC = b"KLVCURSR"
SUFFIX = ".cursor"
OPEN_END = (1 << 64) - 1
"""End of the last range: positions that are not written yet."""
MOST_RANGES = 30

_HEAD = struct.Struct("<8sQH6x")
_RANGE = struct.Struct("<QQ")
_SLOT, _SIZE = 4096, 512
_BODY = _SIZE - 4

Ranges = Sequence[tuple[int, int]]
"""First position and end of each range, ascending."""


class CursorFile:
    """The unanswered positions of one sink. `ranges` is None if none are stored, or both slots are damaged.

    All methods raise OSError.
    """

    def __init__(self, folder: Folder, sink: str, spool: bytes) -> None:
        name = sink + SUFFIX
        self._seed = crc32(spool)
        exists = name in folder.names()
        self._file: File = folder.open(name, create=not exists)
        try:
            if self._file.size() < 2 * _SLOT:
                self._file.write(bytes(2 * _SLOT), 0)
                self._file.sync()
                folder.sync()
            slots = [self._load(at) for at in (0, _SLOT)]
        except OSError:
            self._file.close()
            raise
        self._generation, self.ranges = max(slots, key=lambda slot: slot[0])

    def _load(self, at: int) -> tuple[int, Ranges | None]:
        return _read_slot(self._file.read(_SIZE, at), self._seed)

    def save(self, ranges: Ranges) -> None:
        """Store the ranges, at most MOST_RANGES. They are durable after `sync`."""
        generation = self._generation + 1
        body = _HEAD.pack(MAGIC, generation, len(ranges)) + b"".join(_RANGE.pack(*bounds) for bounds in ranges)
        body = body.ljust(_BODY, b"\0")
        self._file.write(body + crc32(body, self._seed).to_bytes(4, "little"), generation % 2 * _SLOT)
        self._generation, self.ranges = generation, ranges

    def sync(self) -> None:
        self._file.sync()

    def close(self) -> None:
        self._file.close()


class StoredCursor(NamedTuple):
    """What the file of a cursor contains: `ranges` is None if both slots are damaged. `damaged`: offsets of slots."""

    ranges: Ranges | None
    damaged: list[int]


def read_cursor(file: File, spool: bytes) -> StoredCursor:
    """Read the file of a cursor without changing it. A blank slot is not damaged."""
    slots = {at: file.read(_SIZE, at) for at in (0, _SLOT)}
    found = {at: _read_slot(data, crc32(spool)) for at, data in slots.items()}
    damaged = [at for at, data in slots.items() if any(data) and not found[at][0]]
    return StoredCursor(max(found.values(), key=lambda slot: slot[0])[1], damaged)


def _read_slot(data: bytes, seed: int) -> tuple[int, Ranges | None]:
    """Generation and ranges of a slot; generation 0 if it is blank or damaged."""
    if len(data) < _SIZE or crc32(data[:_BODY], seed).to_bytes(4, "little") != data[_BODY:]:
        return 0, None
    magic, generation, count = _HEAD.unpack_from(data)
    if magic != MAGIC or not 1 <= count <= MOST_RANGES:
        return 0, None
    return generation, [_RANGE.unpack_from(data, _HEAD.size + at * _RANGE.size) for at in range(count)]
