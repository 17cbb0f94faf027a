"""The groups and dead bands of items: every item has a group, and each dead band is a sensible number of steps."""

from __future__ import annotations

import re

from cases import each_case
from conftest import ROOT

from klvrelay.standards import spec
from native.generate.places import place
from native.spec import facts

PAGE = (ROOT / "native" / "spec" / "ITEMS.md").read_text(encoding="utf-8")
POSITION = {"sensor_latitude", "sensor_longitude", "sensor_true_altitude", "sensor_ellipsoid_height"}


@each_case("name", facts.DECODED)
def test_every_item_has_a_group(name: str) -> None:
    """A name in the table that the page of items explains."""
    for item in spec.SETS[name].values():
        assert item.groups, item.key
        assert all(f"| `{group}` |" in PAGE for group in item.groups), item.key


def test_items_by_16_byte_key_have_the_groups_of_the_same_items_by_tag() -> None:
    """So that a group selects the latitude of EG 0104 too."""
    for item in spec.KEYED.values():
        assert item.groups, item.key
        if item.set == "ST0104" and item.tag:
            assert item.groups == spec.SETS["ST0601"][item.tag].groups


def test_a_group_is_no_key() -> None:
    """A name means either one item or a group."""
    keys = {item.key for items in spec.SETS.values() for item in items.values()}
    groups = {group for items in spec.SETS.values() for item in items.values() for group in item.groups}
    assert groups & (keys | {"unknown"}) == set()
    assert all(re.fullmatch("[a-z]+", group) for group in groups)


def test_the_group_position_is_where_the_sensor_is() -> None:
    """Latitude, longitude and altitudes, which a command post needs first."""
    found = {item.key for item in spec.SETS["ST0601"].values() if "position" in item.groups}
    assert found == POSITION | {"sensor_ellipsoid_height_extended"}


def test_dead_bands_are_of_numbers_and_more_than_a_step() -> None:
    """Less than a hundredth of the range; no item that a set's head shows has one."""
    banded = [item for item in spec.SETS["ST0601"].values() if item.dead_band is not None]
    assert len(banded) > 60
    for item in banded:
        assert item.kind in ("uint", "int", "imapb"), item.key
        assert item.min is not None
        assert item.max is not None
        assert item.dead_band is not None
        assert 0 < item.dead_band <= (item.max - item.min) / 80, item.key
        if item.mapping.startswith("linear"):
            assert item.dead_band > (item.max - item.min) / (256**item.len_max - 1), item.key


def test_every_latitude_is_followed_by_its_longitude() -> None:
    """The C core rounds a longitude by the latitude of the tag before it."""
    for name in facts.DECODED:
        places = {item.tag: place(item) for item in facts.items(name)}
        for tag, what in places.items():
            assert (what == "PLACE_LATITUDE") == (places.get(tag + 1) == "PLACE_LONGITUDE"), (name, tag)


@each_case("name", facts.DECODED)
def test_every_item_that_may_hold_a_position_is_known_as_a_place(name: str) -> None:
    """By its words in the standard: latitude, longitude, MGRS, ECEF position; and sets, series and bytes."""
    words = re.compile(r"\b(latitude|longitude|lat|lon|mgrs|ecef position)\b", re.IGNORECASE)
    for item in facts.items(name):
        composed = item.kind.startswith(("local_set", "series")) and item.kind != "local_set:ST0102"
        if words.search(item.name) or composed or item.kind in ("bytes", "mdap"):
            assert place(item), item.key
