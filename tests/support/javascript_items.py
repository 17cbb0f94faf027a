"""The rows of ST 0601 in docs/examples/restore.mjs, made from the tables of the standard."""

from __future__ import annotations

import json

from klvrelay.standards.spec import SETS, Item

KINDS = {"linear_uint": "u", "linear_int": "i", "imapb": "p", "utf8": "t"}
PLAIN = {"uint": "n", "timestamp": "n", "int": "s"}


def row_of(tag: int, item: Item) -> str | None:
    """One row; None for an item that the example leaves as bytes."""
    kind = KINDS.get(item.mapping)
    if tag == 1 or item.repeats:
        return None
    if kind == "t":
        return json.dumps([tag, item.key, kind])
    if kind is not None:
        return json.dumps([tag, item.key, kind, item.len_min, item.len_max, item.min, item.max])
    if item.codes:
        labels = ", ".join(f"{code}: {json.dumps(label)}" for code, label in item.codes.items())
        return json.dumps([tag, item.key, "e"])[:-1] + f", {{ {labels} }}]"
    return json.dumps([tag, item.key, PLAIN[item.kind]]) if item.kind in PLAIN else None


def rows() -> str:
    """The whole table."""
    found = [row for tag, item in SETS["ST0601"].items() if tag not in (2, 65) and (row := row_of(tag, item))]
    comment = "// ST 0601: tag, key, kind (u, i: linear; p: IMAPB; n, s: integer; t: text; e: label), bytes, range"
    return "\n".join([comment, "export const ITEMS = [", *(f"  {row}," for row in found), "];"])
