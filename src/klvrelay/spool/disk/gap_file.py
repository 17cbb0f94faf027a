"""The file of the gaps that one sink has still to deliver, `{sink}.gaps`.

    file    two slots of equal size; each save writes the other one, so that a torn write leaves the older one

    slot     0    8  "KLVGAPS1"
             8    8  generation: the higher one is valid
            16    4  length of the gaps
            20    4  CRC-32 of the 20 bytes before, and of the gaps
            24       gaps: JSON, an array for each

All numbers are little-endian. The file has its full size from the start, so a full disk does not prevent a save. Only
gaps that need more room get a larger file.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from typing import cast
from zlib import crc32

from klvrelay.gap import Gap
from klvrelay.json_output import dumps
from klvrelay.outcome import Reason
from klvrelay.spool.disk.files import File, Folder
from klvrelay.spool.disk.missing import PlacedGap

SUFFIX = ".gaps"
SLOT = 1 << 16
"""Default size of a slot: room for 500 gaps."""

_MAGIC = b"KLVGAPS1"
_HEAD = struct.Struct("<8sQI")
_HEAD_SIZE = _HEAD.size + 4


class GapFile:
    """The gaps of one sink. All methods raise OSError."""

    def __init__(self, folder: Folder, sink: str) -> None:
        self._folder, self._name = folder, sink + SUFFIX
        self._file = folder.open(self._name, create=self._name not in folder.names())
        try:
            if self._file.size() < 2 * SLOT:
                _fill(self._file, SLOT)
                folder.sync()
            self._slot = self._file.size() // 2
            self._generation = max(generation for generation, _ in _slots(self._file))
        except OSError:
            self._file.close()
            raise

    def save(self, gaps: Sequence[PlacedGap]) -> None:
        """Replace the stored gaps; return once they are durable."""
        data = dumps([[position, *_fields(gap)] for position, gap in gaps])
        if _HEAD_SIZE + len(data) > self._slot:
            self._grow(2 * (_HEAD_SIZE + len(data)))
        generation = self._generation + 1
        head = _HEAD.pack(_MAGIC, generation, len(data))
        self._file.write(head + crc32(data, crc32(head)).to_bytes(4, "little") + data, generation % 2 * self._slot)
        self._file.sync()
        self._generation = generation

    def _grow(self, slot: int) -> None:
        """Continue in a file with larger slots, which contains the stored gaps."""
        new = self._name + ".new"
        file = self._folder.open(new, create=True)
        try:
            _fill(file, slot)
            file.write(self._file.read(self._slot, self._generation % 2 * self._slot), self._generation % 2 * slot)
            file.sync()
            self._folder.rename(new, self._name)
        except OSError:
            file.close()
            self._folder.remove(new)
            raise
        self._file.close()
        self._file, self._slot = file, slot
        self._folder.sync()

    def close(self) -> None:
        self._file.close()


def read_gaps(folder: Folder, sink: str) -> list[PlacedGap]:
    """The stored gaps; none if the file is absent, damaged or of another version. Raises OSError."""
    name = sink + SUFFIX
    if name not in folder.names():
        return []
    file = folder.open(name)
    try:
        _, data = max(_slots(file))
    finally:
        file.close()
    try:
        return [_placed(*fields) for fields in json.loads(data)]
    except (ValueError, TypeError):  # written by another version
        return []


def _fill(file: File, slot: int) -> None:
    file.reserve(2 * slot)  # on a full disk, each attempt would write all zeros that fit
    file.write(bytes(2 * slot), 0)
    file.sync()


def _slots(file: File) -> list[tuple[int, bytes]]:
    """Generation and gaps of each slot; generation 0 and no gaps if it is blank or damaged."""
    slot = file.size() // 2
    return [_read_slot(file.read(slot, at)) for at in (0, slot)]


def _read_slot(slot: bytes) -> tuple[int, bytes]:
    if len(slot) >= _HEAD_SIZE:
        magic, generation, size = _HEAD.unpack_from(slot)
        data = slot[_HEAD_SIZE : _HEAD_SIZE + size]
        crc = crc32(data, crc32(slot[: _HEAD.size])).to_bytes(4, "little")
        if magic == _MAGIC and crc == slot[_HEAD.size : _HEAD_SIZE]:
            return generation, data
    return 0, b"[]"


def _placed(
    position: object, stream: object, boot: object, first: object, last: object, reason: object, since_us: object
) -> PlacedGap:
    """Raises ValueError if a field has another type."""
    match position, stream, boot, first, last, reason, since_us:
        case int(), str(), str() | None, int(), int(), str(), int() | None:
            return PlacedGap(position, Gap(stream, boot, first, last, cast(Reason, reason), since_us))
    raise ValueError("not a gap")


def _fields(gap: Gap) -> list[object]:
    return [gap.stream, gap.boot, gap.first, gap.last, gap.reason, gap.since_us]
