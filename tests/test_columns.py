"""Columns hold the values of the records: every numeric item, in its own width and in others, row by row."""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction
from random import Random

import numpy as np
import pytest
import reference
from packet_wrapping import keyed_set, local_set, packet, universal_key
from reference_values import Real

import klvrelay
from klvrelay import core
from native.spec import facts

ITEMS = {item.tag: item for item in facts.items("ST0601")}
NUMERIC = [tag for tag in ITEMS if core.is_numeric(tag) and tag != 1]  # 1 is the checksum of the row itself
LIFTED = {"precision_time_stamp": "time_us", "uas_datalink_ls_version_number": "version"}
KEYED = [(key, item) for key, item in facts.keyed() if item.set in ("ST0104", "ST0601")]


def column(raw: bytes, tag: int) -> float:
    """The item in the one row of a packet."""
    (row,) = core.columns(raw, [tag])[0].tolist()
    return float(row)


def value(raw: bytes, key: str) -> float:
    """The value from the reference decoder; NaN where it is absent, null, or kept as hex."""
    record = reference.decode(raw)
    found = record[LIFTED[key]] if key in LIFTED else record["items"].get(key)
    found = found.value if isinstance(found, Real) else found
    return float(found) if isinstance(found, int | Fraction) else math.nan


def codes(item: facts.Item, size: int) -> Iterator[bytes]:
    """The ends and the middle of a code range, those of narrower codes with their sign, and a few in between."""
    chance = Random(item.tag * 16 + size)
    for code in (0, 1, (1 << 8 * size - 1) - 1, 1 << 8 * size - 1, (1 << 8 * size - 1) + 1, (1 << 8 * size) - 1):
        yield code.to_bytes(size)
    yield from ((-1 << 8 * own - 1).to_bytes(size, signed=True) for own in (1, 2, 4) if own <= size)
    yield from (chance.randbytes(size) for _ in range(6))


def alike(got: float, expected: float) -> bool:
    return math.isclose(got, expected, rel_tol=1e-12, abs_tol=1e-15) or (math.isnan(got) and math.isnan(expected))


def numbered(item: facts.Item) -> bool:
    """Is its value a number in the record too? Labels and bit fields are not."""
    return item.kind not in ("enum", "bitfield")


@pytest.mark.parametrize("size", range(1, 10))
def test_every_numeric_item_has_the_same_value_in_column_and_record(size: int) -> None:
    """In its own width and in any other: a number where the record has one, else NaN."""
    numbers = 0
    for tag in (tag for tag in NUMERIC if numbered(ITEMS[tag])):
        for code in codes(ITEMS[tag], size):
            raw = packet("ST0601", local_set([(tag, code)]))
            got, expected = column(raw, tag), value(raw, ITEMS[tag].key)
            assert alike(got, expected), (tag, code.hex(), got, expected)
            numbers += not math.isnan(got)
    assert (numbers > 200) == (size < 9)


@pytest.mark.parametrize("size", range(1, 9))
def test_labels_and_bit_fields_are_their_numbers_in_a_column(size: int) -> None:
    """Of any width, unchanged."""
    for tag in (tag for tag in NUMERIC if not numbered(ITEMS[tag])):
        for code in codes(ITEMS[tag], size):
            assert column(packet("ST0601", local_set([(tag, code)])), tag) == float(int.from_bytes(code))


def test_an_item_of_no_bytes_is_not_a_number() -> None:
    """Length 0 means unknown."""
    for tag in NUMERIC:
        assert math.isnan(column(packet("ST0601", local_set([(tag, b"")])), tag))


def test_texts_packs_and_sets_are_no_columns() -> None:
    """Nor are tags beyond the table; `columns` refuses them by name, and the core returns NaN."""
    others = [tag for tag in range(400) if not core.is_numeric(tag)]
    assert {3, 10, 48, 74, 94, 102, 128, 144, 300} <= set(others)
    raw = packet("ST0601", local_set([(tag, b"\0\1") for tag in others[1:]]))
    assert all(math.isnan(column(raw, tag)) for tag in others)
    for key in ("mission_id", "security_local_set", "image_horizon_pixel_pack"):
        with pytest.raises(klvrelay.ConfigError, match=f"'{key}'"):
            klvrelay.columns(raw, [key])


def test_the_last_of_a_repeated_item_counts() -> None:
    """As in the record."""
    raw = packet("ST0601", local_set([(5, b"\0\1"), (15, b"\0\2"), (5, b"\xff\xff")]))
    assert column(raw, 5) == 360.0


def legacy(key: bytes, data: bytes) -> bytes:
    return packet("ST0104", keyed_set([(key, data)]))


def test_a_legacy_item_is_in_the_column_of_its_modern_item() -> None:
    """Every item by key that has a tag of ST 0601: integers, floats of 2, 4 and 8 bytes, codes, dates."""
    seen = 0
    for key, item in KEYED:
        tag = item.tag
        if tag not in NUMERIC or item.kind not in ("uint", "int", "float", "imapb", "timestamp", "date_time"):
            continue
        sizes = [2, 4, 8] if item.kind == "float" else range(1, 9)
        datas = [b"20050331075051.5", b"19690101000000"] if item.kind == "date_time" else [
            bytes([0x41 + at for at in range(size)]) for size in sizes
        ]  # fmt: skip
        for data in datas:
            raw = legacy(key, data)
            got = column(raw, tag)
            assert alike(got, value(raw, item.key)), (item.key, data.hex())
            seen += not math.isnan(got)
    assert seen > 60


@pytest.mark.parametrize("data", [b"\0", b"\0\0\0", b"\0" * 5, b"\0" * 9, b"\x7f\xc0\0\0", b""])
def test_an_invalid_legacy_float_is_not_a_number(data: bytes) -> None:
    """An invalid width, NaN, or no bytes."""
    key = next(key for key, item in KEYED if item.key == "sensor_latitude" and item.kind == "float")
    assert math.isnan(column(legacy(key, data), 13))


def test_unknown_keys_are_skipped() -> None:
    """In a legacy set; truncation ends it, and the earlier items count."""
    key = next(key for key, item in KEYED if item.key == "sensor_latitude" and item.kind == "float")
    latitude = key + b"\x08" + np.array([45.5], ">f8").tobytes()
    strange = b"\x06\x0e\x2b\x34" + b"\x7f" * 12 + b"\x03abc"
    for rest in (b"", key[:9], key, key + b"\x08\x40", key + b"\x80", key + b"\x89" + bytes(9)):
        raw = packet("ST0104", strange + latitude + strange + rest)
        assert core.columns(raw, [13, 14])[:, 0].tolist()[:1] == [45.5]


def test_rows_are_packets_in_their_order() -> None:
    """However wrong the estimated number is, with a long first packet, and for every kind of set."""
    long = packet("ST0601", local_set([(2, (0).to_bytes(8)), (150, bytes(3000))]), checksum=True)
    rows = [packet("ST0601", local_set([(2, number.to_bytes(8))]), checksum=True) for number in range(1, 5000)]
    other = packet("ST0903", local_set([(2, bytes(8))]), checksum=True) + packet("ST0102", b"")
    data = other + long + other.join(rows) + other

    assert core.columns(data, [2])[0].tolist() == list(range(5000))
    assert core.columns(b"no KLV" * 99 + data, [2])[0].tolist() == list(range(5000))
    assert core.columns(data, []).shape == (0, 5000)


def test_a_packet_that_lost_its_end_is_a_row_on_request_only() -> None:
    """Like one with a wrong checksum; the packets around it are rows, one with an unknown key or not among them."""
    whole = [
        packet("ST0601", local_set([(2, number.to_bytes(8)), (3, b"x" * 50)]), checksum=True) for number in range(4)
    ]
    strange = bytes.fromhex("060e2b34020b01010e0103017f7f7f00") + b"\x01x"
    data = whole[0] + strange + whole[1][:-20] + whole[2] + whole[3][:-1] + bytes([whole[3][-1] ^ 1])

    assert core.columns(data, [2])[0].tolist() == [0, 2]
    assert core.columns(data, [2], every=True)[0].tolist() == [0, 1, 2, 3]
    unsummed = universal_key("ST0104") or b""
    assert core.columns(unsummed + b"\x60" + bytes(20) + whole[0], [2], every=True)[0].tolist()[-1] == 0


def test_more_columns_than_there_are_items_do_no_harm() -> None:
    """The same item repeatedly: the last of the first 255 columns has it, and every other one is NaN."""
    table = core.columns(packet("ST0601", local_set([(5, b"\xff\xff")])), [5] * 300)

    assert [at for at, row in enumerate(table) if row[0] == 360.0] == [254]
    assert np.isnan(table).sum() == 299
