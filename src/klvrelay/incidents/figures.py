"""Figures of incidents: count, MTTR, MTBF, time to detect, availability, longest outage. See docs/incidents.md."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
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
                  Both are None if there were incidents, and of none of them the number is known (yet)
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
    lost: int | None
    estimated: bool
    delayed: int | None

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


FIGURES_MEMBERS = tuple(Figures("relay", "", None, 0, 0, None, None, None, None, None, 0, 0, 0, False, 0).document())
"""The names of the JSON members of figures."""


@dataclass(frozen=True, slots=True)
class FigureReport:
    """The figures of all parts in a period: of each part first those of all causes, then those of each cause."""

    period: Period
    figures: tuple[Figures, ...]

    def document(self) -> dict[str, Any]:
        return {
            "from": utc(self.period.start_us),
            "to": utc(self.period.end_us),
            "figures": [each.document() for each in self.figures],
        }


@dataclass(slots=True)
class _Sums:
    """The sums of one part and cause. Incidents are added in the order of their first signs."""

    count: int = 0
    open: int = 0
    restored: int = 0
    repair: float = 0.0
    detection: float = 0.0
    longest: float | None = None
    lost: int | None = None
    estimated: bool = False
    delayed: int | None = None
    incidents: int = 0
    down: list[tuple[int, int]] = field(default_factory=list)

    def add(self, incident: Incident, period: Period, seen_us: int) -> None:
        start, end = span_of(incident, min(seen_us, period.end_us))
        if start >= period.end_us or (end < period.start_us and not incident.is_open):
            return
        self.incidents += 1
        first, last = max(start, period.start_us), min(end, period.end_us)
        if first <= last:
            self.longest = max(self.longest or 0.0, (last - first) / 1e6)
            self._add_span(first, last)
        if start >= period.start_us:
            self.count += 1
            self.detection += incident.detection
        if incident.is_open or end > period.end_us:
            self.open += 1
        else:
            self._add_end(incident)

    def _add_span(self, first: int, last: int) -> None:
        """Unite it with the span before it if they overlap."""
        if self.down and first <= self.down[-1][1]:
            before, until = self.down[-1]
            self.down[-1] = before, max(until, last)
        else:
            self.down.append((first, last))

    def _add_end(self, incident: Incident) -> None:
        if incident.end == "restored" and incident.duration is not None:
            self.restored += 1
            self.repair += incident.duration
        self.lost = _sum(self.lost, incident.lost)
        self.estimated |= incident.estimated and bool(incident.lost)
        self.delayed = _sum(self.delayed, incident.delayed)

    def figures(self, subject: Subject, name: str, cause: Cause | None, observed: Spans) -> Figures:
        total, down = _length(observed), _length(_common(self.down, observed))
        up, unknown = total - down, None if self.incidents else 0
        return Figures(
            subject, name, cause, self.count, self.open,
            self.repair / self.restored if self.restored else None,
            up / self.count if self.count else None,
            self.detection / self.count if self.count else None,
            up / total if total else None,
            self.longest, down, total,
            unknown if self.lost is None else self.lost, self.estimated,
            unknown if self.delayed is None else self.delayed,
        )  # fmt: skip


def _sum(known: int | None, more: int | None) -> int | None:
    return known if more is None else (known or 0) + more


def span_of(incident: Incident, until_us: int) -> tuple[int, int]:
    """From its first sign, for its duration, which no step of the wall clock changes; an open one: to `until_us`."""
    if incident.duration is None:
        return incident.since_us, max(incident.since_us, until_us)
    return incident.since_us, incident.since_us + round(incident.duration * 1e6)


def report(
    incidents: Iterable[Incident], runs: Spans, period: Period, parts: Iterable[tuple[Subject, str]] = ()
) -> FigureReport:
    """The figures of a period that has passed.

    incidents   those of the period, in the order of their first signs; others have no effect
    runs        when the relay ran: open incidents are counted up to the end of the last run
    parts       streams and sinks that have figures even without incidents
    """
    sums: dict[tuple[Subject, str, Cause | None], _Sums] = {(*part, None): _Sums() for part in parts}
    seen_us = max((last for _, last in runs), default=period.end_us)
    for incident in incidents:
        for cause in (None, incident.cause):
            key = incident.subject, incident.name, cause
            sums.setdefault(key, _Sums()).add(incident, period, seen_us)
    ran = _common(united(runs), [(period.start_us, period.end_us)])
    relay_down = united(span for key, each in sums.items() if key[0] == "relay" for span in each.down)
    observed = {True: united([*ran, *relay_down]), False: _without(ran, relay_down)}
    ordered = sorted(sums, key=lambda key: (key[0], key[1], key[2] or ""))
    return FigureReport(period, tuple(sums[key].figures(*key, observed[key[0] == "relay"]) for key in ordered))


def united(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """The spans in order, those that overlap or touch as one."""
    found: list[tuple[int, int]] = []
    for first, last in sorted(spans):
        if found and first <= found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], last)
        else:
            found.append((first, last))
    return found


def _common(one: Spans, two: Spans) -> list[tuple[int, int]]:
    """What is in both."""
    found, place = [], 0
    for first, last in one:
        while place < len(two) and two[place][1] <= first:
            place += 1
        here = place
        while here < len(two) and two[here][0] < last:
            found.append((max(first, two[here][0]), min(last, two[here][1])))
            here += 1
    return found


def _without(one: Spans, two: Spans) -> list[tuple[int, int]]:
    """What is in `one` and not in `two`."""
    edges = [edge for span in two for edge in span]
    gaps = zip([0, *edges[1::2]], [*edges[::2], 1 << 62], strict=True)
    return _common(one, list(gaps))


def _length(spans: Spans) -> float:
    return sum(last - first for first, last in spans) / 1e6
