"""Cursor on Target events of records: golden files, schema, positions and heights, times, names and limits."""

from __future__ import annotations

import logging
import xml.etree.ElementTree as ET
from datetime import datetime
from pathlib import Path
from typing import Any

import cot_cases
import pytest
from cases import each_case
from conftest import ROOT
from cot_cases import CASES, CENTRE, FOLDER, NAMES, NOW_US, POSITION, TIME_US, events_of, packet, record_of, settings
from lxml import etree

import klvrelay
from klvrelay.sinks.cot.conversion import EventConversion
from klvrelay.sinks.cot.cot_event import CotEvent, Detail
from klvrelay.sinks.cot.event_xml import event_xml, time_text
from klvrelay.sinks.cot.identity import STREAMS_MOST, StreamTexts, clean

ORBIT = ROOT / "samples" / "orbit.ts"
SCHEMA = etree.XMLSchema(etree.parse(FOLDER / "event.xsd"))
NGA = (
    (38.6281550, -90.2208450, -31.628), (-14.6212170, -54.9788860, -2.969), (46.8743190, 102.4487290, -43.575),
    (-23.6174460, 133.8747120, 15.871), (38.6254730, -0.0005000, 50.066), (-0.4667440, 0.0023000, 17.329),
)  # fmt: skip
"""Latitude, longitude and undulation of EGM96: the test values of the NGA's program."""


def of(*items: dict[str, Any], **more: Any) -> list[CotEvent]:
    """The events of a record with these items; `more` are settings."""
    return EventConversion(settings(**more)).events_of(record_of(packet(dict(_all(items)))), NOW_US)


def _all(items: tuple[dict[str, Any], ...]) -> list[tuple[str, Any]]:
    return [pair for each in items for pair in each.items()]


@each_case("name", CASES)
def test_a_record_has_the_events_of_its_file(name: str):
    """Byte for byte. A case without events has an empty file."""
    assert cot_cases.written(CASES[name]) == (FOLDER / f"{name}.xml").read_bytes()


def test_each_file_belongs_to_a_case():
    """None is left over, and some cases have no event."""
    assert {path.stem for path in FOLDER.glob("*.xml")} == set(CASES)
    assert {name for name, case in CASES.items() if not events_of(case)} == {
        "nothing", "no-fix", "latitude-alone", "special-values", "three-corners",
    }  # fmt: skip


@each_case("name", CASES)
def test_an_event_is_valid(name: str):
    """By the schema, whatever the texts of the aircraft are."""
    for event in events_of(CASES[name]):
        SCHEMA.assertValid(etree.fromstring(event_xml(event)))


def test_the_schema_refuses_what_is_wrong():
    """The test before can fail."""
    good = event_xml(events_of(CASES["all"])[0])
    for old, new in ((b'lat="56', b'lat="96'), (b"<track", b"<trick"), (b'course="1.50"', b'course="360.00"')):
        assert not SCHEMA.validate(etree.fromstring(good.replace(old, new)))


def test_texts_are_themselves_after_reading():
    """A reader of XML finds what the aircraft sent, without the characters that do not print."""
    aircraft = ET.fromstring(event_xml(events_of(CASES["hostile"])[0]))
    contact = aircraft.find("detail/contact")
    assert contact is not None
    assert contact.get("callsign") == "</detail><x a='1\"& [31m"
    assert len(aircraft.findall("detail/*")) == 4


def test_no_text_can_make_a_document_invalid():
    """All characters of the basic plane, in an attribute and in a text; line ends and tabs survive in both."""
    every = "".join(map(chr, range(0x110))) + "\u2028\ufffd\ufffe\uffff\ud800\U0001f681"
    event = events_of(CASES["aircraft"])[0]._replace(details=(Detail("remarks", {"x": every}, every),))
    (found,) = ET.fromstring(event_xml(event)).iter("remarks")
    kept = "".join(c if c in "\t\n\r" or " " <= c not in "\ufffe\uffff\ud800" else "\ufffd" for c in every)
    assert found.get("x") == kept
    assert found.text == kept


def test_hostile_recordings_have_valid_events(shared: Path):
    """Texts with escape sequences, line ends and markup; 200 targets; a separate VMTI stream; a legacy aircraft."""
    conversion, seen = EventConversion(settings(uid_from="mission", video="rtsp://media/{stream}")), 0
    for name in ("hostile.ts", "vmti_sep_small.ts", "two_uav.ts", "bb_id3.ts"):
        for record in klvrelay.open(shared / "cases" / name):
            for event in conversion.events_of(record, NOW_US):
                root = etree.fromstring(event_xml(event))
                SCHEMA.assertValid(root)
                assert all(text.isprintable() for text in root.itertext())
                seen += 1
    assert seen >= 28


@each_case(
    ("text", "shown"),
    [("a\r\nb", "a b"), ("\x1b[31mred", "[31mred"), ("\u202eabc", "abc"), ("  x  ", "x"), ("\x00", ""), ("é✈", "é✈"),
     ("x" * 500, "x" * 60)],
)  # fmt: skip
def test_a_label_is_short_and_on_one_line(text: str, shown: str):
    """Without control characters, and without those that change the direction of writing."""
    assert clean(text) == shown


# ---- positions ----


def test_positions_are_those_of_the_json():
    """Each event of a whole flight, within the resolution of 1e-8 degrees."""
    conversion = EventConversion(settings())
    for record in klvrelay.open(ORBIT):
        items = record.items
        found = {event.uid.split(".")[1]: event for event in conversion.events_of(record, NOW_US)}
        platform, spi = (_written(found[kind]) for kind in ("platform", "spi"))
        assert platform[:2] == (items["sensor_latitude"], items["sensor_longitude"])
        assert abs(platform[2] - items["sensor_ellipsoid_height_extended"]) <= 0.005
        assert spi[:2] == (items["frame_center_latitude"], items["frame_center_longitude"])
        corners = [link.get("point") for link in ET.fromstring(event_xml(found["footprint"])).iter("link")]
        assert corners[0] == corners[4]
        assert [tuple(map(float, str(corner).split(","))) for corner in corners[:4]] == [
            tuple(items[f"corner_{axis}_point_{n}_full"] for axis in ("latitude", "longitude")) for n in range(1, 5)
        ]
        located = [one for one in items["vmti_local_set"]["vtarget_series"] if "target_location" in one]
        assert _written(found["target"])[:2] == tuple(
            located[0]["target_location"][key] for key in ("latitude", "longitude")
        )


def _written(event: CotEvent) -> tuple[float, float, float]:
    point = ET.fromstring(event_xml(event)).find("point")
    assert point is not None
    return tuple(float(point.get(key, "")) for key in ("lat", "lon", "hae"))  # type: ignore[return-value]


@each_case(("lat", "lon", "undulation"), NGA)
def test_a_height_above_the_sea_becomes_one_above_the_ellipsoid(lat: float, lon: float, undulation: float):
    """Of aircraft, frame centre and target: within 1 m of EGM96."""
    places = {"platform": "sensor", "spi": "frame_center"}
    heights = {"platform": "sensor_true_altitude", "spi": "frame_center_elevation"}
    for kind, place in places.items():
        position = {f"{place}_latitude": lat, f"{place}_longitude": lon, heights[kind]: 500.0}
        (event,) = of(position, events=(kind,))
        assert abs(event.point.hae - 500.0 - undulation) < 1.0


def test_the_height_above_the_ellipsoid_is_preferred():
    """Items 104 and 75 need no geoid, which item 15 does."""
    heights = {"sensor_true_altitude": 900.0, "sensor_ellipsoid_height": 1000.0}
    assert abs(of(POSITION, heights)[0].point.hae - 1000.0) < 0.2
    assert of(POSITION, heights, {"sensor_ellipsoid_height_extended": 1001.25})[0].point.hae == pytest.approx(1001.25)


# ---- times ----


def test_the_time_of_an_event_is_that_of_the_record():
    """Item 2, to the millisecond; old after `stale_after`."""
    root = ET.fromstring(event_xml(of(POSITION, stale_after=12.5)[0]))
    times = [datetime.fromisoformat(root.get(key, "")).timestamp() for key in ("time", "start", "stale")]
    assert times == [TIME_US // 1000 / 1000, TIME_US // 1000 / 1000, pytest.approx(TIME_US // 1000 / 1000 + 12.5)]


def test_an_aircraft_with_a_wrong_clock_can_have_the_time_of_arrival():
    """`event_time = "received"`. Without an arrival, as in a file, it is item 2."""
    conversion = EventConversion(settings(event_time="received"))
    record = record_of(packet(POSITION))
    assert conversion.events_of(record, NOW_US)[0].time_us == record.received_us
    assert conversion.events_of(record._replace(received_us=None), NOW_US)[0].time_us == TIME_US


def test_without_a_valid_time_there_is_no_event(caplog: pytest.LogCaptureFixture):
    """Neither item 2 nor an arrival; or beyond the year 9999. Logged once per stream."""
    conversion = EventConversion(settings())
    timeless = record_of(klvrelay.encode({**POSITION, "platform_heading_angle": 1.0}, checksum=False))
    for _ in range(3):
        assert conversion.events_of(timeless._replace(received_us=None), NOW_US) == []
    far = record_of(klvrelay.encode({"precision_time_stamp": 2**63, **POSITION}))
    assert conversion.events_of(far, NOW_US) == []
    assert [line.count("no valid time") for line in caplog.messages] == [1]
    with pytest.raises(ValueError, match=str(2**63)):
        time_text(2**63)


# ---- who it is ----


def test_uids_stay_while_names_come_and_go():
    """With `uid_from = "stream"` from the first record on; with an item, from its first appearance."""
    bare, named = record_of(packet(POSITION)), record_of(packet({**POSITION, **NAMES}))
    by_stream = EventConversion(settings())
    assert len({by_stream.events_of(one, NOW_US)[0].uid for one in (bare, named, bare)}) == 1
    by_item = EventConversion(settings(uid_from="tail_number"))
    assert [[event.uid for event in by_item.events_of(one, NOW_US)] for one in (bare, named, bare)] == [
        [], ["klvrelay.platform.OY-KLV"], ["klvrelay.platform.OY-KLV"],
    ]  # fmt: skip


def test_a_missing_identity_is_logged_once(caplog: pytest.LogCaptureFixture):
    """With the item that is awaited."""
    conversion = EventConversion(settings(uid_from="mission"))
    for _ in range(3):
        conversion.events_of(record_of(packet(POSITION)), NOW_US)
    assert [line for line in caplog.messages if "items 10 and 3 not sent yet" in line] == caplog.messages[:1]
    assert len(caplog.messages) == 1


def test_two_relays_of_an_aircraft_agree_or_differ_as_set():
    """By its tail number they agree, whatever the streams are called; with another prefix they differ."""
    one, other = (record_of(packet({**POSITION, **NAMES}), stream) for stream in ("uav1", "north"))

    def uid(record: Any, **more: Any) -> str:
        return EventConversion(settings(**more)).events_of(record, NOW_US)[0].uid

    assert uid(one, uid_from="tail_number") == uid(other, uid_from="tail_number")
    assert uid(one) != uid(other)
    assert uid(one, uid_prefix="north") != uid(one, uid_prefix="south")


def test_no_stream_has_the_uid_of_an_event_of_another():
    """Names of streams may contain dots and the names of kinds."""
    names = ["a", "spi.a", "a.spi", "target.1.a", "a/b", "a%2Fb", "a b", "1.a"]
    record = record_of(packet({**POSITION, **CENTRE}))
    conversion = EventConversion(settings())
    uids = [event.uid for name in names for event in conversion.events_of(record._replace(stream=name), NOW_US)]
    assert len(uids) == len(set(uids)) == 2 * len(names)


def test_labels_do_not_flicker():
    """A name that is sent rarely stays until it is sent again, per stream."""
    conversion = EventConversion(settings())
    shown = []
    for more in ({}, {"platform_tail_number": "OY-1"}, {}, {"platform_call_sign": "K 1"}, {"platform_call_sign": ""}):
        (event,) = conversion.events_of(record_of(packet({**POSITION, **more})), NOW_US)
        shown.append(event.details[0].attributes["callsign"])
    assert shown == ["uav1", "OY-1", "OY-1", "K 1", "K 1"]
    (other,) = conversion.events_of(record_of(packet(POSITION), "uav2"), NOW_US)
    assert other.details[0].attributes["callsign"] == "uav2"


def test_an_output_gets_no_names_from_another():
    """Of the same sink: what one output leaves out is not added from the records of another."""
    conversion = EventConversion(settings())
    conversion.events_of(record_of(packet({**POSITION, **NAMES})), NOW_US, "full")
    (event,) = conversion.events_of(record_of(packet(POSITION)), NOW_US, "thin")
    assert event.details[0].attributes["callsign"] == "uav1"


def test_the_names_of_streams_are_bounded():
    """The stream that was silent for longest is forgotten."""
    texts = StreamTexts(most=2)
    for stream in ("a", "b", "a", "c"):
        texts.follow("", stream, {"platform_tail_number": stream} if stream != "a" else {"platform_call_sign": "A"})
    assert texts.follow("", "a", {}) == {"platform_call_sign": "A"}
    assert texts.follow("", "b", {}) == {}


def test_warnings_are_bounded(caplog: pytest.LogCaptureFixture):
    """Streams come and go."""
    caplog.set_level(logging.WARNING)
    conversion, record = EventConversion(settings()), record_of(packet({"platform_heading_angle": 1.0}))
    for number in range(STREAMS_MOST + 50):
        conversion.events_of(record._replace(stream=f"s{number}"), NOW_US)
    assert len(caplog.messages) == STREAMS_MOST


# ---- VMTI ----


def test_targets_of_a_set_without_an_aircraft_have_events():
    """A stand-alone ST 0903 packet: those with a location."""
    vmti = {"precision_time_stamp": TIME_US, "vmti_ls_version": 6, "vtarget_series": cot_cases.TARGETS}
    record = record_of(klvrelay.encode({"set": "ST0903", "items": vmti}))
    assert [event.uid for event in EventConversion(settings()).events_of(record, NOW_US)] == ["klvrelay.target.1.uav1"]


def test_a_target_number_that_occurs_twice_counts_once():
    """The first one."""
    series = [{"target_id": 7, "target_location": {"latitude": lat, "longitude": 9.0, "hae": 0}} for lat in (1.0, 2.0)]
    (event,) = of({"vmti_local_set": {"vtarget_series": series}})
    assert event.uid == "klvrelay.target.7.uav1"
    assert event.point.lat == pytest.approx(1.0, abs=1e-6)
