"""Read a source to its end or to a number of records; wait for its reader to end."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Any

from klvrelay.decoder import Decoder
from klvrelay.errors import SourceDown
from klvrelay.record import Packet, Record, Units
from klvrelay.sources.contract import Source
from klvrelay.sources.open import open_source


async def read(source: Source, got: list[Any] | None = None, within: float = 5) -> list[Any]:
    """All packets of a source; `got` keeps them if it raises."""
    got = [] if got is None else got
    async with asyncio.timeout(within), aclosing(source.packets()) as packets:
        async for packet in packets:
            got.append(packet)
    return got


async def records_of(
    source: Source, *, within: float = 10, enough: int | None = None, into: list[Record] | None = None
) -> list[Record]:
    """All records of a source, or those of its packets up to `enough`; `into` keeps them if it raises."""
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
    """The text of the error that ends a source, or "" at a clean end."""
    try:
        async for _ in packets:
            pass
    except SourceDown as fault:
        return str(fault)
    return ""


async def reader_ended(within: float) -> None:
    """Return once libav's thread has ended; fails after `within` seconds."""
    async with asyncio.timeout(within):
        while any(thread.name.startswith("klvrelay-") for thread in threading.enumerate()):
            await asyncio.sleep(0.01)


async def leaves_no_thread(url: str, freeze: Callable[[], None]) -> None:
    """Closing returns at once; libav's thread ends within 2 x timeout + 1 s even where the server hangs."""
    packets = open_source(url, timeout=0.4).packets()
    await anext(packets)
    freeze()
    began = time.monotonic()
    await packets.aclose()
    assert time.monotonic() - began < 0.1
    await reader_ended(within=1.8)
