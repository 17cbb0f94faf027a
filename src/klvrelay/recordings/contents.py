"""Recognise common file types that are neither MPEG-TS nor KLV, so that error messages can name them."""

from __future__ import annotations

import re
from typing import NamedTuple

LOOKED_AT = 4096
"""Bytes that are inspected."""


class Contents(NamedTuple):
    """The content of a file: its `name`, with an article or as a plural; `advice` on obtaining a stream, or ""."""

    name: str
    advice: str = ""


_UNPACK = "unpack it first"
_CAPTURE = Contents(
    "a packet capture",
    "extract the UDP payload first, for example:"
    " tshark -r FILE -Y udp.port==5000 -T fields -e udp.payload | xxd -r -p > out.ts",
)
_SIGNATURES: tuple[tuple[bytes, Contents], ...] = (
    (b"\xd4\xc3\xb2\xa1", _CAPTURE),
    (b"\xa1\xb2\xc3\xd4", _CAPTURE),
    (b"\x4d\x3c\xb2\xa1", _CAPTURE),
    (b"\xa1\xb2\x3c\x4d", _CAPTURE),
    (b"\x0a\x0d\x0d\x0a", _CAPTURE),
    (b"\x1f\x8b\x08", Contents("gzip data", _UNPACK)),
    (b"PK\x03\x04", Contents("a zip archive", _UNPACK)),
    (b"PK\x05\x06", Contents("an empty zip archive")),
    (b"BZh", Contents("bzip2 data", _UNPACK)),
    (b"\xfd7zXZ\x00", Contents("xz data", _UNPACK)),
    (b"\x28\xb5\x2f\xfd", Contents("zstd data", _UNPACK)),
    (b"7z\xbc\xaf\x27\x1c", Contents("a 7z archive", _UNPACK)),
    (b"Rar!\x1a\x07", Contents("a rar archive", _UNPACK)),
    (b"\x89PNG\r\n\x1a\n", Contents("a PNG picture")),
    (b"\xff\xd8\xff", Contents("a JPEG picture")),
    (b"GIF8", Contents("a GIF picture")),
    (b"II*\x00", Contents("a TIFF picture")),
    (b"MM\x00*", Contents("a TIFF picture")),
    (b"\x7fELF", Contents("a program (ELF)")),
    (b"MZ\x90\x00", Contents("a Windows program")),
    (b"%PDF-", Contents("a PDF document")),
    (b"SQLite format 3\x00", Contents("a SQLite database")),
    (b"\x93NUMPY", Contents("a numpy array")),
    (b"ID3", Contents("ID3 tags")),
)
_AT_257 = (b"ustar", Contents("a tar archive", _UNPACK))

_SUBTITLES = Contents(
    "subtitles (SRT)", "DJI drones write flight data in this form; it is not KLV, and klvrelay cannot read it"
)
_TEXTS: tuple[tuple[str, Contents], ...] = (
    (r"#EXTM3U", Contents("a playlist (HLS)", "give its http:// or https:// address")),
    (r"WEBVTT", Contents("subtitles (WebVTT)")),
    (r"\d+\s*\n\d\d:\d\d:\d\d[,.]\d+ --> ", _SUBTITLES),
    (r"v=0\s*\n[a-z]=", Contents("a session description (SDP)", "give the address that it names")),
    (r"(<\?xml|<!DOCTYPE|<[A-Za-z][\w:-]*[ >/])", Contents("XML or HTML")),
    (r"[\[{]", Contents("JSON", "this may be output of klvrelay, which reads MPEG-TS or KLV")),
    (r"(?:[0-9A-Fa-f]{2}[\s:,]*){16}", Contents("hex text", "turn it into bytes first: xxd -r -p FILE > out.klv")),
    (r"\$(GP|GN|GL|GA)[A-Z]{3},", Contents("NMEA sentences")),
)
_TEXT = Contents("text")
_CONTROL = r"[\x00-\x06\x0e-\x1a\x1c-\x1f\x7f]"


def refusal(name: str, head: bytes) -> str | None:
    """The error message for a file of this content; None if the content is not known."""
    found = identify(head)
    if found is None:
        return None
    return f"{name} contains {found.name}, not MPEG-TS or KLV" + (f": {found.advice}" if found.advice else "")


def identify(head: bytes) -> Contents | None:
    """The content that begins so; None if unknown, and for MPEG-TS and KLV."""
    for signature, contents in _SIGNATURES:
        if head.startswith(signature):
            return contents
    if head[257:262] == _AT_257[0]:
        return _AT_257[1]
    text = _as_text(head[:LOOKED_AT])
    if text is None:
        return None
    begin = text.lstrip("\ufeff \t\r\n").replace("\r\n", "\n")
    return next((contents for pattern, contents in _TEXTS if re.match(pattern, begin)), _TEXT)


def is_capture(head: bytes) -> bool:
    """Is it a packet capture? A capture of a stream contains TS packets, but is not a stream."""
    return any(head.startswith(mark) for mark, contents in _SIGNATURES if contents is _CAPTURE)


def _as_text(head: bytes) -> str | None:
    """The bytes as text, whose last character may be cut off; None if they are not text."""
    encoding = "utf-16" if head[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8"
    try:
        text = head.decode(encoding)
    except UnicodeDecodeError as fault:
        if fault.start < len(head) - 3 or not fault.start:
            return None
        text = head[: fault.start].decode(encoding)
    return text if text.strip("\0\ufeff \t\r\n") and not re.search(_CONTROL, text) else None
