"""A source read to its end, or so far; and whether what read it is gone."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator
from contextlib import aclosing

from klvrelay.errors import SourceDown
from klvrelay.klv import Decoder
from klvrelay.record import Packet, Record, Units
from klvrelay.sources import Source


async def records_of(
    source: Source, *, within: float = 10, enough: int | None = None, into: list[Record] | None = None
) -> list[Record]:
    """All records of a source, or those of its packets up to the first `enough`; `into` keeps them if it raises."""
    decoder = Decoder("test", None)
    records = [] if into is None else into
    async with asyncio.timeout(within), aclosing(source.packets()) as packets:
        async for packet in packets:
            records += decoder.feed(packet)
            if enough and len(records) >= enough:
                return records
    records += decoder.flush()
    return records


async def fault_of(packets: AsyncGenerator[Packet | Units, None]) -> str:
    """What ends a source that is being read: the error's text, or nothing at a clean end."""
    try:
        async for _ in packets:
            pass
    except SourceDown as fault:
        return str(fault)
    return ""


async def reader_gone(within: float) -> None:
    """Return once libav's thread has ended; fails after `within` seconds."""
    async with asyncio.timeout(within):
        while any(thread.name == "klvrelay-libav" for thread in threading.enumerate()):
            await asyncio.sleep(0.01)
