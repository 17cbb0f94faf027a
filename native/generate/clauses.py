"""`src/klvrelay/standards/clauses.py`: what the documents say of sets and items beyond what decoding needs.

Titles and revisions, which item stands before which, what length 0 means, notes, 16-byte keys.
`python_table.py` writes what decoding and encoding need.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from native.generate import schema
from native.spec import facts

HEAD = '''"""What documents say of sets and items, for readers. Made by native/generate: do not edit."""

from typing import NamedTuple


class Standard(NamedTuple):
    """The document that a set is from, and what it calls the set."""

    document: str
    title: str


'''

# Set -> revision of the document that its table follows, and the set's title there.
STANDARDS = {
    "ST0601": ("MISB ST 0601.19", "UAS Datalink Local Set"),
    "ST0102": ("MISB ST 0102.12", "Security Metadata Local Set"),
    "ST0102-US": ("MISB ST 0102.12", "Security Metadata Universal Set"),
    "ST0104": ("MISB EG 0104", "Predator UAV Basic Universal Metadata Set"),
    "ST0903": ("MISB ST 0903.6", "VMTI Local Set"),
    "VTarget": ("MISB ST 0903.6", "VTarget Pack"),
    "VTrack": ("MISB ST 0903, older track set", "VTrack Local Set"),
    "VTrackItem": ("MISB ST 0903, older track set", "VTrackItem Pack"),
    "VMask": ("MISB ST 0903.6", "VMask Local Set"),
    "VObject": ("MISB ST 0903.6", "VObject Local Set"),
    "VFeature": ("MISB ST 0903.6", "VFeature Local Set"),
    "VTracker": ("MISB ST 0903.6", "VTracker Local Set"),
    "VChip": ("MISB ST 0903.6", "VChip Local Set"),
    "Algorithm": ("MISB ST 0903.6", "Algorithm Local Set"),
    "Ontology": ("MISB ST 0903.6", "Ontology Local Set"),
    "ST0806": ("MISB ST 0806.4", "Remote Video Terminal Local Set"),
    "RvtPoi": ("MISB ST 0806.4", "Point of Interest Local Set"),
    "RvtAoi": ("MISB ST 0806.4", "Area of Interest Local Set"),
    "RvtUserDefined": ("MISB ST 0806.4", "User Defined Local Set"),
    "ST0808": ("MISB ST 0808", "Ancillary Text Local Set"),
    "ST1002": ("MISB ST 1002.3", "Range Image Local Set"),
    "ST1010": ("MISB ST 1010", "SDCC Floating Length Pack"),
    "ST1107": ("MISB ST 1107", "Metric Geopositioning Local Set"),
    "ST1108": ("MISB ST 1108.3", "Interpretability and Quality Local Set"),
    "ST1108Metric": ("MISB ST 1108.3", "Metric Local Set"),
    "ST1202": ("MISB ST 1202.3", "Generalized Transformation Local Set"),
    "ST1204": ("MISB ST 1204", "MIIS Core Identifier"),
    "ST1206": ("MISB ST 1206.1", "SAR Motion Imagery Local Set"),
    "ST1303": ("MISB ST 1303", "Multi-Dimensional Array Pack"),
    "ST1601": ("MISB ST 1601.2", "Geo-Registration Local Set"),
    "ST1602": ("MISB ST 1602.2", "Composite Imaging Local Set"),
    "ST1902": ("MISB ST 1902", "Motion Imagery Metadata (MIMD) Local Set"),
}

# Of items of ST 0601 that say the same, a receiver takes the one furthest to the left.
PREFERRED = (
    (90, 6),
    (91, 7),
    (92, 50),
    (93, 52),
    (96, 22),
    (103, 38),
    (104, 75, 15),
    (105, 76, 69),
    (78, 25),
    *zip(range(82, 90), range(26, 34), strict=True),
)


def clauses() -> str:
    """The module as text."""
    head = HEAD + _standards()
    tables = (
        ("Of items of ST 0601 that say the same, the one furthest to the left counts", "PREFERRED", _preferred()),
        ("Set -> tag -> the fields of a packet's head that the item is lifted to", "LIFTED", _lifted()),
        ("Nested sets that use another's tags", "SAME_TAGS", schema.SAME_TAGS),
        ("(set, tag) of the items in which length 0 is not legal", "NEVER_EMPTY", _never_empty()),
        ("Sets whose items are known by keys of 16 bytes, not by tag", "UNIVERSAL", _universal()),
        ("16-byte key of an item in universal form -> the set or pack it is from", "ORIGINS",
         _origins()),
        ("(set, tag) -> its 16-byte key", "ITEM_KEYS", _item_keys()),
        ("(set, tag, bit) -> what the bit says", "BITS_SAY", _bits()),
        ("Pack -> element -> notes", "NOTES", _notes()),
    )  # fmt: skip
    return "\n".join([head, *(_table(*table) for table in tables)])


def _standards() -> str:
    rows = [f'    "{name}": Standard("{document}", "{title}"),' for name, (document, title) in STANDARDS.items()]
    return "\n".join(["STANDARDS: dict[str, Standard] = {", *rows, "}\n"])


TYPES = {
    "PREFERRED": "tuple[tuple[int, ...], ...]",
    "LIFTED": "dict[str, dict[int, str]]",
    "SAME_TAGS": "dict[str, str]",
    "UNIVERSAL": "tuple[str, ...]",
    "NEVER_EMPTY": "frozenset[tuple[str, int]]",
    "ORIGINS": "dict[bytes, str]",
    "ITEM_KEYS": "dict[tuple[str, int], bytes]",
    "BITS_SAY": "dict[tuple[str, int, int], str]",
    "NOTES": "dict[str, dict[str, str]]",
}


def _table(comment: str, name: str, content: Iterator[str] | Mapping[str, str]) -> str:
    rows = [f'"{key}": "{value}",' for key, value in content.items()] if isinstance(content, Mapping) else content
    opened, shut = {"tuple": ("(", ")"), "frozenset": ("frozenset({", "})")}.get(TYPES[name].split("[")[0], ("{", "}"))
    lines = [f"    {row}" for row in rows]
    return "\n".join([f"# {comment}", f"{name}: {TYPES[name]} = {opened}", *lines, shut, ""])


def _preferred() -> Iterator[str]:
    return (f"{group}," for group in PREFERRED)


def _lifted() -> Iterator[str]:
    heads = (("quality.checksum", facts.CHECKSUM), ("time, time_us", facts.TIME), ("version", facts.VERSION))
    for name in facts.DECODED:
        told = {tags[name]: head for head, tags in heads if name in tags}
        if told:
            yield f'"{name}": {{{", ".join(f"{tag}: {_text(head)}" for tag, head in told.items())}}},'


def _never_empty() -> Iterator[str]:
    items = (item for name in facts.DECODED for item in facts.items(name))
    return (f'("{item.set}", {item.tag}),' for item in items if not item.zero_len_legal)


def _universal() -> Iterator[str]:
    return (f'"{name}",' for name in facts.UNIVERSAL)


def _origins() -> Iterator[str]:
    for key, item in facts.keyed():
        yield f'{_key(key)}: "{_home(key, item)}",'


def _home(key: bytes, item: facts.Item) -> str:
    """Where a universal key is from; a universal set's word for it comes before that of the tags."""
    if _plain(key) in {_plain(row.key) for row in facts.legacy()}:
        return "ST0104"
    packs = {_plain(row.key): row.set for row in facts.universal_keys() if row.set in facts.ALONE}
    return packs.get(_plain(key), "ST0102-US" if item.set == "ST0102" else item.set)


def _plain(key: bytes) -> bytes:
    return key[:7] + key[8:]


def _item_keys() -> Iterator[str]:
    return (f'("{row.set}", {row.tag}): {_key(row.key)},' for row in facts.item_keys())


def _bits() -> Iterator[str]:
    rows = [code for code in facts.codes() if code.code_type == "bit" and code.set in facts.DECODED]
    return (f'("{row.set}", {row.tag}, {row.code}): {_text(row.label)},' for row in rows)


def _notes() -> Iterator[str]:
    for name, elements in facts.packs().items():
        told = [element for element in elements if element.notes]
        if told:
            yield f'"{name}": {{'
            yield from (f'    "{element.name}": {_text(element.notes)},' for element in told)
            yield "},"


def _key(key: bytes) -> str:
    return f'bytes.fromhex("{key.hex()}")'


def _text(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
