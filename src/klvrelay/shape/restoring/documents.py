"""Reads JSON, CBOR and MessagePack documents, and continues partial ones.

A partial document has `"full": false`, `removed` (the keys of items that are no longer sent; `unknown.150` for an
unknown item) and `after` (the seq of the document that it continues; the one before if absent).
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import orjson

from klvrelay.errors import ConfigError, DecodeError
from klvrelay.shape.encoding.content_types import Format
from klvrelay.shape.restoring.cbor import CborReader
from klvrelay.shape.restoring.compact import RECORDS_MOST
from klvrelay.standards.spec import SETS, VERSION

LIST_MOST = 1 << 16
"""Maximum elements of a MessagePack array or map: its reader reserves them before it reads them."""

VERSION_KEY = SETS["ST0601"][VERSION["ST0601"]].key
"""The item whose value is `version`: no other set has a version."""

_ROOT = re.compile(r"[.\[]")


class DocumentParts(NamedTuple):
    """The items and special values of a full document, as JSON: they cannot be changed, and their size is known.

    version   of its set, which a partial document does not have
    """

    items: bytes
    special: bytes
    version: int | None


def read_documents(payload: bytes, form: Format) -> list[dict[str, Any]]:
    """The documents of a message. Raises DecodeError if it is malformed."""
    values = _READERS[form](payload)
    for value in values:
        if not isinstance(value, dict):
            raise DecodeError(f"a {form} document that is not an object")
    return values


def _check_number(count: int) -> None:
    if count > RECORDS_MOST:
        raise DecodeError(f"more than {RECORDS_MOST} records in a message")


def _json(payload: bytes) -> list[Any]:
    lines = [line for line in payload.split(b"\n", RECORDS_MOST + 1) if line.strip()]
    _check_number(len(lines))
    try:
        return [orjson.loads(payload)] if len(lines) < 2 else [orjson.loads(line) for line in lines]
    except orjson.JSONDecodeError as fault:
        raise DecodeError(f"not valid JSON: {fault}") from None


def _cbor(payload: bytes) -> list[Any]:
    reader = CborReader(payload)
    found = []
    while not reader.ended:
        found.append(_as_json(reader.value(), "CBOR"))
        _check_number(len(found))
    return found


def _msgpack(payload: bytes) -> list[Any]:
    try:
        import msgpack
    except ImportError:
        raise ConfigError("MessagePack needs the package msgpack: pip install 'klvrelay[msgpack]'") from None
    room = max(1, len(payload))
    found: list[Any] = []
    end = 0
    reader = msgpack.Unpacker(max_buffer_size=room, max_array_len=LIST_MOST, max_map_len=LIST_MOST)
    try:
        reader.feed(payload)
        for value in reader:
            found.append(_as_json(value, "MessagePack"))
            _check_number(len(found))
            end = reader.tell()
    except (ValueError, msgpack.UnpackException) as fault:
        raise DecodeError(f"not valid MessagePack: {fault}") from None
    if end != len(payload):
        raise DecodeError("not valid MessagePack: it ends within a value")
    return found


def _as_json(value: Any, name: str) -> Any:
    """The value with the types of JSON only."""
    try:
        return orjson.loads(orjson.dumps(value))
    except (orjson.JSONEncodeError, orjson.JSONDecodeError) as fault:
        raise DecodeError(f"{name} with types that JSON does not have: {fault}") from None


_READERS = {"json": _json, "cbor": _cbor, "msgpack": _msgpack}


def parts_of(document: dict[str, Any]) -> DocumentParts:
    """What a full document states."""
    version = document.get("version")
    if not isinstance(version, int | None):
        raise DecodeError("a record whose version is not a number")
    return DocumentParts(orjson.dumps(_items_of(document)), orjson.dumps(_special_of(document)), version)


def continue_document(document: dict[str, Any], earlier: DocumentParts, removed: list[Any]) -> None:
    """Add to a partial document what it does not repeat."""
    changed = _items_of(document)
    items = orjson.loads(earlier.items)
    unknown = {**items.pop("unknown", {}), **_object(changed.get("unknown", {}))}
    items |= changed
    gone = {str(name) for name in removed}
    unknown = {tag: code for tag, code in unknown.items() if f"unknown.{tag}" not in gone}
    items = {key: value for key, value in items.items() if key not in gone and key != "unknown"}
    document["items"] = {**items, "unknown": unknown} if unknown else items
    if document.get("version") is None and VERSION_KEY not in gone:
        document["version"] = earlier.version
    special = orjson.loads(earlier.special)
    special = {path: meaning for path, meaning in special.items() if _root(path) not in gone | changed.keys()}
    special |= _special_of(document)
    if special:
        document["quality"] = {**document.get("quality", {}), "special": special}


def _root(path: str) -> str:
    """The key of the item in the path of a value."""
    return _ROOT.split(path, 1)[0]


def _items_of(document: dict[str, Any]) -> dict[str, Any]:
    return _object(document.get("items"))


def _special_of(document: dict[str, Any]) -> dict[str, Any]:
    return _object(_object(document.get("quality", {})).get("special", {}))


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise DecodeError("a record whose items or quality are not an object")
    return value
