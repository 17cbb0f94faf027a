"""The event of the aircraft: ST 0805, platform position."""

from __future__ import annotations

from klvrelay.geo import PlatformTrack
from klvrelay.sinks.cot.cot_event import CotEvent, CotPoint, Detail, azimuth_text, contact, fixed, how_of
from klvrelay.sinks.cot.located_record import LocatedRecord
from klvrelay.sinks.cot.sensor_detail import sensor_detail
from klvrelay.sinks.cot.video_detail import video_detail

_REMARKS = {
    "platform_designation": "platform",
    "platform_tail_number": "tail number",
    "mission_id": "mission",
    "image_source_sensor": "sensor",
}


def aircraft_event(record: LocatedRecord) -> CotEvent | None:
    """Position (items 13, 14 and 104, 75 or 15), course and speed, view, video. None without a position."""
    place = record.situation.platform
    if place is None:
        return None
    found = (
        contact(record.callsign),
        track_detail(record.track),
        sensor_detail(record.items, record.situation, record.texts.get("image_source_sensor")),
        _video(record),
    )
    details = tuple(one for one in found if one is not None)
    return record.event(
        "platform", record.settings.cot_type, how_of(place.source), CotPoint.of(place), details, _remarks(record)
    )


def track_detail(track: PlatformTrack) -> Detail | None:
    """Course in degrees and speed in m/s; None unless both are known."""
    if track.course is None or track.speed is None:
        return None
    return Detail("track", {"course": azimuth_text(track.course.value), "speed": fixed(track.speed.value)})


def _video(record: LocatedRecord) -> Detail | None:
    template = record.settings.video
    if template is None:
        return None
    return video_detail(template, record.stream, record.uid("video"), record.callsign)


def _remarks(record: LocatedRecord) -> str:
    known = {name: record.texts.get(key) for key, name in _REMARKS.items()}
    return "; ".join(f"{name} {text}" for name, text in known.items() if text)
