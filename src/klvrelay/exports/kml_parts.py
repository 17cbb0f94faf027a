"""The elements of a KML file, in the order of the schema (OGC 07-147r2; gx: elements of its schema extension 2.2)."""

from __future__ import annotations

from collections.abc import Sequence

from klvrelay.exports.numbers_text import degrees, metres
from klvrelay.exports.positions import LonLat, PlatformAngles, TrackPoint
from klvrelay.exports.rings import cut_ring
from klvrelay.exports.xml_text import xml_text

NAMESPACES = 'xmlns="http://www.opengis.net/kml/2.2" xmlns:gx="http://www.google.com/kml/ext/2.2"'
STYLES = """\
<Style id="platform"><IconStyle><scale>0.8</scale><Icon><href>http://maps.google.com/mapfiles/kml/shapes/track.png\
</href></Icon></IconStyle><LineStyle><color>ff00a5ff</color><width>3</width></LineStyle></Style>
<Style id="center"><IconStyle><scale>0.6</scale><Icon><href>http://maps.google.com/mapfiles/kml/shapes/target.png\
</href></Icon></IconStyle><LineStyle><color>ffffff00</color><width>2</width></LineStyle></Style>
<Style id="footprint"><LineStyle><color>ffffff00</color><width>1</width></LineStyle>\
<PolyStyle><color>30ffff00</color></PolyStyle></Style>
"""
"""Colours are alpha, blue, green, red."""


def document_begin(name: str, begin: str | None, end: str | None) -> str:
    """The file up to its first placemark."""
    span = f"{time_span(begin, end)}\n" if begin and end else ""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<kml {NAMESPACES}>\n<Document><name>{xml_text(name)}</name>'
        f"<open>1</open>\n{span}{STYLES}"
    )


DOCUMENT_END = "</Document>\n</kml>\n"


def track_begin(name: str, style: str, mode: str) -> str:
    """A placemark with a track in several pieces, joined by lines. `mode`: absolute or clampToGround."""
    return (
        f'<Placemark><name>{xml_text(name)}</name><styleUrl>#{style}</styleUrl>\n'
        f"<gx:MultiTrack><altitudeMode>{mode}</altitudeMode><gx:interpolate>1</gx:interpolate>\n"
    )


TRACK_END = "</gx:MultiTrack></Placemark>\n"


def track_piece(mode: str, points: Sequence[tuple[str, TrackPoint, PlatformAngles | None]]) -> str:
    """Some positions with their times. Angles are written if all have them: heading, then no tilt and roll."""
    whens = "".join(f"<when>{time}</when>" for time, _, _ in points)
    places = "".join(f"<gx:coord>{_place(point)}</gx:coord>" for _, point, _ in points)
    headings = [angles.heading for _, _, angles in points if angles is not None]
    turned = "".join(f"<gx:angles>{degrees(heading)} 0 0</gx:angles>" for heading in headings)
    return (
        f"<gx:Track><altitudeMode>{mode}</altitudeMode>{whens}{places}"
        f"{turned if len(headings) == len(points) else ''}</gx:Track>\n"
    )


def _place(point: TrackPoint) -> str:
    """Longitude, latitude, and the height above sea level, from which Google Earth measures."""
    return f"{degrees(point.longitude)} {degrees(point.latitude)} {metres(point.msl) or '0'}"


def footprint(corners: Sequence[LonLat], begin: str, end: str) -> str:
    """A placemark with a polygon on the ground, cut at 180 degrees; empty for a polygon without area."""
    parts = "".join(_polygon(ring) for ring in cut_ring(corners))
    if not parts:
        return ""
    return (
        f"<Placemark>{time_span(begin, end)}<styleUrl>#footprint</styleUrl>"
        f"<MultiGeometry>{parts}</MultiGeometry></Placemark>\n"
    )


def _polygon(ring: Sequence[LonLat]) -> str:
    closed = " ".join(f"{degrees(lon)},{degrees(lat)}" for lon, lat in [*ring, ring[0]])
    return (
        "<Polygon><tessellate>1</tessellate><outerBoundaryIs><LinearRing>"
        f"<coordinates>{closed}</coordinates></LinearRing></outerBoundaryIs></Polygon>"
    )


def time_span(begin: str, end: str) -> str:
    return f"<TimeSpan><begin>{begin}</begin><end>{end}</end></TimeSpan>"
