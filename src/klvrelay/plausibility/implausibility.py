"""What the checks find: stable ids, the clause of the standard, and what to do."""

from __future__ import annotations

from typing import NamedTuple


class Implausibility(NamedTuple):
    """A record that cannot be true.

    id       a key of CHECKS
    what     what is wrong, with the values seen and the limit, as a sentence without a full stop
    advice   what to do
    seen, limit, unit   the value that exceeds the limit, or is below it
    """

    id: str
    what: str
    advice: str
    seen: float
    limit: float
    unit: str


class PlausibilityCheck(NamedTuple):
    """What all findings of an id have in common; `title` has no values."""

    title: str
    clause: str
    advice: str


CHECKS: dict[str, PlausibilityCheck] = {
    "frozen": PlausibilityCheck(
        "The metadata stands still", "ST 0601.19 items 2, 5-7, 13-15, 18-33, 82-89",
        "Restart the encoder, and check the connection of the autopilot and the gimbal to it: bytes still arrive, but"
        " they repeat an old state. Do not use the positions.",
    ),
    "frame_centre": PlausibilityCheck(
        "The frame centre contradicts the slant range", "ST 0601.19 items 13-15, 21, 23-25, 57, 75, 78, 104",
        "Do not use ground positions of the picture until both agree: check the sensor's altitude (MSL or HAE, not"
        " above ground), the gimbal angles and the elevation model of the encoder.",
    ),
    "position_step": PlausibilityCheck(
        "The sensor's position jumps", "ST 0601.19 items 8, 9, 13, 14, 56, 79, 80",
        "Check the navigation of the platform (GPS lost, jammed or spoofed), and that only one sender uses the stream.",
    ),
    "corners": PlausibilityCheck(
        "The corners do not fit the frame centre", "ST 0601.19 items 23, 24, 26-33, 82-89",
        "Do not use the footprint. The encoder must send the corners clockwise from the top left of the picture, around"
        " the frame centre; items 26-33 are offsets from items 23 and 24 in degrees.",
    ),
    "below_ground": PlausibilityCheck(
        "An altitude is far below the ground", "ST 0601.19 items 15, 25, 75, 78, 104",
        "Check the source of the altitude: item 15 is above mean sea level, items 75 and 104 above the ellipsoid; an"
        " altitude above ground does not belong there. An unknown altitude must be omitted, not sent as zero bytes.",
    ),
    "time": PlausibilityCheck(
        "The time stamp cannot be true", "ST 0603; ST 0601.19 item 2",
        "Set the encoder's clock by GPS, NTP or PTP, in UTC and not in local time; if it is right, set the clock of"
        " this machine.",
    ),
    "position_zero": PlausibilityCheck(
        "A position is exactly 0, 0", "ST 0601.19 items 13, 14, 23, 24",
        "Latitude and longitude are exactly 0: the encoder has no position (GPS without a fix?) and should omit them.",
    ),
}  # fmt: skip
"""The ids, the most severe first."""


def implausible(kind: str, what: str, seen: float, limit: float, unit: str) -> Implausibility:
    """A finding of CHECKS[kind]."""
    return Implausibility(kind, what, CHECKS[kind].advice, seen, limit, unit)
