"""Random items and documents are written, read back and compared; invalid input is refused."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from cases import each_case
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from number_steps import apart
from packet_wrapping import host, universal_key
from record_items import items_of, keyed_items, tops, two_of, value_of

import klvrelay
from klvrelay.encode import encode, encode_item
from klvrelay.errors import EncodeError
from klvrelay.standards.spec import CHECKSUM, KEYED, SETS, TIME, VERSION, Item

GROUP = 8
QUIET = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example, HealthCheck.filter_too_much]
few = settings(max_examples=5, deadline=None, suppress_health_check=QUIET)
some = settings(max_examples=20, deadline=None, suppress_health_check=QUIET)
many = settings(max_examples=20_000, deadline=None, suppress_health_check=QUIET)


def lifted(name: str) -> set[int | None]:
    """What a record has in its head rather than among its items."""
    return {CHECKSUM.get(name, (None,))[0], TIME.get(name), VERSION.get(name)}


def inside(name: str, items: dict[str, Any]) -> tuple[str, dict[str, Any], list[str | int]]:
    """A top-level set with these items nested in it, and the path to them."""
    if universal_key(name):
        return name, items, []
    outer = host(name)
    held: Any = items
    way: list[str | int] = [outer.key]
    if outer.kind.startswith("series:"):
        held, way = [{"target_id": 1, **items} if outer.kind.endswith("Pack") else items], [*way, 0]
    top, whole, before = inside(outer.set, {outer.key: [held] if outer.repeats else held})
    return top, whole, [*before, *way, *([0] if outer.repeats else [])]


def read_back(raw: bytes, way: list[str | int]) -> dict[str, Any]:
    """The items decoded again; a checksum is correct, and at most special values are left out of the remarks."""
    (record,) = klvrelay.decode(raw)
    document = json.loads(record.json())
    warnings = document["quality"].get("warnings", [])
    assert not [warning for warning in warnings if not re.fullmatch(r"\d+ more remarks left out", warning)], warnings
    assert record.checksum != "bad"
    items: Any = document["items"]
    for step in way:
        items = items[step]
    found = dict(items)
    if way and way[-1] == 0:
        found.pop("target_id", None)
    return found


def every_item() -> list[Item]:
    everyone = [item for items in SETS.values() for item in items.values()]
    return [item for item in everyone if not (universal_key(item.set) and item.tag in lifted(item.set))]


def in_groups(items: list[Item]) -> list[Any]:
    """A few items a test, named after the first: most of the time of a test with one item is its start."""
    groups = [items[at : at + GROUP] for at in range(0, len(items), GROUP)]
    return [pytest.param(group, id=f"{group[0].set}-{group[0].key}") for group in groups]


@each_case("group", in_groups(every_item()))
def test_an_item_is_reproduced_within_a_step(group: list[Item]) -> None:
    """Any value in range, or special code, of any item of any set: to one raw step of its encoding."""

    @few
    @given(st.tuples(*map(value_of, group)))
    def check(values: tuple[Any, ...]) -> None:
        for item, value in zip(group, values, strict=True):
            items = {item.key: [value] if item.repeats else value}
            top, whole, way = inside(item.set, items)
            assert list(apart(items, read_back(encode(whole, set=top), way))) == [], item

    check()


KEYED_ITEMS = sorted((item for item in KEYED.values() if item.key != "precision_time_stamp"), key=lambda item: item.key)


@each_case("group", in_groups(KEYED_ITEMS))
def test_an_item_of_a_universal_set_is_reproduced(group: list[Item]) -> None:
    """The same for items with a 16-byte key, in a set and as a packet."""

    @few
    @given(st.tuples(*(value_of(item, 1) for item in group)))
    def check(values: tuple[Any, ...]) -> None:
        for item, value in zip(group, values, strict=True):
            items = {item.key: value}
            assert list(apart(items, read_back(encode(items, set="ST0104"), []))) == [], item

    check()


@each_case("name", tops())
def test_a_document_is_reproduced(name: str) -> None:
    """Many items of a set at once, with nested sets and series, nulls and unknown tags."""

    @some
    @given(items_of(name))
    def check(items: dict[str, Any]) -> None:
        check_document(name, items)

    check()


@pytest.mark.long
@pytest.mark.parametrize("name", tops())
@pytest.mark.timeout(1800)
def test_a_document_is_reproduced_long(name: str) -> None:
    """The same, many times over."""

    @settings(many, max_examples=20_000 // len(tops()))
    @given(items_of(name))
    def check(items: dict[str, Any]) -> None:
        check_document(name, items)

    check()


def shown(name: str, items: dict[str, Any]) -> dict[str, Any]:
    """Without the head of a record."""
    keys = [SETS[name][tag].key for tag in lifted(name) if tag is not None]
    return {key: value for key, value in items.items() if key not in keys}


def check_document(name: str, items: dict[str, Any]) -> None:
    """Encode and decode; the decoded document encodes to the same bytes, and so does the record."""
    items = shown(name, items)
    raw = encode(items, set=name)
    assert list(apart(items, read_back(raw, []))) == []
    (record,) = klvrelay.decode(raw)
    assert encode(record) == raw


@some
@given(keyed_items())
def test_a_universal_set_is_reproduced(items: dict[str, Any]) -> None:
    """Items of several standards with their 16-byte keys."""
    items.pop("precision_time_stamp", None)
    raw = encode(items, set="ST0104")
    assert list(apart(items, read_back(raw, []))) == []
    (record,) = klvrelay.decode(raw)
    assert encode(record) == raw


@each_case("name", tops())
def test_no_value_comes_from_a_layout(name: str) -> None:
    """A document written in the layout of another packet has the document's values, not that packet's."""

    @some
    @given(two_of(name))
    def check(two: tuple[dict[str, Any], dict[str, Any]]) -> None:
        earlier, items = (shown(name, one) for one in two)
        raw = encode(items, set=name, like=encode(earlier, set=name))
        assert list(apart(items, read_back(raw, []), short=True)) == []

    check()


@settings(max_examples=60, deadline=None, suppress_health_check=QUIET)
@given(st.sampled_from([1, 2, 3]), st.integers(-(1 << 23) + 1, (1 << 23) - 1), st.integers(0, 65535))
def test_targets_before_version_4_use_the_older_maps(version: int, code: int, other: int) -> None:
    """A VMTI set of an older version has offsets and positions on linear maps; their codes are reproduced."""
    target = {
        "target_id": 1,
        "target_location_offset_lat": code * 19.2 / 8388607,
        "target_hae": -900 + other * 19900 / 65535,
        "target_location": {"latitude": -90 + other * 180 / 4294967295, "longitude": 0.0, "hae": 5.0},
        "vtracker": {"velocity": {"east": -900 + other * 1800 / 65535, "north": 0.0, "up": 0.0}},
    }
    raw = encode({"vmti_ls_version": version, "vtarget_series": [target]}, set="ST0903")

    assert b"\x0a\x03" + code.to_bytes(3, "big", signed=True) in raw
    assert b"\x0c\x02" + other.to_bytes(2, "big") in raw
    assert other.to_bytes(4, "big") in raw
    (record,) = klvrelay.decode(raw)
    assert encode(record) == raw
    assert record.items["vtarget_series"][0]["target_hae"] == pytest.approx(target["target_hae"], abs=0.2)


def test_short_offsets_show_the_older_maps_where_no_version_does() -> None:
    """A record of such a set is reproduced; new values use the older maps while something shows them."""
    target = b"\x01" + bytes.fromhex("0a02ff38" + "0c021234")
    raw = encode({101: bytes([len(target)]) + target}, set="ST0903")
    (record,) = klvrelay.decode(raw)
    document = json.loads(record.json())

    assert encode(record) == raw
    for offset in (None, 10.0):
        target_items = document["items"]["vtarget_series"][0]
        target_items |= {"target_hae": 500.0} | ({"target_location_offset_lat": offset} if offset else {})
        (again,) = klvrelay.decode(encode(document, like=raw))
        assert again.items["vtarget_series"][0] == pytest.approx(target_items, abs=0.2)


# ---- invalid input ----------------------------------------------------------------------------------------


def nonsense() -> st.SearchStrategy[Any]:
    """Values of any kind, of which few are valid anywhere."""
    numbers = st.floats() | st.integers() | st.decimals() | st.fractions() | st.complex_numbers()
    plain = (
        st.none() | st.booleans() | numbers | st.text(max_size=9) | st.binary(max_size=9) | st.builds(lambda: 10**5000)
    )
    names = ["special", "values", "dims", "apa", "text", "sigma", "rho", "items", "target_id", "unknown"]
    keys = st.sampled_from(names) | st.text(max_size=3) | st.integers() | st.none()
    return st.recursive(plain, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4))


def bytes_or_refusal(write: Callable[[], bytes]) -> bytes | str:
    """The encoded bytes, or the text of the refusal."""
    try:
        return write()
    except EncodeError as refusal:
        return str(refusal)


nonsense_item = given(st.sampled_from([item for items in SETS.values() for item in items.values()]), nonsense())


@example(SETS["ST0601"][5], {"special": 10**5000})
@settings(some, max_examples=150)
@nonsense_item
def test_nonsense_for_an_item_is_refused_or_written(item: Item, value: Any) -> None:
    """The result is bytes or EncodeError, which can say what was wrong."""
    check_nonsense_item(item, value)


@pytest.mark.long
@pytest.mark.timeout(1800)
@settings(some, max_examples=5000)
@nonsense_item
def test_nonsense_for_an_item_is_refused_or_written_long(item: Item, value: Any) -> None:
    """The same, many times over."""
    check_nonsense_item(item, value)


def check_nonsense_item(item: Item, value: Any) -> None:
    outcome = bytes_or_refusal(lambda: encode_item(item.set, item.key, [value] if item.repeats else value))

    assert isinstance(outcome, bytes) or outcome.startswith(f"{item.set} ")


nonsense_packet = given(
    nonsense(), st.sampled_from([None, "ST0104", "ST1010", "unknown", "ST0903", ["ST0601"], ""]), nonsense()
)


@settings(some, max_examples=100)
@nonsense_packet
def test_nonsense_for_a_packet_is_refused_or_written(items: Any, name: Any, like: Any) -> None:
    """For whole sets, layouts, and documents of anything: a packet, or a line that says what was wrong where."""
    check_nonsense_packet(items, name, like)


@pytest.mark.long
@pytest.mark.timeout(1800)
@settings(some, max_examples=3000)
@nonsense_packet
def test_nonsense_for_a_packet_is_refused_or_written_long(items: Any, name: Any, like: Any) -> None:
    """The same, many times over."""
    check_nonsense_packet(items, name, like)


def check_nonsense_packet(items: Any, name: Any, like: Any) -> None:
    for what in (items, {"set": name, "items": items, "time_us": like, "version": items, "quality": items}):
        for layout in (None, like, b"\x06\x0e\x2b\x34" + bytes(20)):
            outcome = bytes_or_refusal(partial(encode, what, set=name, like=layout))
            if isinstance(outcome, bytes):
                (record,) = klvrelay.decode(outcome)
                assert (record.raw, record.checksum == "bad") == (outcome, False)
            else:
                assert re.fullmatch(r"(?s)(set|like|(ST\d{4}|unknown)( \S+)*)(: .*)? can't be written; .+", outcome)


any_layout = given(
    st.sampled_from(tops()).flatmap(lambda name: st.tuples(st.just(name), items_of(name))), st.binary(max_size=200)
)


@settings(some, max_examples=100)
@any_layout
def test_a_layout_may_be_any_bytes_after_a_key(of: tuple[str, dict[str, Any]], data: bytes) -> None:
    """A hostile earlier packet changes no value."""
    check_layout(of, data)


@pytest.mark.long
@pytest.mark.timeout(1800)
@settings(some, max_examples=3000)
@any_layout
def test_a_layout_may_be_any_bytes_after_a_key_long(of: tuple[str, dict[str, Any]], data: bytes) -> None:
    """The same, many times over."""
    check_layout(of, data)


def check_layout(of: tuple[str, dict[str, Any]], data: bytes) -> None:
    name, items = of
    items = shown(name, items)
    key = universal_key(name)
    assert key
    raw = encode(items, set=name, like=key + b"\x81" + bytes([len(data)]) + data)

    (record,) = klvrelay.decode(raw)
    assert record.items.keys() - {"unknown", "user_data"} == items.keys() - {"unknown", "user_data"}
