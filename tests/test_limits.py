"""What a packet may ask of the core: lengths, items, depth and elements have bounds, and what is past them is said.

Next door: `test_decode_damage.py` breaks the transport; `benchmarks/limits.py` measures what hostile packets cost.
"""

from __future__ import annotations

import json
import resource
from typing import Any

import pytest
from opinions import core_json
from wrapping import ber, item, local_set, oid, packet, universal_key

from klvrelay import decode, json_lines

GOOD = packet("ST0601", local_set([(2, bytes(8)), (4, b"tail"), (65, b"\x13")]), checksum=True)
KEY = universal_key("ST0601") or b""
KEY_OF_ARRAY = (universal_key("ST1303") or b"").hex()


def read(raw: bytes) -> dict[str, Any]:
    record: dict[str, Any] = json.loads(core_json(raw))
    return record


def warnings(raw: bytes) -> list[str]:
    found: list[str] = read(raw)["quality"].get("warnings", [])
    return found


@pytest.mark.parametrize("length", [2**31, 2**32, 2**40, 2**63, 2**64 - 1])
@pytest.mark.parametrize("octets", [4, 5, 6, 8])
def test_a_length_past_the_limit_is_refused_and_the_next_packet_read(length: int, octets: int) -> None:
    """A packet that promises gigabytes costs a search for the next key, in any width of its length."""
    if length >= 1 << 8 * octets:
        octets = (length.bit_length() + 7) // 8
    hostile = KEY + bytes([0x80 | octets]) + length.to_bytes(octets, "big")

    assert [record.raw for record in decode(hostile + GOOD)] == [GOOD]


@pytest.mark.parametrize("octets", range(1, 128))
def test_a_length_of_any_count_of_octets_is_read_or_refused(octets: int) -> None:
    """Up to eight octets a length is read, leading zeros and all; more are refused at once."""
    body = GOOD[17:]
    long_form = KEY + bytes([0x80 | octets]) + len(body).to_bytes(octets, "big") + body

    records = decode(long_form + GOOD)

    assert [record.raw for record in records][-1] == GOOD
    assert (records[0].raw == long_form) == (octets <= 8)


def test_an_indefinite_length_is_refused() -> None:
    """0x80 is no length (SMPTE ST 336)."""
    assert [record.raw for record in decode(KEY + b"\x80" + GOOD)] == [GOOD]


@pytest.mark.parametrize("levels", [1, 7, 8, 9, 50, 1000])
def test_sets_within_sets_are_read_to_a_depth_of_eight(levels: int) -> None:
    """Deeper ones are kept as hex, with a warning: nothing is lost, nothing overflows."""
    inner = item(4, b"x")
    for _ in range(levels):
        inner = item(100, inner)
    raw = packet("ST0601", inner, checksum=True)

    depth, items = 0, read(raw)["items"]
    while (segments := items.get("segment_local_set")) and segments[0] is not None:
        items, depth = segments[0], depth + 1

    assert depth == min(levels, 8)
    assert any("nested too deep" in text for text in warnings(raw)) == (levels > 8)


def test_items_past_the_thousand_and_twentyfourth_are_left_out_and_that_is_said() -> None:
    """Nested ones count too."""
    raw = packet("ST0601", local_set([(200 + number, b"") for number in range(2000)]), checksum=True)

    record = read(raw)

    assert len(record["items"]["unknown"]) == 1024
    assert record["quality"]["warnings"] == ["too many items, the rest left out"]


def test_a_storm_of_empty_items_is_cut_off() -> None:
    """64 KiB of them are one record of ordinary size."""
    storm = packet("ST0601", b"\x03\x00" * 32_000)

    assert len(core_json(storm)) < 1000
    assert "too many items, the rest left out" in warnings(storm)


@pytest.mark.parametrize("name", ["ST0104", "ST0102-US"])
def test_a_universal_set_has_the_same_bound(name: str) -> None:
    """Its items are counted alike, whatever their keys."""
    keys = (bytes.fromhex("060e2b34") + number.to_bytes(12, "big") + b"\x00" for number in range(2000))

    record = read(packet(name, b"".join(keys)))

    assert len(record["items"]["unknown"]) == 1024
    assert record["quality"]["warnings"] == ["too many items, the rest left out"]


@pytest.mark.parametrize("count", [65_536, 65_537, 2**31, 2**40])
def test_a_few_bytes_can_not_ask_for_very_many_elements(count: int) -> None:
    """An array whose algorithm repeats values is bounded by the elements it would have (ST 1303, run length)."""
    raw = packet("ST1303", oid(1) + oid(count) + oid(1) + oid(5) + b"\x07")

    record = read(raw)

    if count <= 65_536:
        assert record["items"]["array"]["values"] == [7] * count
    else:
        assert record["quality"]["warnings"] == [f"item {KEY_OF_ARRAY}: array too large"]
        assert list(record["items"]) == ["unknown"]


def test_the_elements_of_all_arrays_of_a_packet_are_counted_together() -> None:
    """The second of two arrays that are too many together stays hex."""
    pixels = oid(1) + oid(40_000) + oid(1) + oid(5) + bytes(1)
    heights = oid(1) + oid(30_000) + oid(4) + oid(5) + bytes(4)

    record = read(packet("ST1601", local_set([(4, pixels), (8, heights)])))

    assert len(record["items"]["correspondence_points_row_column"]["values"]) == 40_000
    assert record["items"]["unknown"] == {"8": heights.hex()}
    assert record["quality"]["warnings"] == ["item 8: array too large"]


def test_a_matrix_of_a_few_bytes_has_no_more_numbers_than_a_packet_has_items() -> None:
    """Sparse correlation matrices of 143 items in 1,280 bytes each: the first ones are written, the rest kept raw."""
    matrix = oid(143) + b"\x09" + bytes(1270)
    raw = packet("ST0601", item(102, matrix) * 40, checksum=True)

    record = read(raw)

    assert sum(one is not None for one in record["items"]["sdcc_flp"]) == 6
    assert len(core_json(raw)) < 300_000


def test_matrices_do_not_name_the_same_items_for_ever() -> None:
    """Where naming the items before each matrix would go over too many, the names are left out, and that is said."""
    before = local_set([(3, b"")] * 500)
    raw = packet("ST0601", before + item(102, oid(1) + b"\x00") * 400, checksum=True)

    matrices = read(raw)["items"]["sdcc_flp"]

    assert matrices[0]["items"] == ["mission_id"]
    assert matrices[-1]["items"] == []
    assert any("the items of this one are not named" in text for text in warnings(raw))


def test_hostile_lengths_take_no_memory() -> None:
    """Ten thousand promises of 4 GiB: less than a MiB more than before."""
    hostile = (KEY + b"\x84\xff\xff\xff\xff" + ber(3)) * 10_000
    json_lines(hostile)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    json_lines(hostile)

    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 1024
