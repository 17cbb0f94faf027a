"""A value for every item of every set, the same in each run: input for other decoders.

Codes and bit fields are numbers here, so that a value has the same meaning for all.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from number_steps import Stepped

from klvrelay.encode.packs import steps_of
from klvrelay.standards.spec import SETS, Element, Item

# Where a strict reader refuses some values in range.
SENSE: dict[tuple[str, str], Any] = {
    ("ST0601", "laser_prf_code"): 1511,
    ("ST0601", "active_payloads"): [0, 3],
    ("ST0601", "leap_seconds"): 37,
    ("ST0601", "image_horizon_pixel_pack"): {
        "start_x": 0, "start_y": 40, "end_x": 100, "end_y": 60, "start_latitude": 11.5, "start_longitude": 12.5,
        "end_latitude": 13.5, "end_longitude": 14.5,
    },
    ("ST0601", "control_command"): {
        "command_id": 5, "command": "Fly to Waypoint 1", "command_time": 1_700_000_000_000_000,
    },
    ("ST0601", "control_command_verification_list"): [3, 1000],
    ("ST0601", "active_wavelength_list"): [1, 3],
    ("ST0601", "country_codes"): {
        "coding_method": 14, "overflight_country": "CAN", "operator_country": "USA", "manufacture_country": "FRA",
    },
    ("ST0601", "sensor_frame_rate_pack"): {"numerator": 60000, "denominator": 1001},
    ("ST0601", "wavelengths_list"): [
        {"wavelength_id": 21, "min_wavelength_nm": 1000.0, "max_wavelength_nm": 2000.0, "name": "NNIR"},
        {"wavelength_id": 22, "min_wavelength_nm": 8000.0, "max_wavelength_nm": 12000.0, "name": "LWIR"},
    ],
    ("ST0601", "payload_list"): {
        "payload_count": 2,
        "records": [
            {"payload_id": 0, "payload_type": 0, "name": "VIS Nose Camera"},
            {"payload_id": 1, "payload_type": 4, "name": "ACME SAR Model 5"},
        ],
    },
    ("ST0601", "waypoint_list"): [
        {"waypoint_id": 7, "prosecution_order": 1, "info": 1, "latitude": 38.5, "longitude": -77.25, "hae": 200.5},
        {"waypoint_id": 8, "prosecution_order": -2, "info": 2, "latitude": 39.5, "longitude": -78.25},
    ],
    ("ST0601", "weapons_stores"): [
        {"station_id": 1, "hardpoint_id": 2, "carriage_id": 3, "store_id": 4, "status": 0x103, "weapon_type": "Axe"},
    ],
    ("ST0601", "metadata_substream_id"): {"local_id": 5},
    ("ST0601", "sdcc_flp"): {
        "matrix_size": 2, "mode": 2, "sparse": False, "sigma": [0.25, 0.5], "rho": [0.75],
        "items": ["sensor_latitude", "sensor_longitude"],
    },
    ("ST0102", "classifying_country"): "//CZE",
    ("ST0102", "sci_shi_information"): "TK//",
    ("ST0102", "country_coding_method"): 14,
    ("ST0102", "object_country_coding_method"): 14,
    ("ST0102", "object_country_codes"): "CZE;DEU",
    ("ST0102", "releasing_instructions"): "USA CAN",
    ("ST0102", "declassification_date"): "20510505",
    ("ST0102", "country_coding_method_version_date"): "2011-10-01",
    ("ST0102", "object_country_coding_method_version_date"): "2012-12-05",
    ("ST0102", "version"): 12,
    ("ST0903", "vmti_ls_version"): 6,
    ("ST0903", "total_num_targets_detected"): 28,
    ("ST0903", "num_targets_reported"): 1,
    ("ST0903", "frame_width"): 1920,
    ("ST0903", "frame_height"): 1080,
    ("VTrack", "vmti_ls_version"): 6,
    ("VTarget", "target_centroid"): 409600,
    ("VTarget", "target_color"): "0a141e",
    ("VTarget", "centroid_pix_row"): 214,
    ("VTarget", "centroid_pix_col"): 640,
    ("VChip", "image_type"): "jpeg",
    ("VChip", "image_iri"): "https://www.example.org/a.jpg",
    ("VMask", "pixel_contour"): [17290, 17300, 36500],
    ("VMask", "bit_mask_series"): [{"start_pixel": 74, "run": 2}, {"start_pixel": 89, "run": 4}],
    ("Ontology", "ontology_iri"): "https://www.example.org/o.owl",
    ("Ontology", "entity_iri"): "https://www.example.org/o.owl#Entity",
    ("Ontology", "version_iri"): "https://www.example.org/o/1",
    ("ST0903", "ontology_series"): [
        {"ontology_id": 30, "ontology_iri": "https://www.example.org/o.owl", "entity_iri": "https://www.example.org/o#A",
         "version_iri": "https://www.example.org/o/1", "label": "a"},
        {"ontology_id": 31, "parent_id": 30, "ontology_iri": "https://www.example.org/o.owl",
         "entity_iri": "https://www.example.org/o#B", "version_iri": "https://www.example.org/o/1", "label": "b"},
    ],
    ("Algorithm", "algorithm_id"): 9,
    ("VTarget", "algorithm_id"): 9,
    ("VTracker", "algorithm_id"): 9,
    ("VObject", "ontology_id"): 30,
    ("VFeature", "ontology_id"): 31,
    ("ST0806", "mgrs_latitude_band_and_grid_square"): "NKC",
    ("ST0806", "frame_center_mgrs_latitude_band_and_grid_square"): "NKD",
    ("RvtPoi", "label"): "sixteen letters:",
    ("RvtAoi", "label"): "letters, sixteen",
    ("RvtUserDefined", "numeric_id"): 0x05,
    ("RvtUserDefined", "user_data"): b"a note".hex(),
    ("ST1206", "radar_cross_section_scale_factor_polynomial"): {"dims": [2, 2], "values": [1.5, 2.5, 3.5, 4.5]},
    ("ST1002", "section_data_pack"): {
        "section_x": 1, "section_y": 1, "ranges": {"dims": [2, 2], "values": [10.5, 11.5, 12.5, 13.5]},
        "uncertainty": {"dims": [2, 2], "values": [0.25, 0.5, 0.75, 1.25]},
        "plane_a": 1.5, "plane_b": 2.5, "plane_c": 3.5,
    },
    ("ST1002", "range_image_enumerations"): 0x40,
    ("ST1002", "document_version"): 3,
    ("ST1002", "number_of_sections_in_x"): 1,
    ("ST1002", "number_of_sections_in_y"): 1,
    ("ST1202", "document_version"): 2,
    ("ST1202", "transformation_type"): 2,
    ("ST1206", "document_version"): 1,
    ("ST1601", "document_version"): 2,
    ("ST1602", "document_version"): 2,
    ("ST1601", "correspondence_points_row_column"): {"dims": [4, 2], "values": [4, 4, 5, 6, 7, 8, 9, 10]},
    ("ST1601", "correspondence_points_lat_lon"): {"dims": [2, 2], "values": [42.5, 42.75, -73.5, -73.25]},
    ("ST1601", "correspondence_points_elevation"): {"dims": [2], "values": [100.5, 101.5]},
}  # fmt: skip
# Left out of a complete set: mutually exclusive items.
APART = {("VChip", "embedded_image"), ("ST0601", "amend_local_set"), ("ST0601", "metadata_substream_id")}
CORE = {"version": 1, "usage": 80, "sensor_id": "08ce252e-d0fa-49e3-b1a0-65e61d5720dc",
        "platform_id": "eaf18a27-a086-4019-a586-eaaf97157bfa"}  # fmt: skip


def full_set(name: str) -> dict[str, Any]:
    """Every item of a set except its checksum, nested items included."""
    items = [item for item in SETS[name].values() if (name, item.key) not in APART]
    skipped = ("checksum", "crc16", "crc32", "deprecated_66")
    return {item.key: full_value(item) for item in items if item.key not in skipped}


def full_value(item: Item) -> Any:
    """A value that the item can hold; a list where it repeats."""
    value = SENSE.get((item.set, item.key))
    value = one_value(item) if value is None else value
    return [value] if item.repeats else value


def one_value(item: Item) -> Any:
    kind, _, inner = item.kind.partition(":")
    if kind == "local_set":
        return segment() if inner.startswith("ST1607") else full_set(inner)
    if kind == "series":
        return [full_element(inner), full_pack(inner, 10)] if inner == "Location" else [full_element(inner)]
    if item.pack == "CoreIdentifier":
        return CORE
    if item.pack == "SDCC-FLP":
        return {"matrix_size": 1, "mode": 2, "sparse": False, "sigma": [0.25], "rho": [], "items": []}
    if item.pack:
        return full_pack(item.pack)
    if kind == "mdap":
        rows = {"pixel_sdcc": 6, "place_sdcc": 3}[item.cells]
        return {"dims": [rows, 2], "ebytes": 2, "values": [number / 16 for number in range(2 * rows)]}
    return scalar(item, item.tag)


def segment() -> dict[str, Any]:
    return {"metadata_substream_id": {"local_id": 5}, "sensor_latitude": 45.5, "sensor_longitude": 46.5}


def full_element(kind: str) -> Any:
    if kind in ("VTargetPack", "VTrackItemPack"):
        return {"target_id": 1234, **full_set(kind.removesuffix("Pack"))}
    if kind.startswith("local_set:"):
        return full_set(kind.partition(":")[2])
    return full_pack(kind)


def full_pack(name: str, first: int = 1) -> dict[str, Any]:
    elements = [element for step in steps_of(name) for element in step.elements]
    return {element.name: scalar(element, at) for at, element in enumerate(elements, first)}


def scalar(of: Item | Element, number: int) -> Any:
    """A different value for each number, most of them between two steps."""
    if of.mapping == "imapb" or of.mapping.startswith("linear"):
        assert of.min is not None
        assert of.max is not None
        width = max(of.len_min, min(4, of.len_max or 8))
        step = (of.max - of.min) / (1 << 8 * width - 1) * (1 + (of.mapping == "imapb"))
        return Stepped.of(of.min + (of.max - of.min) * (0.111 + number * 37 % 64 / 100), step)
    if of.codes:
        return sorted(of.codes)[number % len(of.codes)]
    if of.kind in ("uint", "int", "ber_oid", "bitfield", "ber"):
        low, high = int(of.min or 0), int(of.max) if of.max is not None else 100
        return max(low, 1) + number * 17 % min(high - max(low, 1) + 1, 100)
    if of.kind == "timestamp":
        return 1_700_000_000_000_000 + number
    if of.kind == "float":
        return number + 0.5
    if of.kind == "uuid":
        return str(UUID(int=0x4000 << 64 | 8 << 60 | number))
    size = of.len_min if of.len_min == of.len_max else 0
    if of.kind == "bytes":
        return (bytes([number]) * (size or 4)).hex()
    return f"text {number}"[: size or None]
