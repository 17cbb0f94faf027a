"""The published JSON Schema: every record conforms to it, and invalid documents do not."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from cases import each_case
from core_and_reference import core_json
from hypothesis import given, settings
from jsonschema import Draft202012Validator
from packet_wrapping import item, local_set, packet, wrapped
from random_packets import packets

from klvrelay.decoder import decode
from native.generate import schema
from native.spec import facts

VECTORS = Path(__file__).parent / "vectors" / "vectors.jsonl"
RECORDINGS = {
    "DynamicConstantMISMMSPacketData.bin": 1,
    "DynamicOnlyMISMMSPacketData.bin": 1,
    "aphill_klv_10s.ts": 300,
    "day_flight.klv": 6,
    "h264_klv.ts": 30,
    "osh_sample_stream.ts": 277,
}


@cache
def validator() -> Draft202012Validator:
    document = json.loads(schema.schema())
    Draft202012Validator.check_schema(document)
    return Draft202012Validator(document)


def faults(record: dict[str, Any]) -> list[str]:
    return [f"{error.json_path}: {error.message[:200]}" for error in validator().iter_errors(record)]


def of_packet(raw: bytes) -> dict[str, Any]:
    record: dict[str, Any] = json.loads(core_json(raw))
    return record


def raw_packets(kind: str) -> list[bytes]:
    """The vectors of one type as whole packets."""
    found = [json.loads(line) for line in VECTORS.read_text(encoding="utf-8").splitlines()]
    return [as_packet(vector, bytes.fromhex(vector["hex"])) for vector in found if vector["type"] == kind]


def as_packet(vector: dict[str, Any], value: bytes) -> bytes:
    if vector["type"] == "packet":
        return value
    if vector["type"] in ("miis", "mdap"):
        return packet(vector["set"], value)
    return wrapped(vector["set"], item(vector["tag"], value) if vector["type"] == "item" else value)[0]


@pytest.mark.parametrize(("kind", "count"), [("item", 987), ("set", 12), ("packet", 26), ("miis", 8), ("mdap", 2)])
def test_the_record_of_every_vector_fits_the_schema(kind: str, count: int) -> None:
    """For all items, sets, packs and packets of the vectors."""
    raws = raw_packets(kind)
    assert len(raws) >= count
    assert [(raw.hex(), found) for raw in raws if (found := faults(of_packet(raw)))] == []


@pytest.mark.parametrize("name", RECORDINGS)
def test_the_records_of_real_recordings_fit_the_schema(shared: Path, name: str) -> None:
    """So do the published records of flights and of other generators."""
    records = decode((shared / "data" / name).read_bytes(), stream="uav1", boot="5f2c9a")
    assert len(records) == RECORDINGS[name]
    for record in records[:: max(1, len(records) // 60)]:
        assert faults(json.loads(record.json())) == []


@settings(deadline=None, max_examples=150)
@given(packets())
def test_the_record_of_any_packet_fits_the_schema(raw: bytes) -> None:
    """Malformed packets too: no record violates the schema."""
    assert faults(of_packet(raw)) == []


@cache
def good_record(name: str = "ST0601") -> dict[str, Any]:
    """One record of each form, the base of the invalid ones below."""
    return of_packet(GOOD[name]())


def platform() -> bytes:
    values = [
        (2, (1340977512123456).to_bytes(8, "big")),
        (5, b"\x71\xc2"),
        (13, bytes.fromhex("5595b66d")),
        (34, b"\x01"),
        (47, b"\x31"),
        (48, bytes.fromhex("010101")),
        (65, b"\x13"),
        (73, local_set([(11, bytes.fromhex("0101850202fffe"))])),
        (74, bytes.fromhex("0401046506050103064000")),
        (94, bytes.fromhex("0140bc76cfef0bee41a49618eb4b010d2f08")),
        (97, local_set([(12, b"\x09"), (13, bytes.fromhex("42c80000"))])),
        (115, b"\x05\x03Go!"),
        (139, b"\x0b"),
        (150, b"\x0a\x0b"),
    ]
    return packet("ST0601", local_set(values), checksum=True)


def legacy() -> bytes:
    latitude = bytes.fromhex("060e2b34010101030701020102040200") + b"\x08" + bytes.fromhex("4041400000000000")
    return packet("ST0104", latitude + bytes(range(16)) + b"\x01\xff")


def array() -> bytes:
    return packet("ST1303", bytes.fromhex("02040202023f8000004100000000001000200030004000500060007000"))


def metric() -> bytes:
    values = [(1, b"\x01"), (2, (1340977512123456).to_bytes(8, "big") + bytes(4)), (11, b"\x00\x00")]
    return packet("ST1108", local_set(values))


def lone_item() -> bytes:
    return bytes.fromhex("060e2b34010101030701020102040200") + b"\x08" + bytes.fromhex("4041400000000000")


GOOD = {"ST0601": platform, "ST0104": legacy, "ST1303": array, "ST1108": metric, "unknown": lone_item}


def put(path: str, value: Any) -> Callable[[dict[str, Any]], None]:
    """Set one value deep in a record; `...` removes it."""

    def change(record: dict[str, Any]) -> None:
        *steps, last = path.split("/")
        inner: Any = record
        for step in steps:
            inner = inner[int(step)] if isinstance(inner, list) else inner[step]
        if value is ...:
            del inner[last]
        else:
            inner[last] = value

    return change


WRONG = {
    "a key that no record has": put("colour", "red"),
    "an item that no set has": put("items/sensor_lattitude", 1.0),
    "no stream": put("stream", ...),
    "no quality": put("quality", ...),
    "another schema": put("schema", "klvrelay/2"),
    "a set that is none": put("set", "ST9999"),
    "a negative sequence": put("seq", -1),
    "a sequence in words": put("seq", "one"),
    "a time of another form": put("time", "2012-06-29 13:45:12"),
    "a presentation time of 34 bits": put("pts", 2**33),
    "a checksum in other words": put("quality/checksum", "good"),
    "a transport in other words": put("quality/transport", "lost"),
    "specials with nothing in them": put("quality/special", {}),
    "a warning that is no text": put("quality/warnings", [1]),
    "a number as text": put("items/platform_heading_angle", "159.974"),
    "a latitude beyond the pole": put("items/sensor_latitude", 90.1),
    "a heading below zero": put("items/platform_heading_angle", -0.1),
    "a label that no code has": put("items/icing_detected", "Perhaps"),
    "flags with one missing": put("items/generic_flag_data/laser_range", ...),
    "a flag that is a number": put("items/generic_flag_data/laser_range", 1),
    "an item that is lifted": put("items/precision_time_stamp", 0),
    "a nested set that is text": put("items/security_local_set", "010101"),
    "a nested label that no code has": put("items/security_local_set/security_classification", "Open"),
    "a target without its number": put("items/vmti_local_set/vtarget_series/0/target_id", ...),
    "a target with an item of another set": put("items/vmti_local_set/vtarget_series/0/sensor_latitude", 1.0),
    "a repeated item that is no array": put("items/control_command", {"command_id": 5}),
    "a payload twice": put("items/active_payloads", [1, 1]),
    "an unknown item in capitals": put("items/unknown/150", "0A0B"),
    "half a byte": put("items/unknown/150", "0a0"),
    "an unknown item by name": put("items/unknown/sensor", "0a"),
    "an unknown item by 16-byte key": put(f"items/unknown/{'0' * 32}", "0a"),
    "a float as text": put("items/range_image_local_set/sprm", "100.0"),
    "a bit with two labels as a truth": put("items/range_image_local_set/range_image_enumerations/source", True),
    "bits of a label that none has": put("items/range_image_local_set/range_image_enumerations/data_type", "Other"),
    "a number of more bits than it has": put("items/rvt_local_set/user_defined_local_set/0/numeric_id/id", 64),
    "a type that no two bits name": put("items/rvt_local_set/user_defined_local_set/0/numeric_id/data_type", "Real"),
    "user data that is a list": put("items/rvt_local_set/user_defined_local_set/0/user_value", [1]),
    "an identifier without its text": put("items/miis_core_identifier/text", ...),
    "an identifier in small letters": put("items/miis_core_identifier/text", "0140:bc76:B6"),
    "an item in universal form": put("items/sensor_roll_angle", 1.0),
}
OTHERS = {
    "a universal item that none is": ("ST0104", put("items/device_latitude", 1.0)),
    "a time stamp that is lifted from a universal set": ("ST0104", put("items/precision_time_stamp", 1)),
    "a version of a universal set": ("ST0104", put("version", 1)),
    "an unknown item of a universal set by tag": ("ST0104", put("items/unknown/150", "0a")),
    "an array without dimensions": ("ST1303", put("items/array/dims", [])),
    "an array of nine dimensions": ("ST1303", put("items/array/dims", [1] * 9)),
    "an array of texts": ("ST1303", put("items/array/values", ["1"])),
    "an array of no algorithm": ("ST1303", put("items/array/apa", 6)),
    "an array without its bounds": ("ST1303", put("items/array/imapb_bounds", ...)),
    "an array with another algorithm's bias": ("ST1303", put("items/array/bias", 1)),
    "an array and what is no array": ("ST1303", put("items/unknown", {"0" * 32: "00"})),
    "another item in its place": ("ST1303", put("items/sensor_latitude", 1.0)),
    "a lifted checksum": ("ST1108", put("items/crc16", 0)),
    "a time of a set that has none": ("ST1108", put("time_us", 0)),
    "two items in an item's packet": ("unknown", put("items/sensor_longitude", 1.0)),
    "no item in an item's packet": ("unknown", put("items/sensor_latitude", ...)),
    "a time beside an item": ("unknown", put("time_us", 0)),
}


CASES = {**{what: ("ST0601", change) for what, change in WRONG.items()}, **OTHERS}


@each_case(("name", "change"), CASES.values(), ids=CASES)
def test_an_invalid_record_is_refused(name: str, change: Callable[[dict[str, Any]], None]) -> None:
    """One wrong value is enough."""
    record = copy.deepcopy(good_record(name))
    assert faults(record) == []
    change(record)
    assert faults(record)


@each_case("name", facts.DECODED)
def test_every_item_is_described(name: str) -> None:
    """Each key of a set has the item's name, units, range and tag, and no key is missing."""
    properties = validator().schema["$defs"][name]["properties"]
    for about in facts.items(name):
        text = properties[about.key]["description"]
        assert about.name in text
        assert f", {about.units}" in text or not about.units
        assert schema.range_text(about) in text
        assert f"item {about.tag})" in text
    more = {"RvtUserDefined": {"user_value"}, "VTarget": {"target_id"}, "VTrackItem": {"target_id"}}
    assert {*properties} - {about.key for about in facts.items(name)} == {"unknown", *more.get(name, ())}


def test_every_item_in_universal_form_is_described() -> None:
    """Each has its name, units and 16-byte key, and no key is missing."""
    properties = validator().schema["$defs"]["keyed"]["properties"]
    for key, about in facts.keyed():
        text = properties[about.key]["description"]
        assert about.name in text
        assert about.units in text
        assert f"key {key.hex()})" in text
    assert {*properties} == {"unknown", *(about.key for _, about in facts.keyed())}


def test_the_published_schema_is_current() -> None:
    """The file in the package equals the one generated from the tables."""
    published = Path(__file__).parent.parent / "src" / "klvrelay" / "record.schema.json"
    assert published.read_text(encoding="utf-8") == schema.schema()
