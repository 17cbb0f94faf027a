"""Bytes in any cut to rows of TS packets (ISO/IEC 13818-1, 2.4.3); next door, `survey.py` reads the rows."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

SYNC = 0x47
TS = 188

_SIZES = (188, 192, 204)
_LEAD = {188: 0, 192: 4, 204: 0}  # what stands before the sync byte: 192 is 188 behind a time code (M2TS)
_BEATS = 5
_BEATS_AT_END = 3

Rows = NDArray[np.uint8]


class Run(NamedTuple):
    """TS packets without anything between them: where the first begins in its block, and one row of 188 bytes each."""

    at: int
    stride: int
    rows: Rows


class Framer:
    """Finds TS packets of 188, 192 or 204 bytes.

    size      of the packets with what is around them; 0 before any was found
    losses    how often the next packet was not where it should be
    skipped   bytes that belong to no packet
    """

    def __init__(self) -> None:
        self.size = 0
        self.losses = 0
        self.skipped = 0
        self._held = b""
        self._in_step = False

    def cut(self, data: bytes | bytearray | memoryview, *, last: bool = False) -> tuple[bytes, list[Run]]:
        """All bytes that are done with, in order, and the packets among them. `last`: no more will come."""
        block = self._held + bytes(data)
        runs: list[Run] = []
        at = 0
        while at < len(block):
            if not self._in_step and (at := self._search(block, at, last)) < 0:
                at = -at - 1
                break
            count = self._count(block, at)
            if count:
                runs.append(self._run(block, at, count))
                at += count * self.size
            if not self._lost(block, at):
                break
        if last:
            self.skipped += len(block) - at
            at = len(block)
        self._held = block[at:]
        return block[:at], runs

    def _search(self, block: bytes, at: int, last: bool) -> int:
        """Where packets begin again; where they do not, -1 - how far that can be ruled out."""
        begin, size = _geometry(block, at, _BEATS)
        if not size and last:
            begin, size = _geometry(block, at, 1 if self.size else _BEATS_AT_END)
        self.skipped += begin - at
        if not size:
            return -1 - begin
        self.size, self._in_step = size, True
        return begin

    def _count(self, block: bytes, at: int) -> int:
        """Whole packets from `at` on before the first without its sync byte."""
        count = (len(block) - at) // self.size
        if not count:
            return 0
        syncs = np.frombuffer(block, np.uint8, offset=at)[_LEAD[self.size] :: self.size][:count]
        wrong = np.flatnonzero(syncs != SYNC)
        return int(wrong[0]) if len(wrong) else count

    def _run(self, block: bytes, at: int, count: int) -> Run:
        rows = np.frombuffer(block, np.uint8, count * self.size, at).reshape(count, self.size)
        lead = _LEAD[self.size]
        return Run(at + lead, self.size, rows[:, lead : lead + TS])

    def _lost(self, block: bytes, at: int) -> bool:
        """Is there a packet at `at`, and does it lack its sync byte?"""
        if len(block) - at < self.size:
            return False
        self._in_step = False
        self.losses += 1
        return True


def _geometry(block: bytes, at: int, beats: int) -> tuple[int, int]:
    """Where packets begin in block[at:], and their size; (how far that can be ruled out, 0) where none do."""
    while (sync := block.find(SYNC, at)) >= 0:
        for size in _SIZES:
            begin = sync - _LEAD[size]
            end = sync + (beats - 1) * size + TS
            if begin >= at and end <= len(block) and block[sync:end:size].count(SYNC) == beats:
                return begin, size
        if sync + beats * _SIZES[-1] > len(block):
            return max(at, sync - 4), 0
        at = sync + 1
    return max(at, len(block) - 4), 0
