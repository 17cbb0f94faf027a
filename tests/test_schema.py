"""The published JSON Schema: every record fits it, and what is no record does not.

Next door: `native/schema.py` makes it from the csv facts; `packets.py` makes the random records.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from jsonschema import Draft202012Validator
from opinions import core_json
from packets import packets
from wrapping import item, local_set, packet, wrapped

from klvrelay.klv import decode
from native import schema
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
    found = [vector for vector in found if vector["type"] == kind]
    if kind == "packet":
        return [bytes.fromhex(vector["hex"]) for vector in found]
    known = [vector for vector in found if vector["set"] in facts.DECODED]
    if kind == "set":
        return [wrapped(vector["set"], bytes.fromhex(vector["hex"]))[0] for vector in known]
    return [wrapped(vector["set"], item(vector["tag"], bytes.fromhex(vector["hex"])))[0] for vector in known]


@pytest.mark.parametrize("kind", ["item", "set", "packet"])
def test_the_record_of_every_vector_fits_the_schema(kind: str) -> None:
    """Whatever item, set or packet the vectors hold, its record is what the schema says."""
    raws = raw_packets(kind)
    assert len(raws) > 5
    assert [(raw.hex(), found) for raw in raws if (found := faults(of_packet(raw)))] == []


@pytest.mark.parametrize("name", RECORDINGS)
def test_the_records_of_real_recordings_fit_the_schema(shared: Path, name: str) -> None:
    """So do the records of flights and of other people's generators, as they are published."""
    records = decode((shared / "data" / name).read_bytes(), stream="uav1", boot="5f2c9a")
    assert len(records) == RECORDINGS[name]
    for record in records[:: max(1, len(records) // 60)]:
        assert faults(json.loads(record.json())) == []


@settings(derandomize=True, deadline=None, database=None, max_examples=150)
@given(packets())
def test_the_record_of_any_packet_fits_the_schema(raw: bytes) -> None:
    """Odd and broken packets too: there is no record outside the schema."""
    assert faults(of_packet(raw)) == []


@cache
def good_record() -> dict[str, Any]:
    values = [
        (2, (1340977512123456).to_bytes(8, "big")),
        (5, b"\x71\xc2"),
        (13, bytes.fromhex("5595b66d")),
        (34, b"\x01"),
        (47, b"\x31"),
        (48, bytes.fromhex("010101")),
        (65, b"\x13"),
        (74, bytes.fromhex("0401046506050103064000")),
        (115, b"\x05\x03Go!"),
        (139, b"\x0b"),
        (150, b"\x0a\x0b"),
    ]
    return of_packet(packet("ST0601", local_set(values), checksum=True))


def put(path: str, value: Any) -> Callable[[dict[str, Any]], None]:
    """Sets one value deep in a record; `...` takes it out."""

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
}


@pytest.mark.parametrize("change", WRONG.values(), ids=WRONG)
def test_what_is_no_record_is_refused(change: Callable[[dict[str, Any]], None]) -> None:
    """One wrong value is enough."""
    record = copy.deepcopy(good_record())
    assert faults(record) == []
    change(record)
    assert faults(record)


@pytest.mark.parametrize("name", facts.DECODED)
def test_every_item_is_described(name: str) -> None:
    """Each key of a set tells the item's name, units and tag, and no key is missing."""
    properties = validator().schema["$defs"][name]["properties"]
    for about in facts.items(name):
        text = properties[about.key]["description"]
        assert about.name in text
        assert about.units in text
        assert f"item {about.tag})" in text
    assert {*properties} - {about.key for about in facts.items(name)} <= {"unknown", "target_id"}
