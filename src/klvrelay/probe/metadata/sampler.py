"""Records out of a source's bytes: all of them, or of a stream of more than anything sends some, and the others counted.

A record is an object of Python only where it is looked into.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from klvrelay import wire
from klvrelay.elementary import TOGETHER
from klvrelay.klv import Decoder
from klvrelay.probe.allowance import Allowance
from klvrelay.record import Carriage

RECORDS = 16_384, 2048
"""Records that are looked into, however many come."""
FIRST = 256
"""Of each set and PID, that are looked into in any case."""
WEIGHT = 1024
"""Bytes of a record that are as dear as having one more."""
FEW = 8
KEY = 16

_ENTRY = np.dtype(
    [("at", "u4"), ("size", "u4"), ("pts", "i8"), ("received", "i8"), ("pcr", "i8"), ("pid", "i4"), ("program", "i4"),
     ("set", "u1"), ("checksum", "u1"), ("damaged", "u1"), ("listing", "u1"), ("", "V4")]
)  # fmt: skip
_UNKNOWN = wire.SET_NAMES.index("unknown")


class Passed(NamedTuple):
    """Records that are counted only: their key where no table has their set, and how they came."""

    pid: int | None
    set: str
    key: bytes
    checksum: wire.Checksum
    damaged: bool


class Sampler(Decoder):
    """The decoder of a probe; `passed` is told what is not among the records that it gives."""

    def __init__(self, stream: str, packet_limit: int, passed: Callable[[Passed, int], None]) -> None:
        super().__init__(stream, None, choice=TOGETHER, packet_limit=packet_limit)
        self._passed = passed
        self._allowance = Allowance(*RECORDS)
        self._seen: Counter[tuple[int, int]] = Counter()
        self.is_ending = False

    def came(self, size: int) -> None:
        """So many bytes of the source."""
        self._allowance.passed(size)

    def _lane(self, carriage: Carriage, pid: int | None) -> wire.Lane:
        key = -2 if carriage == "ts" else pid
        lane = self._lanes.get(key)
        if lane is None:
            lane = self._lanes[key] = _Lane(self, carriage == "ts", self._limit)
        return lane

    def chosen(self, pool: Any, entries: Any, count: int) -> list[wire.Entry]:
        """Those of a batch that are looked into."""
        if count <= FEW or self._allowance.left > 2 * count or self.is_ending:
            return [entry for entry in wire.entries_of(pool, entries, count) if self._takes(entry)]
        rows = np.frombuffer(wire.ffi.buffer(entries, count * _ENTRY.itemsize), _ENTRY)
        takes = np.zeros(count, bool)
        kinds = rows["pid"].astype(np.int64) << 8 | rows["set"]
        groups, members = np.unique(kinds, return_inverse=True)
        for number, kind in enumerate(groups.tolist()):
            mine = np.flatnonzero(members == number)
            seen = self._seen[kind >> 8, kind & 255]
            most = max(FIRST - seen, self._allowance.left // len(groups), 1)
            takes[mine[:: -(-len(mine) // most)]] = True
            self._seen[kind >> 8, kind & 255] += len(mine)
        self._allowance.take(float(takes.sum() + rows["size"][takes].sum() / WEIGHT))
        self._count(pool, rows[~takes])
        return wire.entries_of(pool, wire.ffi.from_buffer("struct klv_entry[]", rows[takes].tobytes()), int(takes.sum()))

    def _takes(self, entry: wire.Entry) -> bool:
        """Is this one looked into? What is not is counted."""
        raw, _, pid, set_, checksum, transport, *_ = entry
        kind = -1 if pid is None else pid, _CODES[set_]
        self._seen[kind] += 1
        if self._allowance.take(1 + len(raw) / WEIGHT) or self.is_ending or self._seen[kind] <= FIRST:
            return True
        self._passed(Passed(pid, set_, raw[:KEY] if set_ == "unknown" else b"", checksum, transport != "ok"), 1)
        return False

    def _count(self, pool: Any, rows: NDArray[Any]) -> None:
        kinds: Counter[tuple[int, int, bytes, int, int]] = Counter()
        unknown = rows[rows["set"] == _UNKNOWN]
        for at, pid, checksum, damaged in zip(*(unknown[name].tolist() for name in _TOLD), strict=True):
            kinds[pid, _UNKNOWN, bytes(pool[at : at + KEY]), checksum, damaged] += 1
        known = rows[rows["set"] != _UNKNOWN]
        fields = np.stack([known[name].astype(np.int64) for name in ("pid", "set", "checksum", "damaged")], axis=1)
        for (pid, set_, checksum, damaged), count in zip(*_counted(fields), strict=True):
            kinds[pid, set_, b"", checksum, damaged] += count
        for (pid, set_, key, checksum, damaged), count in kinds.items():
            place = pid if pid >= 0 else None
            self._passed(Passed(place, wire.SET_NAMES[set_], key, wire.CHECKSUMS[checksum], bool(damaged)), count)


class _Lane(wire.Lane):
    """Gives what the sampler chooses."""

    def __init__(self, sampler: Sampler, ts: bool, limit: int) -> None:
        super().__init__(ts=ts, limit=limit)
        self._sampler = sampler

    def _found(self, pool: Any, entries: Any, count: int) -> list[wire.Entry]:
        return self._sampler.chosen(pool, entries, count)


_TOLD = ("at", "pid", "checksum", "damaged")
_CODES = {name: code for code, name in reversed(list(enumerate(wire.SET_NAMES)))}


def _counted(fields: NDArray[np.int64]) -> tuple[list[list[int]], list[int]]:
    """Different rows, and how often each comes."""
    if not len(fields):
        return [], []
    rows, counts = np.unique(fields, axis=0, return_counts=True)
    return rows.tolist(), counts.tolist()
