"""Large pieces of a file in parts: to decode 4 MiB of small KLV packets at once takes half a second, in which the event
loop serves nobody else.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator

from klvrelay.record import Carriage, Packet

PART: dict[Carriage, int] = {"klv": 32 << 10, "ts": 1 << 20}
"""Bytes that are decoded at once, about 5 ms of work: bare KLV holds up to thirty times as many packets a byte as
MPEG-TS with video."""

SMALL = min(PART.values())
"""Bytes up to which a packet is never cut: live sources, whose pieces are small, ask no further."""


def parts(packet: Packet) -> Iterator[Packet]:
    """A packet of bytes in any cut, as one or as several; a KLV unit (it has a PID) stays whole."""
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
    """The same, with a turn of the loop for others between two parts."""
    first = True
    for part in parts(packet):
        if not first:
            await asyncio.sleep(0)
        first = False
        yield part
