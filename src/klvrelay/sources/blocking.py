"""Read a source when nothing else runs on the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, closing
from typing import TYPE_CHECKING

from klvrelay.record import Packet
from klvrelay.sources.files.blocking_file import PIECE
from klvrelay.sources.files.file import FileSource

if TYPE_CHECKING:
    from klvrelay.sources.contract import Source


async def packets_blocking(source: Source, *, turn_every: int, piece: int = PIECE) -> AsyncGenerator[Packet, None]:
    """The packets of a source; a file is read without the overhead that keeps a relay's event loop responsive.

    Every `turn_every` packets the event loop gets a turn, so that a signal can stop it. Packets of a file have `piece`
    bytes, and each is valid until the next one is requested.
    """
    file_packets = source.packets_blocking(piece) if isinstance(source, FileSource) else None
    if file_packets is None:
        async with aclosing(source.packets()) as packets:
            async for packet in packets:
                if isinstance(packet, Packet):
                    yield packet
        return
    with closing(file_packets):
        for number, packet in enumerate(file_packets):
            yield packet
            if number % turn_every == 0:
                await asyncio.sleep(0)
