"""The state of one stream and one fence rule."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from klvrelay.geofences.comparisons import FenceComparison, comparisons
from klvrelay.geofences.index import FenceIndex
from klvrelay.geofences.places import Outline, Place, Places, Subject
from klvrelay.geofences.rule import FenceRule
from klvrelay.geofences.status import FenceEvent, FenceSighting, FenceStatus
from klvrelay.geofences.track import FenceTrack

MOST_TARGETS = 256
"""VMTI targets that are followed; beyond it, those that were seen longest ago are forgotten."""
TARGET_SECONDS = 10.0
"""A target that no record of so many seconds has is forgotten, and has left."""

_LONGEST_STEP = 2.0
_Key = tuple[Subject, int | None]


class FenceWatch:
    """Which subjects of a stream are in which fences of a rule, and since when.

    - `update` is for each record, or about once a second. What a record does not say keeps its state: position, data
      and altitude may be missing for any time. A position without an altitude has the last one of its subject.
    - Each change is one event, however far the position jumped: leaving one fence and entering another are two.
      A fence that is crossed between two updates is not noticed.
    - The rule is raised at the border, and cleared `margin` metres beyond it.
    - The time of a stay continues while the stream is silent, if the next position is inside.
    - Memory: at most 256 targets.

    For use in one thread.
    """

    def __init__(self, rule: FenceRule, index: FenceIndex | None = None) -> None:
        """`index`: `FenceIndex(rule.fences)`, shared by the watches of a rule."""
        self.rule = rule
        self._comparisons: dict[Subject, FenceComparison[Any]] = dict(
            comparisons(rule, FenceIndex(rule.fences) if index is None else index)
        )
        self._tracks: dict[_Key, FenceTrack] = {}
        self._last: float | None = None
        self._clock = 0.0  # seconds with data

    def update(self, now: float, places: Places) -> FenceStatus:
        """The status with the positions of a record, `places_of(record.items, rule.of)`, at monotonic seconds."""
        self._clock += min(now - self._last, _LONGEST_STEP) if self._last is not None else 0.0
        self._last = now
        events: list[FenceEvent] = []
        for key, value in self._subjects(places):
            track = self._tracks.pop(key, None) or FenceTrack(self.rule, self._comparisons[key[0]], *key)
            self._tracks[key] = track
            track.seen = self._clock
            events += track.update(now, value)
        for key in self._outdated():
            events += self._tracks.pop(key).end(now)
        seen = min(self.sightings(), key=lambda one: one.since, default=None)
        return FenceStatus(seen is not None, seen, tuple(events))

    def sightings(self) -> Iterator[FenceSighting]:
        """All subjects and fences of which the rule holds, at the last update."""
        for track in self._tracks.values():
            yield from track.sightings()

    def _subjects(self, places: Places) -> Iterator[tuple[_Key, Place | Outline]]:
        for subject in ("platform", "frame_centre", "footprint"):
            value: Place | Outline | None = getattr(places, subject)
            if value is not None and subject in self._comparisons:
                yield (subject, None), value
        if "target" in self._comparisons:
            followed = sorted(places.targets, key=lambda target: ("target", target) not in self._tracks)
            for target in islice(followed, MOST_TARGETS):
                yield ("target", target), places.targets[target]

    def _outdated(self) -> list[_Key]:
        """Targets; the ones seen longest ago come first."""
        targets = [key for key in self._tracks if key[0] == "target"]
        surplus = len(targets) - MOST_TARGETS
        oldest = self._clock - TARGET_SECONDS
        return [key for place, key in enumerate(targets) if place < surplus or self._tracks[key].seen < oldest]
