"""The encoder's output, read by other decoders: klvdata, tstrans and stanag4609, item by item.

Each of them gets every item of ST 0601, with every item of the nested sets. An item is read if all its values are among
the decoder's output, to one step of their encoding; or it is kept, if the decoder returns its bytes. Where a decoder
differs, a table says which one is right, and why.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from cases import each_case
from full_items import full_set
from peer_values import HEAD, PEERS, alike, leaves
from tstrans import klv as tstrans

from klvrelay.encode import encode, encode_item
from klvrelay.standards.spec import SETS, Item

BEFORE_A_MATRIX = {"sensor_latitude": 1.5, "sensor_longitude": 2.5}
INNER = {"ST1607-segment": "ST0601", "VTargetPack": "VTarget"}
Path = tuple[str, str]  # set and key of an item


def unread(name: str, items: Mapping[str, Any], got: list[Any], kept: set[Path]) -> Iterator[Path]:
    """The items that are not read; those whose bytes were returned go to `kept`."""
    for key, value in items.items():
        if key == "target_id" and name != "ST0601":  # the number of a pack, before its items
            continue
        item = next(one for one in SETS[name].values() if one.key == key)
        values = value if item.repeats else [value]
        if all(any(alike(leaf, other) for other in got) for leaf in leaves(values)):
            continue
        lost, held = [], set[Path]()
        for inner, element in sets_in(item, values):
            lost += list(unread(inner, element, got, held))
        codes = [encode_item(name, key, one).hex() for one in values]
        if (lost or not sets_in(item, values)) and all(given_back(code, got) for code in codes):
            kept.add((name, key))
            continue
        kept |= held
        yield from lost if sets_in(item, values) else [(name, key)]


def given_back(code: str, got: list[Any]) -> bool:
    """Are an item's bytes in the output, or in the bytes of a set that is returned whole?"""
    return any(isinstance(leaf, str) and (leaf == code or (len(code) > 8 and code in leaf)) for leaf in got)


def sets_in(item: Item, values: list[Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """The sets among an item's values, each with its name."""
    kind = item.kind.rpartition(":")[2]
    inner = INNER.get(kind, kind)
    elements = [element for one in values for element in (one if isinstance(one, list) else [one])]
    return [(inner, element) for element in elements] if inner in SETS else []


TWO_BYTE_TAGS = "klvdata takes a tag to be one byte; ST 0601 has BER-OID tags (ST 0107), so 128 is 81 00: ours is right"
ABSTRACT = "klvdata can't make an object of a class that it leaves abstract: it reads no such packet of anybody's"
FIXED = "klvdata takes the width for that of a linear map; the item is IMAPB in 1 to 8 bytes: ours is right"
NO_LENGTH = (
    "stanag4609 wants a BER length before the dimensions of an array; the examples of ST 1303.2 begin with the number "
    "of dimensions, and jmisb and kwiver read them so: ours is right"
)
# Peer -> the items that it reads differently or not at all; who is right, and why.
DIFFERENCES: dict[str, dict[Path, str]] = {
    "klvdata": {
        ("ST0601", "rvt_local_set"): ABSTRACT,
        ("ST0601", "vmti_local_set"): ABSTRACT,
        ("ST0601", "operational_mode"): "klvdata reads an enumeration of one byte as text: ours is right",
        ("ST0601", "platform_sideslip_angle_full"): (
            "klvdata maps to 90 degrees; jmisb, kwiver, tstrans and stanag4609 to 180 (ST 0601.19): ours is right"
        ),
        **dict.fromkeys(
            [("ST0601", key) for key in ("target_width_extended", "density_altitude_extended",
                                         "sensor_ellipsoid_height_extended",
                                         "alternate_platform_ellipsoid_height_extended")], FIXED
        ),
        **{("ST0601", item.key): TWO_BYTE_TAGS for item in SETS["ST0601"].values() if item.tag in {*range(128, 143)}},
    },
    "tstrans": {},
    "stanag4609": {
        ("ST1206", "radar_cross_section_scale_factor_polynomial"): NO_LENGTH,
        ("ST1002", "section_data_pack"): NO_LENGTH,
        ("ST1601", "correspondence_points_row_column"): NO_LENGTH,
        ("ST1601", "correspondence_points_lat_lon"): NO_LENGTH,
        ("ST1601", "correspondence_points_elevation"): NO_LENGTH,
        ("ST1601", "sdcc_row_column"): NO_LENGTH,
        ("ST1601", "sdcc_lat_lon_elevation"): NO_LENGTH,
    },
}  # fmt: skip
# Peer -> how many items of ST 0601 it reads correctly, and how many it returns as bytes: it has no
# table of them, or no type for them.
READ = {"klvdata": 84, "tstrans": 130, "stanag4609": 137}
KEPT: dict[str, dict[str, str]] = {
    "klvdata": {
        "ST0601": (
            "image_horizon_pixel_pack miis_core_identifier sar_motion_imagery_local_set "
            "range_image_local_set geo_registration_local_set composite_imaging_local_set "
            "segment_local_set sdcc_flp stream_designator operational_base broadcast_source "
            "range_to_recovery_location time_airborne propulsion_unit_speed platform_course_angle "
            "altitude_agl radar_altimeter control_command control_command_verification_list "
            "sensor_azimuth_rate sensor_elevation_rate sensor_roll_rate on_board_mi_storage_percent_full "
            "active_wavelength_list country_codes number_of_navsats_in_view positioning_method_source "
            "platform_status sensor_control_mode sensor_frame_rate_pack"
        ),
        "ST0102": (
            "security_classification country_coding_method classifying_country sci_shi_information "
            "caveats releasing_instructions classified_by derived_from classification_reason "
            "declassification_date classification_and_marking_system object_country_coding_method "
            "object_country_codes classification_comments stream_id transport_stream_id version "
            "country_coding_method_version_date object_country_coding_method_version_date"
        ),
    },
    "tstrans": {
        "ST0601": (
            "miis_core_identifier sar_motion_imagery_local_set range_image_local_set "
            "geo_registration_local_set composite_imaging_local_set segment_local_set active_payloads"
        ),
        "ST0102": "stream_id transport_stream_id",
        "ST0903": "miis_id ontology_series",
        "VTarget": (
            "target_location geospatial_contour_series fpa_index vobject vfeature vtracker vchip "
            "vchip_series vobject_series"
        ),
        "VMask": "pixel_contour bit_mask_series",
        "Algorithm": "name algorithm_class",
    },
    "stanag4609": {
        "ST0102": "transport_stream_id",
        "VObject": "ontology",
        "VFeature": "schema",
        "VTracker": "algorithm",
        "ST1002": "range_image_enumerations",
    },
}


def without(name: str, items: Mapping[str, Any], left_out: set[Path]) -> dict[str, Any]:
    """The items of a set except some, also in nested sets."""
    found: dict[str, Any] = {}
    for key, value in items.items():
        item = next((one for one in SETS[name].values() if one.key == key), None)
        if (name, key) in left_out:
            continue
        kind = item.kind.rpartition(":")[2] if item else ""
        inner = INNER.get(kind, kind)
        if inner not in SETS:
            found[key] = value
        elif isinstance(value, list):
            found[key] = [without(inner, one, left_out) for one in value]
        else:
            found[key] = without(inner, value, left_out)
    return found


def outer_of(path: Path) -> Item:
    """The item of ST 0601 that holds an item, or is it."""
    name, key = path
    hosts = (item for item in SETS["ST0601"].values() if item.key == key or item.kind == f"local_set:{name}")
    return next(host for host in hosts if host.key == key or name != "ST0601")


def packet_with(item: Item, value: Any) -> bytes:
    return encode(HEAD | (BEFORE_A_MATRIX if item.key == "sdcc_flp" else {}) | {item.key: value})


@pytest.mark.parametrize("peer", PEERS)
def test_a_peer_reads_every_item_that_we_encode(peer: str) -> None:
    """All values of all items, except those in the table."""
    items = without("ST0601", full_set("ST0601"), set(DIFFERENCES[peer]))
    lost: list[Path] = []
    kept: set[Path] = set()
    for key, value in items.items():
        if key not in HEAD:
            item = next(one for one in SETS["ST0601"].values() if one.key == key)
            lost += unread("ST0601", {key: value}, PEERS[peer](packet_with(item, value), item), kept)

    assert lost == []
    assert kept == {(name, key) for name, keys in KEPT[peer].items() for key in keys.split()}
    assert len(items.keys() - HEAD.keys()) - sum(name == "ST0601" for name, _ in kept) == READ[peer]


@each_case(
    ("peer", "path"), [(peer, path) for peer, differences in DIFFERENCES.items() for path in differences]
)
def test_every_listed_difference_of_a_peer_exists(peer: str, path: Path) -> None:
    """Each line of the table is needed: the peer fails on the item, or reads another value."""
    from stanag4609.errors import DecodeError  # the package takes half a second, and every worker imports this module

    item = outer_of(path)
    others = DIFFERENCES[peer].keys() - {path}
    value = without("ST0601", {item.key: full_set("ST0601")[item.key]}, set(others))[item.key]
    raw = packet_with(item, value)
    try:
        got = PEERS[peer](raw, item)
    except (DecodeError, ValueError, TypeError):
        return
    kept: set[Path] = set()
    assert path in list(unread("ST0601", {item.key: value}, got, kept))


def test_a_packet_of_all_items_is_read_completely() -> None:
    """Tstrans and stanag4609 accept everything at once in strict mode, without an error."""
    from stanag4609.st0601 import decode_uas_local_set

    items = without("ST0601", full_set("ST0601"), set(DIFFERENCES["stanag4609"]))
    raw = encode(items)

    assert decode_uas_local_set(raw).issues == ()
    assert tstrans.decode_uas_datalink(raw, strict=True, compliance=True).field_errors == ()
