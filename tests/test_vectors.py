"""The published and cross-checked vectors of `tests/vectors/`, in the C core and in the reference decoder."""

from __future__ import annotations

import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import reference_values
import reference_wire
from cases import each_of
from core_and_reference import core_json, exact
from expected_values import (
    deviations,
    laid_out,
    lifted,
    set_in_record,
    special_name,
    universal_set_in_record,
    without_derived,
)
from packet_wrapping import item, packet, wrapped
from reference import decode
from reference_sets import table
from reference_values import Real

from klvrelay import core
from native.spec import facts

Vector = dict[str, Any]
FOLDER = Path(__file__).parent / "vectors"


def load(name: str) -> list[Vector]:
    return [json.loads(line) for line in (FOLDER / name).read_text(encoding="utf-8").splitlines()]


VECTORS = load("vectors.jsonl")
IMAPB = [vector for vector in VECTORS if vector["type"] == "imapb"] + load("imapb_vectors.jsonl")


def of_type(*types: str) -> list[Vector]:
    return [vector for vector in VECTORS if vector["type"] in types]


def label(vector: Vector) -> str:
    parts = [vector["id"], vector.get("set", vector["type"]), vector.get("tag"), vector.get("name")]
    return "-".join(str(part).replace(" ", "_") for part in parts if part is not None)


def imapb_label(vector: Vector) -> str:
    return f"{vector['min']:g}..{vector['max']:g}-{vector['hex']}"


def opinions(raw: bytes) -> dict[str, dict[str, Any]]:
    return {"reference": decode(raw), "core": exact(core_json(raw))}


def down(items: Any, way: list[str | int]) -> Any:
    for step in way:
        items = items[step]
    return items


@each_of(of_type("item"), label)
def test_an_item_vector_gives_its_value(vector: Vector) -> None:
    """A single item's bytes, in a packet of their set, give the value of the vector."""
    raw, way = wrapped(vector["set"], item(vector["tag"], bytes.fromhex(vector["hex"])))
    steps = down(decode(raw)["items"], way)
    expected = set_in_record(vector["set"], {str(vector["tag"]): vector["expected"]})
    for name, record in opinions(raw).items():
        got = without_derived(down(record["items"], way))
        if way:
            got.pop("target_id", None)  # the pack's own, around the item
        elif vector["tag"] in lifted(vector["set"]):
            got = in_head(vector["set"], vector["tag"], record) | got
        assert not list(deviations(expected, got, steps, Fraction(vector["tol"] or 0))), name
        if isinstance(vector["expected"], dict) and "special" in vector["expected"]:
            place = dotted([*way, *expected])
            assert record["quality"]["special"] == {place: special_name(vector["expected"])}


def in_head(set_: str, tag: int, record: dict[str, Any]) -> dict[str, Any]:
    """A lifted item as if it were still among the others."""
    where = {facts.TIME.get(set_): "time_us", facts.VERSION.get(set_): "version"}[tag]
    return {table(set_)[tag].key: record[where]}


def dotted(way: list[str | int]) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in way).lstrip(".")


@each_of(of_type("set"), label)
def test_a_set_vector_gives_its_items(vector: Vector) -> None:
    """The value of a whole set gives each of its items, and nothing else."""
    raw, way = wrapped(set_name(vector), bytes.fromhex(vector["hex"]))
    check_set(vector, raw, way)


@each_of(of_type("packet"), label)
def test_a_packet_vector_gives_its_items(vector: Vector) -> None:
    """A whole packet gives each of its items, its time and version, and its checksum verdict."""
    raw = bytes.fromhex(vector["hex"])
    check_set(vector, raw, [])
    checksum = {True: "ok", False: "bad", None: "absent"}[vector["checksum_ok"]]
    for name, record in opinions(raw).items():
        assert record["quality"]["checksum"] == checksum, name


def set_name(vector: Vector) -> str:
    """klvrelay's name of the vector's set."""
    name: str = vector["set"]
    return "ST0104" if name == "EG0104" else name


def check_set(vector: Vector, raw: bytes, way: list[str | int]) -> None:
    set_, expected = set_name(vector), vector["expected"]
    in_record = (
        universal_set_in_record(set_, expected)
        if set_ in facts.UNIVERSAL
        else set_in_record(set_, expected, nested=bool(way))
    )
    steps = down(decode(raw)["items"], way)
    for name, record in opinions(raw).items():
        got = down(record["items"], way)
        assert not list(deviations(in_record, without_derived(got), steps, Fraction(0))), name
        assert record["set"] == (set_ if not way else record["set"])
        if not way:
            check_head(set_, expected, record)


def check_head(set_: str, expected: dict[str, Any], record: dict[str, Any]) -> None:
    """Time and version of a packet, which are in its record's head."""
    if set_ in facts.UNIVERSAL:
        assert record["time_us"] == expected.get("user_defined_time_stamp")
        return
    for where, tags in (("time_us", facts.TIME), ("version", facts.VERSION)):
        assert record[where] == expected.get(str(tags.get(set_)))


@each_of(of_type("miis"), label)
def test_a_core_identifier_is_read_from_item_94(vector: Vector) -> None:
    """The examples of ST 1204 give version, usage, the identifiers of the usage, and the text form."""
    raw = packet("ST0601", item(94, bytes.fromhex(vector["hex"])), checksum=True)
    for name, record in opinions(raw).items():
        expected = {**vector["expected"], "text": vector["text"]}
        assert record["items"] == {"miis_core_identifier": expected}, name


@each_of(of_type("mdap"), label)
def test_an_array_is_read_from_a_packet(vector: Vector) -> None:
    """The examples of ST 1303 give dimensions, parameters and every value."""
    raw = packet("ST1303", bytes.fromhex(vector["hex"]))
    steps = laid_out(decode(raw)["items"]["array"])
    for name, record in opinions(raw).items():
        assert record["set"] == "ST1303"
        assert not list(deviations(vector["expected"], laid_out(record["items"]["array"]), steps, Fraction(0))), name


def test_no_vector_is_skipped() -> None:
    """Each vector is tested for its value, whatever its type, set or check."""
    tested = of_type("item", "set", "packet", "miis", "mdap", "imapb", "ber_length", "ber_oid", "checksum")
    assert len(tested) == len(VECTORS)
    assert {vector["algorithm"] for vector in of_type("checksum")} == set(CHECKS)
    assert {set_name(vector) for vector in of_type("item", "set", "packet")} <= {*facts.DECODED, *facts.UNIVERSAL}


@each_of(of_type("ber_length"), label)
def test_a_ber_length_vector(vector: Vector) -> None:
    """A BER length gives its number and the number of its octets."""
    data = bytes.fromhex(vector["hex"])
    for read in (reference_wire.ber_length, core.ber_length):
        assert read(data) == read(data + b"\x01\x02") == (vector["expected"], len(data))


@each_of(of_type("ber_oid"), label)
def test_a_ber_oid_vector(vector: Vector) -> None:
    """A BER-OID number gives its value and the number of its octets."""
    data = bytes.fromhex(vector["hex"])
    for read in (reference_wire.ber_oid, core.ber_oid):
        assert read(data) == read(data + b"\x01\x02") == (vector["expected"], len(data))


CHECKS: dict[str, tuple[Callable[[bytes], int], ...]] = {
    "sum16": (reference_wire.checksum16, core.checksum16),
    "crc16_ccitt": (reference_wire.crc16, core.crc16),
    "crc32_mpeg2": (reference_wire.crc32, core.crc32),
    # No set uses this one, so the core lacks it; it checks the reference's CRC.
    "crc8_ccitt": (lambda data: reference_wire.crc(data, 8, 0x07, 0),),
}


@pytest.mark.parametrize("algorithm", CHECKS)
def test_the_checksum_vectors(algorithm: str) -> None:
    """Each checksum of a set equals that of the vectors."""
    found = [vector for vector in of_type("checksum") if vector["algorithm"] == algorithm]
    assert found
    for vector in found:
        for check in CHECKS[algorithm]:
            assert check(bytes.fromhex(vector["hex"])) == vector["expected"], label(vector)


@each_of(IMAPB, imapb_label)
def test_an_imapb_vector(vector: Vector) -> None:
    """ST 1201: a number within the tolerance of the vector (and of a float), or the name of a special value."""
    room = Fraction(vector["tol"] or 0) + Fraction(max(abs(vector["min"]), abs(vector["max"]))) / 2**51
    data = bytes.fromhex(vector["hex"])
    plain = reference_values.imapb(data, Fraction(vector["min"]), Fraction(vector["max"]))
    value = core.imapb(data, vector["min"], vector["max"])
    for got in (plain.value if isinstance(plain, Real) else plain, value):
        if isinstance(vector["expected"], dict):
            assert got == special_name(vector["expected"])
        else:
            assert not isinstance(got, str)
            assert abs(Fraction(got) - Fraction(vector["expected"])) <= room
