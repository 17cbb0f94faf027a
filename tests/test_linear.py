"""Numbers of linear maps: the text of each code; a run of such items is written like each of them alone.

See also: `test_text_bound.py` bounds the text of all items, `test_output_buffer.py` the output buffer.
"""

from __future__ import annotations

import json
import math
import random
import re
from fractions import Fraction

import pytest
from cases import each_of
from core_and_reference import core_json
from packet_wrapping import item, local_set, oid, packet, series

from native.spec import facts

LINEAR = [found for found in facts.items("ST0601") if found.mapping.startswith("linear")]
RANDOM = 200  # codes of each item


def number_text(found: facts.Item, code: int) -> str:
    """The nearest decimal of the formula in doubles, with as many decimals as distinguish steps."""
    assert found.min is not None
    assert found.max is not None
    bits = 8 * found.len_min
    unsigned = found.mapping == "linear_uint"
    scale = (found.max - found.min) / (2**bits - 1) if unsigned else found.max / Fraction(2 ** (bits - 1) - 1)
    decimals = next(d for d in range(20) if Fraction(1, 10**d) <= scale) if scale.denominator != 1 else 0
    scaled = code * float(scale * 10**decimals) + (float(found.min) * 10.0**decimals if unsigned else 0.0)
    digits = f"{abs(int(scaled + math.copysign(0.5, scaled))):0{decimals + 1}}"
    point = len(digits) - decimals
    sign = "-" if int(scaled + math.copysign(0.5, scaled)) < 0 else ""
    return sign + digits[:point] + ("." + digits[point:] if decimals else "")


def codes_of(found: facts.Item) -> list[int]:
    """The ends of the range, codes about zero and each power of two, and some at random; no special value."""
    bits = 8 * found.len_min
    least, most = (0, 2**bits - 1) if found.mapping == "linear_uint" else (1 - 2 ** (bits - 1), 2 ** (bits - 1) - 1)
    chance = random.Random(found.tag)
    near = {sign * 2**power + step for power in range(bits) for step in (-1, 0, 1) for sign in (-1, 1)}
    wanted = near | {least, most} | {chance.randint(least, most) for _ in range(RANDOM)}
    return sorted(code for code in wanted if least <= code <= most)


def octets(found: facts.Item, code: int) -> bytes:
    return code.to_bytes(found.len_min, "big", signed=found.mapping == "linear_int")


def long_form(tag: int, value: bytes) -> bytes:
    """The item with its length in two octets: it is in no run."""
    return oid(tag) + bytes([0x81, len(value)]) + value


def written(document: bytes) -> list[str]:
    """The text of the numbers of a record's items."""
    items = document[document.index(b'"items":') :].decode()
    return re.findall(r':(-?[0-9][0-9.]*)[,}]', items)


@each_of(LINEAR, lambda found: found.key)
def test_each_code_has_the_text_of_its_formula(found: facts.Item) -> None:
    """At the ends of the range, about zero and anywhere between; in a run of numbers as alone."""
    for code in codes_of(found):
        value = octets(found, code)
        in_run, alone = (core_json(packet("ST0601", made(found.tag, value))) for made in (item, long_form))
        assert written(in_run) == [number_text(found, code)], code
        assert in_run == alone


def test_all_numbers_in_a_row_are_as_each_of_them_alone() -> None:
    """In any order, with any items between them."""
    chance = random.Random(1)
    for _ in range(50):
        row = [(found.tag, octets(found, chance.choice(codes_of(found)))) for found in LINEAR]
        chance.shuffle(row)
        row.insert(chance.randrange(len(row)), (3, b"mission"))
        in_runs = core_json(packet("ST0601", local_set(row)))
        assert in_runs == core_json(packet("ST0601", b"".join(long_form(tag, value) for tag, value in row)))
        assert len(written(in_runs)) == len(LINEAR)


def test_a_number_is_in_a_run_whatever_surrounds_its_set() -> None:
    """In a nested set, after a repeated item, and as the last bytes of the packet."""
    inner = local_set([(5, b"\x40\0"), (13, b"\x20\0\0\0")])
    value = item(101, inner) + item(5, b"\xff\xff")
    items = json.loads(core_json(packet("ST0601", value)))["items"]

    assert items["platform_heading_angle"] == 360.0
    assert items["amend_local_set"][0] == {"platform_heading_angle": 90.001, "sensor_latitude": 22.50000001}


@each_of([found for found in LINEAR if found.mapping == "linear_int"], lambda found: found.key)
def test_the_code_below_the_range_ends_a_run(found: facts.Item) -> None:
    """It is reported as special; the numbers after it continue."""
    value = (1 << (8 * found.len_min - 1)).to_bytes(found.len_min, "big")
    row = [(5, b"\0\0"), (found.tag, value), (15, b"\0\0")]
    record = json.loads(core_json(packet("ST0601", local_set(row))))

    assert record["items"] == {"platform_heading_angle": 0.0, found.key: None, "sensor_true_altitude": -900.0}
    assert list(record["quality"]["special"]) == [found.key]


@pytest.mark.parametrize("value", [b"\x01", b"\0\0\x01", b"\0\0\0\0\x01"], ids=len)
def test_a_code_of_another_width_is_remarked_in_a_run_too(value: bytes) -> None:
    """It is read as an integer, and its length gives a warning."""
    record = json.loads(core_json(packet("ST0601", local_set([(6, b"\0\1"), (5, value), (7, b"\0\1")]))))

    assert list(record["items"].values()) == [0.0006, 0.005, 0.002]
    assert record["quality"]["warnings"] == [f"item 5: {len(value)} byte{'s'[: len(value) > 1]}, expected 2"]


def test_a_repeated_number_is_at_the_place_of_its_last() -> None:
    """A run contains neither of the two."""
    row = [(5, b"\0\0"), (6, b"\0\0"), (5, b"\xff\xff"), (7, b"\0\0")]
    record = json.loads(core_json(packet("ST0601", local_set(row))))

    assert list(record["items"]) == ["platform_pitch_angle", "platform_heading_angle", "platform_roll_angle"]
    assert record["items"]["platform_heading_angle"] == 360.0
    assert record["quality"]["warnings"] == ["item 5: repeated, last kept"]


def test_numbers_of_targets_in_a_series_are_read_each_in_its_set() -> None:
    """The result for one set does not affect the next."""
    targets = [oid(number) + item(1, bytes([number])) for number in range(1, 4)]
    record = json.loads(core_json(packet("ST0903", item(101, series(targets)))))

    assert [target["target_id"] for target in record["items"]["vtarget_series"]] == [1, 2, 3]


def test_no_item_of_a_linear_map_may_repeat() -> None:
    """A run writes each item as one number: an array would need another form."""
    for name in facts.DECODED:
        for found in facts.items(name):
            assert not (found.mapping.startswith("linear") and found.repeats), (name, found.tag)
            assert not found.mapping.startswith("linear") or 1 <= found.len_min <= 8
