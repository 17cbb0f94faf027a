"""Fetch the bytes of one HLS segment: its range, decrypted, after its initialization section."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from contextlib import closing

from klvrelay.recordings.sniff import is_container
from klvrelay.sources.web.crypt import decrypt
from klvrelay.sources.web.playlist import Key, MediaSegment, PlaylistPart
from klvrelay.transports.http.answer import PIECE
from klvrelay.transports.http.client import Web
from klvrelay.transports.http.faults import WebFault

WHOLE_MOST = 32 << 20
"""Maximum bytes of a segment that must be complete before use: encrypted, or a fragment of mp4."""
INIT_MOST = 4 << 20
"""Maximum bytes of an initialization section."""
KEYS = 16
"""Maximum number of cached keys."""
KEY_MOST = 1024


class KeyFault(WebFault):
    """The key of a segment is not available."""


class Fetch:
    """Fetches segments of one playlist, on one thread."""

    def __init__(self, web: Web) -> None:
        self._web = web
        self._init: PlaylistPart | None = None
        self._keys: dict[str, bytes] = {}

    def repeat_init(self) -> None:
        """Repeat the initialization section before the next segment, even if it has not changed."""
        self._init = None

    def pieces(self, segment: MediaSegment, skip: int) -> Generator[bytes, None, None]:
        """The bytes of a segment after the first `skip`, in pieces of a fixed size; raises WebFault."""
        until = time.monotonic() + max(60.0, 4 * segment.seconds)
        part = segment.part
        if segment.key is not None:
            key = self._key(segment.key)
            with closing(self._web.get(part.url, start=part.start, end=part.end)) as answer:
                data = decrypt(answer.pieces(WHOLE_MOST, until=until), key, _iv(segment.key, segment.number))
            yield from self._with_init(segment, data)
            return
        whole = None if segment.init is None else bytearray()
        with closing(self._web.get(part.url, start=part.start + skip, end=part.end)) as answer:
            if answer.is_page:
                raise WebFault("received a web page (HTML) instead of a segment: does the server require a login?",
                               "status", status=403)  # fmt: skip
            first = True
            while piece := answer.read(PIECE, until=until):
                if whole is None and not (first and is_container(bytes(piece[:16]))):
                    first = False
                    yield bytes(piece)
                    continue
                whole = piece
                for more in answer.pieces(WHOLE_MOST, until=until):
                    whole += more
        if whole is not None:
            yield from self._with_init(segment, whole)

    def _with_init(self, segment: MediaSegment, data: bytearray) -> Iterator[bytes]:
        """A complete segment, after its initialization section if that has changed."""
        init = segment.init
        if init is not None and init != self._init:
            with closing(self._web.get(init.url, start=init.start, end=init.end)) as answer:
                head = answer.rest(INIT_MOST)
            self._init = init
            data[:0] = head
        for at in range(0, len(data), PIECE):
            yield bytes(data[at : at + PIECE])

    def _key(self, key: Key) -> bytes:
        if key.method != "AES-128":
            raise KeyFault(f"its segments are encrypted with {key.method}, which klvrelay does not support", "refused")
        if key.url not in self._keys:
            try:
                found, _ = self._web.small(key.url, KEY_MOST)
            except WebFault as fault:
                raise KeyFault(f"the key of its segments: {fault}", fault.kind, status=fault.status,
                               wait=fault.wait) from None  # fmt: skip
            if len(found) != 16:
                raise KeyFault(f"the key of its segments has {len(found)} bytes instead of 16", "refused")
            if len(self._keys) >= KEYS:
                self._keys.pop(next(iter(self._keys)))
            self._keys[key.url] = bytes(found)
        return self._keys[key.url]


def _iv(key: Key, number: int) -> bytes:
    """The IV of a segment; if the playlist gives none, its media sequence number (RFC 8216, 5.2)."""
    return key.iv if key.iv is not None else number.to_bytes(16)
