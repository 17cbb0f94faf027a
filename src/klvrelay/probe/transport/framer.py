"""Splits a byte stream into rows of TS packets (ISO/IEC 13818-1, 2.4.3)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

SYNC = 0x47
TS = 188

_SIZES = (188, 192, 204)
_LEAD = {188: 0, 192: 4, 204: 0}  # bytes before the sync byte: 192 is a time code (M2TS) and 188 bytes
_SYNC_PACKETS = 5
_SYNC_PACKETS_AT_END = 3
WINDOW = 2048
"""Size of the first search window in bytes; each further one is four times as large."""

Rows = NDArray[np.uint8]


class Run(NamedTuple):
    """TS packets: offset of each in its block, and one row of 188 bytes each."""

    at: NDArray[np.intp]
    rows: Rows


class Framer:
    """Finds TS packets of 188, 192 or 204 bytes.

    size      packet size including extra bytes; 0 before the first packet
    losses    number of times the next packet was not at its expected position
    skipped   bytes that belong to no packet
    """

    def __init__(self) -> None:
        self.size = 0
        self.losses = 0
        self.skipped = 0
        self._held = b""
        self._in_step = False

    def split(self, data: bytes | bytearray | memoryview, *, last: bool = False) -> tuple[bytes, Run | None]:
        """Return all bytes that are complete, in order, and the packets among them. `last`: no more data follows."""
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
        return block[:at], _join_runs(block, runs)

    def _search(self, block: bytes, at: int, last: bool) -> int:
        """Offset where packets resume; if there is none, -1 - (offset up to which that is certain)."""
        begin, size = _geometry(block, at, _SYNC_PACKETS)
        if not size and last:
            begin, size = _geometry(block, at, 1 if self.size else _SYNC_PACKETS_AT_END)
        self.skipped += begin - at
        if not size:
            return -1 - begin
        self.size, self._in_step = size, True
        return begin

    def _count(self, block: bytes, at: int) -> int:
        """Number of complete packets from `at` up to the first that lacks its sync byte."""
        count = (len(block) - at) // self.size
        if not count:
            return 0
        syncs = np.frombuffer(block, np.uint8, offset=at)[_LEAD[self.size] :: self.size][:count]
        wrong = np.flatnonzero(syncs != SYNC)
        return int(wrong[0]) if len(wrong) else count

    def _lost(self, block: bytes, at: int) -> bool:
        """Whether there is a packet at `at` that lacks its sync byte."""
        if len(block) - at < self.size:
            return False
        self._in_step = False
        self.losses += 1
        return True


def _join_runs(block: bytes, runs: list[tuple[int, int, int]]) -> Run | None:
    """Join adjacent runs (offset, count, size) into one, so that a loss of sync is cheap."""
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


def _geometry(block: bytes, at: int, packets: int) -> tuple[int, int]:
    """Offset of the first packet in block[at:] and the packet size; (offset searched, 0) if there is none."""
    data = np.frombuffer(block, np.uint8)
    certain = len(block) - packets * _SIZES[-1]  # the last offset at which every size can be tested
    begin, window = at, WINDOW
    while begin < len(block):
        end = min(begin + window, len(block))
        places = begin + np.flatnonzero(data[begin:end] == SYNC)
        found = [(int(fits[0]), size) for size in _SIZES if len(fits := _in_step(data, places, at, size, packets))]
        first = min(found, key=lambda each: each[0], default=(len(block), 0))
        uncertain = places[np.searchsorted(places, certain, "right") :][:1].tolist()
        if uncertain and uncertain[0] < first[0]:
            return max(at, uncertain[0] - 4), 0
        if first[1]:
            return first[0] - _LEAD[first[1]], first[1]
        begin, window = end, 4 * window
    return max(at, len(block) - 4), 0


def _in_step(data: Rows, places: NDArray[np.intp], at: int, size: int, packets: int) -> NDArray[np.intp]:
    """The sync bytes that packets of this size may start with."""
    places = places[(places - _LEAD[size] >= at) & (places + (packets - 1) * size + TS <= len(data))]
    for number in range(1, packets):
        places = places[data[places + number * size] == SYNC]
    return places
