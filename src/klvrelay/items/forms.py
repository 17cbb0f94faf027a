"""Describes the wire format of an item and its form in a record."""

from __future__ import annotations

from klvrelay.items.entry import ItemEntry, inner_set
from klvrelay.items.numbers import plain, range_of, steps
from klvrelay.standards import clauses, spec

WIRE = {
    "uint": "unsigned integer",
    "int": "signed integer",
    "timestamp": "unsigned integer, microseconds since 1970-01-01",
    "date_time": "text such as 20050331075051, UTC",
    "utf8": "UTF-8 text",
    "ascii": "ASCII text",
    "utf16": "UTF-16 text, big-endian",
    "enum": "unsigned integer, a code",
    "bitfield": "bits of an unsigned integer",
    "float": "IEEE 754 float",
    "bytes": "bytes, unchanged",
    "uuid": "UUID",
    "ber": "BER length",
    "ber_oid": "BER-OID number",
    "dlp": "pack of elements in order (DLP)",
    "flp": "pack of elements in order (FLP)",
    "vlp": "pack of elements, with a BER length before variable ones (VLP)",
    "mdap": "array of MISB ST 1303",
    "special": "depends on the algorithm",
    "float or imapb": "float or IMAPB",
}
RECORD = {
    "uint": "integer",
    "int": "integer",
    "timestamp": "integer, microseconds since 1970",
    "date_time": "integer, microseconds since 1970",
    "utf8": "text",
    "ascii": "text",
    "utf16": "text",
    "enum": "label, or the number of a code without a label",
    "bitfield": "object of its bits",
    "float": "number",
    "bytes": "hex",
    "uuid": "UUID in hex",
    "ber_oid": "integer",
    "mdap": "object: dims, ebytes, apa, values",
}
# Records represent these packs differently from their elements.
OBJECTS = {
    "SDCC-FLP": "object: matrix_size, mode, sparse, sigma, rho, items",
    "CoreIdentifier": "object: version, usage, its UUIDs, text",
    "CommandVerification": "array of integers",
    "ActiveWavelengths": "array of labels or integers",
}


def encoding_text(entry: ItemEntry) -> str:
    """The encoding of the value: `signed integer, value = raw x 90 / 2147483647`."""
    kind, _, inner = entry.item.kind.partition(":")
    if kind == "local_set":
        return f"items of {_set_words(entry.holds)}, each with tag and length"
    if kind == "series":
        return _series_form(inner, entry.holds)
    return _mapped_form(entry.item, entry.item.len_max) or WIRE[kind]


def _mapped_form(of: spec.Item | spec.Element, width: int) -> str:
    """Linear mappings, ST 1201 and bits in BER-OID; empty for unmapped values."""
    span = range_of(of)
    if of.mapping == "ber_oid" and of.kind == "bitfield":
        return "bits of a BER-OID number"
    if span is None or not width or of.mapping not in ("linear_uint", "linear_int", "imapb"):
        return ""
    if of.mapping == "imapb":
        return f"IMAPB of MISB ST 1201 over {span}"
    if of.mapping == "linear_int":
        return f"signed integer, value = raw × {plain(span.max)} / {256**width // 2 - 1}"
    start = f"{plain(span.min)} + " if span.min else ""
    return f"unsigned integer, value = {start}raw × {plain(span.max - span.min)} / {256**width - 1}"


def _series_form(series: str, holds: str | None) -> str:
    if holds is None:
        return f"{'unsigned integers' if series == 'uint' else f'{series} packs'}, each with a BER length"
    numbered = "BER-OID target id and " if series.endswith("Pack") else ""
    return f"repeated: a BER length, then {numbered}items of {_set_words(holds)}"


def _set_words(name: str | None) -> str:
    return f"the {clauses.STANDARDS[name].title}" if name is not None else "a set"


def record_text(entry: ItemEntry) -> str:
    """The form in a record: `number`, `label ...`, `array of objects ...`."""
    item = entry.item
    kind, _, inner = item.kind.partition(":")
    if kind == "local_set":
        form = f"object: items of {entry.holds}"
    elif kind == "series":
        form = _series_record(inner, entry.holds)
    elif item.pack:
        form = pack_record(item.pack)
    elif item.mapping in ("linear_uint", "linear_int", "imapb"):
        form = "number"
    else:
        form = "array of payload numbers" if item.key == "active_payloads" else RECORD[kind]
    return f"array, one element per occurrence: {form}" if entry.repeats else form


def _series_record(series: str, holds: str | None) -> str:
    if holds is None:
        return "array of integers" if series == "uint" else f"array, each: {pack_record(series)}"
    return f"array of objects: {'target_id and ' if series.endswith('Pack') else ''}items of {holds}"


def pack_record(name: str) -> str:
    """The form of a pack in a record: an object by element name, or an array of objects."""
    elements = spec.PACKS[name]
    if name in OBJECTS:
        return OBJECTS[name]
    repeats = [at for at, element in enumerate(elements) if element.repeat]
    if not repeats:
        return f"object: {_names(elements)}"
    once, again = elements[: repeats[0]], elements[repeats[0] :]
    return f"object: {_names(once)}, records" if once else f"array of objects: {_names(again)}"


def record_elements(elements: tuple[spec.Element, ...]) -> tuple[spec.Element, ...]:
    """The elements shown in a record: all except lengths."""
    return tuple(e for e in elements if e.kind != "ber" or not e.name.endswith("_length"))


def _names(elements: tuple[spec.Element, ...]) -> str:
    return ", ".join(element.name for element in record_elements(elements))


def element_text(element: spec.Element) -> str:
    """The encoding of a pack element in a few words."""
    width = int(element.length) if element.length.isdigit() else 0
    if inner_set(element.kind):
        return f"items of {inner_set(element.kind)}"
    span = range_of(element)
    form = f"IMAPB over {span}" if element.mapping == "imapb" else _mapped_form(element, width)
    step = f", step {float(steps(element, (width,))[0].size):.4g}" if form and width else ""
    return f"{form}{step}" or WIRE.get(element.kind, element.kind)
