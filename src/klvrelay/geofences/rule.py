"""The settings of one geofence rule."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, get_args

from klvrelay.errors import ConfigError
from klvrelay.geofences.fence import Fence
from klvrelay.geofences.places import SUBJECTS, Subject

When = Literal["inside", "outside", "dwell", "looks_at", "altitude"]
LOOKS: frozenset[Subject] = frozenset(("frame_centre", "footprint"))

MOST_DWELL = 86_400.0
MOST_RADIUS = 100_000.0
MOST_MARGIN = 10_000.0


@dataclass(frozen=True, slots=True)
class FenceRule:
    """When a rule is raised, and for what.

    name     of the rule
    fences   of `read_fences`
    of       what is compared: the platform, the frame centre, the footprint, VMTI targets
    when     "inside": inside a fence; "outside": outside all fences; "dwell": inside a fence for at least `dwell`
             seconds; "looks_at": the frame centre is within `radius` metres of a point, or the footprint contains it;
             "altitude": the platform is over or under the area of a fence, outside its band of altitudes
    dwell    seconds
    radius   metres
    margin   metres beyond the border at which the rule is cleared, so that a position near it does not flicker. It is
             raised at the border itself. Bands of altitudes have the same margin.

    Raises ConfigError, which begins with the key of the table, for settings that do not fit together, and if a package
    is missing. Rules with equal settings and fences are equal.
    """

    name: str
    fences: tuple[Fence, ...]
    of: frozenset[Subject] = frozenset(("platform",))
    when: When = "inside"
    dwell: float = 60.0
    radius: float = 100.0
    margin: float = 10.0

    def __post_init__(self) -> None:
        for fault in _faults(self):
            raise ConfigError(fault)
        if self.compares_areas:
            from klvrelay.geofences.overlap import prepare

            prepare(self.fences)

    @property
    def compares_areas(self) -> bool:
        """Does a footprint overlap a polygon? This needs the extra `geofence`."""
        return "footprint" in self.of and self.when != "looks_at"


def _faults(rule: FenceRule) -> Iterator[str]:
    if not rule.of or not rule.of <= SUBJECTS:
        yield f"of: expected one or more of {', '.join(sorted(SUBJECTS))}"
    if rule.when not in get_args(When):
        yield f"when: unknown value; valid: {', '.join(get_args(When))}"
    limits = ("dwell", 0.0, MOST_DWELL), ("radius", 1.0, MOST_RADIUS), ("margin", 0.0, MOST_MARGIN)
    for key, low, high in limits:
        if not low <= getattr(rule, key) <= high:
            yield f"{key}: expected {low:g} to {high:g}"
    yield from _misfits(rule)


def _misfits(rule: FenceRule) -> Iterator[str]:
    if rule.when == "looks_at":
        if not rule.of <= LOOKS:
            yield 'of: "looks_at" is for frame_centre and footprint'
        if not any(fence.points for fence in rule.fences):
            yield 'when: "looks_at" needs a Point in the file of fences; for polygons, use "inside"'
    elif not any(fence.polygons for fence in rule.fences):
        yield f'when: "{rule.when}" needs a Polygon in the file of fences; for points, use "looks_at"'
    if rule.when == "altitude":
        if rule.of != {"platform"}:
            yield 'of: "altitude" is for platform'
        if not any(fence.band for fence in rule.fences):
            yield 'when: "altitude" needs a polygon with min_altitude or max_altitude'
