"""Demultiplex the MPEG-TS of any byte source with libav instead of the C core (`--demux libav`).

The bytes come from our sockets and files; libav reads them on a thread, from a file-like object.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TYPE_CHECKING

from klvrelay.config.url import Url
from klvrelay.errors import NotMedia, OutOfMemory, SourceDown, SourceError
from klvrelay.link_stats import LinkStats
from klvrelay.record import Packet, Units
from klvrelay.sources.libav.demuxer import AS_SENT, UNDECODED, lenient_metadata
from klvrelay.sources.libav.source import KlvSniffer, pts_of
from klvrelay.sources.libav.ts_input import LibavInput
from klvrelay.sources.thread_queue import ThreadQueue

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet as AvPacket
    from av.stream import Stream

    from klvrelay.sources.contract import Source

OPTIONS = {
    "protocol_whitelist": "none",
    "format_whitelist": "mpegts",
    # Only the tables are needed: libav then reads to the first PMT, and not much further.
    "probesize": "32",
    "analyzeduration": "1",
    **AS_SENT,
    **UNDECODED,
}
CAN_WAIT = ("tcp", "http", "https")
"""Live sources that lose nothing where libav is slow: the socket fills, and the far end is held back."""


class LibavTsSource:
    """The KLV packets that libav finds in another source's transport stream; one thread while it is read.

    Data that is not MPEG-TS passes through unchanged. A KLV stream that is not in the PMT when libav opens, or that
    moves to another PID later, is never delivered: therefore the source is `fixed`.
    """

    fixed = True

    def __init__(self, inner: Source) -> None:
        self.url: Url = inner.url
        self._inner = inner
        self._dropped = 0

    @property
    def live(self) -> bool:
        return self._inner.live

    @property
    def dropped(self) -> int:
        """Drops of the byte source, pieces that libav was too slow for, and packets that the reader was."""
        return self._inner.dropped + self._dropped

    @property
    def link(self) -> LinkStats:
        return self._inner.link

    async def packets(self) -> AsyncGenerator[Packet | Units, None]:
        """Packets of carriage "klv", with PID and PTS, stamped with the arrival time of their first byte."""
        async with aclosing(self._inner.packets()) as pieces:
            async for piece in pieces:
                if isinstance(piece, Units) or piece.carriage == "klv" or not piece.data:
                    yield piece
                    continue
                async with aclosing(self._demultiplex(piece, pieces)) as packets:
                    async for packet in packets:
                        yield packet

    async def _demultiplex(
        self, first: Packet, pieces: AsyncGenerator[Packet | Units, None]
    ) -> AsyncGenerator[Packet, None]:
        """One run of libav: until the bytes end, or the stream restarts."""
        newest_wins = self.live and self.url.scheme not in CAN_WAIT
        queue = ThreadQueue()
        libav_input = LibavInput(newest_wins=newest_wins, pulse=queue.pulse)
        reader = _Reader(self.url, queue, libav_input, live=self.live, newest_wins=newest_wins)
        threading.Thread(target=reader.run, name="klvrelay-libav", daemon=True).start()
        filling = asyncio.create_task(_fill(libav_input, queue, first, pieces), name=f"fill {self.url}")
        before = self._dropped
        try:
            while batch := await queue.batch():
                self._dropped = before + queue.dropped + libav_input.dropped
                for packet in batch:
                    yield packet
            if (mark := await filling) is not None:
                yield mark
        except SourceError:
            if filling.done():
                filling.result()  # the cause that ended the bytes says more than libav's error
            raise
        finally:
            libav_input.end(now=True)
            queue.stop()
            filling.cancel()
            await asyncio.gather(filling, return_exceptions=True)


async def _fill(
    libav_input: LibavInput, queue: ThreadQueue, first: Packet, pieces: AsyncGenerator[Packet | Units, None]
) -> Packet | None:
    """Pass the bytes on until they end (None), or until a packet marks a restart, which is returned."""
    try:
        await libav_input.put(first)
        async for piece in pieces:
            if isinstance(piece, Units):
                continue  # a byte source yields none
            if piece.carriage == "klv":  # a stray first datagram was taken for TS
                queue.put(piece, newest_wins=True)
            elif not piece.data and not piece.damaged:
                return piece
            elif not await libav_input.put(piece):
                return None
        return None
    finally:
        libav_input.end()


class _Reader:
    """One run of libav, from opening to end, all on its thread."""

    def __init__(self, url: Url, queue: ThreadQueue, libav_input: LibavInput, *, live: bool, newest_wins: bool) -> None:
        self._url, self._live, self._newest_wins = url, live, newest_wins
        self._queue, self._input = queue, libav_input

    def run(self) -> None:
        import av

        fault: SourceError | None = SourceDown(f"{self._url}: its reader stopped unexpectedly")
        try:
            with av.open(self._input, format="mpegts", options=OPTIONS, **lenient_metadata()) as container:
                self._pump(container)
            fault = None
        except SourceError as known:
            fault = known
        except MemoryError:
            fault = OutOfMemory(f"{self._url}: out of memory in libav")
        except (av.FFmpegError, ValueError, OSError) as error:
            fault = SourceDown(f"{self._url}: libav cannot demultiplex its transport stream ({type(error).__name__})")
        finally:
            self._input.end(now=True)
            self._queue.end(fault)

    def _pump(self, container: InputContainer) -> None:
        from av.stream import Discard

        data = [stream for stream in container.streams if stream.type in ("data", "unknown")]
        if self._live and not data:
            raise NotMedia(f"{self._url}: it contains no data stream, and therefore no KLV")
        for stream in container.streams:
            if stream not in data:
                stream.discard = Discard.all
        sniffer = KlvSniffer(data)
        for packet in container.demux(data) if data else ():
            if not packet.size:
                return  # the end; after it, PyAV fails on streams that appeared late
            if not sniffer.is_klv(packet):
                continue
            if not self._queue.put(self._packet(packet, sniffer), newest_wins=self._newest_wins):
                return

    def _packet(self, packet: AvPacket[Stream], sniffer: KlvSniffer) -> Packet:
        received_us, gap = self._input.origin(packet.pos or 0)
        damaged, pid = gap or packet.is_corrupt, packet.stream.id
        program_of = self._input.tables.program_of
        listing = sniffer.listing(pid, program_of)
        return Packet(bytes(packet), received_us, "klv", pts_of(packet), pid, damaged, program_of(pid), listing)
