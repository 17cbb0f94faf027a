"""The output of `klvrelay.encode`: published vectors, framing, order, layouts, and clear errors."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from uuid import UUID

import pytest
from klvdata.common import packet_checksum
from reference_wire import crc16, crc32

import klvrelay
from klvrelay.encode import encode, encode_item
from klvrelay.encode.numbers import imapb
from klvrelay.encode.wire import ber_length, ber_oid
from klvrelay.errors import EncodeError
from klvrelay.standards.spec import CHECKSUM, KEYED, SETS, UNIVERSAL_KEYS

VECTORS = Path(__file__).parent / "vectors"
TIME = 1_340_977_512_000_000


def vectors(name: str) -> list[dict]:
    return [json.loads(line) for line in (VECTORS / name).read_text(encoding="utf-8").splitlines()]


def fixed_width(vector: dict) -> bool:
    """A scalar of one width whose value determines the bytes."""
    if vector["type"] != "item" or vector["set"] not in SETS or isinstance(vector["expected"], dict | list):
        return False
    item = SETS[vector["set"]].get(vector["tag"])
    return item is not None and item.len_min == item.len_max and item.mapping not in ("special", "imapb", "ieee754")


def test_every_scalar_vector_is_written_as_it_was_published():
    """For every scalar item of one width, the published value gives the published bytes."""
    chosen = [vector for vector in vectors("vectors.jsonl") if fixed_width(vector)]

    wrong = [v for v in chosen if encode_item(v["set"], v["tag"], v["expected"]).hex() != v["hex"]]

    assert wrong == []
    assert len(chosen) > 400


def test_every_imapb_vector_is_written_as_it_was_published():
    """A number within its range gives the published IMAPB code, in any length."""
    chosen = [v for v in vectors("imapb_vectors.jsonl") if isinstance(v.get("x"), int | float)]
    chosen = [v for v in chosen if v["min"] <= v["x"] <= v["max"]]

    wrong = [v for v in chosen if imapb(v["x"], v["min"], v["max"], v["length"]) != int(v["hex"], 16)]

    assert wrong == []
    assert len(chosen) > 700


@pytest.mark.parametrize(
    ("count", "code"), [(0, "00"), (127, "7f"), (128, "8180"), (255, "81ff"), (256, "820100"), (70000, "83011170")]
)
def test_lengths_are_ber_in_its_shortest_form(count, code):
    """Short form below 128, otherwise the fewest bytes."""
    assert ber_length(count).hex() == code


@pytest.mark.parametrize(("number", "code"), [(0, "00"), (127, "7f"), (128, "8100"), (16384, "818000")])
def test_tags_are_ber_oid(number, code):
    """Seven bits a byte, the most significant first."""
    assert ber_oid(number).hex() == code


# ---- packets ----------------------------------------------------------------------------------------------


def test_a_packet_begins_with_its_time_and_ends_with_its_checksum():
    """Item 2 comes first and item 1 last, in whatever order the items were passed."""
    whole = encode({"sensor_latitude": 34.7, "precision_time_stamp": TIME})

    assert whole.startswith(UNIVERSAL_KEYS["ST0601"] + bytes([20]) + b"\x02\x08")
    assert whole[-4:-2] == b"\x01\x02"
    assert whole[-2:] == packet_checksum(whole)


@pytest.mark.parametrize("size", range(1, 9))
def test_the_checksum_is_correct_for_even_and_odd_lengths(size):
    """The running sum agrees with another implementation wherever the packet ends."""
    whole = encode({"mission_id": "x" * size})

    assert whole[-2:] == packet_checksum(whole)


@pytest.mark.parametrize("name", CHECKSUM)
def test_each_set_with_a_checksum_gets_its_own_kind(name):
    """The decoder accepts it, and the tests' own sums agree; `checksum=False` omits it."""
    tag, kind = CHECKSUM[name]
    whole = encode({150: b"abc"}, set=name)
    (record,) = klvrelay.decode(whole)

    assert record.checksum == "ok"
    if kind != "sum16":
        size = {"crc16": 2, "crc32": 4}[kind]
        assert int.from_bytes(whole[-size:], "big") == {"crc16": crc16, "crc32": crc32}[kind](whole[:-size])
    assert whole[-4 if kind != "crc32" else -6] == tag
    assert klvrelay.decode(encode({150: b"abc"}, set=name, checksum=False))[0].checksum == "absent"


def test_a_set_without_a_checksum_item_gets_none():
    """ST 0102 has no checksum item, and it can be omitted from ST 0601."""
    security = encode({"security_classification": "Unclassified"}, set="ST0102")

    assert security == UNIVERSAL_KEYS["ST0102"] + b"\x03\x01\x01\x01"
    assert encode({"mission_id": "a"}, checksum=False)[16:] == b"\x03\x03\x01a"


def test_unknown_tags_zero_lengths_and_repeats_can_be_written():
    """An unknown tag takes bytes, None is a length of zero, and pairs may repeat an item."""
    body = encode([(150, b"\x0a\x0b"), ("mission_id", None), (100, b"a"), (100, b"b")], checksum=False)

    assert body[17:].hex() == "8116020a0b" + "0300" + "640161" + "640162"


def test_nested_sets_and_series_are_written_from_mappings_and_lists():
    """A VMTI set is a mapping, its targets a list of mappings with their target_id."""
    track = UUID("12345678-1234-4234-8234-123456789abc")
    target = {"target_id": 200, "target_centroid": 409600, "vtracker": {"track_id": track}}
    value = encode_item("ST0601", "vmti_local_set", {"vmti_ls_version": 6, "vtarget_series": [target]})

    pack = "8148" + "0103064000" + "6812" + "0110" + track.hex
    assert value.hex() == "040106" + "651c" + "1b" + pack


def test_a_document_is_written_with_its_time_version_and_specials():
    """The head of a record goes back into items 2 and 65, and a null to the code of its special name."""
    document = {
        "set": "ST0601",
        "time_us": TIME,
        "version": 19,
        "quality": {"checksum": "ok", "special": {"platform_pitch_angle": "out_of_range"}},
        "items": {"platform_pitch_angle": None, "platform_roll_angle": None},
    }
    whole = encode(document)

    assert whole[17:-4].hex() == f"0208{TIME:016x}" + "410113" + "06028000" + "0700"
    assert encode(document | {"quality": {"checksum": "absent"}})[-2:] == b"\x07\x00"


def test_an_array_is_described_by_its_mapping_alone():
    """The decoder returns the same dimensions and values; omitted sizes are computed."""
    array = {"dims": [2, 2], "values": [1, 2, 70000, 4]}
    whole = encode({"correspondence_points_row_column": array}, set="ST1601")

    (record,) = klvrelay.decode(whole)
    assert record.items == {"correspondence_points_row_column": {"dims": [2, 2], "ebytes": 3, "apa": 1,
                                                                 "values": [1, 2, 70000, 4]}}  # fmt: skip


def test_a_core_identifier_can_be_its_text():
    """The text form of ST 1204 becomes its bytes, and text and parts together must agree."""
    for vector in vectors("vectors.jsonl"):
        if vector["type"] != "miis":
            continue
        for value in (vector["text"], vector["text"].lower(), {"text": vector["text"]}, vector["expected"]):
            assert encode_item("ST0601", "miis_core_identifier", value).hex() == vector["hex"]
        both = vector["expected"] | {"text": vector["text"]}
        assert encode_item("ST0601", "miis_core_identifier", both).hex() == vector["hex"]
        with pytest.raises(EncodeError, match="it contradicts"):
            encode_item("ST0601", "miis_core_identifier", both | {"version": 9})


def test_a_matrix_follows_the_items_it_names():
    """Receiver rule 8 of ST 0601: an SDCC-FLP belongs to the items before it, in their order."""
    matrix = {"matrix_size": 2, "sigma": [1.0, 2.0], "rho": [0.5], "items": ["sensor_longitude", "sensor_latitude"]}
    items = {"sdcc_flp": [matrix], "sensor_latitude": 1.0, "mission_id": "x", "sensor_longitude": 2.0}

    (record,) = klvrelay.decode(encode(items))

    assert list(record.items) == ["mission_id", "sensor_longitude", "sensor_latitude", "sdcc_flp"]
    assert record.items["sdcc_flp"][0]["items"] == matrix["items"]


def test_two_matrices_of_one_item_are_refused():
    """What the encoding cannot express is refused."""
    one = {"matrix_size": 2, "sigma": [1.0, 2.0], "items": ["sensor_latitude", "sensor_longitude"]}
    other = {"matrix_size": 2, "sigma": [1.0, 2.0], "items": ["sensor_latitude", "slant_range"]}
    items = {"sensor_latitude": 1.0, "sensor_longitude": 2.0, "slant_range": 3.0, "sdcc_flp": [one, other]}

    with pytest.raises(EncodeError, match=r"sdcc_flp\[0\]\.items: .*can't all precede it directly"):
        encode(items)


def test_user_data_of_a_video_terminal_can_be_a_value():
    """ST 0806: the type in item 1 decides how the value is written; data and value must agree."""
    number = {"numeric_id": {"data_type": "Signed Integer", "id": 3}, "user_value": -2}
    whole = encode({"user_defined_local_set": [number]}, set="ST0806")

    assert klvrelay.decode(whole)[0].items == {"user_defined_local_set": [number | {"user_data": "fe"}]}
    with pytest.raises(EncodeError, match="user_data contains -2"):
        encode({"user_defined_local_set": [number | {"user_data": "fe", "user_value": 5}]}, set="ST0806")


def test_universal_sets_accept_the_keys_of_a_record():
    """EG 0104 is written with 16-byte keys, its time first, its dates as text."""
    items = {"sensor_latitude": 38.1, "event_start_time": 1_112_255_451_000_000, "precision_time_stamp": TIME}
    whole = encode(items, set="ST0104")
    (record,) = klvrelay.decode(whole)

    assert record.time_us == TIME
    assert record.items == {"sensor_latitude": 38.1, "event_start_time": 1_112_255_451_000_000}
    assert b"20050331075051" in whole
    (time_key,) = [key for key, item in KEYED.items() if item.key == "precision_time_stamp"]
    assert whole[17 : 17 + 16] == time_key


@pytest.mark.parametrize(
    ("name", "items"),
    [
        (
            "ST1010",
            {"sdcc_flp": {"matrix_size": 1, "mode": 2, "sparse": False, "sigma": [1.5], "rho": [], "items": []}},
        ),
        ("ST1303", {"array": {"dims": [2], "ebytes": 1, "apa": 1, "values": [-1, 5]}}),
        ("unknown", {"mgrs_zone": 32}),
        ("unknown", {"unknown": {"ff" * 16: "0102"}}),
        ("ST0808", {"unknown": {"5": "6162"}}),
    ],
)
def test_a_packet_can_be_one_item_or_a_set_without_a_table(name, items):
    """An item with its own key is a packet; unknown items are bytes by tag or key."""
    if "ff" * 16 in str(items):
        items = {"unknown": {"060e2b3401010101" + "ff" * 8: "0102"}}
    (record,) = klvrelay.decode(encode(items, set=name))

    assert (record.set, record.items) == (name, items)


# ---- layouts ----------------------------------------------------------------------------------------------


def test_a_layout_gives_order_widths_and_forms_but_no_value():
    """New values are written at the places of the earlier packet's values, with their widths and length forms."""
    key = UNIVERSAL_KEYS["ST0601"].hex()
    earlier = bytes.fromhex(key + "820010" + "60820003000000" + "0d0412345678" + "410105")
    items = {"uas_datalink_ls_version_number": 19, "sensor_latitude": -90.0, "target_width_extended": 1_500_000.0}

    code = imapb(1_500_000.0, 0, 1_500_000, 3)
    assert encode(items, like=earlier)[16:].hex() == f"82001060820003{code:06x}0d0480000001410113"


def test_items_that_the_layout_lacks_come_before_the_checksum():
    """New items follow the existing ones; removed ones leave no gap."""
    earlier = encode({"precision_time_stamp": TIME, "mission_id": "old", "sensor_latitude": 1.0})
    whole = encode({"slant_range": 1.0, "sensor_latitude": 2.0, "precision_time_stamp": TIME + 1}, like=earlier)

    (record,) = klvrelay.decode(whole)
    assert list(record.items) == ["sensor_latitude", "slant_range"]
    assert record.checksum == "ok"
    assert whole[-4:-2] == b"\x01\x02"


def test_the_checksum_is_there_where_the_layout_has_one():
    """By default; `checksum` overrides it."""
    bare = encode({"mission_id": "a"}, checksum=False)

    assert encode({"mission_id": "b"}, like=bare)[16:].hex() == "03030162"
    assert len(encode({"mission_id": "b"}, like=bare, checksum=True)) == len(bare) + 4
    assert klvrelay.decode(encode({"mission_id": "b"}, like=encode({"mission_id": "a"})))[0].checksum == "ok"


def test_a_record_is_its_own_layout_and_a_document_can_have_one():
    """The values come from the record's JSON: changed ones are written, in the layout of the packet."""
    raw = encode({"precision_time_stamp": TIME, "platform_course_angle": 12.5, 65: b"\x13"})
    (record,) = klvrelay.decode(raw)
    document = json.loads(record.json())
    document["items"]["platform_course_angle"] = 200.0

    assert encode(record) == raw
    changed = klvrelay.decode(encode(document, like=record))[0]
    assert changed.items["platform_course_angle"] == pytest.approx(200.0, abs=1e-6)
    assert (changed.time_us, len(changed.raw), changed.checksum) == (TIME, len(raw), "ok")


def test_a_decoded_number_is_encoded_to_its_code():
    """Rounding down, as ST 1201 does for new numbers, would lose a step each time."""
    earlier = (1 << 30) + 12345
    raw = encode({"platform_course_angle": earlier.to_bytes(4, "big")})
    (record,) = klvrelay.decode(raw)

    for _ in range(3):
        (record,) = klvrelay.decode(encode(json.loads(record.json())))
    assert encode(record) == raw
    assert encode(record.items, like=record) == raw


def test_numbers_of_any_type_are_accepted():
    """Fractions and decimals as well as floats; an integer may be a float without a fraction."""
    assert encode({"slant_range": Fraction(5_000_000, 3)}) == encode({"slant_range": 5_000_000 / 3})
    assert encode({"platform_ground_speed": 25.0}) == encode({"platform_ground_speed": 25})
