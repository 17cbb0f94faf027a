"""Figures of incidents: count, MTTR, MTBF, time to detect, availability, longest outage. See docs/incidents.md."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import Any

from klvrelay.health.causes import Cause
from klvrelay.health.changes import Subject
from klvrelay.health.report import utc
from klvrelay.incidents.incident import Incident


@dataclass(frozen=True, slots=True)
class Period:
    """From `start_us`, before `end_us`; microseconds since 1970 UTC."""

    start_us: int
    end_us: int

    def __post_init__(self) -> None:
        if self.end_us < self.start_us:
            raise ValueError("a period ends before it starts")


Spans = Sequence[tuple[int, int]]
"""Spans of time, in order and apart; microseconds since 1970 UTC."""


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of a stream, a sink, the spool or the relay in a period. Times are seconds; None: not defined.

    cause         of the incidents that are counted; None: of all causes
    count         incidents that began in the period
    open          incidents that are open at its end
    mttr          mean duration of the incidents that were restored in the period
    mtbf          time in operation per incident that began: (observed - downtime) / count
    detection     mean time from first sign to detection, of those that began
    availability  (observed - downtime) / observed
    longest       longest outage within the period
    downtime      time of the period in which there was an incident; overlapping ones count once
    observed      time of the period in which the relay ran, or should have
    lost          records lost in the incidents that ended in the period; `estimated`: some of them are estimates
    delayed       records that were delivered late
    """

    subject: Subject
    name: str
    cause: Cause | None
    count: int
    open: int
    mttr: float | None
    mtbf: float | None
    detection: float | None
    availability: float | None
    longest: float | None
    downtime: float
    observed: float
    lost: int
    estimated: bool
    delayed: int

    def document(self) -> dict[str, Any]:
        """The figures as JSON members."""
        return {
            "subject": self.subject,
            "name": self.name,
            "cause": self.cause,
            "count": self.count,
            "open": self.open,
            "mttr_s": _rounded(self.mttr, 3),
            "mtbf_s": _rounded(self.mtbf, 3),
            "detection_s": _rounded(self.detection, 3),
            "availability": _rounded(self.availability, 6),
            "longest_s": _rounded(self.longest, 3),
            "downtime_s": round(self.downtime, 3),
            "observed_s": round(self.observed, 3),
            "lost": self.lost,
            "estimated": self.estimated,
            "delayed": self.delayed,
        }


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)


@dataclass(frozen=True, slots=True)
class Report:
    """The figures of all parts in a period: of each part first those of all causes, then those of each cause."""

    period: Period
    figures: tuple[Figures, ...]

    def document(self) -> dict[str, Any]:
        return {
            "from": utc(self.period.start_us),
            "to": utc(self.period.end_us),
            "figures": [each.document() for each in self.figures],
        }
