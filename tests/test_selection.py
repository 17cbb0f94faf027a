"""A record's JSON with selected items equals the whole one with the other items removed."""

from __future__ import annotations

import json
import re
from collections import Counter
from operator import itemgetter
from pathlib import Path
from random import Random
from typing import Any

import pytest
from cases import each_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from packet_wrapping import item, keyed_set, local_set, packet, series, wrapped
from random_packets import packets, random_packet
from test_second_opinion import odd_packets
from test_vectors import VECTORS, set_name

import klvrelay
from klvrelay.errors import ConfigError
from klvrelay.record import Record
from klvrelay.standards.spec import CHECKSUM, KEYED, SETS, TIME, UNIVERSAL_KEYS, VERSION

HERE = Path(__file__).parent
RECORDINGS = [HERE.parent / "samples" / "orbit.ts", HERE / "vectors" / "klv_before_video.ts"]
TIME_KEY = next(key for key, item in KEYED.items() if (item.key, item.set) == ("precision_time_stamp", "ST0104"))
LATITUDE_KEY = next(key for key, item in KEYED.items() if item.key == "sensor_latitude")
PRIVATE = bytes.fromhex("060e2b34010101010e02030405060708")

PACKET_SETS = [name for name in SETS if name in UNIVERSAL_KEYS]
KEYS = sorted({item.key for item in [*KEYED.values(), *(i for name in PACKET_SETS for i in SETS[name].values())]})
EVERYTHING = klvrelay.select("unknown", *KEYS)
FEW = ["unknown", "sensor_latitude", "sensor_longitude", "security_local_set", "vmti_local_set", "sdcc_flp", "array"]

LEFT_OUT = re.compile(r"\d+ more remarks left out")
BOUNDED = re.compile(r"too large as text|too many|more remarks left out")
"""Warnings about a limit that a selection may not reach."""
BY_TAG, BY_KEY = re.compile(r"item (\d+)\b"), re.compile(r"(?:item|key) ([0-9a-f]{32})")


def record_of(raw: bytes) -> Record:
    return Record(raw, "ST0601", "ok", "ok", 5, 257, 1_795_317_255_926_535, "uav1", None, 7, None, 1)


def keyed(key: bytes) -> str | None:
    """The item of a 16-byte key, whose octet 8 is a version."""
    alike = (item.key for known, item in KEYED.items() if known[:7] + known[8:] == key[:7] + key[8:])
    return next(alike, None)


def key_of(set_: str, number: str) -> str | None:
    """The key of an item of a packet, by tag or by 16-byte key; None where it is unknown."""
    if len(number) == 32:
        return keyed(bytes.fromhex(number))
    found = SETS.get(set_, {}).get(int(number))
    return found.key if found else None


def is_chosen(set_: str, number: str, keys: set[str]) -> bool:
    return (key_of(set_, number) or "unknown") in keys


def is_of_head(set_: str, number: str) -> bool:
    if len(number) == 32:
        return key_of(set_, number) == "precision_time_stamp" and set_ == "ST0104"
    return int(number) in (CHECKSUM.get(set_, (None,))[0], TIME.get(set_), VERSION.get(set_))


def is_remark_kept(set_: str, remark: str, keys: set[str]) -> bool:
    """All those of the packet itself are, and those of selected items and of the head's."""
    found = BY_KEY.match(remark) or BY_TAG.match(remark)
    if found is None or re.fullmatch(r"item \d+: length runs past the end, the rest of its set left out", remark):
        return True
    return is_of_head(set_, found[1]) or is_chosen(set_, found[1], keys)


def filtered(whole: dict[str, Any], keys: set[str]) -> dict[str, Any]:
    """A record with the items of these keys only."""
    set_, quality = whole["set"], dict(whole["quality"])
    items = {key: value for key, value in whole["items"].items() if key in keys and key != "unknown"}
    raw = {n: v for n, v in whole["items"].get("unknown", {}).items() if is_chosen(set_, n, keys)}
    if raw:
        items["unknown"] = raw
    if "user_data" in items and "user_value" in whole["items"]:  # the data again, as its type says
        items["user_value"] = whole["items"]["user_value"]
    special = {path: why for path, why in quality.pop("special", {}).items() if re.split(r"[.[]", path)[0] in keys}
    warnings = [remark for remark in quality.pop("warnings", []) if is_remark_kept(set_, remark, keys)]
    quality |= ({"special": special} if special else {}) | ({"warnings": warnings} if warnings else {})
    return {**whole, "quality": quality, "items": items}


def packet_remarks(record: dict[str, Any]) -> Counter[str]:
    """Those that name no item: of the packet's own set, or of one inside it."""
    warnings = record["quality"].get("warnings", [])
    return Counter(text for text in warnings if not BY_TAG.match(text) and not BY_KEY.match(text))


def drop_packet_remarks(record: dict[str, Any]) -> dict[str, Any]:
    kept = [text for text in record["quality"].get("warnings", []) if BY_TAG.match(text) or BY_KEY.match(text)]
    quality = {name: value for name, value in record["quality"].items() if name != "warnings"}
    return {**record, "quality": quality | ({"warnings": kept} if kept else {})}


def loads(document: bytes) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(document, object_pairs_hook=_once)
    return loaded


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    assert len(dict(pairs)) == len(pairs), "a key comes twice"
    return dict(pairs)


def check(raw: bytes, keys: list[str]) -> bool:
    """Is the selection correct? False where the whole record reached a limit: then only valid JSON is required."""
    record = record_of(raw)
    whole, found = loads(record.json()), loads(record.json(items=klvrelay.select(*keys)))
    if BOUNDED.search(" ".join(whole["quality"].get("warnings", []))):
        return False
    expected = drop_packet_remarks(filtered(whole, set(keys)))
    got = drop_packet_remarks(found)
    assert got == expected, raw.hex()
    order = list(loads(record.json())["items"])
    assert list(got["items"]) == [key for key in order if key in got["items"]]
    none = packet_remarks(loads(record.json(items=klvrelay.select())))
    assert none <= packet_remarks(found) <= packet_remarks(whole)
    assert record.json(items=EVERYTHING) == record.json()
    return True


def keys_in(raw: bytes) -> list[str]:
    """The keys of a packet that can be selected."""
    return sorted({*loads(record_of(raw).json())["items"]} & EVERYTHING.keys)


def choices(raw: bytes) -> list[list[str]]:
    """None, every second item, and a few that may be there."""
    present = keys_in(raw)
    return [[], present[::2], present[1::2], FEW]


def vector_packets() -> dict[str, bytes]:
    found = {}
    for at, vector in enumerate(VECTORS):
        data = bytes.fromhex(vector.get("hex", ""))
        if vector["type"] == "item":
            found[f"{at}"] = wrapped(vector["set"], item(vector["tag"], data))[0]
        elif vector["type"] == "set":
            found[f"{at}"] = wrapped(set_name(vector), data)[0]
        elif vector["type"] == "packet":
            found[f"{at}"] = data
    return found


def test_a_selection_of_every_vector_equals_the_filtered_record() -> None:
    """Each published item, set and packet."""
    found = [check(raw, keys) for raw in vector_packets().values() for keys in choices(raw)]
    assert found.count(True) > 2000
    assert all(found)


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: path.stem)
def test_a_selection_of_every_recording_equals_the_filtered_record(path: Path) -> None:
    """The records as output from a stream, with their times and numbers."""
    records = klvrelay.decode(path.read_bytes(), stream="uav1")[::7]
    assert records
    for record in records:
        for keys in choices(record.raw):
            expected = filtered(loads(record.json()), set(keys))
            assert loads(record.json(items=klvrelay.select(*keys))) == expected


@each_of(list(odd_packets().items()), itemgetter(0))
def test_a_selection_of_a_malformed_packet_equals_the_filtered_record(odd: tuple[str, bytes]) -> None:
    """Where the standards leave a choice: repeats, wrong lengths, truncated sets."""
    for keys in choices(odd[1]):
        check(odd[1], keys)


def test_a_selection_of_seeded_packets_equals_the_filtered_record() -> None:
    """A thousand packets of every kind, the same in every run."""
    found = [
        check(raw, keys) for seed in range(1_000) for raw in [random_packet(Random(seed))] for keys in choices(raw)
    ]
    assert found.count(True) > 3000


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(raw=packets(), data=st.data())
def test_any_selection_of_any_packet_equals_the_filtered_record(raw: bytes, data: st.DataObject) -> None:
    """Random packets, and random keys of those in them and of all others."""
    keys = data.draw(st.lists(st.sampled_from([*keys_in(raw), *KEYS, "unknown"]), max_size=6, unique=True))
    check(raw, keys)


# ---- single properties ----

RANGE = item(21, (2**31).to_bytes(4, "big"))
LATITUDE = item(13, bytes.fromhex("5595b66d"))


def document(raw: bytes, *keys: str) -> dict[str, Any]:
    return loads(record_of(raw).json(items=klvrelay.select(*keys)))


def test_the_head_stays_whatever_is_selected() -> None:
    """Time, version, set, checksum and identity are in each document."""
    raw = packet("ST0601", item(2, bytes(7) + b"\x09") + item(65, b"\x13") + LATITUDE, checksum=True)
    whole, none = loads(record_of(raw).json()), document(raw)

    assert none == {**whole, "items": {}}
    assert (none["time_us"], none["version"], none["stream"], none["seq"]) == (9, 19, "uav1", 7)


def test_an_item_of_the_head_is_no_item_of_a_selection() -> None:
    """Its key may be selected: it is in the head anyway."""
    raw = packet("ST0601", item(2, bytes(8)) + LATITUDE)

    assert document(raw, "precision_time_stamp", "uas_datalink_ls_version_number")["items"] == {}


def test_a_warning_about_an_item_in_the_head_is_always_included() -> None:
    """A time of nine bytes is null in the head: the reason is included, its bytes only where they are selected."""
    raw = packet("ST0601", item(2, bytes(9)) + LATITUDE)
    without, with_ = document(raw, "sensor_latitude"), document(raw, "precision_time_stamp")

    assert without["quality"]["warnings"] == with_["quality"]["warnings"] == ["item 2: 9 bytes, expected 8"]
    assert "unknown" not in without["items"]
    assert with_["items"] == {"unknown": {"2": "00" * 9}}


def test_a_selected_item_that_cannot_be_read_is_kept_raw_as_in_the_whole_record() -> None:
    """And unknown items beside it are not, unless "unknown" is selected."""
    raw = packet("ST0601", item(13, bytes(9)) + item(150, b"\x01") + item(300, b"\x02") + item(14, bytes(9)))

    assert document(raw, "sensor_latitude")["items"] == {"unknown": {"13": "00" * 9}}
    assert document(raw, "unknown")["items"] == {"unknown": {"150": "01", "300": "02"}}
    assert document(raw, "slant_range")["items"] == {}


def test_a_nested_set_is_selected_as_a_whole() -> None:
    """With all its items and their warnings; those of other items are left out."""
    inner = local_set([(1, b"\x01"), (99, b"\x05"), (3, b"\xff")])
    raw = packet("ST0601", item(48, inner) + item(13, b"\x80\x00\x00\x00") + RANGE)
    whole, found = loads(record_of(raw).json()), document(raw, "security_local_set")

    assert found["items"] == {"security_local_set": whole["items"]["security_local_set"]}
    assert "unknown" in found["items"]["security_local_set"]
    assert whole["quality"]["special"] == {"sensor_latitude": "reserved"}
    assert "special" not in found["quality"]
    assert document(raw, "sensor_latitude")["quality"]["special"] == {"sensor_latitude": "reserved"}


def test_items_of_the_same_key_inside_another_set_are_not_selected_by_it() -> None:
    """A selection applies to the packet's own items: the classification inside the security set belongs to that set."""
    inner = packet("ST0102", item(1, b"\x01"))
    raw = packet("ST0601", item(48, item(1, b"\x01")) + LATITUDE)

    assert document(raw, "security_classification")["items"] == {}
    assert document(inner, "security_classification")["items"] == {"security_classification": "Unclassified"}


def test_items_that_repeat_are_selected_together() -> None:
    """Where more than one is legal all are included; of others the last one, with the warning about it."""
    segments = item(100, LATITUDE) + RANGE + item(100, LATITUDE)
    raw = packet("ST0601", segments + item(5, b"\x00\x01") + item(5, b"\x00\x02"))
    whole = loads(record_of(raw).json())

    assert document(raw, "segment_local_set")["items"] == {"segment_local_set": whole["items"]["segment_local_set"]}
    assert "warnings" not in document(raw, "segment_local_set")["quality"]
    assert document(raw, "platform_heading_angle")["quality"]["warnings"] == ["item 5: repeated, last kept"]


def test_a_universal_set_is_selected_by_the_same_keys() -> None:
    """Its items have 16-byte keys; its time stays in the head."""
    value = keyed_set([(TIME_KEY, bytes(7) + b"\x09"), (LATITUDE_KEY, bytes(8)), (PRIVATE, b"x")])
    raw = packet("ST0104", value)

    assert document(raw, "sensor_latitude")["items"] == {"sensor_latitude": 0}
    assert document(raw, "slant_range")["items"] == {}
    assert list(document(raw, "unknown")["items"]) == ["unknown"]
    assert document(raw, "slant_range")["time_us"] == 9


def test_a_truncated_packet_of_one_item_is_selected_by_its_key() -> None:
    """It has no more than its bytes."""
    raw = LATITUDE_KEY + b"\x08" + bytes(3)

    assert document(raw, "sensor_latitude")["items"] == {"unknown": {LATITUDE_KEY.hex(): "000000"}}
    assert document(raw, "slant_range")["items"] == {}
    assert document(PRIVATE + b"\x08" + bytes(3), "unknown")["items"] != {}
    assert document(PRIVATE + b"\x08" + bytes(3), "sensor_latitude")["items"] == {}


def test_a_selection_can_have_an_item_that_the_whole_record_has_no_space_for() -> None:
    """A bound on all text together is reached later by a part of it."""
    many = series([local_set([(tag, b"") for tag in range(1, 120)])] * 40)
    raw = packet("ST0601", item(74, item(101, many)) + LATITUDE)

    assert document(raw, "sensor_latitude")["items"]["sensor_latitude"] == pytest.approx(60.176822966)


def test_integers_are_safe_in_a_selection_too() -> None:
    """`numbers="safe"` applies."""
    raw = packet("ST0601", item(131, b"\xff" * 8))
    chosen = klvrelay.select("take_off_time")

    assert json.loads(record_of(raw).json(items=chosen, numbers="safe"))["items"] == {"take_off_time": str(2**64 - 1)}
    assert json.loads(record_of(raw).json(items=chosen))["items"] == {"take_off_time": 2**64 - 1}


def test_a_record_that_is_larger_than_any_before_is_written_too() -> None:
    """The text buffer grows."""
    raw = packet("ST0601", item(48, item(5, b"\xff" * 60_000)))
    chosen = klvrelay.select("security_local_set")

    assert len(record_of(raw).json(items=chosen)) > 100_000


def test_invalid_packets_are_refused() -> None:
    """As for the whole record."""
    with pytest.raises(klvrelay.DecodeError):
        record_of(b"no packet").json(items=klvrelay.select())


@pytest.mark.parametrize(
    ("key", "says"),
    [
        ("sensor_latitud", "no item has the key 'sensor_latitud'; did you mean sensor_latitude"),
        ("vmti_local_set.vtarget_series", "select all of it: 'vmti_local_set'"),
        ("no.such", "no item has the key 'no.such'"),
        ("target_hae", "no item has the key 'target_hae'"),
        ("", "no item has the key ''"),
        ('"sensor_latitude', "no item has the key"),
        ("sensor_latitude\0", "no item has the key"),
        ("\ud800", "no item has the key"),
    ],
)
def test_an_unknown_key_is_refused(key: str, says: str) -> None:
    """With similar ones; an item of a nested set cannot be selected separately."""
    with pytest.raises(ConfigError) as refused:
        klvrelay.select("sensor_latitude", key)

    assert says in str(refused.value)


def test_every_key_of_the_tables_can_be_selected() -> None:
    """Of each set that is a packet, and of each item with a key."""
    assert {*KEYS, "unknown"} == EVERYTHING.keys
    assert len(KEYS) > 200
