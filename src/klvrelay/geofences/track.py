"""One subject of a stream: the fences that it is in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from klvrelay.geofences.band import AltitudeBand, Altitudes
from klvrelay.geofences.comparisons import FenceComparison
from klvrelay.geofences.places import Outline, Place, Subject
from klvrelay.geofences.rule import FenceRule
from klvrelay.geofences.status import EventKind, FenceEvent, FenceSighting


@dataclass(slots=True)
class _Stay:
    since: float
    dwelled: bool = False


class FenceTrack:
    """The stays of one subject. `seen` is for the owner's use."""

    __slots__ = ("_away", "_comparison", "_left", "_place", "_rule", "_stays", "_subject", "_target", "seen")

    def __init__(self, rule: FenceRule, comparison: FenceComparison[Any], subject: Subject, target: int | None) -> None:
        self.seen = 0.0
        self._rule, self._comparison, self._subject, self._target = rule, comparison, subject, target
        self._stays: dict[int, _Stay] = {}
        self._place: Place | None = None
        self._away: float | None = None  # since when it has been outside all fences
        self._left = rule.fences[0].name if len(rule.fences) == 1 else ""

    def update(self, now: float, value: Place | Outline) -> list[FenceEvent]:
        """The changes at a new position."""
        if isinstance(value, Place):
            value = self._with_altitudes(value)
        present = self._present(value)
        self._place = value if isinstance(value, Place) else _middle(value)
        events = [self._leave(now, number) for number in self._stays.keys() - present]
        events += [self._enter(now, number) for number in present if number not in self._stays]
        events += [self._dwell(now, number) for number, stay in self._stays.items() if self._is_due(now, stay)]
        if self._stays:
            self._away = None
        elif self._away is None:
            self._away = now
        return events

    def end(self, now: float) -> list[FenceEvent]:
        """The subject is gone: it leaves all fences."""
        return [self._leave(now, number) for number in tuple(self._stays)]

    def sightings(self) -> Iterator[FenceSighting]:
        """Where the rule holds."""
        if self._rule.when == "outside":
            if self._away is not None:
                yield self._sighting(self._left, self._away)
            return
        for number, stay in self._stays.items():
            if stay.dwelled or self._rule.when != "dwell":
                fence = self._rule.fences[number]
                yield self._sighting(fence.name, stay.since, fence.band if self._rule.when == "altitude" else None)

    def _present(self, value: Any) -> list[int]:
        """The fences that it is in, with hysteresis: what raises the rule happens at the border."""
        found = self._comparison.holding(value)
        if self._rule.when != "outside":
            held = [number for number in self._stays if number not in found]
            return found + (self._comparison.almost(value, held) if held else [])
        return self._comparison.clearly(value, found) if self._away is not None and found else found

    def _with_altitudes(self, place: Place) -> Place:
        if self._place is None or None not in place.altitudes:
            return place
        pairs = zip(place.altitudes, self._place.altitudes, strict=True)
        return place._replace(altitudes=Altitudes(*(old if new is None else new for new, old in pairs)))

    def _enter(self, now: float, number: int) -> FenceEvent:
        self._stays[number] = _Stay(now)
        return self._event("entered", now, number)

    def _leave(self, now: float, number: int) -> FenceEvent:
        del self._stays[number]
        self._left = self._rule.fences[number].name
        return self._event("left", now, number)

    def _is_due(self, now: float, stay: _Stay) -> bool:
        return self._rule.when == "dwell" and not stay.dwelled and now - stay.since >= self._rule.dwell

    def _dwell(self, now: float, number: int) -> FenceEvent:
        self._stays[number].dwelled = True
        return self._event("dwelled", now, number)

    def _event(self, kind: EventKind, now: float, number: int) -> FenceEvent:
        return FenceEvent(kind, self._subject, self._target, self._rule.fences[number].name, now)

    def _sighting(self, fence: str, since: float, band: AltitudeBand | None = None) -> FenceSighting:
        assert self._place is not None
        return FenceSighting(self._rule.when, self._subject, self._target, fence, self._place, since, band)


def _middle(outline: Outline) -> Place:
    lat = sum(lat for lat, _ in outline) / len(outline)
    lon = sum(lon for _, lon in outline) / len(outline)
    return Place(lat, (lon + 180) % 360 - 180)
