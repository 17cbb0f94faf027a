"""Counts the packets of each PID, one block at a time (ISO/IEC 13818-1, 2.4.3)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from klvrelay.probe.transport.framer import Rows

PIDS = 8192
NULL = 0x1FFF

_Counts = NDArray[np.int64]


class PidCounts:
    """Packets, continuity errors and flags of all PIDs.

    gaps         continuity errors: the counter did not increase by one and no discontinuity was signalled
    lost         lower bound of the packets missing there (the counter is modulo 16)
    duplicates   packets with the counter of the previous one
    """

    def __init__(self) -> None:
        self.packets, self.starts, self.errors, self.scrambled, self.gaps, self.lost, self.duplicates = (
            np.zeros(PIDS, np.int64) for _ in range(7)
        )
        self._last = np.full(PIDS, -1, np.int16)

    def take(self, rows: Rows, pids: NDArray[np.intp]) -> None:
        self.packets += _tally(pids)
        broken = rows[:, 1] & 0x80 != 0
        self.errors += _tally(pids[broken])
        self.starts += _tally(pids[(rows[:, 1] & 0x40 != 0) & ~broken])
        self.scrambled += _tally(pids[(rows[:, 3] & 0x80 != 0) & ~broken])
        # Null packets have no counter, and packets without payload do not increment it.
        counted = np.flatnonzero((rows[:, 3] & 0x10 != 0) & ~broken & (pids != NULL))
        if len(counted):
            self._continuity(rows[counted], pids[counted])

    def _continuity(self, rows: Rows, pids: NDArray[np.intp]) -> None:
        order = np.argsort(pids, kind="stable")
        pids, rows = pids[order], rows[order, :6]
        counter = (rows[:, 3] & 0x0F).astype(np.int16)
        before = np.empty_like(counter)
        before[1:] = counter[:-1]
        first = np.ones(len(pids), bool)
        first[1:] = pids[1:] != pids[:-1]
        before[first] = self._last[pids[first]]
        self._last[pids] = counter  # numpy keeps the last of equal indices
        announced = (rows[:, 3] & 0x20 != 0) & (rows[:, 4] > 0) & (rows[:, 5] & 0x80 != 0)
        step = np.where((before < 0) | announced, 1, (counter - before) & 15)
        self.duplicates += _tally(pids[step == 0])
        gap = step > 1
        if gap.any():
            self.gaps += _tally(pids[gap])
            self.lost += np.bincount(pids[gap], weights=step[gap] - 1, minlength=PIDS).astype(np.int64)


class Groups:
    """Positions of each PID's packets in a block."""

    def __init__(self, pids: NDArray[np.intp]) -> None:
        self._order = np.argsort(pids, kind="stable")
        self._pids = pids[self._order]

    def of(self, pid: int) -> NDArray[np.intp]:
        """Positions of one PID, in order."""
        begin, end = np.searchsorted(self._pids, (pid, pid + 1))
        return self._order[begin:end]

    def __iter__(self) -> Iterator[tuple[int, NDArray[np.intp]]]:
        pids, begins = np.unique(self._pids, return_index=True)
        return zip(pids.tolist(), np.split(self._order, begins[1:]), strict=True)


def pids_of(rows: Rows) -> NDArray[np.intp]:
    """The PID of each packet."""
    return (rows[:, 1].astype(np.intp) & 0x1F) << 8 | rows[:, 2]


def _tally(pids: NDArray[np.intp]) -> _Counts:
    return np.bincount(pids, minlength=PIDS)
