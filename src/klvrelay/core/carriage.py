"""Detects from the first bytes whether a stream is MPEG-TS or bare KLV."""

from __future__ import annotations

from typing import Literal

Carriage = Literal["ts", "klv"]

SNIFFED = 256 << 10
"""Bytes, not counting zeros, that are examined to distinguish MPEG-TS from KLV."""
HOLE = 4096
"""Run of 00 or FF bytes that is ignored: a hole in a file, or space that is not written yet."""

_CHUNK = 64 << 10
_BLANK = bytes(_CHUNK), b"\xff" * _CHUNK
_HOLES = bytes(HOLE), b"\xff" * HOLE

KEY = b"\x06\x0e\x2b\x34"
"""First bytes of every KLV key (SMPTE ST 336)."""


def blank_before(data: bytes | bytearray | memoryview) -> int:
    """Number of leading 00 or FF bytes."""
    for at in range(0, len(data), _CHUNK):
        chunk = bytes(data[at : at + _CHUNK])
        if chunk not in _BLANK and (rest := chunk.lstrip(b"\0\xff")):
            return at + len(chunk) - len(rest)
    return len(data)


def blank_behind(data: bytes) -> int:
    """Number of trailing 00 or FF bytes."""
    for end in range(len(data), 0, -HOLE):
        begin = max(0, end - HOLE)
        chunk = data[begin:end]
        if chunk not in _HOLES and (rest := chunk.rstrip(b"\0\xff")):
            return len(data) - begin - len(rest)
    return len(data)


def carriage_of(data: bytes | bytearray | memoryview) -> Carriage | None:
    """The format of a file or stream by its first bytes: "ts", "klv", or None for neither.

    MPEG-TS has a sync byte every 188 (192, 204) bytes; KLV begins with a 16-byte key, 06 0E 2B 34 .... Either may be
    preceded by other data within the first 256 KiB, and by any number of 00 or FF bytes.
    """
    view, at, junk = memoryview(data), 0, 0
    if bytes(view[:4]) == KEY:
        return "klv"
    if bytes(view[: 5 * 188 : 188]) == b"GGGGG":
        return "ts"
    while junk < SNIFFED:
        at += blank_before(view[at:])
        window = bytes(view[at : at + SNIFFED - junk])
        if (found := _carriage_in(window)) is not None:
            return found
        hole = max(window.find(hole) for hole in _HOLES)
        if hole < 0:
            return None
        at += hole
        junk += hole + HOLE  # bounds the time for any sequence of holes
    return None


def _carriage_in(head: bytes) -> Carriage | None:
    if head.startswith(KEY):
        return "klv"
    if any(_are_sync_bytes(head[at::stride]) for stride in (188, 192, 204) for at in range(min(stride, len(head)))):
        return "ts"
    return "klv" if KEY in head else None


def _are_sync_bytes(column: bytes) -> bool:
    """Are these sync bytes of TS packets? Five in a row suffice; of fewer, three quarters, including the first."""
    if b"GGGGG" in column:
        return True
    return column[:1] == b"G" and len(column) > 1 and 4 * column[:8].count(b"G") >= 3 * len(column[:8])
