"""What `klvrelay.sample` encodes: published vectors, framing, and clear refusals.

Next door: `test_sample_metadata.py` has whole packets read by other people's decoders.
"""

from __future__ import annotations

import json
from pathlib import Path
from uuid import UUID

import pytest
from klvdata.common import packet_checksum

from klvrelay.errors import ConfigError
from klvrelay.sample import encode_item, encode_set, packet
from klvrelay.sample.encode import ber_length, ber_oid, imapb
from klvrelay.spec import SETS, UNIVERSAL_KEYS

VECTORS = Path(__file__).parent / "vectors"


def vectors(name: str) -> list[dict]:
    return [json.loads(line) for line in (VECTORS / name).read_text(encoding="utf-8").splitlines()]


def fixed_width(vector: dict) -> bool:
    """A scalar of one width, whose value the bytes can be made from."""
    if vector["type"] != "item" or vector["set"] not in SETS or isinstance(vector["expected"], dict | list):
        return False
    item = SETS[vector["set"]].get(vector["tag"])
    return item is not None and item.len_min == item.len_max and item.mapping not in ("special", "imapb")


def test_every_scalar_vector_is_written_as_it_was_published():
    """A published value becomes the published bytes, for every scalar item of one width."""
    chosen = [vector for vector in vectors("vectors.jsonl") if fixed_width(vector)]

    wrong = [v for v in chosen if encode_item(v["set"], v["tag"], v["expected"]).hex() != v["hex"]]

    assert wrong == []
    assert len(chosen) > 350


def test_every_imapb_vector_is_written_as_it_was_published():
    """A number within its range becomes the published IMAPB code, in any length."""
    chosen = [v for v in vectors("imapb_vectors.jsonl") if isinstance(v.get("x"), int | float)]
    chosen = [v for v in chosen if v["min"] <= v["x"] <= v["max"]]

    wrong = [v for v in chosen if imapb(v["x"], v["min"], v["max"], v["length"]).hex() != v["hex"]]

    assert wrong == []
    assert len(chosen) > 700


@pytest.mark.parametrize(
    ("value", "code"),
    [(float("inf"), "c80000"), (float("-inf"), "e80000"), (float("nan"), "d00000")],
)
def test_imapb_writes_what_is_no_number_as_its_code(value, code):
    """Infinities and NaN are the special codes of ST 1201."""
    assert imapb(value, -900, 19000, 3).hex() == code


@pytest.mark.parametrize(
    ("count", "code"), [(0, "00"), (127, "7f"), (128, "8180"), (255, "81ff"), (256, "820100"), (70000, "83011170")]
)
def test_lengths_are_ber_in_its_shortest_form(count, code):
    """Short form below 128, else as few bytes as hold it."""
    assert ber_length(count).hex() == code


@pytest.mark.parametrize(("number", "code"), [(0, "00"), (127, "7f"), (128, "8100"), (16384, "818000")])
def test_tags_are_ber_oid(number, code):
    """Seven bits a byte, the most significant first."""
    assert ber_oid(number).hex() == code


def test_a_packet_begins_with_its_time_and_ends_with_its_checksum():
    """Item 2 comes first and item 1 last, whatever order the items were given in."""
    whole = packet("ST0601", {"sensor_latitude": 34.7, "precision_time_stamp": 1_340_977_512_000_000})

    assert whole.startswith(UNIVERSAL_KEYS["ST0601"] + bytes([20]) + b"\x02\x08")
    assert whole[-4:-2] == b"\x01\x02"
    assert whole[-2:] == packet_checksum(whole)


@pytest.mark.parametrize("size", range(1, 9))
def test_the_checksum_is_right_for_even_and_odd_lengths(size):
    """The running sum agrees with another implementation wherever the packet ends."""
    whole = packet("ST0601", {"mission_id": "x" * size})

    assert whole[-2:] == packet_checksum(whole)


def test_a_set_without_a_checksum_item_gets_none():
    """ST 0102 has no checksum item, and one can be left out of ST 0601."""
    security = packet("ST0102", {"security_classification": "Unclassified"})

    assert security == UNIVERSAL_KEYS["ST0102"] + b"\x03\x01\x01\x01"
    assert packet("ST0601", {"mission_id": "a"}, checksum=False)[16:] == b"\x03\x03\x01a"


def test_unknown_tags_zero_lengths_and_repeats_can_be_written():
    """A tag that no table has takes bytes, None is a length of zero, and pairs may repeat an item."""
    body = encode_set("ST0601", [(150, b"\x0a\x0b"), ("mission_id", None), (100, b"a"), (100, b"b")])

    assert body.hex() == "8116020a0b" + "0300" + "640161" + "640162"


def test_nested_sets_and_series_are_written_from_mappings_and_lists():
    """A VMTI set is a mapping, its targets a list of mappings with their target_id."""
    track = UUID("12345678-1234-4234-8234-123456789abc")
    target = {"target_id": 200, "target_centroid": 409600, "vtracker": {"track_id": track}}
    value = encode_item("ST0601", "vmti_local_set", {"vmti_ls_version": 6, "vtarget_series": [target]})

    pack = "8148" + "0103064000" + "6812" + "0110" + track.hex
    assert value.hex() == "040106" + "651c" + "1b" + pack


@pytest.mark.parametrize(
    ("items", "complaint"),
    [
        ({"sensor_latitude": 91.0}, r"ST0601 sensor_latitude: .* 91\.0 \(outside -90\.\.90 deg\)"),
        ({"sensor_latitude": "north"}, r"ST0601 sensor_latitude: .*'north' \(not a number\)"),
        ({"mission_id": "x" * 128}, r"ST0601 mission_id: .* takes 128 bytes, 0 to 127 allowed"),
        ({"platform_ground_speed": 300}, r"ST0601 platform_ground_speed: 300 takes 2 bytes, 1 allowed"),
        ({"operational_mode": "Asleep"}, r"ST0601 operational_mode: .*\(one of Other, Operational, Training"),
        ({"no_such_item": 1}, r"ST0601 has no item 'no_such_item' \(a tag that no table has takes bytes\)"),
        ({150: 1}, r"ST0601 has no item 150"),
        ({"sdcc_flp": [1]}, r"ST0601 sdcc_flp: .*\(items of kind flp take bytes only\)"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_with_a_reason(items, complaint):
    """The refusal names set, item, value and what would be right."""
    with pytest.raises(ConfigError, match=complaint):
        packet("ST0601", items)


def test_a_set_that_no_table_has_is_refused():
    """The refusal lists the sets there are."""
    with pytest.raises(ConfigError, match=r"no such set: ST9999 \(there are .*ST0601"):
        packet("ST9999", {})


def test_an_inner_set_is_no_packet_of_its_own():
    """A set without a universal key can't be framed."""
    with pytest.raises(ConfigError, match="VTarget has no universal key"):
        packet("VTarget", {})
