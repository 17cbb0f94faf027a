"""Selects the records of a source that are decoded for inspection.

Equipment sends few enough records to inspect them all. Of denser streams a sample is inspected and the rest counted,
because creating a Python object per record is expensive.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from klvrelay import core
from klvrelay.config.choice import TOGETHER
from klvrelay.decoder import Decoder
from klvrelay.probe.metadata.telemetry import Telemetry, Uninspected
from klvrelay.record import Carriage

FIRST, SMALL = 64, 4096
"""Per set and PID, the first FIRST records of at most SMALL bytes are always inspected."""
FEW = 64
"""Below this number of records a plain loop is faster than numpy."""
KEY = 16
KEYS = 32
"""Maximum number of unknown keys whose skipped records are counted separately."""

_ENTRY = np.dtype(
    [("at", "u4"), ("size", "u4"), ("pts", "i8"), ("received", "i8"), ("pcr", "i8"), ("pid", "i4"), ("program", "i4"),
     ("set", "u1"), ("checksum", "u1"), ("damaged", "u1"), ("listing", "u1"), ("", "V4")]
)  # fmt: skip
_UNKNOWN = core.SET_NAMES.index("unknown")


class Sampler(Decoder):
    """The probe's decoder; records that it does not return are counted in the telemetry."""

    def __init__(self, stream: str, packet_limit: int, telemetry: Telemetry) -> None:
        super().__init__(stream, None, choice=TOGETHER, packet_limit=packet_limit)
        self._telemetry, self._allowance = telemetry, telemetry.allowance
        self._seen: Counter[tuple[int, int]] = Counter()
        self._keys: dict[bytes, NDArray[np.uint64]] = {}
        self.is_ending = False

    def count_bytes(self, size: int) -> None:
        """Account for `size` bytes of the source."""
        self._allowance.credit(size)

    def _lane(self, carriage: Carriage, pid: int | None) -> core.Lane:
        key = -2 if carriage == "ts" else pid
        lane = self._lanes.get(key)
        if lane is None:
            lane = self._lanes[key] = _Lane(self, carriage == "ts", self._limit)
        return lane

    def select_entries(self, pool: Any, entries: Any, count: int) -> list[core.Entry]:
        """Select the entries of a batch to inspect."""
        if count <= FEW or self._allowance.left > 2 * count or self.is_ending:
            return [entry for entry in core.entries_of(pool, entries, count) if self._inspects(entry)]
        rows = np.frombuffer(core.entry_octets(entries, count), _ENTRY)
        takes = np.zeros(count, bool)
        kinds = rows["pid"].astype(np.int64) << 8 | rows["set"]
        different = _different(kinds)
        for kind, count_of in different:
            mine, seen = kinds == kind, self._seen[kind >> 8, kind & 255]
            takes[np.flatnonzero(mine & (rows["size"] <= SMALL))[: max(0, FIRST - seen)]] = True
            if most := self._allowance.left // len(different):
                takes[np.flatnonzero(mine)[:: -(-count_of // most)]] = True
            self._seen[kind >> 8, kind & 255] += count_of
        self._allowance.take(int(takes.sum()))
        taken = core.entry_rows(rows[takes].tobytes())
        inspected = core.entries_of(pool, taken, int(takes.sum()))
        for entry in inspected:
            self._learn(entry)
        self._count(pool, rows[~takes])
        return inspected

    def _inspects(self, entry: core.Entry) -> bool:
        """Whether to inspect this entry; otherwise count it."""
        raw, _, pid, set_, checksum, transport, *_ = entry
        kind = -1 if pid is None else pid, _CODES[set_]
        self._seen[kind] += 1
        is_early = self._seen[kind] <= FIRST and len(raw) <= SMALL
        if self._allowance.take() or self.is_ending or is_early:
            self._learn(entry)
            return True
        key = raw[:KEY] if set_ == "unknown" else b""
        self._telemetry.pass_over(Uninspected(pid, set_, key, checksum, transport != "ok"), 1)
        return False

    def _learn(self, entry: core.Entry) -> None:
        """Remember the entry's key if it is in no table."""
        if entry[3] == "unknown" and (key := entry[0][:KEY]) not in self._keys and len(self._keys) < KEYS:
            self._keys[key] = np.frombuffer(key, np.uint64)

    def _count(self, pool: Any, rows: NDArray[Any]) -> None:
        is_known = rows["set"] != _UNKNOWN
        self._count_skipped(b"", rows[is_known])
        unknown = rows[~is_known]
        if not len(unknown):
            return
        places = unknown["at"].astype(np.intp)[:, None] + np.arange(KEY)
        keys = np.frombuffer(pool, np.uint8)[places].view(np.uint64)
        rest = np.ones(len(unknown), bool)
        for key, number in self._keys.items():
            same = (keys == number).all(axis=1)
            self._count_skipped(key, unknown[same])
            rest &= ~same
        self._count_skipped(b"", unknown[rest])

    def _count_skipped(self, key: bytes, rows: NDArray[Any]) -> None:
        """Count skipped records of one key, or of all keys, by kind."""
        if not len(rows):
            return
        pids, sets = rows["pid"].astype(np.int64), rows["set"].astype(np.int64)
        for kind, count in _different(pids << 16 | sets << 8 | rows["checksum"] << 1 | rows["damaged"]):
            pid, set_, checksum = kind >> 16, kind >> 8 & 255, kind >> 1 & 3
            place = pid if pid >= 0 else None
            passed = Uninspected(place, core.SET_NAMES[set_], key, core.CHECKSUMS[checksum], bool(kind & 1))
            self._telemetry.pass_over(passed, count)


def _different(numbers: NDArray[np.int64]) -> list[tuple[int, int]]:
    """Each distinct number and its count."""
    if numbers.min() == numbers.max():  # the common case
        return [(int(numbers[0]), len(numbers))]
    found, counts = np.unique(numbers, return_counts=True)
    return list(zip(found.tolist(), counts.tolist(), strict=True))


class _Lane(core.Lane):
    """Returns the entries that the sampler selects."""

    def __init__(self, sampler: Sampler, ts: bool, limit: int) -> None:
        super().__init__(ts=ts, limit=limit)
        self._sampler = sampler

    def _found(self, pool: Any, entries: Any, count: int) -> list[core.Entry]:
        return self._sampler.select_entries(pool, entries, count)


_CODES = {name: code for code, name in reversed(list(enumerate(core.SET_NAMES)))}

