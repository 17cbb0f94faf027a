"""tcp:// sources: MPEG-TS or KLV over a connection that klvrelay makes, or (`?listen=1`) waits for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from klvrelay.config.url import Url
from klvrelay.errors import NotMedia, SourceDown
from klvrelay.link_stats import LinkStats
from klvrelay.record import Packet
from klvrelay.recordings.sniff import sniff
from klvrelay.sources.parts import SMALL, in_turns
from klvrelay.sources.progress import progress
from klvrelay.transports.arrival_clock import now_us
from klvrelay.transports.tcp import PIECE, TcpSettings, open_connection


class TcpSource:
    """The bytes of one TCP connection, until the far end closes it."""

    live = True
    fixed = False
    dropped = 0

    def __init__(self, url: Url, *, timeout: float) -> None:
        self.url = url
        self.link = LinkStats()
        self._settings = TcpSettings(url, "sender")
        self._timeout = timeout

    async def packets(self) -> AsyncGenerator[Packet, None]:
        """One packet per wake-up; raises SourceDown after `timeout` s of silence."""
        progress().opened = self._settings.listens
        reader, writer = await open_connection(self._settings, self._timeout)
        progress().opened = True
        try:
            async with aclosing(self._pieces(reader)) as found:
                carriage, head = await sniff(self.url, found)
                if carriage is None:
                    raise NotMedia(f"{self.url} sends neither MPEG-TS nor KLV")
                async for part in in_turns(Packet(head, now_us(), carriage)):
                    yield part
                async for piece in found:
                    packet = Packet(piece, now_us(), carriage)
                    if len(piece) <= SMALL:
                        yield packet
                        continue
                    async for part in in_turns(packet):
                        yield part
        except OSError as fault:
            broken = isinstance(fault, ConnectionResetError)
            reason = "the far end closed the connection" if broken else f"no connection: {fault.strerror or fault}"
            raise SourceDown(f"{self.url}: {reason}") from fault
        finally:
            # Nothing is ever written, so there is nothing to flush.
            writer.transport.abort()

    async def _pieces(self, reader: asyncio.StreamReader) -> AsyncGenerator[bytes, None]:
        while True:
            try:
                async with asyncio.timeout(self._timeout):
                    piece = await reader.read(PIECE)
            except TimeoutError:
                raise SourceDown(f"{self.url}: sent nothing for {self._timeout:g} s") from None
            if not piece:
                return
            self.link.size += len(piece)
            yield piece
