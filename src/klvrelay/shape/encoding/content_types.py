"""The formats of payloads, their content types, and how a payload without one is recognised."""

from __future__ import annotations

from typing import Literal, get_args

from klvrelay.errors import ConfigError, DecodeError
from klvrelay.shape.restoring.compact import is_compact
from klvrelay.shape.restoring.local_set import KEY_BEGIN

Format = Literal["json", "cbor", "msgpack", "klv", "compact"]
FORMATS: tuple[Format, ...] = get_args(Format)

CONTENT_TYPES: dict[Format, str] = {
    "json": "application/json",
    "cbor": "application/cbor",
    "msgpack": "application/msgpack",
    "klv": "application/smpte336m",
    "compact": "application/vnd.klvrelay.compact+cbor",
}
JSON_LINES = "application/x-ndjson"
ZSTD_SUFFIX = "+zstd"

_FORMAT_OF: dict[str, Format] = {JSON_LINES: "json", **{type_: name for name, type_ in CONTENT_TYPES.items()}}
_FORMAT_OF.update({name: name for name in FORMATS})


def named_format(name: str) -> Format:
    """The format of a name or a content type. Raises ConfigError for any other."""
    found = _FORMAT_OF.get(name.partition(";")[0].strip().lower().removesuffix(ZSTD_SUFFIX))
    if found is None:
        raise ConfigError(f"unknown format {name[:80]!r}; valid formats: {', '.join(FORMATS)}, or a content type")
    return found


def recognised(payload: bytes) -> Format:
    """The format of a payload that is not compressed. Raises DecodeError if it is none."""
    first = payload[:1]
    if payload.lstrip()[:1] == b"{":
        return "json"
    if payload.startswith(KEY_BEGIN):
        return "klv"
    if is_compact(payload):
        return "compact"
    if b"\x80" <= first <= b"\x8f" or b"\xde" <= first <= b"\xdf":
        return "msgpack"
    if b"\xa0" <= first <= b"\xbf":
        return "cbor"
    raise DecodeError("the format of the payload is not known: it is not JSON, CBOR, MessagePack, KLV or compact")
