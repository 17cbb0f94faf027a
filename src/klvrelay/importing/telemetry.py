"""Telemetry as the readers return it: rows of values at times."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, NamedTuple

from klvrelay.errors import SourceError
from klvrelay.text import counted

ROWS_MOST = 1_000_000
"""Maximum number of rows of a file: nine hours at 30 per second."""
FAULTS_SHOWN = 5

GIMBAL = ("gimbal_yaw", "gimbal_pitch", "gimbal_roll")
FOCAL_LENGTH, HEIGHT = "focal_length_35mm", "height_above_takeoff"
MEASURES = {**dict.fromkeys(GIMBAL, "deg"), FOCAL_LENGTH: "mm", HEIGHT: "m"}
"""Values besides the items of ST 0601 that a row may hold, and their units. Items are derived from them.

gimbal_yaw, gimbal_pitch, gimbal_roll   orientation of the camera: yaw clockwise from true north, pitch up positive
focal_length_35mm                       focal length of a 36 x 24 mm camera with the same diagonal field of view
height_above_takeoff                    height above the place of take-off
"""


class TelemetryRow(NamedTuple):
    """Values at a time, in microseconds; `line` of the file. Keys: paths of ST 0601 items, or of MEASURES."""

    at_us: int
    line: int
    keys: tuple[str, ...]
    values: tuple[Any, ...]

    def items(self) -> Mapping[str, Any]:
        return dict(zip(self.keys, self.values, strict=True))


class RowFaults:
    """ImportCounts the rows, or values of rows, that could not be used."""

    def __init__(self, noun: str) -> None:
        self.count = 0
        self.first: list[str] = []
        self._noun = noun

    def add(self, line: int, reason: str) -> None:
        self.count += 1
        if len(self.first) < FAULTS_SHOWN:
            self.first.append(f"line {line}: {reason}")

    def describe(self) -> list[str]:
        """`3 rows skipped: line 7: ...`; empty without a fault."""
        more = self.count - len(self.first)
        shown = "; ".join(self.first) + (f"; and {more} more" if more else "")
        return [f"{counted(self.count, self._noun)} skipped: {shown}"] if self.count else []


@dataclass(frozen=True, slots=True)
class FlightTelemetry:
    """The rows of a file in order of time.

    form         what the file is, for messages
    relative     times count from the first frame of the video; otherwise from 1970
    clock_us     time of day at relative time 0 by the aircraft's clock, in microseconds since 1970; None: unknown
    is_local     that clock, or the times, are local and of unknown zone
    columns      what was read: source and destination, for people
    ignored      columns that were not recognised
    notes        what a user should know
    """

    form: str
    rows: Sequence[TelemetryRow]
    relative: bool
    clock_us: int | None = None
    is_local: bool = False
    columns: Sequence[tuple[str, str]] = ()
    ignored: Sequence[str] = ()
    notes: Sequence[str] = field(default=())


def in_order(rows: list[TelemetryRow], noun: str) -> list[str]:
    """Sort rows by time, in place; a note if they were not."""
    late = sum(later.at_us < row.at_us for row, later in pairwise(rows))
    if late:
        rows.sort(key=lambda row: row.at_us)
        return [f"{counted(late, noun)} out of order in time; they were sorted"]
    return []


def check_room(rows: Sequence[TelemetryRow], name: object) -> None:
    """Raises SourceError if there is no room for another row."""
    if len(rows) >= ROWS_MOST:
        raise SourceError(f"{name}: more than {ROWS_MOST:,} rows; split the file, and the video at the same times")
