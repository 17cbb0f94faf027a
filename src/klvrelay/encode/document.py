"""Reads the input of the encoder: a record, its JSON document, or plain items."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import NamedTuple

from klvrelay.encode.numbers import unquote
from klvrelay.encode.place import ItemPath
from klvrelay.errors import EncodeError
from klvrelay.record import Record
from klvrelay.standards.spec import KEY_TYPES, SETS


class Document(NamedTuple):
    """The parts of a record that its bytes contain; `received`: see `ItemPath`."""

    set: str
    items: object
    time_us: object = None
    version: object = None
    special: Mapping[str, str] = {}
    checksum: bool = True
    received: bool = False


def document_of(what: object, set_: str | None) -> Document:
    """The document of a record, of its JSON, or of items of a set (default ST 0601)."""
    if isinstance(what, Record):
        # Decimals keep every bit of a wide code.
        return _read(json.loads(what.json(), parse_float=Decimal), set_)
    if isinstance(what, Mapping) and "items" in what and "set" in what:
        return _read(what, set_)
    name = "ST0601" if set_ is None else set_
    if not isinstance(name, str) or name not in {*SETS, *KEY_TYPES, "unknown"}:
        raise ItemPath("set").unknown_key(name, {*SETS, *KEY_TYPES})
    return Document(name, what)


def _read(document: Mapping[str, object], set_: str | None) -> Document:
    name, quality = document["set"], document.get("quality")
    if not isinstance(name, str) or (name not in KEY_TYPES and name != "unknown"):
        raise ItemPath("set").unknown_key(name, KEY_TYPES)
    if set_ is not None and set_ != name:
        raise EncodeError("set", set_, f"the document is of {name}")
    known = quality if isinstance(quality, Mapping) else {}
    special = known.get("special")
    return Document(
        name,
        document["items"],
        unquote(document.get("time_us")),
        document.get("version"),
        special if isinstance(special, Mapping) else {},
        known.get("checksum") != "absent",
        received=True,
    )
