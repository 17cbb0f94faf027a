"""Parse HLS playlists (RFC 8216): variants, or numbered segments."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from klvrelay.text import printable
from klvrelay.transports.http.faults import WebFault

MOST = 8 << 20
"""Maximum bytes of a playlist: a day of segments of two seconds, with long names."""
SEGMENTS_MOST = 50_000
LINES_MOST = 10 * SEGMENTS_MOST
VARIANTS_MOST = 16
"""Maximum number of variants that are searched for KLV."""
TARGET_MOST = 120.0
_ATTRIBUTE = re.compile(r'(?<![A-Z0-9-])([A-Z0-9-]+)=("[^"]*"|[^",]*)')  # linear time: each character is scanned once


class PlaylistPart(NamedTuple):
    """A URL, or its bytes from `start` to `end` (exclusive)."""

    url: str
    start: int = 0
    end: int | None = None


class Key(NamedTuple):
    """How a segment is encrypted: by AES-128, or by a method that klvrelay does not support."""

    method: str
    url: str
    iv: bytes | None


@dataclass(frozen=True, slots=True)
class MediaSegment:
    """One media segment.

    number         its media sequence number
    seconds        its duration
    discontinuity  precedes it: the encoder or its time stamps changed
    missing        the server marks the segment as unavailable (EXT-X-GAP)
    init           its initialization section (EXT-X-MAP)
    """

    number: int
    part: PlaylistPart
    seconds: float
    discontinuity: bool = False
    missing: bool = False
    key: Key | None = None
    init: PlaylistPart | None = None


@dataclass(frozen=True, slots=True)
class Playlist:
    """Either `variants`, URLs of other playlists, or `segments`, complete if it `ended`; `target` is in seconds."""

    segments: tuple[MediaSegment, ...]
    target: float
    ended: bool
    variants: tuple[str, ...] = ()


def is_playlist(head: bytes | bytearray) -> bool:
    """Do these first bytes begin an extended M3U?"""
    return head[:64].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"#EXTM3U")


def parse(data: bytes | bytearray, join: Callable[[str], str]) -> Playlist:
    """The playlist in `data`; `join` resolves its references. Raises WebFault if it is not a playlist."""
    if not is_playlist(data):
        raise WebFault("not a playlist: it does not begin with #EXTM3U", "refused")
    if data.count(b"\n") + data.count(b"\r") > LINES_MOST:
        raise WebFault(f"its playlist has more than {LINES_MOST} lines", "refused")
    parser = _PlaylistParser(join)
    for line in io.TextIOWrapper(io.BytesIO(data), "utf-8-sig", "replace"):  # a list of lines could be large
        parser.line(line.strip())
    return parser.playlist()


class _PlaylistParser:
    """Parses a playlist line by line: tags apply to the URL that follows."""

    def __init__(self, join: Callable[[str], str]) -> None:
        self._join = join
        self._segments: list[MediaSegment] = []
        self._variants: list[str] = []
        self._number = 0
        self._target, self._seconds = 0.0, 0.0
        self._ended = self._is_variant = self._discontinuity = self._missing = False
        self._key: Key | None = None
        self._init: PlaylistPart | None = None
        self._range: tuple[int, int | None] | None = None
        self._last = PlaylistPart("")

    def line(self, line: str) -> None:
        if not line.startswith("#"):
            if line:
                self._url(line)
            return
        tag, _, value = line.partition(":")
        match tag:
            case "#EXTINF":  # by far the most frequent
                self._seconds = _seconds(value.partition(",")[0])
            case "#EXT-X-STREAM-INF":
                self._is_variant = True
            case "#EXT-X-MEDIA-SEQUENCE":
                self._number = _whole(value)
            case "#EXT-X-TARGETDURATION":
                self._target = min(_seconds(value), TARGET_MOST)
            case "#EXT-X-BYTERANGE":
                self._range = _byte_range(value)
            case "#EXT-X-DISCONTINUITY":
                self._discontinuity = True
            case "#EXT-X-GAP":
                self._missing = True
            case "#EXT-X-KEY":
                self._key = self._key_of(_attributes(value))
            case "#EXT-X-MAP":
                self._init = self._init_of(_attributes(value))
            case "#EXT-X-ENDLIST":
                self._ended = True

    def _url(self, line: str) -> None:
        if self._is_variant:
            self._is_variant = False
            if len(self._variants) < VARIANTS_MOST:
                self._variants.append(self._join(line))
            return
        if len(self._segments) >= SEGMENTS_MOST:
            raise WebFault(f"its playlist has more than {SEGMENTS_MOST} segments", "refused")
        part = self._part(self._join(line))
        self._segments.append(
            MediaSegment(self._number, part, self._seconds, self._discontinuity, self._missing, self._key, self._init)
        )
        self._number += 1
        self._seconds, self._discontinuity, self._missing, self._range = 0.0, False, False, None

    def _part(self, url: str) -> PlaylistPart:
        if self._range is None:
            self._last = PlaylistPart(url)
        else:
            size, at = self._range
            if at is None:  # it follows the previous one
                at = (self._last.end or 0) if self._last.url == url else 0
            self._last = PlaylistPart(url, at, at + size)
        return self._last

    def _key_of(self, attributes: dict[str, str]) -> Key | None:
        method = attributes.get("METHOD", "NONE")
        if method == "NONE":
            return None
        form = attributes.get("KEYFORMAT", "identity")
        iv = attributes.get("IV", "")
        try:
            number = int(iv, 16).to_bytes(16) if iv else None
        except (ValueError, OverflowError):
            raise WebFault("its playlist has a key whose IV is not a 128-bit number", "refused") from None
        uri = attributes.get("URI", "")
        named = printable(method[:20] if form == "identity" else f"{method[:20]} ({form[:40]})")
        return Key(named, self._join(uri) if uri else "", number)

    def _init_of(self, attributes: dict[str, str]) -> PlaylistPart | None:
        if not attributes.get("URI"):
            return None
        size, at = _byte_range(attributes["BYTERANGE"]) if "BYTERANGE" in attributes else (0, None)
        return PlaylistPart(self._join(attributes["URI"]), at or 0, (at or 0) + size if size else None)

    def playlist(self) -> Playlist:
        longest = max((segment.seconds for segment in self._segments[-3:]), default=0.0)
        target = self._target or min(longest, TARGET_MOST) or 1.0
        return Playlist(tuple(self._segments), target, self._ended, tuple(self._variants))


def _attributes(text: str) -> dict[str, str]:
    return {name: value.strip('"') for name, value in _ATTRIBUTE.findall(text)}


def _whole(text: str) -> int:
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


def _seconds(text: str) -> float:
    try:
        return max(0.0, min(float(text), 86400.0))
    except ValueError:
        return 0.0


def _byte_range(text: str) -> tuple[int, int | None]:
    size, at, begin = text.partition("@")
    return _whole(size), _whole(begin) if at else None
