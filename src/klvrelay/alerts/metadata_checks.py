"""The checks of the metadata of a stream: whether the latest record can be true, once a second."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, Protocol

import orjson

from klvrelay.alerts.window import RecentAmounts
from klvrelay.core.selection import select
from klvrelay.record import Record

_ALTITUDE = "sensor_true_altitude"


class Implausible(Protocol):
    """A finding; see `klvrelay.plausibility`."""

    @property
    def id(self) -> str: ...

    @property
    def what(self) -> str: ...

    @property
    def advice(self) -> str: ...


class MetadataCheck(Protocol):
    """The checks of one stream; see `klvrelay.plausibility`."""

    def check(self, record: Record, arrival_s: float | None = None) -> list[Any]: ...


class Findings:
    """The findings of one stream: their number in the last minute by id, and the latest of each."""

    def __init__(self, check: MetadataCheck) -> None:
        self._check = check
        self._recent: dict[str, RecentAmounts] = {}
        self.latest: dict[str, Implausible] = {}
        self._record: Record | None = None

    def take(self, record: Record | None, arrival_s: float, now: float) -> None:
        """Check a record, unless it was checked before."""
        if record is None or record is self._record:
            return
        self._record = record
        for found in self._check.check(record, arrival_s):
            self.latest[found.id] = found
            self._recent.setdefault(found.id, RecentAmounts()).count(1, now)

    def count(self, kind: str, now: float) -> float:
        recent = self._recent.get(kind)
        return 0.0 if recent is None else recent.total(now)


def load_checks() -> Callable[[], MetadataCheck]:
    """What makes the checks of one stream. Loaded on use: it needs numpy."""
    made: Callable[[], MetadataCheck] = import_module("klvrelay.plausibility").Plausibility
    return made


def found_count(sample: Any, kind: str) -> float | None:
    """The number of findings in the last minute; None without checks."""
    findings: Findings | None = sample.findings
    if findings is None:
        return None
    return findings.count(kind, sample.now) if findings.latest else 0.0


def found_text(kind: str) -> Callable[[Any, float], str]:
    return lambda sample, value: _latest(sample)[kind].what


def found_advice(kind: str) -> Callable[[Any, float], str]:
    return lambda sample, value: _latest(sample)[kind].advice


def _latest(sample: Any) -> Mapping[str, Implausible]:
    latest: Mapping[str, Implausible] = sample.findings.latest
    return latest


_SELECTED = select(_ALTITUDE)


def altitude_of(sample: Any) -> float | None:
    """The altitude of the platform in metres above mean sea level (ST 0601 item 15); None if it is not reported."""
    record: Record | None = sample.record
    if record is None or not record.good:
        return None
    value = orjson.loads(record.json(items=_SELECTED))["items"].get(_ALTITUDE)
    return float(value) if isinstance(value, int | float) else None
