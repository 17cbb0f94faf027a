"""A source read by somebody who has nothing else to do; `files/file.py` has the short way through a file."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, closing
from typing import TYPE_CHECKING

from klvrelay.record import Packet
from klvrelay.sources.files.at_once import PIECE
from klvrelay.sources.files.file import FileSource

if TYPE_CHECKING:
    from klvrelay.sources.contract import Source


async def packets_straight(source: Source, *, breath: int, piece: int = PIECE) -> AsyncGenerator[Packet, None]:
    """A source's packets; a file's without the detours that keep a relay's loop free.

    Every `breath` packets the loop gets a turn: a signal may want to stop it. A file's packets have `piece` bytes, and
    each is good until the next one is asked for.
    """
    at_once = source.at_once(piece) if isinstance(source, FileSource) else None
    if at_once is None:
        async with aclosing(source.packets()) as packets:
            async for packet in packets:
                if isinstance(packet, Packet):
                    yield packet
        return
    with closing(at_once):
        for number, packet in enumerate(at_once):
            yield packet
            if number % breath == 0:
                await asyncio.sleep(0)
