"""Split large pieces of a file: decoding 4 MiB of small KLV packets at once blocks the event loop for half a second."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator

from klvrelay.record import Carriage, Packet

PART: dict[Carriage, int] = {"klv": 32 << 10, "ts": 1 << 20}
"""Bytes decoded at once, about 5 ms of work: bare KLV has up to thirty times as many packets as MPEG-TS with video."""

SMALL = min(PART.values())
"""Packets up to this size are never split, which keeps the check cheap for live sources."""


def parts(packet: Packet) -> Iterator[Packet]:
    """A packet of bytes, as one or several; a KLV unit (it has a PID) is not split."""
    data, size = packet.data, PART[packet.carriage]
    if len(data) <= size or packet.pid is not None:
        yield packet
        return
    view = memoryview(data)
    yield packet._replace(data=view[:size])
    rest = packet._replace(damaged=False, pts=None)
    for at in range(size, len(view), size):
        yield rest._replace(data=view[at : at + size])


async def in_turns(packet: Packet) -> AsyncGenerator[Packet, None]:
    """The same, with a turn of the event loop between two parts."""
    first = True
    for part in parts(packet):
        if not first:
            await asyncio.sleep(0)
        first = False
        yield part
