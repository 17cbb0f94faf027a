"""Demultiplex the MPEG-TS of any byte source with libav instead of the C core (`--demux libav`).

The bytes come from our sockets and files; libav reads them on a thread, from a file-like object.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING, NamedTuple

from klvrelay.config.url import Url
from klvrelay.core import Lane
from klvrelay.errors import NotMedia, OutOfMemory, SourceDown, SourceError
from klvrelay.link_stats import LinkStats
from klvrelay.record import Packet, Units
from klvrelay.sources.libav.demuxer import AS_SENT, UNDECODED, lenient_metadata
from klvrelay.sources.libav.source import KlvSniffer, pts_of
from klvrelay.sources.thread_queue import ThreadQueue, wake
from klvrelay.threads import Pulse

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet as AvPacket
    from av.stream import Stream

    from klvrelay.sources.contract import Source

WAITING_MOST = 4 << 20
"""Maximum bytes that wait for libav: 6 s of a stream of 5 Mbit/s."""
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
COMPUTING = 10.0
"""Seconds within which libav must ask for more bytes, or return a packet."""
REMEMBERED = 4096
"""Number of pieces whose arrival time is kept: more than libav queues while it opens a stream."""


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


class Span(NamedTuple):
    """The offset of a piece in the bytes read by libav, its arrival time, and whether bytes are missing before it."""

    start: int
    received_us: int | None
    behind_gap: bool


class LibavInput:
    """The file that libav reads: filled from the event loop, emptied by the thread.

    Each read returns bytes of one piece only. So libav has never read more than it needed for its output, and it is
    known for each packet whether bytes are missing.

    tables   the same bytes parsed by the C core: libav does not report the program of a stream
    pulse    of the thread: it rests while libav waits for bytes
    """

    def __init__(self, *, newest_wins: bool, most: int = WAITING_MOST, pulse: Pulse | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        self._newest_wins, self._most = newest_wins, most
        self._pulse = Pulse() if pulse is None else pulse
        self._changed = threading.Condition()
        self._pieces: deque[Packet] = deque()
        self._size = 0
        self._gap = False
        self._left = memoryview(b"")
        self._taken = 0
        self._spans: deque[Span] = deque(maxlen=REMEMBERED)
        self._space: asyncio.Future[None] | None = None
        self._ended = False
        self.dropped = 0
        self.tables = Lane(ts=True)

    async def put(self, piece: Packet) -> bool:
        """Add a piece: drop the oldest if the newest wins, else wait; false once reading has stopped."""
        while (space := self._put(piece)) is not None:
            await space
        return not self._ended

    def _put(self, piece: Packet) -> asyncio.Future[None] | None:
        """None, or a future to wait for."""
        with self._changed:
            while self._newest_wins and self._size > self._most and self._pieces:
                self._drop_oldest()
            if self._size > self._most and not self._ended:
                self._space = self._loop.create_future()
                return self._space
            self._pieces.append(piece)
            self._size += len(piece.data)
            self._changed.notify()
            return None

    def _drop_oldest(self) -> None:
        lost = self._pieces.popleft()
        self._size -= len(lost.data)
        self.dropped += 1
        if self._pieces:
            self._pieces[0] = self._pieces[0]._replace(damaged=True)
        else:
            self._gap = True

    def end(self, *, now: bool = False) -> None:
        """No more data will be added; `now`: discard waiting data as well."""
        with self._changed:
            self._ended = True
            if now:
                self._pieces.clear()
                self._left = memoryview(b"")
            self._changed.notify()
            self._wake()

    def _wake(self) -> None:
        space, self._space = self._space, None
        if space is not None:
            with suppress(RuntimeError):  # the loop is closed: no task waits any more
                self._loop.call_soon_threadsafe(wake, space)

    def read(self, size: int) -> bytes:
        """At most `size` bytes, as soon as there are any; empty at the end. On libav's thread."""
        self._pulse.rest()
        try:
            return self._read(size)
        finally:
            self._pulse.expect(COMPUTING)

    def _read(self, size: int) -> bytes:
        with self._changed:
            while not self._left:
                self._changed.wait_for(lambda: self._pieces or self._ended)
                if not self._pieces:
                    return b""
                self._begin(self._pieces.popleft())
            data = bytes(self._left[:size])
            self._left = self._left[size:]
            self._taken += len(data)
            return data

    def _begin(self, piece: Packet) -> None:
        self._size -= len(piece.data)
        self._gap = self._gap or piece.damaged
        if piece.data:
            self._spans.append(Span(self._taken, piece.received_us, self._gap))
            self._gap = False
            self._left = memoryview(piece.data).cast("B")
            self.tables.packets(piece.data)
        self._wake()

    def origin(self, place: int) -> tuple[int | None, bool]:
        """When the byte at `place` arrived, and whether bytes are missing between it and the last one read."""
        gap, received_us = False, None
        for span in reversed(self._spans):
            received_us = span.received_us
            if span.start <= place:
                break
            gap = gap or span.behind_gap
        return received_us, gap


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
