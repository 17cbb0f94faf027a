"""What each kind of rule compares, with the margin that keeps it from flickering."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar

from klvrelay import geo
from klvrelay.geofences.index import FenceIndex
from klvrelay.geofences.metres import metres_per_degree
from klvrelay.geofences.places import Outline, Place, Subject
from klvrelay.geofences.ring import Ring
from klvrelay.geofences.rule import FenceRule

V = TypeVar("V", contravariant=True)


class FenceComparison(Protocol[V]):
    """Compares a place or an outline with all fences of a rule. Fences are named by their place in the rule."""

    def holding(self, value: V) -> list[int]:
        """The fences of which it is true."""

    def almost(self, value: V, held: Iterable[int]) -> list[int]:
        """Those among `held` of which it is true, or would be within the margin."""

    def clearly(self, value: V, found: Iterable[int]) -> list[int]:
        """Those among `found`, of which it is true, of which it would also be true anywhere within the margin."""


class InArea:
    """A position is in a polygon; with `banded`, its altitude is in the band too, or not known."""

    def __init__(self, rule: FenceRule, index: FenceIndex, banded: bool) -> None:
        self._fences, self._margin, self._index = rule.fences, rule.margin, index
        self._banded = banded and any(fence.band for fence in rule.fences)

    def holding(self, value: Place) -> list[int]:
        found = self._index.containing(value.lat, value.lon)
        return [number for number in found if self._fits(number, value, 0.0)] if self._banded else found

    def almost(self, value: Place, held: Iterable[int]) -> list[int]:
        close = (n for n in held if self._index.is_within(n, value.lat, value.lon, self._margin))
        return [n for n in close if self._fits(n, value, self._margin)]

    def clearly(self, value: Place, found: Iterable[int]) -> list[int]:
        return [
            number
            for number in found
            if not self._index.is_near(number, value.lat, value.lon, self._margin)
            and self._fits(number, value, -self._margin)
        ]

    def _fits(self, number: int, value: Place, slack: float) -> bool:
        band = self._fences[number].band if self._banded else None
        return band is None or band.holds(value.altitudes, slack) is not False


class OutOfBand:
    """A position is in a polygon, but its altitude is not in the band."""

    def __init__(self, rule: FenceRule, index: FenceIndex) -> None:
        self._fences, self._margin, self._index = rule.fences, rule.margin, index

    def holding(self, value: Place) -> list[int]:
        return [n for n in self._index.containing(value.lat, value.lon) if self._misses(n, value, 0.0)]

    def almost(self, value: Place, held: Iterable[int]) -> list[int]:
        return [
            n
            for n in held
            if self._index.is_within(n, value.lat, value.lon, self._margin) and self._misses(n, value, -self._margin)
        ]

    def clearly(self, value: Place, found: Iterable[int]) -> list[int]:
        return [n for n in found if self._misses(n, value, self._margin)]

    def _misses(self, number: int, value: Place, slack: float) -> bool:
        band = self._fences[number].band
        return band is not None and band.holds(value.altitudes, slack) is False


class AreasOverlap:
    """A footprint shares ground with a polygon."""

    def __init__(self, rule: FenceRule, index: FenceIndex) -> None:
        from klvrelay.geofences.overlap import overlapped

        self._margin, self._index, self._overlapped = rule.margin, index, overlapped

    def holding(self, value: Outline) -> list[int]:
        return self._overlapped(self._index, value)

    def almost(self, value: Outline, held: Iterable[int]) -> list[int]:
        return self._both(held, self._overlapped(self._index, value, self._margin))

    def clearly(self, value: Outline, found: Iterable[int]) -> list[int]:
        return self._both(found, self._overlapped(self._index, value, -self._margin))

    def _both(self, some: Iterable[int], others: Sequence[int]) -> list[int]:
        return [number for number in some if number in others]


class NearPoint:
    """A position is within the radius of a point."""

    def __init__(self, rule: FenceRule) -> None:
        self._fences, self._radius, self._margin = rule.fences, rule.radius, rule.margin

    def holding(self, value: Place) -> list[int]:
        return self._within(value, range(len(self._fences)), self._radius)

    def almost(self, value: Place, held: Iterable[int]) -> list[int]:
        return self._within(value, held, self._radius + self._margin)

    def clearly(self, value: Place, found: Iterable[int]) -> list[int]:
        return self._within(value, found, self._radius - self._margin)

    def _within(self, value: Place, some: Iterable[int], metres: float) -> list[int]:
        degrees = metres / metres_per_degree(0.0)[1]
        return [n for n in some if any(_is_close(value, point, metres, degrees) for point in self._fences[n].points)]


class PointInView:
    """A footprint contains a point."""

    def __init__(self, rule: FenceRule) -> None:
        self._fences, self._margin = rule.fences, rule.margin

    def holding(self, value: Outline) -> list[int]:
        ring = _ring(value)
        return [n for n, fence in enumerate(self._fences) if any(_shows(ring, point) for point in fence.points)]

    def almost(self, value: Outline, held: Iterable[int]) -> list[int]:
        ring = _ring(value)
        return [n for n in held if any(_shows(ring, point, self._margin) for point in self._fences[n].points)]

    def clearly(self, value: Outline, found: Iterable[int]) -> list[int]:
        return list(found)


AnyComparison = FenceComparison[Place] | FenceComparison[Outline]


def comparisons(rule: FenceRule, index: FenceIndex) -> dict[Subject, AnyComparison]:
    """The comparison of each subject of a rule."""
    return {subject: _comparison(rule, index, subject) for subject in rule.of}


def _comparison(rule: FenceRule, index: FenceIndex, subject: Subject) -> AnyComparison:
    if rule.when == "looks_at":
        return PointInView(rule) if subject == "footprint" else NearPoint(rule)
    if rule.when == "altitude":
        return OutOfBand(rule, index)
    return AreasOverlap(rule, index) if subject == "footprint" else InArea(rule, index, banded=subject == "platform")


def _is_close(place: Place, point: tuple[float, float], metres: float, degrees: float) -> bool:
    """`degrees`: a difference of latitude that is larger than `metres`."""
    return abs(place.lat - point[0]) <= degrees and geo.between(place.lat, place.lon, *point).distance <= metres


def _ring(outline: Outline) -> Ring:
    return Ring([(lon, lat) for lat, lon in (*outline, outline[0])])


def _shows(ring: Ring, point: tuple[float, float], margin: float = 0.0) -> bool:
    lat, lon = point
    return any(
        ring.contains(lon + turn, lat) or (margin > 0 and ring.is_near(lon + turn, lat, margin))
        for turn in (0.0, -360.0, 360.0)
        if ring.box.west - 1 <= lon + turn <= ring.box.east + 1
    )
