"""Records out of a source's bytes: all of them; of a stream of more than equipment sends some, and the others counted.

A record is an object of Python only where it is looked into.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from klvrelay import core
from klvrelay.config.choice import TOGETHER
from klvrelay.decoder import Decoder
from klvrelay.probe.metadata.telemetry import Passed, Telemetry
from klvrelay.record import Carriage

FIRST, SMALL = 64, 4096
"""Of each set and PID, that are looked into in any case: so many, of so many bytes at most."""
FEW = 64
"""Records that are sooner gone through one by one than by numpy."""
KEY = 16
KEYS = 32
"""Keys that no table has, of which what is passed over is counted apart."""

_ENTRY = np.dtype(
    [("at", "u4"), ("size", "u4"), ("pts", "i8"), ("received", "i8"), ("pcr", "i8"), ("pid", "i4"), ("program", "i4"),
     ("set", "u1"), ("checksum", "u1"), ("damaged", "u1"), ("listing", "u1"), ("", "V4")]
)  # fmt: skip
_UNKNOWN = core.SET_NAMES.index("unknown")


class Sampler(Decoder):
    """The decoder of a probe; what is not among the records that it gives, it counts in the telemetry."""

    def __init__(self, stream: str, packet_limit: int, telemetry: Telemetry) -> None:
        super().__init__(stream, None, choice=TOGETHER, packet_limit=packet_limit)
        self._telemetry, self._allowance = telemetry, telemetry.allowance
        self._seen: Counter[tuple[int, int]] = Counter()
        self._keys: dict[bytes, NDArray[np.uint64]] = {}
        self.is_ending = False

    def came(self, size: int) -> None:
        """So many bytes of the source."""
        self._allowance.passed(size)

    def _lane(self, carriage: Carriage, pid: int | None) -> core.Lane:
        key = -2 if carriage == "ts" else pid
        lane = self._lanes.get(key)
        if lane is None:
            lane = self._lanes[key] = _Lane(self, carriage == "ts", self._limit)
        return lane

    def chosen(self, pool: Any, entries: Any, count: int) -> list[core.Entry]:
        """Those of a batch that are looked into."""
        if count <= FEW or self._allowance.left > 2 * count or self.is_ending:
            return [entry for entry in core.entries_of(pool, entries, count) if self._takes(entry)]
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
        given = core.entries_of(pool, taken, int(takes.sum()))
        for entry in given:
            self._learn(entry)
        self._count(pool, rows[~takes])
        return given

    def _takes(self, entry: core.Entry) -> bool:
        """Is this one looked into? What is not is counted."""
        raw, _, pid, set_, checksum, transport, *_ = entry
        kind = -1 if pid is None else pid, _CODES[set_]
        self._seen[kind] += 1
        is_early = self._seen[kind] <= FIRST and len(raw) <= SMALL
        if self._allowance.take() or self.is_ending or is_early:
            self._learn(entry)
            return True
        key = raw[:KEY] if set_ == "unknown" else b""
        self._telemetry.pass_over(Passed(pid, set_, key, checksum, transport != "ok"), 1)
        return False

    def _learn(self, entry: core.Entry) -> None:
        """Its key, where no table has it."""
        if entry[3] == "unknown" and (key := entry[0][:KEY]) not in self._keys and len(self._keys) < KEYS:
            self._keys[key] = np.frombuffer(key, np.uint64)

    def _count(self, pool: Any, rows: NDArray[Any]) -> None:
        is_known = rows["set"] != _UNKNOWN
        self._tell(b"", rows[is_known])
        unknown = rows[~is_known]
        if not len(unknown):
            return
        places = unknown["at"].astype(np.intp)[:, None] + np.arange(KEY)
        keys = np.frombuffer(pool, np.uint8)[places].view(np.uint64)
        rest = np.ones(len(unknown), bool)
        for key, number in self._keys.items():
            same = (keys == number).all(axis=1)
            self._tell(key, unknown[same])
            rest &= ~same
        self._tell(b"", unknown[rest])

    def _tell(self, key: bytes, rows: NDArray[Any]) -> None:
        """Of records of one key, or of any: how many there are of each kind."""
        if not len(rows):
            return
        pids, sets = rows["pid"].astype(np.int64), rows["set"].astype(np.int64)
        for kind, count in _different(pids << 16 | sets << 8 | rows["checksum"] << 1 | rows["damaged"]):
            pid, set_, checksum = kind >> 16, kind >> 8 & 255, kind >> 1 & 3
            place = pid if pid >= 0 else None
            told = Passed(place, core.SET_NAMES[set_], key, core.CHECKSUMS[checksum], bool(kind & 1))
            self._telemetry.pass_over(told, count)


def _different(numbers: NDArray[np.int64]) -> list[tuple[int, int]]:
    """Each number that there is, and how often."""
    if numbers.min() == numbers.max():  # as a rule
        return [(int(numbers[0]), len(numbers))]
    found, counts = np.unique(numbers, return_counts=True)
    return list(zip(found.tolist(), counts.tolist(), strict=True))


class _Lane(core.Lane):
    """Gives what the sampler chooses."""

    def __init__(self, sampler: Sampler, ts: bool, limit: int) -> None:
        super().__init__(ts=ts, limit=limit)
        self._sampler = sampler

    def _found(self, pool: Any, entries: Any, count: int) -> list[core.Entry]:
        return self._sampler.chosen(pool, entries, count)


_CODES = {name: code for code, name in reversed(list(enumerate(core.SET_NAMES)))}

