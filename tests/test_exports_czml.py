"""CZML: the structure that Cesium reads, and the positions of the recording."""

from __future__ import annotations

import json
import math
from datetime import datetime
from typing import Any

import pytest
from exported import DEGREES, Tape, export, flight
from tapes import recording

from klvrelay.exports.czml import PIECE
from klvrelay.exports.times import iso_time

__all__ = ["recording"]


def packets(records: Any, **options: Any) -> list[dict[str, Any]]:
    found = json.loads(export("czml", records, **options))
    assert isinstance(found, list)
    return found


def of(found: list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    return [packet for packet in found if packet["id"] == name]


def samples(found: list[dict[str, Any]], name: str, key: str, inner: str, width: int) -> list[list[float]]:
    """The samples of all packets of an object: second, and numbers."""
    flat = [number for packet in of(found, name) if key in packet for number in packet[key][inner]]
    assert len(flat) % width == 0
    return [flat[at : at + width] for at in range(0, len(flat), width)]


def test_the_first_packet_is_the_document(recording: Tape):
    """With its version, and a clock from the first record to the last."""
    first, *others = packets(recording.records, name="uav1")
    assert (first["id"], first["name"], first["version"]) == ("document", "uav1", "1.0")
    begin, end = (iso_time(recording.records[n].clock_us) for n in (0, -1))
    assert first["clock"]["interval"] == f"{begin}/{end}"
    assert first["clock"]["currentTime"] == begin
    assert {packet["id"] for packet in others} == {"aircraft", "frame_center", "footprint"}


def test_the_aircraft_has_the_positions_of_the_recording(recording: Tape):
    """Seconds from the epoch, longitude, latitude, and metres above the ellipsoid."""
    found = packets(recording.records)
    for name, places in (("aircraft", recording.platforms), ("frame_center", recording.centers)):
        rows = samples(found, name, "position", "cartographicDegrees", 4)
        assert [row[1] for row in rows] == pytest.approx([lon for lon, _ in places], abs=DEGREES)
        assert [row[2] for row in rows] == pytest.approx([lat for _, lat in places], abs=DEGREES)
    rows = samples(found, "aircraft", "position", "cartographicDegrees", 4)
    assert [row[3] for row in rows] == pytest.approx(recording.heights, abs=1e-3)
    moments = [(record.clock_us or 0) / 1e6 for record in recording.records]
    assert [row[0] for row in rows] == pytest.approx([moment - moments[0] for moment in moments], abs=1e-6)
    assert {packet["position"]["epoch"] for packet in of(found, "aircraft") if "position" in packet} == {
        iso_time(recording.records[0].clock_us)
    }


def test_the_aircraft_has_an_orientation(recording: Tape):
    """A unit quaternion for each position."""
    rows = samples(packets(recording.records), "aircraft", "orientation", "unitQuaternion", 5)
    assert len(rows) == len(recording.records)
    assert all(math.hypot(*row[1:]) == pytest.approx(1, abs=1e-6) for row in rows)


def test_footprints_follow_each_other(recording: Tape):
    """Each is shown until the next begins; four corners of longitude, latitude, 0."""
    shapes = [packet["polygon"] for packet in of(packets(recording.records), "footprint")[1:]]
    assert len(shapes) > 8
    ends = [shape["show"]["interval"].split("/") for shape in shapes]
    assert [end for _, end in ends[:-1]] == [begin for begin, _ in ends[1:]]
    assert all(datetime.fromisoformat(begin) < datetime.fromisoformat(end) for begin, end in ends)
    assert {len(shape["positions"]["cartographicDegrees"]) for shape in shapes} == {12}
    assert all(shape["positions"]["interval"] == shape["show"]["interval"] for shape in shapes)


def test_without_attitude_there_is_no_orientation():
    """It is not made up."""
    assert all("orientation" not in packet for packet in packets(flight([(9.0, 56.0), (9.1, 56.0)])))


def test_a_long_flight_is_in_several_packets():
    """Of one object, in order, without a position twice."""
    records = flight([(9 + n / 10_000, 56.0) for n in range(PIECE * 2 + 10)], step_us=40_000)
    found = packets(records)
    assert len([packet for packet in of(found, "aircraft") if "position" in packet]) == 3
    seconds = [row[0] for row in samples(found, "aircraft", "position", "cartographicDegrees", 4)]
    assert seconds == pytest.approx([n * 0.04 for n in range(PIECE * 2 + 10)])
