"""Every record counted: sets, versions, rates, checksums, items, times; next door, `inquiry.py` decodes them.

One `StreamTally` a set and PID. What it keeps is bounded, however long it goes on.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, NamedTuple

import orjson

from klvrelay.core import Checksum
from klvrelay.core.carriage import KEY
from klvrelay.probe import drawn, report
from klvrelay.probe.allowance import Allowance
from klvrelay.probe.metadata.clocks import TimeTally
from klvrelay.probe.metadata.items import MOST, UNKNOWN, ItemTable, plain
from klvrelay.probe.metadata.series import Counts, Curve, Kinds, PathSeries, Spread, rate_of
from klvrelay.record import Record

STREAMS = 32
"""Pairs of set and PID that are listed; at most half of them are of sets that no table has."""
RECORDS = 16_384, 1536
"""Records that are looked into, however many come."""
WEIGHT, ITEMS, ALONE = 4096, 64, 24
"""Bytes of a record's JSON that take as long as having one more; `ITEMS`: items that do; `ALONE`: items one by one."""
GAP_TIMES, GAP_LEAST = 3.0, 0.25
"""A gap is this many usual intervals, and so many seconds at least."""
LEAP = 10.0
"""Seconds between two PTS that are a jump rather than a pause."""

SENSOR = ("sensor_latitude", "sensor_longitude")
CENTRE = ("frame_center_latitude", "frame_center_longitude")
_ALTITUDES = (
    ("sensor", ("sensor_ellipsoid_height_extended", "sensor_ellipsoid_height", "sensor_true_altitude")),
    ("frame center", ("frame_center_height_above_ellipsoid", "frame_center_elevation")),
)
_NUMBER = (int, float)
_CHECKED = ("ST0601", "ST0903", "VTrack")
_NESTED = {"vmti_local_set": ("ST0903", "vmti_ls_version"), "security_local_set": ("ST0102", "version")}


class Passed(NamedTuple):
    """Records that are counted only: their key where no table has their set, and how they came."""

    pid: int | None
    set: str
    key: bytes
    checksum: Checksum
    damaged: bool


class StreamTally:
    """The records of one set on one PID; `allowance` is spent where they take longer than others."""

    def __init__(self, pid: int | None, set_name: str, allowance: Allowance) -> None:
        self._allowance = allowance
        self.pid, self.set = pid, set_name
        self.key = ""
        self.records = self.damaged = self.cut_off = self.passed = 0
        self.first_wrong = self.last_wrong = self.unversioned = self.gaps = 0
        self.longest_at = 0.0
        self.checksums: Counter[str] = Counter()
        self.versions: Counter[int] = Counter()
        self.nested: dict[str, Counter[int]] = {}
        self.remarks, self.specials = Kinds(), Kinds()
        self.items = ItemTable(set_name)
        self.times = TimeTally()
        self.intervals, self.sizes = Spread(), Spread()
        self.rate, self.gap_curve = Counts(), Curve("gap")
        self.altitudes = {name: Curve(name) for name, _ in _ALTITUDES}
        self.paths = {"sensor": PathSeries(), "frame center": PathSeries()}
        self._first_at = self._last_at = self._last_paced = 0.0
        self.seconds = 0.0  # from the first record to the last, by the clock that they are paced by
        self._between = 0  # records that were passed over since the last one

    def add(self, record: Record, at: float, stream: float | None) -> int | None:
        """Take a record `at` this second of the probe; gives its time in microseconds where that can be believed."""
        self.key = self.key or record.raw[:16].hex()
        line = self.times.line(record.pts, stream if record.received_us is None else at)
        # Where a file's records were muxed tells less of the sender's pace than their PTS do.
        at = self._arrived(at, at if line is None or record.received_us is not None else line)
        self.sizes.add(len(record.raw))
        if record.transport != "ok":
            self.damaged += 1  # and its checksum says nothing of who sent it
            return None
        self.checksums[record.checksum] += 1
        text = record.json()
        document = orjson.loads(text)
        self._allowance.spend(len(text) / WEIGHT + _count(document["items"]) / ITEMS)
        self._structure(record.raw, document)
        self._quality(document["quality"])
        alone = self.items.add(at, document["items"], document["quality"].get("special", {}))
        self._allowance.spend(alone / ALONE)
        if record.checksum == "bad" and self.checksums["ok"]:
            return None  # what it says may be wrong; where all are bad, the sum is
        self._places(at, document["items"])
        return self.times.add(document["time_us"], line, at, stream, record.received_us)

    def pass_over(self, checksum: str, damaged: bool, count: int) -> None:
        """Count records that are not looked into."""
        self.records += count
        self._between += count
        if damaged:
            self.damaged += count
        else:
            self.passed += count
            self.checksums[checksum] += count

    def _arrived(self, at: float, paced: float) -> float:
        """Count it, `paced` being its second by the clock that says most; gives the second of the probe by that."""
        if self.records > self._between:
            step = paced - self._last_paced
            if not 0 <= step <= LEAP * (1 + self._between):
                step = max(0.0, at - self._last_at)
            self._stepped(step, step / (1 + self._between))
        else:
            self._first_at = at
        self._last_at, self._last_paced = at, paced
        self.records += 1
        self.rate.add(self._first_at + self.seconds, 1 + self._between)
        self._between = 0
        return self._first_at + self.seconds

    def _stepped(self, step: float, each: float) -> None:
        """Seconds from the record before, and from each to the next where some were passed over between."""
        if each > GAP_LEAST and self.records > 3 and each > GAP_TIMES * (self.intervals.usual or 0.0):
            self.gaps += 1
        if each > (self.intervals.high if self.intervals.count else 0.0):
            self.longest_at = self._first_at + self.seconds
        self.intervals.add(each)
        self.gap_curve.add(self._first_at + self.seconds, each)
        self.seconds += step

    def _structure(self, raw: bytes, document: dict[str, Any]) -> None:
        """Order and presence of the items that have a place of their own."""
        version = document["version"]
        if isinstance(version, int):
            if version in self.versions or len(self.versions) < MOST:
                self.versions[version] += 1
        elif self.set == "ST0601":
            self.unversioned += 1
        if self.set == "ST0601" and document["time_us"] is not None:
            value = 17 + (raw[16] & 0x7F if raw[16] & 0x80 else 0)
            self.first_wrong += raw[value] != 2
        if self.set in _CHECKED and document["quality"]["checksum"] != "absent":
            self.last_wrong += raw[-4:-2] != b"\x01\x02"
        for key, (name, version_key) in _NESTED.items():
            inner = document["items"].get(key)
            if isinstance(inner, dict):
                versions, version = self.nested.setdefault(name, Counter()), _number(inner, version_key)
                if version in versions or len(versions) < MOST:
                    versions[version] += 1

    def _quality(self, quality: dict[str, Any]) -> None:
        for text in dict.fromkeys(map(plain, quality.get("warnings", ()))):
            self.remarks.add(text)
        for path, reason in quality.get("special", {}).items():
            self.specials.add(f"{plain(path)}: {reason}")

    def _places(self, at: float, items: dict[str, Any]) -> None:
        for name, (latitude, longitude) in (("sensor", SENSOR), ("frame center", CENTRE)):
            lat, lon = items.get(latitude), items.get(longitude)
            if isinstance(lat, _NUMBER) and isinstance(lon, _NUMBER):
                self.paths[name].add(lat, lon)
        for name, keys in _ALTITUDES:
            for key in keys:
                if isinstance(height := items.get(key), _NUMBER):
                    self.altitudes[name].add(at, height)
                    break

    def frozen(self, carriage: report.Carriage | None) -> report.KlvStream:
        readable = self.records - self.damaged - self.passed
        rate = rate_of(self.records - 1 - self._between, self.seconds)
        return report.KlvStream(
            self.pid, self.set, self.key, tuple(sorted(self.versions)), self.records, rate,
            self.intervals.frozen(), self.gaps, self.longest_at, self.sizes.frozen(),
            self.checksums["ok"], self.checksums["bad"], self.checksums["absent"],
            self.checksums["partial"], self.damaged, self.cut_off, self.passed,
            self.first_wrong, self.last_wrong, self.unversioned,
            {name: tuple(sorted(v for v in found if v >= 0)) for name, found in self.nested.items()},
            carriage, self.times.frozen(), self.items.frozen(readable, rate),
            _remarks(self.remarks), _remarks(self.specials),
            self.items.left_out, self.remarks.left_out + self.specials.left_out,
        )  # fmt: skip

    def plots(self) -> drawn.Plots:
        width = self.rate.width  # the widest of all, since it saw every record
        return drawn.Plots(
            self.pid, self.set, self.rate.line("records/s"), self.gap_curve.line(),
            tuple(each.curve.line() for each in self.times.comparisons),
            tuple(curve.line() for curve in self.altitudes.values()),
            self.rate.strip("records", width), self.items.strips(width),
            tuple(drawn.Path(name, tuple(path.points)) for name, path in self.paths.items() if path.points),
        )  # fmt: skip


class Telemetry:
    """All records of a source."""

    def __init__(self) -> None:
        self.allowance = Allowance(*RECORDS)
        self.streams: dict[tuple[int | None, str], StreamTally] = {}
        self.records = 0
        self.left_out = 0
        self._strange = 0

    def cut_off(self, record: Record) -> None:
        """The recording ends within this record, which was added before."""
        if (tally := self.streams.get((record.pid, record.set))) is not None:
            tally.cut_off += 1

    def add(self, record: Record, at: float, stream: float | None) -> int | None:
        """As `StreamTally.add`."""
        self.records += 1
        tally = self._tally(record.pid, record.set, record.raw)
        if tally is None:
            self.left_out += 1
            return None
        return tally.add(record, at, stream)

    def pass_over(self, passed: Passed, count: int) -> None:
        """Count records that are not looked into; of a set that no table has, if one of it was."""
        self.records += count
        known = passed.set != UNKNOWN or (passed.pid, _named(passed.set, passed.key)) in self.streams
        tally = self._tally(passed.pid, passed.set, passed.key) if known else None
        if tally is None:
            self.left_out += count
        else:
            tally.pass_over(passed.checksum, passed.damaged, count)

    def _tally(self, pid: int | None, set_name: str, raw: bytes) -> StreamTally | None:
        """The stream of a record, by its PID, its set and its first bytes; None where there are too many."""
        name = _named(set_name, raw)
        tally = self.streams.get((pid, name))
        if tally is not None:
            return tally
        strange = set_name == UNKNOWN
        if len(self.streams) >= STREAMS or (strange and self._strange >= STREAMS // 2):
            return None
        self._strange += strange
        tally = self.streams[pid, name] = StreamTally(pid, name, self.allowance)
        return tally


def _named(set_name: str, raw: bytes) -> str:
    """The set of a record, or its key where no table has it."""
    return f"key {raw[:16].hex()}" if set_name == UNKNOWN and raw.startswith(KEY) else set_name


def _count(items: dict[str, Any]) -> int:
    """Items of a record, and of the sets inside."""
    return len(items) + sum(len(value) for value in items.values() if type(value) is dict)


def _number(items: dict[str, Any], key: str) -> int:
    value = items.get(key)
    return value if isinstance(value, int) else -1


def _remarks(kinds: Kinds) -> tuple[report.Remark, ...]:
    return tuple(report.Remark(text, count) for text, count in kinds.counts.most_common())
