"""Describes an item or a set completely, as one document."""

from __future__ import annotations

from typing import TypedDict

from klvrelay.items.entry import SETS, ItemEntry, entries, every, notes
from klvrelay.items.forms import element_text, encoding_text, record_text
from klvrelay.items.numbers import length_text, plain, range_of, resolution_text, steps, widths_of
from klvrelay.standards import clauses, spec

ARRAY_CODES = ("ST1303", 0, "array_processing_algorithm")


class Resolution(TypedDict):
    """One step in the item's units, for a value of `bytes` bytes; None: for any width."""

    bytes: int | None
    step: float


class Field(TypedDict):
    """Bits of a bit field; `codes` by number as text."""

    key: str
    bits: str
    meaning: str
    codes: dict[str, str]


class Part(TypedDict):
    """One element of a pack."""

    name: str
    length: str
    encoding: str
    range: list[float] | None
    optional: bool
    repeats: bool
    codes: dict[str, str]
    bits: list[Field]
    notes: str


class ItemDetails(TypedDict):
    """One item; lengths in bytes, `length_max` 0 = no maximum, range and steps in `units`."""

    address: str
    set: str
    tag: int
    name: str
    key: str
    standard: str
    units: str
    range: list[float] | None
    resolution: list[Resolution]
    resolution_text: str
    length: str
    length_min: int
    length_max: int
    kind: str
    mapping: str
    encoding: str
    record: str
    holds: str | None
    special: dict[str, str]
    codes: dict[str, str]
    bits: list[Field]
    elements: list[Part]
    zero_length: str
    lifted: str
    prefer: list[str]
    instead_of: list[str]
    repeats: bool
    required: bool
    deprecated: bool
    universal_keys: list[str]
    notes: str


class SetDetails(TypedDict):
    """One set or pack; `inside` are the items that contain it."""

    set: str
    standard: str
    title: str
    universal_key: str | None
    items: int
    inside: list[str]


def item_details(entry: ItemEntry) -> ItemDetails:
    """The complete description of an item."""
    item = entry.item
    span = range_of(item)
    return {
        "address": entry.address,
        "set": entry.set,
        "tag": item.tag,
        "name": item.name,
        "key": item.key,
        "standard": entry.clause,
        "units": item.units,
        "range": [plain(end) for end in span] if span else None,
        "resolution": [{"bytes": s.bytes, "step": float(s.size)} for s in steps(item, widths_of(item))],
        "resolution_text": resolution_text(item),
        "length": length_text(item),
        "length_min": item.len_min,
        "length_max": item.len_max,
        "kind": item.kind,
        "mapping": item.mapping,
        "encoding": encoding_text(entry),
        "record": record_text(entry),
        "holds": entry.holds,
        "special": {f"0x{raw:0{2 * item.len_max}X}": meaning for raw, meaning in item.special.items()},
        "codes": codes(entry.set, item.tag, item.key) if item.kind == "enum" else {},
        "bits": bits(entry.set, item.tag, ""),
        "elements": [part(entry, element) for element in spec.PACKS.get(pack_of(item), ())],
        "zero_length": zero_length(entry),
        "lifted": "" if entry.universal_key else clauses.LIFTED.get(entry.set, {}).get(item.tag, ""),
        "prefer": items_before(entry),
        "instead_of": items_after(entry),
        "repeats": entry.repeats,
        "required": item.required,
        "deprecated": item.deprecated,
        "universal_keys": universal_keys(entry),
        "notes": notes(item.notes),
    }


def pack_of(item: spec.Item) -> str:
    """The pack whose elements form the item, or each element of a series."""
    if item.kind == "mdap":
        return "MDAP"
    series = item.kind.partition("series:")[2]
    return series if series in spec.PACKS else item.pack


def codes(set_: str, tag: int, field: str) -> dict[str, str]:
    return {str(code): label for code, label in spec.CODES.get((set_, tag, field), {}).items()}


def bits(set_: str, tag: int, element: str) -> list[Field]:
    return [
        {
            "key": bit.key,
            "bits": f"{bit.shift + bit.width - 1}..{bit.shift}" if bit.width > 1 else str(bit.shift),
            "meaning": clauses.BITS_SAY.get((set_, tag, bit.shift), "") if bit.width == 1 else "",
            "codes": {str(code): label for code, label in bit.codes.items()},
        }
        for bit in spec.BITS.get((set_, tag, element), ())
    ]


def part(entry: ItemEntry, element: spec.Element) -> Part:
    span = range_of(element)
    pack = pack_of(entry.item)
    coded = ARRAY_CODES if element.name == "apa" else (entry.set, entry.item.tag, element.name)
    return {
        "name": element.name,
        "length": element.length,
        "encoding": element_text(element),
        "range": [plain(end) for end in span] if span else None,
        "optional": element.optional,
        "repeats": element.repeat,
        "codes": codes(*coded),
        "bits": bits(entry.set, entry.item.tag, element.name),
        "notes": notes(clauses.NOTES.get(pack, {}).get(element.name, "")),
    }


def zero_length(entry: ItemEntry) -> str:
    """The meaning of length 0."""
    if entry.universal_key is None and (entry.set, entry.item.tag) in clauses.NEVER_EMPTY:
        return "not permitted: null, with a warning"
    return "value unknown: null" + ("; in an amend (0601:101) the item is deleted" if entry.set == "ST0601" else "")


def items_before(entry: ItemEntry) -> list[str]:
    """The items that a receiver prefers to this one, the best first."""
    return _others(entry, before=True)


def items_after(entry: ItemEntry) -> list[str]:
    """The items to which a receiver prefers this one."""
    return _others(entry, before=False)


def _others(entry: ItemEntry, *, before: bool) -> list[str]:
    groups = [group for group in clauses.PREFERRED if entry.item.tag in group]
    if entry.set != "ST0601" or entry.universal_key is not None or not groups:
        return []
    at = groups[0].index(entry.item.tag)
    tags = groups[0][:at] if before else groups[0][at + 1 :]
    return [ItemEntry("ST0601", spec.SETS["ST0601"][tag]).address for tag in tags]


def universal_keys(entry: ItemEntry) -> list[str]:
    """The 16-byte keys of an item: its universal form, or that of the same item and of the set inside it."""
    if entry.universal_key is not None:
        return [entry.universal_key.hex()]
    item = clauses.ITEM_KEYS.get((entry.set, entry.item.tag))
    inside = spec.UNIVERSAL_KEYS.get(entry.holds or "") if entry.item.kind.startswith("local_set:") else None
    return list(dict.fromkeys(key.hex() for key in (item, inside) if key is not None))


def set_details(name: str) -> SetDetails:
    """The description of a set."""
    key = spec.UNIVERSAL_KEYS.get(name)
    return {
        "set": name,
        "standard": clauses.STANDARDS[name].document,
        "title": clauses.STANDARDS[name].title,
        "universal_key": key.hex() if key is not None else None,
        "items": len(entries(name)) if name in SETS else 0,
        "inside": [entry.address for entry in every() if entry.holds == name and entry.universal_key is None],
    }
