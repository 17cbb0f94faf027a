"""Detect the content of a stream from its first bytes; names and labels are not reliable."""

from __future__ import annotations

from collections.abc import AsyncIterator

from klvrelay.config.url import Url
from klvrelay.core.carriage import HOLE, KEY, SNIFFED, blank_before, blank_behind, carriage_of
from klvrelay.errors import NotMedia
from klvrelay.record import Carriage
from klvrelay.recordings import contents

LEAST = 3 * 204
"""Bytes needed to recognise MPEG-TS."""
MOST = SNIFFED
"""Bytes, without leading zeros, after which a stream that is neither MPEG-TS nor KLV is rejected."""
FEW = 64
"""Leading zeros that are kept: they may be part of a container's first field."""

MP4_BOXES = (b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide")
_CONTAINERS = (
    b"\x1a\x45\xdf\xa3",  # Matroska
    b"\x06\x0e\x2b\x34\x02\x05\x01\x01\x0d\x01\x02",  # MXF: also KLV, but a container
    b"RIFF",
    b"FLV",
)


class Sniffer:
    """Detects the content of a stream from its first bytes, in pieces of any size.

    carriage     the result, once known
    head         the bytes so far, without leading zeros and FF bytes, which prove nothing
    first        the first of these bytes, kept to name unknown content when others are discarded
    is_rejected  it is a container, or MOST bytes were neither MPEG-TS nor KLV
    is_blank     all bytes so far were zeros
    """

    def __init__(self) -> None:
        self.carriage: Carriage | None = None
        self.head = b""
        self.first = b""
        self.is_rejected = False
        self._trimmed = False
        self._junk = 0

    @property
    def is_blank(self) -> bool:
        return (self._trimmed or bool(self.head)) and not self._junk and blank_before(self.head) == len(self.head)

    def add(self, piece: bytes) -> bool:
        """Add a piece; returns whether the content is known, or rejected."""
        head = self.head + piece if self.head else piece
        begin = blank_before(head)
        if begin > FEW or self._trimmed:
            self._trimmed, head, begin = True, head[begin:], 0
        self.head = head
        if not self._junk and len(self.first) < contents.LOOKED_AT:
            self.first = head[: contents.LOOKED_AT]
        if len(head) >= LEAST or head.startswith(KEY, begin):
            self.carriage = carriage_by(head)
        if self.carriage is None:
            self._judge(head)
        return self.is_rejected or self.carriage is not None

    def _judge(self, head: bytes) -> None:
        behind = blank_behind(head)
        if HOLE <= behind < len(head) and not is_container(head):
            self._junk += len(head) - behind + HOLE
            self._trimmed, self.head = True, b""
        self.is_rejected = is_container(head) or self._junk + len(self.head) >= MOST

    def end(self) -> Carriage | None:
        """The stream has ended: the result."""
        if self.carriage is None:
            self.carriage = carriage_by(self.head)
        return self.carriage


async def sniff(url: Url, pieces: AsyncIterator[bytes]) -> tuple[Carriage | None, bytes]:
    """The content of a stream, and the bytes read so far without leading zeros; None for neither, and its first bytes.

    Raises NotMedia if the stream is empty or holds only zeros.
    """
    sniffer = Sniffer()
    async for piece in pieces:
        if sniffer.add(piece):
            return _result(sniffer.carriage, sniffer)
    if sniffer.is_blank:
        raise NotMedia(
            f"{url} contains only zeros (or FF bytes): it has not been written yet, or was erased"
        )
    if not sniffer.first:
        raise NotMedia(f"{url} is empty")
    return _result(sniffer.end(), sniffer)


def _result(carriage: Carriage | None, sniffer: Sniffer) -> tuple[Carriage | None, bytes]:
    return carriage, sniffer.first if carriage is None else sniffer.head


def carriage_by(head: bytes) -> Carriage | None:
    """Like `carriage_of`, but containers and captures are recognised even with a KLV key near the beginning."""
    return None if is_container(head) or contents.is_capture(head) else carriage_of(head)


def is_container(head: bytes) -> bool:
    """Is it an mp4, mkv, MXF or similar file?"""
    return head[4:8] in MP4_BOXES or head.startswith(_CONTAINERS)
