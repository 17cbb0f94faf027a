"""What a watch of fences says: condition, sighting, events."""

from __future__ import annotations

from typing import Literal, NamedTuple

from klvrelay.geofences.band import AltitudeBand
from klvrelay.geofences.places import Place, Subject
from klvrelay.geofences.rule import When

EventKind = Literal["entered", "left", "dwelled"]


class FenceSighting(NamedTuple):
    """A subject of which a rule holds.

    target   id of the VMTI target, else None
    fence    its name; of a rule "outside" the fence that was left last, or "" if there are several and none was left
    place    the newest position; of a footprint its middle
    since    monotonic seconds: of entering; of a rule "outside" that of leaving, or of the first position
    band     of a rule "altitude": the altitudes of the fence
    """

    when: When
    subject: Subject
    target: int | None
    fence: str
    place: Place
    since: float
    band: AltitudeBand | None = None

    def describe(self) -> str:
        """`platform at 56.119732, 9.430491, 1073 m HAE: inside North`; altitudes have the datum of the band."""
        who = f"target {self.target}" if self.subject == "target" else self.subject.replace("_", " ")
        datum = "hae" if self.band is None else self.band.datum
        altitude = getattr(self.place.altitudes, datum)
        height = "" if altitude is None else f", {altitude:.0f} m {datum.upper()}"
        limits = "" if self.band is None else f" ({self.band.describe()})"
        return (
            f"{who} at {self.place.lat:.6f}, {self.place.lon:.6f}{height}:"
            f" {_RELATIONS[self.when]} {self.fence or 'all fences'}{limits}"
        )


_RELATIONS: dict[When, str] = {
    "inside": "inside",
    "outside": "outside",
    "dwell": "stays inside",
    "looks_at": "looks at",
    "altitude": "outside the altitudes of",
}


class FenceEvent(NamedTuple):
    """A change, at monotonic seconds. Of rules "looks_at" and "altitude", "entered" is when it became true."""

    kind: EventKind
    subject: Subject
    target: int | None
    fence: str
    at: float


class FenceStatus(NamedTuple):
    """The result of an update.

    condition   true while the rule is raised
    seen        the sighting that lasts longest; None if the condition is false
    events      changes since the update before
    """

    condition: bool
    seen: FenceSighting | None
    events: tuple[FenceEvent, ...] = ()
