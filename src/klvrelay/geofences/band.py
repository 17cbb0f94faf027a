"""A band of altitudes."""

from __future__ import annotations

from typing import Literal, NamedTuple

Datum = Literal["hae", "msl", "agl"]
"""Above the WGS-84 ellipsoid, above mean sea level (EGM96), or above ground."""


LOWEST, HIGHEST = -1_000.0, 100_000.0
"""Metres: the ends of a band without a lower or an upper limit."""


class Altitudes(NamedTuple):
    """Of one position, in metres; None where it is not known."""

    hae: float | None = None
    msl: float | None = None
    agl: float | None = None


class AltitudeBand(NamedTuple):
    """From `low` to `high` metres, both included."""

    low: float
    high: float
    datum: Datum = "hae"

    def describe(self) -> str:
        """`300 to 1040 m MSL`, `above 300 m AGL` or `below 1040 m HAE`."""
        unit = f"m {self.datum.upper()}"
        if self.low <= LOWEST:
            return f"below {self.high:g} {unit}"
        return f"above {self.low:g} {unit}" if self.high >= HIGHEST else f"{self.low:g} to {self.high:g} {unit}"

    def holds(self, altitudes: Altitudes, slack: float = 0.0) -> bool | None:
        """Is the altitude in the band? None if it is not known in the band's datum.

        slack   metres by which the band is wider at both ends; negative: narrower, by at most a quarter of its height
        """
        altitude = getattr(altitudes, self.datum)
        if altitude is None:
            return None
        wider = max(slack, (self.low - self.high) / 4)
        return bool(self.low - wider <= altitude <= self.high + wider)
