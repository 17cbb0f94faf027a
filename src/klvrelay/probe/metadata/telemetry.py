"""Counts the records by set and PID: versions, rates, checksums, items, times.

There is one `StreamTally` per set and PID. Its memory is bounded for streams of any length.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, NamedTuple

import orjson

from klvrelay.core import Checksum
from klvrelay.core.carriage import KEY
from klvrelay.probe import charts, report, transport_report
from klvrelay.probe.allowance import Allowance
from klvrelay.probe.metadata.clocks import TimeTally
from klvrelay.probe.metadata.implausible import ImplausibleTally
from klvrelay.probe.metadata.items import MOST, UNKNOWN, ItemTable, plain
from klvrelay.probe.metadata.series import Counts, Curve, Kinds, PathSeries, Spread, rate_of
from klvrelay.record import Record

STREAMS = 32
"""Maximum number of (set, PID) pairs listed; at most half of them are for unknown sets."""
RECORDS = 16_384, 1536
"""Allowance of records to inspect: at the start, and bytes per further record."""
WEIGHT, ITEMS, ALONE = 4096, 64, 24
"""JSON bytes (WEIGHT), items (ITEMS) and individually counted items (ALONE) that cost as much as one record."""
GAP_TIMES, GAP_LEAST = 3.0, 0.25
"""A gap exceeds GAP_TIMES usual intervals and GAP_LEAST seconds."""
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


class Uninspected(NamedTuple):
    """Properties of records that are counted without inspection; `key` is set for unknown sets."""

    pid: int | None
    set: str
    key: bytes
    checksum: Checksum
    damaged: bool


class StreamTally:
    """Statistics of the records of one set on one PID; costly records spend more of `allowance`."""

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
        self.implausible = ImplausibleTally()
        self.intervals, self.sizes = Spread(), Spread()
        self.rate, self.gap_curve = Counts(), Curve("gap")
        self.altitudes = {name: Curve(name) for name, _ in _ALTITUDES}
        self.paths = {"sensor": PathSeries(), "frame center": PathSeries()}
        self._first_at = self._last_at = self._last_paced = 0.0
        self.seconds = 0.0  # from the first record to the last, by the clock used for rates
        self._between = 0  # records skipped since the last inspected one

    def add(self, record: Record, at: float, stream: float | None) -> int | None:
        """Add a record at second `at` of the probe; return its time in microseconds if it is trustworthy."""
        self.key = self.key or record.raw[:16].hex()
        line = self.times.line(record.pts, stream if record.received_us is None else at)
        # In a file the PTS describe the sender's pace better than the position in the multiplex.
        at = self._count_arrival(at, at if line is None or record.received_us is not None else line)
        self.sizes.add(len(record.raw))
        if record.transport != "ok":
            self.damaged += 1  # so its checksum is no evidence about the sender
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
            return None  # its content may be wrong; where all records fail, the checksum itself is
        self._places(at, document["items"])
        self.implausible.add(record, document, at)
        return self.times.add(document["time_us"], line, at, stream, record.received_us)

    def pass_over(self, checksum: str, damaged: bool, count: int) -> None:
        """Count records that are not inspected."""
        self.records += count
        self._between += count
        if damaged:
            self.damaged += count
        else:
            self.passed += count
            self.checksums[checksum] += count

    def _count_arrival(self, at: float, paced: float) -> float:
        """Count a record at second `paced` of the best clock; return the probe's second by that clock."""
        if self.records > self._between:
            step = paced - self._last_paced
            if not 0 <= step <= LEAP * (1 + self._between):
                step = max(0.0, at - self._last_at)
            self._add_interval(step, step / (1 + self._between))
        else:
            self._first_at = at
        self._last_at, self._last_paced = at, paced
        self.records += 1
        self.rate.add(self._first_at + self.seconds, 1 + self._between)
        self._between = 0
        return self._first_at + self.seconds

    def _add_interval(self, step: float, each: float) -> None:
        """Record an interval of `step` seconds; `each` is the interval per record if records were skipped in it."""
        if each > GAP_LEAST and self.records > 3 and each > GAP_TIMES * (self.intervals.usual or 0.0):
            self.gaps += 1
        if each > (self.intervals.high if self.intervals.count else 0.0):
            self.longest_at = self._first_at + self.seconds
        self.intervals.add(each)
        self.gap_curve.add(self._first_at + self.seconds, each)
        self.seconds += step

    def _structure(self, raw: bytes, document: dict[str, Any]) -> None:
        """Check order and presence of the items that have a fixed position."""
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

    def freeze(self, carriage: transport_report.Carriage | None) -> report.KlvStream:
        readable = self.records - self.damaged - self.passed
        rate = rate_of(self.records - 1 - self._between, self.seconds)
        return report.KlvStream(
            self.pid, self.set, self.key, tuple(sorted(self.versions)), self.records, rate,
            self.intervals.freeze(), self.gaps, self.longest_at, self.sizes.freeze(),
            self.checksums["ok"], self.checksums["bad"], self.checksums["absent"],
            self.checksums["partial"], self.damaged, self.cut_off, self.passed,
            self.first_wrong, self.last_wrong, self.unversioned,
            {name: tuple(sorted(v for v in found if v >= 0)) for name, found in self.nested.items()},
            carriage, self.times.freeze(), self.items.freeze(readable, rate),
            _remarks(self.remarks), _remarks(self.specials),
            self.items.left_out, self.remarks.left_out + self.specials.left_out, self.implausible.freeze(),
        )  # fmt: skip

    def plots(self) -> charts.Plots:
        width = self.rate.width  # the widest, because it covers every record
        return charts.Plots(
            self.pid, self.set, self.rate.line("records/s"), self.gap_curve.line(),
            tuple(each.curve.line() for each in self.times.comparisons),
            tuple(curve.line() for curve in self.altitudes.values()),
            self.rate.strip("records", width), self.items.strips(width),
            tuple(charts.ChartPath(name, tuple(path.points)) for name, path in self.paths.items() if path.points),
        )  # fmt: skip


class Telemetry:
    """Statistics of all records of a source."""

    def __init__(self) -> None:
        self.allowance = Allowance(*RECORDS)
        self.streams: dict[tuple[int | None, str], StreamTally] = {}
        self.records = 0
        self.left_out = 0
        self._strange = 0

    def cut_off(self, record: Record) -> None:
        """Mark a record added earlier as cut off by the end of the recording."""
        if (tally := self.streams.get((record.pid, record.set))) is not None:
            tally.cut_off += 1

    def add(self, record: Record, at: float, stream: float | None) -> int | None:
        """See `StreamTally.add`."""
        self.records += 1
        tally = self._tally(record.pid, record.set, record.raw)
        if tally is None:
            self.left_out += 1
            return None
        return tally.add(record, at, stream)

    def pass_over(self, passed: Uninspected, count: int) -> None:
        """Count records that are not inspected. Unknown sets count only if one of their records was inspected."""
        self.records += count
        known = passed.set != UNKNOWN or (passed.pid, _stream_key(passed.set, passed.key)) in self.streams
        tally = self._tally(passed.pid, passed.set, passed.key) if known else None
        if tally is None:
            self.left_out += count
        else:
            tally.pass_over(passed.checksum, passed.damaged, count)

    def _tally(self, pid: int | None, set_name: str, raw: bytes) -> StreamTally | None:
        """The tally for a PID, set and first bytes of a record; None if there are too many streams."""
        name = _stream_key(set_name, raw)
        tally = self.streams.get((pid, name))
        if tally is not None:
            return tally
        strange = set_name == UNKNOWN
        if len(self.streams) >= STREAMS or (strange and self._strange >= STREAMS // 2):
            return None
        self._strange += strange
        tally = self.streams[pid, name] = StreamTally(pid, name, self.allowance)
        return tally


def _stream_key(set_name: str, raw: bytes) -> str:
    """The set of a record, or its key if unknown."""
    return f"key {raw[:16].hex()}" if set_name == UNKNOWN and raw.startswith(KEY) else set_name


def _count(items: dict[str, Any]) -> int:
    """Number of items in a record, including nested sets."""
    return len(items) + sum(len(value) for value in items.values() if type(value) is dict)


def _number(items: dict[str, Any], key: str) -> int:
    value = items.get(key)
    return value if isinstance(value, int) else -1


def _remarks(kinds: Kinds) -> tuple[report.Remark, ...]:
    return tuple(report.Remark(text, count) for text, count in kinds.counts.most_common())
