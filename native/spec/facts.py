"""Reads the csv tables in this folder: the only place where items of the standards are described.

`native/generate` turns these into the C tables, the Python item table, the JSON Schema and the items page.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from pathlib import Path

HERE = Path(__file__).parent

# The sets that are decoded item by item, and the csv of each. ST 0808 and ST 1902 have no table: they stay raw.
DECODED = {
    "ST0601": "st0601",
    "ST0102": "st0102",
    "ST0903": "st0903_vmti",
    "VTarget": "st0903_vtarget",
    "VTrack": "st0903_vtrack",
    "VTrackItem": "st0903_vtrackitem",
    "VMask": "st0903_vmask",
    "VObject": "st0903_vobject",
    "VFeature": "st0903_vfeature",
    "VTracker": "st0903_vtracker",
    "VChip": "st0903_vchip",
    "Algorithm": "st0903_algorithm",
    "Ontology": "st0903_ontology",
    "ST0806": "st0806_rvt",
    "RvtPoi": "st0806_poi",
    "RvtAoi": "st0806_aoi",
    "RvtUserDefined": "st0806_user_defined",
    "ST1002": "st1002",
    "ST1107": "st1107",
    "ST1108": "st1108",
    "ST1108Metric": "st1108_metric",
    "ST1202": "st1202",
    "ST1206": "st1206",
    "ST1601": "st1601",
    "ST1602": "st1602",
}

# Sets whose items are known by 16-byte keys and not by tag, and the set whose item keys a record uses.
UNIVERSAL = {"ST0104": "ST0601", "ST0102-US": "ST0102"}

# Items that a record has in its head, if their set is the packet.
CHECKSUM = {"ST0601": 1, "ST0903": 1, "VTrack": 1, "ST0806": 1, "ST1002": 21, "ST1107": 45, "ST1108": 11}
TIME = {"ST0601": 2, "ST0903": 2, "VTrack": 2, "ST0806": 2, "ST1002": 1, "ST1107": 43, "ST1602": 1}
VERSION = {"ST0601": 65}


# The group of the items of the sets whose csv has none.
GROUPS = {
    **dict.fromkeys(["ST0102"], "security"),
    **dict.fromkeys(["ST0903", "VTarget", "VTrack", "VTrackItem", "VMask", "VObject", "VFeature"], "vmti"),
    **dict.fromkeys(["VTracker", "VChip", "Algorithm", "Ontology"], "vmti"),
    **dict.fromkeys(["ST0806", "RvtPoi", "RvtAoi", "RvtUserDefined"], "rvt"),
    **dict.fromkeys(["ST1002", "ST1202", "ST1206", "ST1601", "ST1602"], "imagery"),
    "ST1107": "geopositioning",
    **dict.fromkeys(["ST1108", "ST1108Metric"], "quality"),
    **dict.fromkeys(["ST1010", "ST1303"], "quality"),
    "ST1204": "identity",
}


@dataclass(frozen=True)
class Item:
    """One row of an item table; lengths in bytes, `len_max` 0 = no maximum.

    `groups` are names that select the item together with others. `dead_band`, in its units, is the change that an
    output may leave out where it is asked to; None: none.
    """

    set: str
    tag: int
    name: str
    key: str
    units: str
    kind: str
    len_min: int
    len_max: int
    min: Fraction | None
    max: Fraction | None
    mapping: str
    special: dict[int, str]
    zero_len_legal: bool
    repeats: bool
    required: bool
    deprecated: bool
    notes: str
    groups: tuple[str, ...] = ()
    dead_band: Fraction | None = None


@dataclass(frozen=True)
class Element:
    """One row of `packs.csv`.

    `default` is its value if its bytes are omitted: a number, the key of an item of the set around the pack, or
    the name of an earlier group of the pack.
    """

    set: str
    tag: int
    pack: str
    index: int
    name: str
    kind: str
    length: str
    min: Fraction | None
    max: Fraction | None
    mapping: str
    optional: bool
    repeat: bool
    notes: str
    default: str = ""


@dataclass(frozen=True)
class Code:
    """One row of `enums.csv`: a value of an enumeration, or a bit (range) of a bit field."""

    set: str
    tag: int
    field: str
    code_type: str
    code: int
    label: str


@dataclass(frozen=True)
class UniversalKey:
    set: str
    name: str
    key: bytes
    type: str


@dataclass(frozen=True)
class ItemKey:
    """One row of `item_keys.csv`: the 16-byte key of an item that also has a tag."""

    set: str
    tag: int
    name: str
    key: bytes


@dataclass(frozen=True)
class LegacyItem:
    """One row of `st0104.csv`: an item of the EG/ST 0104 universal set; `tag` = its ST 0601 item, 0 = none."""

    key: bytes
    name: str
    field: str
    kind: str
    length: str
    units: str
    tag: int


@cache
def _rows(name: str) -> list[dict[str, str]]:
    with (HERE / f"{name}.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _fraction(text: str) -> Fraction | None:
    return Fraction(text) if text else None


def _special(text: str) -> dict[int, str]:
    pairs = (part.split("=", 1) for part in re.split(r"[;|]", text) if part.strip())
    return {int(raw, 0): meaning.strip() for raw, meaning in pairs}


def items(name: str) -> list[Item]:
    """The items of one decoded set, by tag."""
    return list(_items(name))


@cache
def _items(name: str) -> list[Item]:
    return sorted(
        (
            Item(
                set=name,
                tag=int(row["tag"]),
                name=row["name"],
                key=row["key"],
                units=row["units"],
                kind=row["kind"],
                len_min=int(row["len_min"] or 0),
                len_max=int(row["len_max"] or 0),
                min=_fraction(row["min"]),
                max=_fraction(row["max"]),
                mapping=row["mapping"],
                special=_special(row["special"]),
                zero_len_legal=row["zero_len"] == "unknown",
                repeats=row["repeats"] == "Y",
                required=row["required"] == "Y",
                deprecated=row["deprecated"] == "Y",
                notes=row["notes"],
                groups=tuple(row["group"].split()) if "group" in row else (GROUPS[name],),
                dead_band=_fraction(row.get("dead_band", "")),
            )
            for row in _rows(DECODED[name])
        ),
        key=lambda item: item.tag,
    )


def groups() -> dict[str, list[Item]]:
    """The items of each group, of sets that may be packets, by tag."""
    found: dict[str, list[Item]] = {}
    packets = [key.set for key in universal_keys() if key.set in DECODED]
    for item in (item for name in packets for item in items(name)):
        for group in item.groups:
            found.setdefault(group, []).append(item)
    return dict(sorted(found.items()))


def omitted(element: Element) -> int | None:
    """The number in a record if the bytes of an element are omitted; None if it is not fixed."""
    return int(element.default) if element.default.isdecimal() else None


def packs() -> dict[str, list[Element]]:
    """The packs by name, each with its elements in order."""
    found: dict[str, list[Element]] = {}
    for row in _rows("packs"):
        note = re.fullmatch(r"rest of record|rest", row["length"])
        default = row["default"]
        found.setdefault(row["pack"], []).append(
            Element(
                set=row["set"],
                tag=int(row["tag"] or 0),
                pack=row["pack"],
                index=int(row["index"]),
                name=row["name"],
                kind=row["kind"],
                length="rest" if note else row["length"],
                min=_fraction(row["min"]),
                max=_fraction(row["max"]),
                mapping=row["mapping"],
                optional=row["optional"] == "Y",
                repeat=row["repeat"] == "Y",
                notes="; ".join(filter(None, (row["notes"], f"absent = {default}" if default.isdecimal() else ""))),
                default=default,
            )
        )
    return found


def codes() -> list[Code]:
    return [
        Code(row["set"], int(row["tag"] or 0), row["field"], row["code_type"], int(row["code"]), row["label"])
        for row in _rows("enums")
        if row["code_type"] in ("value", "bit") or row["code_type"].startswith(("bits ", "bit "))
    ]


def universal_keys() -> list[UniversalKey]:
    return [
        UniversalKey(row["set"], row["name"], bytes.fromhex(row["key"]), row["type"]) for row in _rows("universal_keys")
    ]


def item_keys() -> list[ItemKey]:
    """The items in universal-key form; one key may identify items of several sets."""
    return [
        ItemKey(row["set"], int(row["tag"]), row["name"], bytes.fromhex(row["key"])) for row in _rows("item_keys")
    ]


def legacy() -> list[LegacyItem]:
    """The items of EG/ST 0104."""
    return [
        LegacyItem(
            bytes.fromhex(row["key"]),
            row["name"],
            row["field"],
            row["kind"],
            row["length"],
            row["units"],
            int(row["st0601_tag"] or 0),
        )
        for row in _rows("st0104")
    ]


def keyed() -> list[tuple[bytes, Item]]:
    """What each 16-byte key of an item means, in universal form: the keys of universal sets, and of items on their own.

    The item's `key` is the one in a record; its `set` and `tag` are the origin of the key (tag 0 = none). EG/ST 0104
    items use the keys of ST 0601, whose units they share. Their numbers are floats, and the codes of ST 0102 are text.
    Octet 8 of a key, the registry version, is ignored when keys are compared.
    """
    return list(_keyed())


@cache
def _keyed() -> list[tuple[bytes, Item]]:
    found: dict[bytes, tuple[bytes, Item]] = {}
    for key, item in [*_legacy_items(), *_inside_items(), *_single_items()]:
        found.setdefault(key[:7] + key[8:], (key, item))
    return list(found.values())


def _plain(set_: str, tag: int, name: str, key: str, kind: str, length: tuple[int, int], units: str = "") -> Item:
    mapping = {"float": "ieee754", "ascii": "ascii", "date_time": "special"}.get(kind, "raw")
    item = Item(set_, tag, name, key, units, kind, *length, None, None, mapping, {}, True, False, False, False, "")
    return replace(item, groups=(GROUPS[set_],)) if set_ in GROUPS else item


def _legacy_items() -> list[tuple[bytes, Item]]:
    modern = {item.tag: item for item in items("ST0601")}
    found = []
    for row in legacy():
        low, _, high = row.length.partition("|")
        length = (0, 0) if low == "var" else (int(low), int(high or low))
        # Sent as text "20050331075051"; a record has ST 0601's item 72, in microseconds since 1970.
        kind = "date_time" if row.field == "event_start_date_time_utc" else row.kind
        same = modern.get(row.tag)
        item = _plain("ST0104", row.tag, row.name, same.key if same else row.field, kind, length, row.units)
        found.append((row.key, replace(item, groups=same.groups if same else ("other",))))
    return found


# Packs and items that also occur under a separate key: key and kind of the item in a record.
ALONE = {"ST1010": ("sdcc_flp", "flp"), "ST1204": ("miis_core_identifier", "dlp"), "ST1303": ("array", "mdap")}


def _inside_items() -> list[tuple[bytes, Item]]:
    """The sets and packs inside ST 0601 items, under their universal keys."""
    hosts = {item.kind: item for item in items("ST0601")}
    by_key = {item.key: item for item in items("ST0601")}
    found = []
    for row in universal_keys():
        if row.set in ALONE:
            key, kind = ALONE[row.set]
            found.append((row.key, by_key.get(key) or _plain(row.set, 0, row.name, key, kind, (0, 0))))
        elif f"local_set:{row.set}" in hosts:
            found.append((row.key, hosts[f"local_set:{row.set}"]))
    return found


def _single_items() -> list[tuple[bytes, Item]]:
    found = []
    for row in item_keys():
        item = replace({item.tag: item for item in items(row.set)}[row.tag], repeats=False)
        if row.set == "ST0102" and item.kind in ("enum", "utf8", "ascii", "utf16"):
            item = _plain("ST0102", item.tag, item.name, item.key, "ascii", (0, 0))
        found.append((row.key, item))
    return found


def bit_range(code_type: str) -> tuple[int, int]:
    """(shift, width) of `bits 7..6` or `bit 6`."""
    high, _, low = code_type.split()[1].partition("..")
    return int(low or high), int(high) - int(low or high) + 1


@dataclass(frozen=True)
class BitField:
    """Bits of a bit field under one key: a flag, a number, or (`codes`) one of some labels."""

    key: str
    shift: int
    width: int
    codes: tuple[Code, ...] = ()


# Bit fields within packs: (tag, element) -> the fields of `enums.csv`, each with its key in a record.
_IN_PACKS = {
    (140, "status"): {"weapon_general_status": "general_status", "weapon_engagement_status": ""},
    (141, "info"): {"waypoint_info": ""},
}


def bit_fields(set_: str, tag: int, element: str = "") -> list[BitField]:
    """What the bits of an item, or of an element of a pack, mean; in the order of a record's keys."""
    names = _IN_PACKS.get((tag, element), {}) if element else {}
    rows = [code for code in codes() if (code.set, code.tag) == (set_, tag) and (not element or code.field in names)]
    found: dict[str, BitField] = {}
    for row in rows:
        if row.code_type == "bit":
            found[snake(row.label)] = BitField(snake(row.label), row.code, 1)
        else:
            shift, width = (0, 7) if row.code_type == "value" else bit_range(row.code_type)
            key = names.get(row.field) or row.field
            found[key] = BitField(key, shift, width, (*(found[key].codes if key in found else ()), row))
    if (set_, tag) == ("RvtUserDefined", 1):
        found["id"] = BitField("id", 0, 6)
    return list(found.values())


def snake(label: str) -> str:
    """The key of a bit: the words of its label before any colon."""
    return re.sub(r"[^a-z0-9]+", "_", label.split(":")[0].lower()).strip("_")
