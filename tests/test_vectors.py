"""The published and cross-checked vectors of `tests/vectors/`, through the C core and through the reference.

Next door: `wrapping.py` puts a vector's bytes into a packet, `expected.py` its value into a record's shape.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import reference_values
import reference_wire
from expected import deviations, in_record, set_in_record, special_name
from opinions import core_json, exact
from reference import decode
from reference_sets import table
from reference_values import Real
from wrapping import decoded, item, packet, series, universal_key, wrapped

from klvrelay import wire
from native.spec import facts

Vector = dict[str, Any]
FOLDER = Path(__file__).parent / "vectors"

# Sets whose items stay raw for now, and how many vectors of items, sets and packets wait for each.
LEFT_RAW = {
    "EG0104": 1,
    "RvtAoi": 17,
    "RvtPoi": 23,
    "RvtUserDefined": 3,
    "ST0102-US": 1,
    "ST0806": 51,  # one of them inside item 73 of ST 0601
    "ST1002": 7,
    "ST1107": 37,
    "ST1108": 11,
    "ST1108Metric": 6,
    "ST1202": 11,
    "ST1206": 113,
    "ST1303": 2,
    "ST1601": 8,
    "ST1602": 14,
    "VTrack": 2,
    "VTrackItem": 6,
}
# Checks that belong to no set that klvrelay reads, and how many vectors wait for each.
UNUSED_CHECKS = {"crc8_ccitt": 3}


def load(name: str) -> list[Vector]:
    return [json.loads(line) for line in (FOLDER / name).read_text(encoding="utf-8").splitlines()]


VECTORS = load("vectors.jsonl")
IMAPB = [vector for vector in VECTORS if vector["type"] == "imapb"] + load("imapb_vectors.jsonl")


def raw_set_of(vector: Vector) -> str | None:
    """The set that a vector waits for, if its items stay raw for now."""
    if vector["type"] == "mdap":
        return "ST1303"
    if vector["type"] not in ("item", "set", "packet"):
        return None
    if vector["set"] not in facts.DECODED:
        return str(vector["set"])
    if vector["type"] != "item":
        return None
    kind, _, inner = table(vector["set"])[vector["tag"]].kind.partition(":")
    return inner if kind == "local_set" and not decoded(inner) else None


def of_type(*types: str) -> list[Vector]:
    return [vector for vector in VECTORS if vector["type"] in types and raw_set_of(vector) is None]


def label(vector: Vector) -> str:
    parts = [vector["id"], vector.get("set", vector["type"]), vector.get("tag"), vector.get("name")]
    return "-".join(str(part).replace(" ", "_") for part in parts if part is not None)


def imapb_label(vector: Vector) -> str:
    return f"{vector['min']:g}..{vector['max']:g}-{vector['hex']}"


def vectors(found: list[Vector], name: Callable[[Vector], str] = label) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("vector", found, ids=map(name, found))


def opinions(raw: bytes) -> dict[str, dict[str, Any]]:
    return {"reference": decode(raw), "core": exact(core_json(raw))}


def down(items: Any, way: list[str | int]) -> Any:
    for step in way:
        items = items[step]
    return items


@vectors(of_type("item"))
def test_an_item_vector_comes_out_of_the_record(vector: Vector) -> None:
    """A single item's bytes, in a packet of their set, give the value that others agreed upon."""
    about = table(vector["set"])[vector["tag"]]
    raw, way = wrapped(vector["set"], item(vector["tag"], bytes.fromhex(vector["hex"])))
    steps = down(decode(raw)["items"], way)
    expected = {about.key: in_record(about, vector["expected"])}
    for name, record in opinions(raw).items():
        got = dict(down(record["items"], way))
        if way:
            got.pop("target_id", None)  # the pack's own, around the item
        if not way and vector["set"] in ("ST0601", "ST0903") and about.tag in (2, 65):
            got = {about.key: record["time_us" if about.tag == 2 else "version"]}
        assert not list(deviations(expected, got, steps, Fraction(vector["tol"] or 0))), name
        if isinstance(vector["expected"], dict) and "special" in vector["expected"]:
            place = dotted([*way, about.key])
            assert record["quality"]["special"] == {place: special_name(vector["expected"])}


def dotted(way: list[str | int]) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in way).lstrip(".")


@vectors(of_type("set"))
def test_a_set_vector_comes_out_of_the_record(vector: Vector) -> None:
    """The value of a whole set gives each of its items, and nothing else."""
    raw, way = wrapped(vector["set"], bytes.fromhex(vector["hex"]))
    check_set(vector, raw, way)


@vectors(of_type("packet"))
def test_a_packet_vector_comes_out_of_the_record(vector: Vector) -> None:
    """A whole packet gives each of its items, its time and version, and what its checksum says."""
    raw = bytes.fromhex(vector["hex"])
    check_set(vector, raw, [])
    checksum = {True: "ok", False: "bad", None: "absent"}[vector["checksum_ok"]]
    assert {name: record["quality"]["checksum"] for name, record in opinions(raw).items()} == {
        "reference": checksum,
        "core": checksum,
    }


def check_set(vector: Vector, raw: bytes, way: list[str | int]) -> None:
    expected = set_in_record(vector["set"], vector["expected"], nested=bool(way))
    steps = down(decode(raw)["items"], way)
    for name, record in opinions(raw).items():
        got = down(record["items"], way)
        for items in got.get("sdcc_flp", ()):
            if items is not None:
                del items["items"]  # what the vectors don't tell: the keys of the items before
        assert not list(deviations(expected, got, steps, Fraction(0))), name
        assert record["set"] == (vector["set"] if not way else record["set"])
        if not way and "2" in vector["expected"] and vector["set"] != "ST0102":
            assert record["time_us"] == vector["expected"]["2"]
        if not way and "65" in vector["expected"]:
            assert record["version"] == vector["expected"]["65"]


@vectors(of_type("miis"))
def test_a_core_identifier_comes_out_of_item_94(vector: Vector) -> None:
    """The examples of ST 1204 give version, usage and the identifiers that the usage names."""
    raw = packet("ST0601", item(94, bytes.fromhex(vector["hex"])), checksum=True)
    for name, record in opinions(raw).items():
        assert record["items"] == {"miis_core_identifier": vector["expected"]}, name


@vectors([vector for vector in VECTORS if raw_set_of(vector)])
def test_a_vector_of_a_set_left_raw_keeps_every_byte(vector: Vector) -> None:
    """What is not decoded yet comes out as hex under its tag or key: named, and with nothing lost."""
    data = bytes.fromhex(vector["hex"])
    raw, expected = left_raw(vector, data)
    for name, record in opinions(raw).items():
        assert record["items"] == expected, name
        if vector["type"] == "packet":
            assert record["set"] == vector["set"], name


def left_raw(vector: Vector, data: bytes) -> tuple[bytes, dict[str, Any]]:
    """A packet that holds the vector's bytes, and the items of its record."""
    if vector["type"] == "mdap":
        key = universal_key("ST1303")
        assert key
        return packet("ST1303", data), {"unknown": {key.hex(): data.hex()}}
    if vector["set"] == "VTrackItem":
        held = series([b"\x01" + item(vector["tag"], data)])
        return packet("VTrack", item(101, held)), {"unknown": {"101": held.hex()}}
    if vector["set"] == "ST0601":
        key_of_item = table("ST0601")[vector["tag"]].key
        return packet("ST0601", item(vector["tag"], data), checksum=True), {key_of_item: data.hex()}
    if vector["type"] == "item":
        return packet(vector["set"], item(vector["tag"], data)), {"unknown": {str(vector["tag"]): data.hex()}}
    raw = data if vector["type"] == "packet" else packet(vector["set"], data)
    return raw, {"unknown": raw_items(vector["set"], raw)}


def raw_items(name: str, raw: bytes) -> dict[str, str]:
    used = reference_wire.ber_length(raw[16:])[1]
    value = raw[16 + used :]
    if name not in ("EG0104", "ST0102-US"):
        return {str(entry.tag): entry.value.hex() for entry in reference_wire.walk(value)[0]}
    found = {}
    while value:
        length, used = reference_wire.ber_length(value[16:])
        found[value[:16].hex()] = value[16 + used : 16 + used + length].hex()
        value = value[16 + used + length :]
    return found


def test_no_vector_is_passed_over() -> None:
    """Each vector is either tested for its value or in the list of what stays raw for now."""
    waiting = Counter(raw_set_of(vector) for vector in VECTORS if raw_set_of(vector))
    checks = Counter(vector["algorithm"] for vector in of_type("checksum"))
    unused = {name: count for name, count in checks.items() if name not in CHECKS}
    assert waiting == LEFT_RAW
    assert unused == UNUSED_CHECKS
    tested = of_type("item", "set", "packet", "miis", "imapb", "ber_length", "ber_oid", "checksum")
    assert len(tested) + sum(LEFT_RAW.values()) == len(VECTORS)


@vectors(of_type("ber_length"))
def test_a_ber_length_vector(vector: Vector) -> None:
    """A BER length gives its number and the octets that it took."""
    data = bytes.fromhex(vector["hex"])
    for read in (reference_wire.ber_length, wire.ber_length):
        assert read(data) == read(data + b"\x01\x02") == (vector["expected"], len(data))


@vectors(of_type("ber_oid"))
def test_a_ber_oid_vector(vector: Vector) -> None:
    """A BER-OID number gives its value and the octets that it took."""
    data = bytes.fromhex(vector["hex"])
    for read in (reference_wire.ber_oid, wire.ber_oid):
        assert read(data) == read(data + b"\x01\x02") == (vector["expected"], len(data))


CHECKS: dict[str, tuple[Callable[[bytes], int], Callable[[bytes], int]]] = {
    "sum16": (reference_wire.checksum16, wire.checksum16),
    "crc16_ccitt": (reference_wire.crc16, wire.crc16),
    "crc32_mpeg2": (reference_wire.crc32, wire.crc32),
}


@pytest.mark.parametrize("algorithm", CHECKS)
def test_the_checksum_vectors(algorithm: str) -> None:
    """Each checksum that a set carries comes out as the vectors have it."""
    found = [vector for vector in of_type("checksum") if vector["algorithm"] == algorithm]
    assert found
    for vector in found:
        for check in CHECKS[algorithm]:
            assert check(bytes.fromhex(vector["hex"])) == vector["expected"], label(vector)


@vectors(IMAPB, imapb_label)
def test_an_imapb_vector(vector: Vector) -> None:
    """ST 1201: a number within the tolerance of the vector (and of a float), or the name of what is none."""
    room = Fraction(vector["tol"] or 0) + Fraction(max(abs(vector["min"]), abs(vector["max"]))) / 2**51
    data = bytes.fromhex(vector["hex"])
    plain = reference_values.imapb(data, Fraction(vector["min"]), Fraction(vector["max"]))
    core = wire.imapb(data, vector["min"], vector["max"])
    for got in (plain.value if isinstance(plain, Real) else plain, core):
        if isinstance(vector["expected"], dict):
            assert got == special_name(vector["expected"])
        else:
            assert not isinstance(got, str)
            assert abs(Fraction(got) - Fraction(vector["expected"])) <= room
