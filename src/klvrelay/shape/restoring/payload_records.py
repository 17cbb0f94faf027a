"""The full records of one payload: zstd is decompressed, and compact records become KLV packets again."""

from __future__ import annotations

from klvrelay import core
from klvrelay.core import Checksum
from klvrelay.errors import DecodeError
from klvrelay.record import Record
from klvrelay.shape.encoding.compression import Decompressor
from klvrelay.shape.restoring.compact import CompactRecord, is_compact, read_compact
from klvrelay.shape.restoring.local_set import packet_of

PLAIN_MOST = 64 << 20
"""Maximum bytes after decompression."""


def payload_records(data: bytes, stream: str, dictionary: bytes | None) -> tuple[bytes, list[Record] | None]:
    """The data without compression, and its records if it is compact.

    Raises DecodeError for zstd that can't be read, and for partial records.
    """
    decompressor = Decompressor(PLAIN_MOST)
    if dictionary is not None:
        decompressor.learn(dictionary)
    plain = decompressor.plain(data)
    try:
        found = read_compact(plain) if is_compact(plain) else None
    except DecodeError:
        return plain, None  # other bytes may begin alike
    return plain, None if found is None else [_record(record, stream) for record in found]


def _record(record: CompactRecord, stream: str) -> Record:
    head = record.head
    if head is None:
        raise DecodeError(f"record {record.seq} is partial: klvrelay.Restorer restores it from the records before")
    raw = packet_of(head.key, record.codes) if record.packet is None else record.packet
    set_, checksum = _checked(raw)
    known = raw, set_, checksum, "ok", head.pts, head.pid, head.received_us
    return Record(*known, stream, head.boot, record.seq, None, head.program)  # type: ignore[arg-type]


def _checked(raw: bytes) -> tuple[str, Checksum]:
    """The set and the checksum of a packet."""
    whole = core.whole(raw, core.LIMIT_MOST)
    if whole is not None:
        return whole
    lane = core.Lane(ts=False, limit=core.LIMIT_MOST)
    found = lane.packets(raw)
    lane.cut()
    found += lane.packets(b"")
    if not found:
        raise DecodeError("a record whose packet is not KLV")
    return found[0][3], found[0][4]
