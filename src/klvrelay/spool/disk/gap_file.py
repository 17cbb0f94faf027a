"""The file of the gaps that one sink has still to deliver, `{sink}.gaps`: a CRC-32, and a JSON array for each gap."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import cast
from zlib import crc32

from klvrelay.gap import Gap
from klvrelay.json_output import dumps
from klvrelay.outcome import Reason
from klvrelay.spool.disk.files import Folder
from klvrelay.spool.disk.missing import PlacedGap

SUFFIX = ".gaps"
_CRC_SIZE = 9


def read_gaps(folder: Folder, sink: str) -> list[PlacedGap]:
    """The stored gaps; none if the file is absent, damaged or of another version. Raises OSError."""
    name = sink + SUFFIX
    if name not in folder.names():
        return []
    file = folder.open(name)
    try:
        data = file.read(file.size(), 0)
    finally:
        file.close()
    if data[:_CRC_SIZE] != _crc(data[_CRC_SIZE:]):
        return []
    try:
        return [_placed(*fields) for fields in json.loads(data[_CRC_SIZE:])]
    except (ValueError, TypeError):  # written by another version
        return []


def _placed(
    position: object, stream: object, boot: object, first: object, last: object, reason: object, since_us: object
) -> PlacedGap:
    """Raises ValueError if a field has another type."""
    match position, stream, boot, first, last, reason, since_us:
        case int(), str(), str() | None, int(), int(), str(), int() | None:
            return PlacedGap(position, Gap(stream, boot, first, last, cast(Reason, reason), since_us))
    raise ValueError("not a gap")


def write_gaps(folder: Folder, sink: str, gaps: Sequence[PlacedGap]) -> None:
    """Replace the stored gaps. Raises OSError."""
    data = dumps([[position, *_fields(gap)] for position, gap in gaps])
    new = sink + SUFFIX + ".new"
    file = folder.open(new, create=True)
    try:
        file.write(_crc(data) + data, 0)
        file.sync()
    finally:
        file.close()
    folder.rename(new, sink + SUFFIX)
    folder.sync()


def _fields(gap: Gap) -> list[object]:
    return [gap.stream, gap.boot, gap.first, gap.last, gap.reason, gap.since_us]


def _crc(data: bytes) -> bytes:
    return b"%08x\n" % crc32(data)
