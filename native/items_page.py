"""The page of items, out of the csv facts: which items are decoded, under which key, and how.

`native/generate.py` writes it to `native/spec/ITEMS.md`; `schema.py` is next door.
"""

from __future__ import annotations

from collections.abc import Iterator

from native import schema, schema_values
from native.spec import facts

HEAD = """<!-- Made by native/generate.py from native/spec/*.csv: do not edit. -->
# Items

Every item that klvrelay knows, the key that a record gives it, and how its value is written: as a *value*
(number, text, label, object or array) or as *raw hex*, where the set inside it is not decoded yet.
An item that is in none of these tables is kept as hex under `unknown`.
"""

FORMS = {
    "uint": "integer",
    "int": "integer",
    "timestamp": "integer, microseconds since 1970",
    "utf8": "text",
    "ascii": "text",
    "utf16": "text",
    "enum": "label, or the integer where it has none",
    "bitfield": "object of booleans",
    "bytes": "hex",
    "uuid": "UUID",
    "dlp": "object",
    "flp": "array",
    "vlp": "object",
}


def items_page() -> str:
    """The Markdown page of all items, a table a set."""
    decoded = (section(name) for name in facts.DECODED)
    return "\n".join([HEAD, *decoded, raw_section()])


def section(name: str) -> str:
    items = facts.items(name)
    values = sum(form(item) != "raw hex" for item in items)
    head = f"## {schema.clause(name)}\n\n{values} of {len(items)} items as values.\n"
    return "\n".join([head, *table(items)]) + "\n"


def table(items: list[facts.Item]) -> Iterator[str]:
    yield "| tag | name | key | units | decoded | form |"
    yield "| --: | --- | --- | --- | --- | --- |"
    for item in items:
        how = "raw hex" if form(item) == "raw hex" else "value"
        shown = "" if how == "raw hex" else form(item)
        yield f"| {item.tag} | {item.name} | `{item.key}` | {item.units} | {how} | {shown} |"


def form(item: facts.Item) -> str:
    """How a record writes the item, in words."""
    kind, _, inner = item.kind.partition(":")
    if kind == "local_set" and "$ref" not in schema.set_reference(inner):
        return "raw hex"
    if kind == "local_set":
        words = f"object, {schema.words(schema.SAME_TAGS.get(inner, inner))}"
    elif kind == "series":
        words = "array"
    elif item.mapping.startswith("linear") or item.mapping == "imapb":
        words = f"number, {schema_values.range_text(item)}"
    else:
        words = "array" if item.key == "active_payloads" else pack_form(item) or FORMS[kind]
    return f"array of {words}" if item.repeats else words


def pack_form(item: facts.Item) -> str:
    if item.kind not in ("dlp", "flp", "vlp"):
        return ""
    name = schema_values.pack_name(item)
    shape = schema_values.pack(name, facts.packs()[name])
    return str(shape["type"])


def raw_section() -> str:
    """The sets and packs whose packets are recognised but not taken apart."""
    rows = [key for key in facts.universal_keys() if key.set not in facts.DECODED]
    lines = [f"| {schema.words(key.set)} | {key.name} | `{key.key.hex()}` |" for key in rows]
    head = "## Kept raw for now\n"
    text = "Packets of these are named by their set; their items are hex under `unknown`.\n"
    return "\n".join([head, text, "| set | name | key |", "| --- | --- | --- |", *lines]) + "\n"
