"""Numbers at their limits: arrays, matrices, old maps, packs, and bit lists."""

from __future__ import annotations

import json
import math
import struct
import sys
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from cases import each_case
from core_and_reference import core_json, disagreement
from packet_wrapping import item, keyed_set, local_set, oid, packet, series

from klvrelay import core
from klvrelay.errors import DecodeError

MOST = sys.float_info.max
TIME = bytes.fromhex("0004cfd6bd0f6b40")
PROBES = 32  # places of a table of items that are searched for one


def record(raw: bytes) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(core_json(raw))
    return loaded


def items(raw: bytes) -> dict[str, Any]:
    """As the reference decoder has it too."""
    assert disagreement(raw) == []
    found: dict[str, Any] = record(raw)["items"]
    return found


def is_raw(raw: bytes) -> bool:
    """Is it all raw, with exactly one warning?"""
    return list(items(raw)) == ["unknown"] and len(record(raw)["quality"]["warnings"]) == 1


def array(dims: list[int], width: int, algorithm: int, rest: bytes) -> bytes:
    """ST 1303 alone: its natural elements are signed integers."""
    return packet("ST1303", oid(len(dims)) + b"".join(map(oid, dims)) + oid(width) + oid(algorithm) + rest)


def imapb(low: float, high: float, *codes: bytes) -> bytes:
    """Elements as IMAPB over this range."""
    return array([len(codes)], len(codes[0]), 2, struct.pack(">dd", low, high) + b"".join(codes))


def element(raw: bytes) -> float | None:
    (value,) = items(raw)["array"]["values"]
    assert value is None or isinstance(value, int | float)
    return value


@each_case("low", [math.inf, -math.inf, math.nan, 2.0, 1.0, -MOST])
@each_case("high", [math.inf, -math.inf, math.nan, 1.0, MOST])
def test_bounds_are_two_finite_numbers_the_lower_one_first(low: float, high: float) -> None:
    """And so is their distance; else the array stays hex."""
    good = math.isfinite(low) and math.isfinite(high) and low < high and math.isfinite(high - low)
    assert is_raw(imapb(low, high, bytes(8))) == (not good)


@each_case(
    ("low", "high"),
    [
        (0.75, 1.75),
        (0.1, 1.1),
        (0.1, 0.6),
        (0.1, 0.3),
        (-0.125, 0.125),
        (2.0**61, 2.0**63),
        (1e9, 1e10),
    ],
)
@each_case("width", [1, 3, 6, 8])
def test_elements_match_their_code_over_any_range(low: float, high: float, width: int) -> None:
    """Ranges that begin at no step, that are huge or tiny, in any width: the first code, the next and the middle."""
    quarter = 1 << 8 * width - 2
    codes = [code.to_bytes(width) for code in (0, 1, quarter - 1, quarter, quarter + 1)]
    values = items(imapb(low, high, *codes))["array"]["values"]
    assert values == sorted(values)
    assert low - (high - low) <= values[0]
    assert values[-1] <= high


def test_elements_may_be_as_large_as_doubles_are() -> None:
    """Steps far larger than one."""
    assert element(imapb(1e300, 1.5e300, b"\0")) == 1e300
    assert element(imapb(1e300, 1.5e300, b"\1")) == 1e300 + 2.0 ** (power_over(0.5e300) - 7)


@pytest.mark.parametrize("least", [-1020, -1022, -1030, -1060], ids=lambda power: f"2^{power}")
def test_a_range_may_be_as_small_as_doubles_are(least: int) -> None:
    """Steps so small that their inverse is no double: from -2^least to 2^least in codes of 8 bytes."""
    end = math.ldexp(1.0, least)
    shift = 63 - (least + 1)

    for code in (0, 1, 1 << 61, 1 << 62, (1 << 63) - 1):
        expected = math.ldexp(code, -shift) - end
        assert core.imapb(code.to_bytes(8, "big"), -end, end) == expected


def power_over(value: float) -> int:
    return math.frexp(value)[1]


def test_no_number_is_minus_zero_in_fixed_decimals() -> None:
    """The code just below zero in a range of very many steps."""
    text = core_json(imapb(-0.125, 0.125, (2**62 - 1).to_bytes(8)))
    assert b"-0.0" not in text.partition(b"values")[2]


def test_an_element_beyond_doubles_is_null_with_a_warning() -> None:
    """The lower end of a range that begins at the least double."""
    found = record(imapb(-MOST, 0.5, b"\0"))
    assert found["items"]["array"]["values"] == [None]
    assert found["quality"]["special"] == {"array.values[0]": "below_min"}


def test_biased_integers_may_be_as_large_as_64_bits() -> None:
    """Element and bias together; one more is no number."""
    for bias in (0, 1, 2**62, 2**63 - 1):
        assert element(array([1], 1, 4, oid(bias) + oid(2**63 - 1))) == bias + 2**63 - 1
    for bias, value in ((1 << 63, 1 << 62), ((1 << 63) - 1, 1)):
        assert is_raw(array([1], 1, 4, oid(bias) + oid(value))) == (bias.bit_length() > 63)


@pytest.mark.parametrize("width", range(2, 10))
def test_a_truncated_default_is_invalid(width: int) -> None:
    """An array of runs whose one value is incomplete."""
    assert is_raw(array([3], width, 5, bytes(width - 1)))


@pytest.mark.parametrize("width", [9, 255, 65_535, 65_536, 2**40])
def test_an_element_of_any_width_but_that_of_a_number_stays_hex(width: int) -> None:
    """More than eight bytes, complete or not."""
    assert is_raw(array([1], width, 1, bytes(min(width, 255))))


def test_an_array_may_not_be_cut_in_its_head() -> None:
    """Dimensions, sizes, width and algorithm: each of them truncated, in one byte and in several."""
    whole = array([300, 2], 200, 1, b"")[17:]
    assert is_raw(packet("ST1303", whole))
    for size in range(1, len(whole)):
        assert is_raw(packet("ST1303", whole[:size])), size


@pytest.mark.parametrize("payloads", [1, 8, 9, 4095, 4096])
def test_a_list_of_bits_names_those_that_are_set(payloads: int) -> None:
    """Up to 512 bytes of them; a longer one stays hex."""
    bits = 1 << payloads - 1 | 1
    raw = packet("ST0601", item(139, bits.to_bytes((payloads + 7) // 8)))
    assert items(raw)["active_payloads"] == sorted({0, payloads - 1})
    long = record(packet("ST0601", item(139, bytes(513))))
    assert long["items"] == {"unknown": {"139": bytes(513).hex()}}
    assert long["quality"]["warnings"] == ["item 139: malformed"]


def target(version: int, tag: int, value: bytes) -> bytes:
    """An item of a target in VMTI of this version."""
    return packet("ST0903", local_set([(4, bytes([version])), (101, series([oid(1) + item(tag, value)]))]))


@each_case("tag", [10, 11, 12])
@each_case("width", range(1, 10))
def test_numbers_of_older_vmti_are_read_in_any_width_that_fits(tag: int, width: int) -> None:
    """Right-aligned, the sign at their front; where a number is too large for the map, it stays hex."""
    for code in (b"\x01", b"\x01\0\0", b"\x7f\xff\xff\xff", b"\xff\x80\0\0"):
        value = code.rjust(width, code[:1] if code[0] > 127 else b"\0")[-width:]
        (one,) = items(target(3, tag, value))["vtarget_series"]
        assert ("unknown" in one) == (not fits(tag, value)), value.hex()


def fits(tag: int, value: bytes) -> bool:
    if len(value) > 8:
        return False
    if tag == 12:
        return int.from_bytes(value) < 1 << 16
    return -(1 << 23) <= int.from_bytes(value, signed=True) < 1 << 23


@each_case("size", range(1, 16))
def test_coefficients_of_any_width_are_numbers_or_hex(size: int) -> None:
    """A correlation as IMAPB in up to eight bytes, as a float in 2, 4 or 8; in others, hex."""
    for imapb_ in (True, False):
        head = oid(2) + bytes([0x80 | 0x10 * imapb_ | size, 0])
        (matrix,) = items(packet("ST0601", item(102, head + bytes(size))))["sdcc_flp"]
        number = size <= 8 if imapb_ else size in (2, 4, 8)
        assert matrix["rho"] == [(-1.0 if imapb_ else 0.0) if number else bytes(size).hex()]


def test_matrices_have_as_many_numbers_as_their_bytes() -> None:
    """100 deviations each, twelve times: none is missing."""
    matrix = oid(100) + b"\x80\x02" + bytes(200)
    matrices = record(packet("ST0601", item(102, matrix) * 12))["items"]["sdcc_flp"]
    assert [len(one["sigma"]) for one in matrices] == [100] * 12


def mask(run: bytes) -> list[Any] | None:
    """The runs of pixels of a target's mask; None where they stay hex."""
    raw = packet("ST0903", item(101, series([oid(1) + item(101, item(2, series([run])))])))
    (one,) = items(raw)["vtarget_series"]
    found: list[Any] | None = one["vmask"].get("bit_mask_series")
    return found


def test_a_run_of_pixels_is_a_start_and_a_count() -> None:
    """Its start in up to eight bytes, or unknown; its count coded like a length."""
    assert mask(b"\x01\x05\x03") == [{"start_pixel": 5, "run": 3}]
    assert mask(b"\x08" + b"\1" * 8 + b"\x82\x01\0") == [{"start_pixel": 0x0101010101010101, "run": 256}]
    assert mask(b"\0\x05") == [{"start_pixel": None, "run": 5}]
    for broken in (b"\x09" + bytes(9) + b"\3", b"\x01\x05", b"\x01\x05\x80", b"\x01\x05\x82\x01", b"\x02\x05", b"\x80"):
        assert mask(broken) is None, broken.hex()


@pytest.mark.parametrize("size", [1, 7, 8, 9, 11, 12])
def test_a_group_of_a_pack_has_its_elements_and_no_more(size: int) -> None:
    """A place of 8 bytes, or 11 with a height, for take-off as for recovery."""
    group = bytes([size]) + bytes(size)
    for value in (group, b"\x08" + bytes(8) + group):
        assert is_raw(packet("ST0601", item(130, value))) == (size not in (8, 11))


def test_series_in_the_deepest_sets_stay_hex() -> None:
    """Their elements would be sets of another level."""
    vmti = item(74, item(101, series([oid(1) + item(1, b"\1")])))
    for levels in (6, 7):
        inner = vmti
        for _ in range(levels):
            inner = item(100, inner)
        found = record(packet("ST0601", inner))
        assert ("nested too deep" in str(found["quality"])) == (levels == 7)


@pytest.mark.parametrize("raw", [b"", b"\x06\x0e\x2b\x34", bytes(16), bytes(16) + b"\x80", bytes(16) + b"\x84\0\0"])
def test_invalid_packets_have_no_record(raw: bytes) -> None:
    """Neither JSON nor items: a klvrelay error."""
    with pytest.raises(DecodeError, match="not a KLV packet"):
        core.record_json(raw, core.head("uav1", None))
    with pytest.raises(DecodeError):
        core.items_json(raw)


@pytest.mark.parametrize(("value", "version"), [(b"", None), (b"\x13", 19), (bytes(7) + b"\x13", 19), (bytes(9), None)])
def test_a_version_has_up_to_eight_bytes(value: bytes, version: int | None) -> None:
    """Otherwise the record has none."""
    assert record(packet("ST0601", item(2, TIME) + item(65, value), checksum=True))["version"] == version


def alike(numbers: Iterable[int], place: Callable[[int], int], count: int) -> list[int]:
    """The first so many numbers that share one place in a table."""
    places: dict[int, list[int]] = {}
    for number in numbers:
        found = places.setdefault(place(number), [])
        found.append(number)
        if len(found) == count:
            return found
    raise AssertionError("too few numbers")


def scrambled(number: int, bits: int) -> int:
    """The hash of `native/set.c` and `native/keys.c`."""
    return (number * 0x9E3779B97F4A7C15 & (1 << 64) - 1) >> 64 - bits


def test_tags_chosen_to_collide_cost_no_more_than_others() -> None:
    """Of those with one hash 32 are found; the others are left out, with a warning."""
    tags = alike(range(192, 1 << 28), lambda tag: scrambled(tag, 8), 40)
    found = record(packet("ST0601", item(2, TIME) + local_set([(tag, b"x") for tag in tags]), checksum=True))

    assert list(found["items"]["unknown"]) == [str(tag) for tag in tags[:PROBES]]
    assert any("left out" in warning for warning in found["quality"]["warnings"])


def test_keys_chosen_to_collide_cost_no_more_than_others() -> None:
    """The same for universal sets."""
    halves = alike(range(1 << 28), lambda half: scrambled(half, 12), 40)
    keys = [bytes.fromhex("060e2b3401010101") + half.to_bytes(8, "little") for half in halves]
    found = record(packet("ST0104", keyed_set([(key, b"x") for key in keys])))

    assert list(found["items"]["unknown"]) == [key.hex() for key in keys[:PROBES]]
    assert any("rest left out" in warning for warning in found["quality"]["warnings"])
