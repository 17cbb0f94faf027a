"""Limits of a packet in the core: lengths, items, depth and elements are bounded, and an excess is reported."""

from __future__ import annotations

import json
import resource
from typing import Any

import pytest
from cases import each_case, each_of
from core_and_reference import core_json
from packet_wrapping import ber, item, local_set, oid, packet, universal_key

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


@each_case("length", [2**31, 2**32, 2**40, 2**63, 2**64 - 1])
@each_case("octets", [4, 5, 6, 8])
def test_a_length_past_the_limit_is_refused_and_the_next_packet_read(length: int, octets: int) -> None:
    """A packet that announces gigabytes costs a search for the next key, in any width of its length."""
    if length >= 1 << 8 * octets:
        octets = (length.bit_length() + 7) // 8
    hostile = KEY + bytes([0x80 | octets]) + length.to_bytes(octets, "big")

    assert [record.raw for record in decode(hostile + GOOD)] == [GOOD]


@each_of(range(1, 128))
def test_a_length_of_any_count_of_octets_is_read_or_refused(octets: int) -> None:
    """Up to eight octets a length is read, with leading zeros; longer ones are refused at once."""
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


def test_unknown_tags_beyond_1024_in_a_set_are_left_out_with_a_warning() -> None:
    """Unknown tags above 191; the first ones are kept."""
    raw = packet("ST0601", local_set([(200 + number, b"") for number in range(2000)]), checksum=True)

    record = read(raw)

    assert list(record["items"]["unknown"]) == [str(200 + number) for number in range(1024)]
    assert record["quality"]["warnings"] == ["too many items, the rest left out"]


def test_a_repeated_unknown_tag_takes_one_place() -> None:
    """The last of each is kept, however many there are."""
    sent = [(200 + number % 7, bytes([number % 256])) for number in range(5000)]

    found = read(packet("ST0601", local_set(sent), checksum=True))["items"]["unknown"]

    assert found == {str(tag): value.hex() for tag, value in sent[-7:]}


def test_a_storm_of_empty_items_is_one_item() -> None:
    """64 KiB of them are one record of ordinary size: the last one counts."""
    storm = packet("ST0601", b"\x03\x00" * 32_000, checksum=True)

    assert read(storm)["items"] == {"mission_id": None}
    assert len(core_json(storm)) < 1000


@pytest.mark.parametrize(("targets", "count"), [(200, 7), (400, 10), (2000, 1)])
def test_targets_are_all_read_however_many_they_are(targets: int, count: int) -> None:
    """Only its bytes limit a packet."""
    values = [(1, b"\x01\x02\x03"), (4, b"\x01"), (5, b"\x02"), (6, b"\x03"), (7, b"\x04"), (8, b"\x00\x00\x05"),
              (9, b"\x06"), (10, b"\x00\x00\x01"), (11, b"\x00\x00\x01"), (12, b"\x00\x01")]  # fmt: skip
    elements = [oid(1 + number) + local_set(values[:count]) for number in range(targets)]
    series = b"".join(ber(len(element)) + element for element in elements)
    raw = packet("ST0903", local_set([(4, b"\x06"), (101, series)]), checksum=True)

    record = read(raw)

    found = record["items"]["vtarget_series"]
    assert [target["target_id"] for target in found] == list(range(1, targets + 1))
    assert {len(target) for target in found} == {1 + count}
    assert "warnings" not in record["quality"]


@pytest.mark.parametrize("name", ["ST0104", "ST0102-US"])
def test_a_universal_set_has_a_bound_of_items(name: str) -> None:
    """1,024 items by 16-byte key, whatever their keys."""
    keys = (bytes.fromhex("060e2b34") + number.to_bytes(12, "big") + b"\x00" for number in range(2000))

    record = read(packet(name, b"".join(keys)))

    assert len(record["items"]["unknown"]) == 1024
    assert record["quality"]["warnings"] == ["too many items, the rest left out"]


@pytest.mark.parametrize("count", [1, 65_536, 2**31, 2**40])
def test_a_few_bytes_for_very_many_elements_keep_their_compact_form(count: int) -> None:
    """Run lengths (ST 1303): a default and the runs over it, whatever the full size of the array."""
    raw = packet("ST1303", oid(1) + oid(count) + oid(1) + oid(5) + b"\x07" + b"\x09" + oid(0) + oid(1))

    record = read(raw)

    shown = {"default": 7, "runs": [{"value": 9, "start": [0], "size": [1]}]}
    assert record["items"]["array"] == {"dims": [count], "ebytes": 1, "apa": 5, **shown}
    assert "warnings" not in record["quality"]


def test_run_lengths_over_rows_with_ranges_have_a_value_for_each_row() -> None:
    """ST 1601's deviations (0 to 100 pixels) and correlations (-1 to 1) are maps of the same code."""
    runs = b"\x7f\xff" + b"\x00\x00" + oid(1) + oid(0) + oid(2) + oid(3)
    raw = packet("ST1601", item(9, oid(2) + oid(6) + oid(3) + oid(2) + oid(5) + runs))

    (found,) = read(raw)["items"].values()

    assert [round(value, 1) for value in found["default"]] == [128.0, 128.0, 1.0, 128.0, 128.0, 1.0]
    assert found["runs"] == [{"value": [0.0, -1.0], "start": [1, 0], "size": [2, 3]}]


def test_a_special_code_under_run_lengths_is_named_once() -> None:
    """Not once per row: a key of `quality.special` occurs once."""
    runs = b"\x00\x00" + b"\xd0\x00" + oid(0) + oid(0) + oid(6) + oid(3)
    raw = packet("ST1601", item(9, oid(2) + oid(6) + oid(3) + oid(2) + oid(5) + runs))

    record = read(raw)
    (key,) = record["items"]

    assert record["items"][key]["runs"][0]["value"] == [None] * 6
    assert record["quality"]["special"] == {f"{key}.runs[0]": "quiet_nan"}
    assert core_json(raw).count(b"quiet_nan") == 1


def test_sparse_matrices_are_written_as_long_as_their_bytes_allow() -> None:
    """143 items in 1,280 bytes each, all zeros: four characters a bit, 32 a byte."""
    matrix = oid(143) + b"\x09" + bytes(1270)
    raw = packet("ST0601", item(102, matrix) * 40, checksum=True)

    found = read(raw)["items"]["sdcc_flp"]

    assert [len(one["rho"]) for one in found] == [143 * 142 // 2] * 40


def test_a_matrix_of_no_numbers_names_no_more_items_than_its_bytes_allow() -> None:
    """143 names for five bytes, repeatedly: those beyond the limit are left out, with a warning."""
    before = local_set([(tag, b"") for tag in (3, *range(5, 64), *range(66, 100), *range(110, 140))] * 2)[:286]
    raw = packet("ST0601", before + item(102, oid(143) + b"\x00") * 200, checksum=True)

    record = read(raw)

    named = [len(one["items"]) for one in record["items"]["sdcc_flp"]]
    assert 143 in named
    assert 0 in named
    assert any("the items of this matrix are not named" in text for text in record["quality"]["warnings"])
    assert len(core_json(raw)) <= 64 * len(raw) + 4096


def test_matrices_do_not_name_the_same_items_without_end() -> None:
    """Where listing the items before each matrix would take too many, the names are left out, with a warning."""
    before = local_set([(3, b"")] * 500)
    raw = packet("ST0601", before + item(102, oid(1) + b"\x00") * 400, checksum=True)

    matrices = read(raw)["items"]["sdcc_flp"]

    assert matrices[0]["items"] == ["mission_id"]
    assert matrices[-1]["items"] == []
    assert any("the items of this one are not named" in text for text in warnings(raw))


def test_hostile_lengths_take_no_memory() -> None:
    """Ten thousand lengths of 4 GiB: less than a MiB more than before."""
    hostile = (KEY + b"\x84\xff\xff\xff\xff" + ber(3)) * 10_000
    json_lines(hostile)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    json_lines(hostile)

    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 1024


def test_the_largest_numbers_of_an_array_with_a_bias_are_added_exactly() -> None:
    """Value and bias have at most nine octets of seven bits: 64 bits hold the sum. Ten octets are too many."""
    largest = 2**63 - 1
    head = oid(1) + oid(1) + oid(1) + oid(4)
    whole = json.loads(core_json(packet("ST1303", head + oid(largest) + oid(largest))))
    beyond = json.loads(core_json(packet("ST1303", head + oid(largest) + oid(largest + 1))))

    assert whole["items"]["array"]["values"] == [2**64 - 2]
    assert list(beyond["items"]) == ["unknown"]
