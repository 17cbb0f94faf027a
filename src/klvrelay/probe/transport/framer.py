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
WINDOW = 2048
"""Bytes in which packets are looked for first; then in four times as many, and so on."""

Rows = NDArray[np.uint8]


class Run(NamedTuple):
    """TS packets: where each begins in its block, and one row of 188 bytes each."""

    at: NDArray[np.intp]
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

    def cut(self, data: bytes | bytearray | memoryview, *, last: bool = False) -> tuple[bytes, Run | None]:
        """All bytes that are done with, in order, and the packets among them. `last`: no more will come."""
        block = self._held + bytes(data)
        runs: list[tuple[int, int, int]] = []
        at = 0
        while at < len(block):
            if not self._in_step and (at := self._search(block, at, last)) < 0:
                at = -at - 1
                break
            count = self._count(block, at)
            if count:
                runs.append((at, count, self.size))
                at += count * self.size
            if not self._lost(block, at):
                break
        if last:
            self.skipped += len(block) - at
            at = len(block)
        self._held = block[at:]
        return block[:at], _together(block, runs)

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

    def _lost(self, block: bytes, at: int) -> bool:
        """Is there a packet at `at`, and does it lack its sync byte?"""
        if len(block) - at < self.size:
            return False
        self._in_step = False
        self.losses += 1
        return True


def _together(block: bytes, runs: list[tuple[int, int, int]]) -> Run | None:
    """Packets without anything between them, (where, how many, of which size), as one: a loss of sync costs little."""
    if not runs:
        return None
    found = [_run(block, *run) for run in runs]
    if len(found) == 1:
        return found[0]
    return Run(np.concatenate([run.at for run in found]), np.concatenate([run.rows for run in found]))


def _run(block: bytes, at: int, count: int, size: int) -> Run:
    lead = _LEAD[size]
    rows = np.frombuffer(block, np.uint8, count * size, at).reshape(count, size)
    return Run(at + lead + size * np.arange(count), rows[:, lead : lead + TS])


def _geometry(block: bytes, at: int, beats: int) -> tuple[int, int]:
    """Where packets begin in block[at:], and their size; (how far that can be ruled out, 0) where none do."""
    data = np.frombuffer(block, np.uint8)
    sure = len(block) - beats * _SIZES[-1]  # the last place where it can be told of each size
    begin, window = at, WINDOW
    while begin < len(block):
        end = min(begin + window, len(block))
        places = begin + np.flatnonzero(data[begin:end] == SYNC)
        found = [(int(fits[0]), size) for size in _SIZES if len(fits := _in_step(data, places, at, size, beats))]
        first = min(found, key=lambda each: each[0], default=(len(block), 0))
        unsure = places[np.searchsorted(places, sure, "right") :][:1].tolist()
        if unsure and unsure[0] < first[0]:
            return max(at, unsure[0] - 4), 0
        if first[1]:
            return first[0] - _LEAD[first[1]], first[1]
        begin, window = end, 4 * window
    return max(at, len(block) - 4), 0


def _in_step(data: Rows, places: NDArray[np.intp], at: int, size: int, beats: int) -> NDArray[np.intp]:
    """Those of some sync bytes that packets of this size may begin with."""
    places = places[(places - _LEAD[size] >= at) & (places + (beats - 1) * size + TS <= len(data))]
    for beat in range(1, beats):
        places = places[data[places + beat * size] == SYNC]
    return places
