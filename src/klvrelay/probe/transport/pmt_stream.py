"""A stream as its PMT declares it (ISO/IEC 13818-1, 2.4.4.8)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from klvrelay.probe.transport import codes
from klvrelay.probe.transport_report import Kind

DESCRIPTORS, REGISTRATIONS = 12, 8
"""Maximum number of descriptors and registrations described per stream."""


class PmtStream(NamedTuple):
    """A stream as declared in its PMT."""

    pid: int
    stream_type: int
    codec: str
    kind: Kind
    descriptors: tuple[str, ...]
    registration: tuple[str, ...]
    metadata_format: str | None
    metadata_std: bool


def streams_in(body: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Iterate over the streams of a PMT: stream type, PID, descriptors."""
    at = 4 + (int.from_bytes(body[2:4]) & 0x0FFF)
    while at + 5 <= len(body):
        size = int.from_bytes(body[at + 3 : at + 5]) & 0x0FFF
        yield body[at], int.from_bytes(body[at + 1 : at + 3]) & 0x1FFF, body[at + 5 : at + 5 + size]
        at += 5 + size


def parse_stream(stream_type: int, pid: int, info: bytes) -> PmtStream:
    found = list(_descriptors(info))
    registration = tuple(codes.identifier(body[:4]) for tag, body in found if tag == 0x05 and len(body) >= 4)
    formats = [codes.metadata_format(body) for tag, body in found if tag == 0x26]
    format_ = next(filter(None, formats), "?" if formats else None)
    codec, kind = codes.codec(stream_type, tuple(tag for tag, _ in found), registration, format_)
    words = [codes.descriptor(*each) for each in found[:DESCRIPTORS]]
    words += [f"and {len(found) - DESCRIPTORS} more"] if len(found) > DESCRIPTORS else []
    return PmtStream(
        pid, stream_type, codec, kind, tuple(words), registration[:REGISTRATIONS],
        format_, any(tag == 0x27 for tag, _ in found),
    )  # fmt: skip


def _descriptors(info: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + 2 <= len(info):
        yield info[at], info[at + 2 : at + 2 + info[at + 1]]
        at += 2 + info[at + 1]
