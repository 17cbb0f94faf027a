"""The forms of payloads, and their content types."""

from __future__ import annotations

from collections.abc import Sequence

from klvrelay.json_output import dumps
from klvrelay.shape.output import Format

JSON, JSON_LINES, TEXT = "application/json", "application/x-ndjson", "text/plain"
CONTENT_TYPES: dict[Format, str] = {
    "json": JSON,
    "cbor": "application/cbor",
    "msgpack": "application/msgpack",
    "klv": "application/smpte336m",
    "compact": "application/vnd.klvrelay.compact+cbor",
}


def joined(payloads: Sequence[bytes], content_type: str) -> tuple[bytes, str]:
    """Several payloads of one content type as one, and its content type."""
    if content_type == JSON:
        return b"\n".join((*payloads, b"")), JSON_LINES
    return b"".join(payloads), content_type


def partly(document: bytes, *, full: bool = False, after: int = 0, removed: Sequence[str] = ()) -> bytes:
    """A document of an output on change: full, or continuing the one with the number `after`, without some items."""
    if full:
        return document[:-1] + b',"full":true}'
    gone = b',"removed":' + dumps(list(removed)) if removed else b""
    return b'%s,"full":false,"after":%d%s}' % (document[:-1], after, gone)
