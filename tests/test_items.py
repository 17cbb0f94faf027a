"""The item reference: complete, correct, and found by any form of input."""

from __future__ import annotations

import csv
import json
import re
from fractions import Fraction
from functools import cache

import pytest
from cases import each_case, each_of
from conftest import ROOT
from reference_values import Real, imapb

from klvrelay.items import SETS, NotFound, entries, find, find_set, item_details, set_details
from klvrelay.items.entry import ItemEntry, every, inner_set
from klvrelay.items.numbers import resolution_text, steps, widths_of
from klvrelay.items.search import look_up
from klvrelay.standards import clauses, spec

EVERY = list(every())
ADDRESSES = [entry.address for entry in EVERY]
OF_SET = {name: [entry for entry in EVERY if entry.set == name] for name in sorted({entry.set for entry in EVERY})}

found = cache(find)


def keys(query: str, name: str | None = None) -> list[str]:
    return [entry.item.key for entry in find(query, name)]


def one(query: str) -> ItemEntry:
    (entry,) = find(query)
    return entry


# --- found ---


@each_case("name", OF_SET)
def test_every_item_is_found_by_its_address(name: str) -> None:
    """It is unique, and appears in the table of several results."""
    for entry in OF_SET[name]:
        assert find(entry.address) == [entry]
        assert ADDRESSES.count(entry.address) == 1


@each_case("name", OF_SET)
def test_every_item_is_found_by_its_key_and_by_its_name(name: str) -> None:
    """Among items of the same name in other sets, or as the item by tag with that key."""
    for entry in OF_SET[name]:
        for query in (entry.item.key, entry.item.name):
            assert entry in found(query) or entry.item.key in {one.item.key for one in found(query)}


@each_case("name", OF_SET)
def test_capital_letters_find_the_same(name: str) -> None:
    """By the key of the first item of each set."""
    key = OF_SET[name][0].item.key
    assert find(key.upper()) == found(key)


@each_case(
    ("query", "address"),
    [
        ("13", "0601:13"),
        (" item 13 ", "0601:13"),
        ("Tag 13", "0601:13"),
        ("0601:13", "0601:13"),
        ("ST0601/13", "0601:13"),
        ("MISB ST 0601 13", "0601:13"),
        ("0903:101", "0903:101"),
        ("vmti:101", "0903:101"),
        ("rvt 12", "0806:12"),
        ("vtarget:10", "VTarget:10"),
        ("1108Metric:1", "1108Metric:1"),
        ("sensor_latitude", "0601:13"),
        ("Sensor Latitude", "0601:13"),
        ("0601:sensor_latitude", "0601:13"),
        ("74.101[0].10", "VTarget:10"),
        ("vmti_local_set.vtarget_series[3].target_hae", "VTarget:12"),
        ("item 74.101[0].10:", "VTarget:10"),
        ("060e2b34020b01010e01030306000000.101[0].12", "VTarget:12"),
        ("0903:101.105.2", "VChip:2"),
        ("100[1].48.1", "0102:1"),
        ("142.azimuth_start", "0601:142"),
        ("view_domain.azimuth_start", "0601:142"),
        ("hardpoint", "0601:140"),
        ("IR polarity", "0601:47"),
        ("GLONASS", "0601:124"),
        ("060E2B34-01010103-07010201-02040200", "060e2b34010101030701020102040200"),
        ("06 0e 2b 34 01 01 01 7f 07 01 02 01 02 04 02 00", "060e2b34010101030701020102040200"),
        ("obliquity angle", "060e2b34010101010701100103000000"),
    ],
)
def test_one_item_is_found_by_what_a_reader_may_type(query: str, address: str) -> None:
    """Tags, sets and tags, keys, names, paths from a record's quality, elements, labels, 16-byte keys."""
    assert [entry.address for entry in find(query)] == [address]


@pytest.mark.parametrize(
    ("query", "some"),
    [
        ("frame center", {"frame_center_latitude", "frame_center_longitude", "frame_center_mgrs_zone"}),
        ("latitude sensor", {"sensor_latitude"}),
        ("slant_range", {"slant_range"}),
        ("hostile", {"type"}),
        ("start date", {"start_date_time_utc", "event_start_time"}),
    ],
)
def test_several_items_are_found_by_a_part_of_a_name(query: str, some: set[str]) -> None:
    """All that have every word of it, in any order, each by tag where it has one."""
    found = find(query)
    assert some <= {entry.item.key for entry in found}
    assert len({entry.address for entry in found}) == len(found)


def test_an_item_by_tag_represents_its_universal_form() -> None:
    """`heading` finds ST 0601's items once; ST 0104's own words find ST 0104's."""
    assert {entry.set for entry in find("platform heading angle")} == {"ST0601"}
    assert one("device latitude").set == "ST0104"


def test_a_set_keeps_the_search_to_itself() -> None:
    """A tag then belongs to that set, and so does a key."""
    assert keys("13", "ST1206") == ["range_layover_angle"]
    assert {entry.set for entry in find("angle", "ST1206")} == {"ST1206"}
    assert [entry.set for entry in find("slant_range", "ST1107")] == ["ST1107"]


@each_case(
    ("query", "hint"),
    [
        ("sensor_lattitude", "similar: sensor_latitude"),
        ("platform heding", "platform_heading_angle"),
        ("200", "ST0601 has no item 200 (valid tags: 1-143)"),
        ("0903:50", "ST0903 has no item 50 (valid tags: 1-13, 101-103)"),
        ("VTarget:target_ha", "target_hae"),
        ("74.101[0].99", "VTarget has no item 99"),
        ("ST0808:3", "ST0808 has no table"),
        ("060e2b34ffffffffffffffffffffffff", "unknown key"),
        ("xyzzy", "no item named 'xyzzy'"),
        ("...", "no item named"),
    ],
)
def test_an_unknown_item_is_reported_with_similar_ones(query: str, hint: str) -> None:
    """A typing mistake is corrected; an unknown tag or key is reported as such."""
    with pytest.raises(NotFound, match=re.escape(hint)):
        find(query)


@each_case(
    ("text", "name"),
    [
        ("ST0903", "ST0903"),
        ("st 0903", "ST0903"),
        ("0903", "ST0903"),
        ("MISB ST 0903", "ST0903"),
        ("vmti", "ST0903"),
        ("VTrackItem", "VTrackItem"),
        ("EG0104", "ST0104"),
        ("EG 0104", "ST0104"),
        ("0102-us", "ST0102-US"),
        ("903", None),
        ("", None),
    ],
)
def test_a_set_is_named_by_its_number_or_name(text: str, name: str | None) -> None:
    """In any spelling."""
    assert find_set(text) == name


def test_a_set_is_found_by_name_or_by_the_key_of_its_packets() -> None:
    """All its items then; a pack that is a packet is one item."""
    for query in ("ST0903", "060e2b34 020b0101 0e010303 06000000"):
        assert look_up(query) == (list(entries("ST0903")), "ST0903")
    assert look_up("") == (list(entries("ST0601")), "ST0601")
    assert look_up("", "VMask") == (list(entries("VMask")), "VMask")
    for query in ("ST1204", spec.UNIVERSAL_KEYS["ST1204"].hex()):
        (entry,), whole = look_up(query)
        assert (entry.item.key, whole) == ("miis_core_identifier", None)


# --- output ---


@each_case("name", OF_SET)
def test_every_entry_is_complete(name: str) -> None:
    """Each has standard, length, encoding and form; it is a JSON document, and does not mention tables."""
    for entry in OF_SET[name]:
        of = item_details(entry)
        assert json.loads(json.dumps(of)) == of
        assert all(of[field] for field in ("name", "key", "standard", "length", "encoding", "record", "zero_length"))
        assert of["units"] == entry.item.units
        assert not re.search(r"README|\.csv|None|Fraction", json.dumps([v for v in of.values() if v is not None]))
        assert of["codes"] or entry.item.kind != "enum"
        assert of["elements"] or not entry.item.pack
        assert of["holds"] == inner_set(entry.item.kind)


@pytest.mark.parametrize("entry", [e for e in EVERY if e.item.kind == "bitfield"], ids=lambda e: e.address)
def test_every_bit_field_lists_its_bits(entry: ItemEntry) -> None:
    """Except the list of payloads, whose bits are payloads."""
    assert item_details(entry)["bits"] or entry.item.key == "active_payloads"


def test_the_entry_of_an_item_by_hand() -> None:
    """Sensor latitude, as in the standard."""
    of = item_details(one("13"))
    assert of["standard"] == "MISB ST 0601.19, item 13"
    assert (of["units"], of["range"], of["length"]) == ("deg", [-90, 90], "4 bytes")
    assert of["encoding"] == "signed integer, value = raw × 90 / 2147483647"
    assert of["resolution"] == [{"bytes": 4, "step": 90 / 2147483647}]
    assert of["special"] == {"0x80000000": "reserved"}
    assert of["record"] == "number"
    assert of["universal_keys"] == ["060e2b34010101030701020102040200"]


@each_case(
    ("address", "text"),
    [
        ("0601:15", "0.3036545 m"),
        ("0601:43", "2 pixels"),
        ("0601:96", "64 m in 2 bytes, 0.25 m in 3 bytes, 0.0009765625 m in 4 bytes"),
        ("0601:120", "1 percent in 1 byte, 0.00390625 percent in 2 bytes, 1.525879e-05 percent in 3 bytes"),
        ("VTarget:10", "7.629395e-06 deg"),
        ("0601:2", "1 us"),
        ("0601:110", "1 s"),
        ("0601:1", ""),
        ("0601:3", ""),
        ("1107:22", "7 digits in 4 bytes, 16 digits in 8 bytes"),
    ],
)
def test_resolution_is_shown_in_units(address: str, text: str) -> None:
    """One step, for each usual width."""
    assert resolution_text(one(address).item) == text


def test_linear_steps_are_those_of_the_tables() -> None:
    """Exactly the scale in the table of ST 0601, as a fraction."""
    with (ROOT / "native" / "spec" / "st0601.csv").open(encoding="utf-8") as file:
        scales = {int(row["tag"]): Fraction(row["scale"]) for row in csv.DictReader(file) if row["scale"]}
    assert len(scales) > 60
    for tag, scale in scales.items():
        item = spec.SETS["ST0601"][tag]
        assert [step.size for step in steps(item, widths_of(item))] == [scale], item.name


@each_of([e for e in EVERY if e.item.mapping == "imapb"], lambda e: e.address)
def test_steps_of_st_1201_are_those_between_two_codes(entry: ItemEntry) -> None:
    """As the reference decoder reads codes 0 and 1, whatever the width."""
    item = entry.item
    assert item.min is not None
    assert item.max is not None
    for step in steps(item, tuple(range(1, 9))):
        assert step.bytes is not None
        ends = Fraction(repr(item.min)), Fraction(repr(item.max))
        first, second = (imapb(code.to_bytes(step.bytes, "big"), *ends) for code in (0, 1))
        assert isinstance(first, Real)
        assert isinstance(second, Real)
        assert second.value - first.value == step.size


def test_preferred_items_are_those_of_the_receiver_rules() -> None:
    """90>6, 91>7, 92>50, 93>52, 96>22, 103>38, 104>75>15, 105>76>69, 78>25, and corners over offsets."""
    rule = (
        "90>6 91>7 92>50 93>52 96>22 103>38 104>75>15 105>76>69 78>25 82>26 83>27 84>28 85>29 86>30 87>31 88>32 89>33"
    )
    for group in rule.split():
        tags = group.split(">")
        for at, tag in enumerate(tags):
            of = item_details(one(tag))
            assert of["prefer"] == [f"0601:{better}" for better in tags[:at]]
            assert of["instead_of"] == [f"0601:{worse}" for worse in tags[at + 1 :]]
    assert item_details(one("13"))["prefer"] == item_details(one("VTarget:6"))["prefer"] == []


@pytest.mark.parametrize("address", ["0601:1", "0601:2", "0601:65", "0601:100", "0601:102", "0601:115", "1108:11"])
def test_length_0_is_shown_where_it_is_not_legal(address: str) -> None:
    """Elsewhere it means that the value is unknown."""
    assert item_details(one(address))["zero_length"].startswith("not permitted")
    assert item_details(one("0601:13"))["zero_length"].startswith("value unknown")


@each_case(
    ("address", "text"),
    [
        ("0601:34", "label, or the number of a code without a label"),
        ("0601:48", "object: items of ST0102"),
        ("0601:139", "array of payload numbers"),
        ("0903:101", "array of objects: target_id and items of VTarget"),
        ("0601:100", "array, one element per occurrence: object: items of ST0601"),
        ("VMask:1", "array of integers"),
        ("0601:138", "object: payload_count, records"),
        ("0601:94", "object: version, usage, its UUIDs, text"),
        ("1601:4", "object: dims, ebytes, apa, values"),
        ("VTarget:18", "array, each: object: latitude, longitude, hae, sigma_east, sigma_north, sigma_up"),
    ],
)
def test_the_form_in_a_record_is_shown(address: str, text: str) -> None:
    """In words that name the nested keys."""
    assert item_details(one(address))["record"].startswith(text)


def test_elements_and_their_codes_are_shown() -> None:
    """In encoding order, with lengths, steps and bits."""
    elements = {part["name"]: part for part in item_details(one("0601:140"))["elements"]}
    assert list(elements)[:3] == ["record_length", "station_id", "hardpoint_id"]
    assert [bits["key"] for bits in elements["status"]["bits"]][:2] == ["general_status", "fuze_enabled"]
    country = {part["name"]: part for part in item_details(one("0601:122"))["elements"]}
    assert country["coding_method"]["codes"]["13"] == "GENC Two Letter"
    waypoint = {part["name"]: part for part in item_details(one("0601:141"))["elements"]}
    assert waypoint["latitude"]["encoding"] == "IMAPB over -90 to 90, step 1.192e-07"


@each_case("name", clauses.STANDARDS)
def test_every_set_names_its_standard(name: str) -> None:
    """Its document, and a packet's key, or the items that contain it."""
    of = set_details(name)
    assert of["standard"].startswith("MISB ")
    assert of["universal_key"] or of["inside"]
    assert of["items"] == (len(entries(name)) if name in SETS else 0)
