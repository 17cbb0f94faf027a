"""How much of a file of JSON Lines or KLV packets is whole."""

from __future__ import annotations

import os
from typing import BinaryIO

PIECE = 1 << 16
KEY = b"\x06\x0e\x2b\x34"
_HEAD_MOST = 16 + 9
"""Bytes of a universal key and the longest length (SMPTE ST 336)."""


def whole_size(path: str, suffix: str) -> int:
    """Bytes up to the end of the last whole line or packet. Raises OSError."""
    with open(path, "rb") as file:
        return _whole_lines(file) if suffix == ".jsonl" else _whole_packets(file)


def _whole_lines(file: BinaryIO) -> int:
    end = file.seek(0, os.SEEK_END)
    while end:
        begin = max(0, end - PIECE)
        file.seek(begin)
        found = file.read(end - begin).rfind(b"\n")
        if found >= 0:
            return begin + found + 1
        end = begin
    return 0


def _whole_packets(file: BinaryIO) -> int:
    size, at = os.fstat(file.fileno()).st_size, 0
    while at < size:
        file.seek(at)
        length = _packet_size(file.read(_HEAD_MOST))
        if length is None or length > size - at:
            break
        at += length
    return at


def _packet_size(head: bytes) -> int | None:
    """Bytes of a packet: universal key, length in BER, value. None if no packet begins here."""
    if head[:4] != KEY or len(head) < 17:
        return None
    first = head[16]
    if first < 0x80:
        return 17 + first
    count = first & 0x7F
    if not 1 <= count <= 8 or len(head) < 17 + count:
        return None
    return 17 + count + int.from_bytes(head[17 : 17 + count], "big")
