"""Exports of packets that no aircraft sends: every format writes a valid file, whatever the items contain."""

from __future__ import annotations

import csv
import io
import json
from functools import cache
from random import Random

import pyarrow.parquet as pq
import pytest
from cases import each_case
from exported import TIME_US, export
from lxml import etree
from mcap.reader import make_reader
from random_packets import random_packet

import klvrelay
from klvrelay.encode import encode
from klvrelay.exports.formats import FORMATS
from klvrelay.record import Record


@cache
def records() -> list[Record]:
    """Packets of every set with random items, valid and invalid, and a few whose positions are extreme."""
    rng = Random(7)
    found = [random_packet(rng) for _ in range(1500)]
    found += [random_set_with_place(rng) for _ in range(300)]
    return klvrelay.decode(b"".join(found), stream='"<uav>&\\')


def random_set_with_place(rng: Random) -> bytes:
    """Positions anywhere, poles and 180 degrees included, with times anywhere."""
    edges = (0.0, 90.0, 89.99999, -90.0, rng.uniform(-90, 90))
    longitudes = (180.0, -180.0, 179.99999, -179.99999, rng.uniform(-180, 180))
    items = {
        "precision_time_stamp": rng.choice((0, 1, TIME_US, TIME_US + rng.randrange(10**7), 2**53, 2**63, 2**64 - 1)),
        "sensor_latitude": rng.choice(edges),
        "sensor_longitude": rng.choice(longitudes),
        "mission_id": rng.choice(("=cmd()", "\x1b[2J", "]]>", "</name>", "\u202e", "\ufffe", '"')),
        "platform_heading_angle": rng.uniform(0, 359.9),
        "platform_pitch_angle_full": rng.uniform(-90, 90),
        "platform_roll_angle_full": rng.uniform(-90, 90),
    }
    for corner in (1, 2, 3, 4):
        items[f"corner_latitude_point_{corner}_full"] = rng.choice(edges)
        items[f"corner_longitude_point_{corner}_full"] = rng.choice(longitudes)
    return encode(items)


def check(name: str, data: bytes) -> None:
    """The file can be read to its end."""
    if name in ("kml", "gpx"):
        etree.fromstring(data)
    elif name in ("geojson", "czml"):
        json.loads(data, parse_constant=pytest.fail)
    elif name == "jsonl":
        assert all(json.loads(line) for line in data.splitlines())
    elif name in ("csv", "esri-csv"):
        rows = list(csv.reader(io.StringIO(data.decode(), newline=""), strict=True))
        assert {len(row) for row in rows} == {len(rows[0])}
    elif name in ("parquet", "geoparquet"):
        assert pq.read_table(io.BytesIO(data)).num_rows > 0
    elif name == "mcap":
        assert sum(1 for _ in make_reader(io.BytesIO(data), validate_crcs=True).iter_messages()) > 0
    else:
        assert name == "klv"
        assert klvrelay.decode(data)


@pytest.mark.parametrize("name", FORMATS)
def test_any_packets_give_a_valid_file(name: str):
    """No error, no text of the aircraft in the place of markup, no number that JSON does not have."""
    check(name, export(name, records(), name='"<uav>&\\ \x1b', footprint_every=0))


@pytest.mark.parametrize("name", FORMATS)
def test_damaged_records_give_a_valid_file(name: str):
    """As with --bad: packets that are cut, or whose bits have changed."""
    rng, good = Random(8), [record for record in records() if record.set == "ST0601" and len(record.raw) > 30]
    spoilt = []
    for record in [*good[:100], *good[-100:]]:
        raw = bytearray(record.raw)
        raw[rng.randrange(17, len(raw))] ^= 1 << rng.randrange(8)
        cut = bytes(raw[: rng.randrange(18, len(raw) + 1)])
        spoilt.append(record._replace(raw=cut, transport="damaged", checksum="bad"))
    check(name, export(name, [*good[100:150], *spoilt, *good[-120:-100]], footprint_every=0))


@each_case("value", [float("nan"), float("inf"), 1e300, -1e300, 91.0])
def test_a_latitude_that_is_none_is_not_exported(value: float):
    """EG 0104 may send any double: such a record has no position."""
    import struct

    from klvrelay.standards.spec import UNIVERSAL_KEYS

    place = struct.pack(">d", value), struct.pack(">d", 9.0)
    keys = ("060E2B34010101010701020102040200", "060E2B34010101010701020102060200")
    body = b"".join(bytes.fromhex(key) + b"\x08" + number for key, number in zip(keys, place, strict=True))
    raw = UNIVERSAL_KEYS["ST0104"] + bytes([len(body)]) + body
    (record,) = klvrelay.decode(raw)
    assert record.items["sensor_longitude"] == 9.0
    assert json.loads(export("geojson", [record]))["features"] == []
