"""What a stream is, by its first bytes: its name and its labels can't be trusted."""

from __future__ import annotations

from collections.abc import AsyncIterator

from klvrelay import contents
from klvrelay.errors import NotMedia
from klvrelay.klv import KEY, carriage_of
from klvrelay.names import Url
from klvrelay.record import Carriage

LEAST = 3 * 204
"""Bytes that it takes to know MPEG-TS by."""
MOST = 256 << 10
"""Bytes after which a stream that is neither MPEG-TS nor KLV is given up."""

MP4_BOXES = (b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide")
_CONTAINERS = (
    b"\x1a\x45\xdf\xa3",  # Matroska
    b"\x06\x0e\x2b\x34\x02\x05\x01\x01\x0d\x01\x02",  # MXF: KLV too, but of another kind
    b"RIFF",
    b"FLV",
)


async def sniffed(url: Url, pieces: AsyncIterator[bytes]) -> tuple[Carriage | None, bytes]:
    """What the stream is, None for neither, and the bytes taken so far; raises NotMedia for an empty one."""
    head = b""
    async for piece in pieces:
        head = head + piece if head else piece
        if (len(head) >= LEAST or head.startswith(KEY)) and (carriage := carriage_by(head)) is not None:
            return carriage, head
        if len(head) >= MOST:
            return None, head
    if not head:
        raise NotMedia(f"{url} is empty")
    return carriage_by(head), head


def carriage_by(head: bytes) -> Carriage | None:
    """As `klv.carriage_of`, but a container is one even where a KLV key is near its beginning, and so is a capture."""
    return None if is_container(head) or contents.is_capture(head) else carriage_of(head[:MOST])


def is_container(head: bytes) -> bool:
    """Does a file that begins so hold mp4, mkv, MXF or the like?"""
    return head[4:8] in MP4_BOXES or head.startswith(_CONTAINERS)
