"""Read a file, a folder of segments or standard input as fast as the reader takes the data."""

from __future__ import annotations

import asyncio
import fcntl
import logging
import os
import stat
from collections.abc import AsyncGenerator, Generator
from contextlib import aclosing, closing, suppress
from functools import partial
from typing import TypeVar

from klvrelay import threads
from klvrelay.config.url import Url
from klvrelay.errors import NotMedia
from klvrelay.link_stats import LinkStats
from klvrelay.record import Carriage, Packet
from klvrelay.recordings import contents
from klvrelay.recordings.segment_names import recordings_in
from klvrelay.recordings.sniff import sniff
from klvrelay.sources.files.blocking_file import BlockingFile, open_blocking
from klvrelay.sources.files.faults import explain
from klvrelay.sources.libav.source import LibavSource
from klvrelay.sources.parts import in_turns
from klvrelay.sources.progress import DISK, progress
from klvrelay.sources.thread_queue import wake
from klvrelay.threads import Worker
from klvrelay.transports.arrival_clock import now_us

LOG = logging.getLogger("klvrelay.sources")

T = TypeVar("T")

PIECE = 4 << 20
"""Bytes per disk read; at 1 MiB, switching to the thread and back costs as much as the read."""
PIPE_PIECE = 1 << 20
HINT_SECONDS = 1.0
"""Seconds without data from a pipe before this is logged, once."""


class FileSource:
    """A file, or standard input: MPEG-TS and bare KLV unchanged, other containers through libav.

    The segments of a folder are read one after the other.
    """

    live = False
    fixed = False
    dropped = 0

    def __init__(self, url: Url, *, live_stamps: bool = False) -> None:
        self.url = url
        self.link = LinkStats()
        self._live_stamps = live_stamps

    async def packets(self) -> AsyncGenerator[Packet, None]:
        """Packets of at most 1 MiB, until the end of the file."""
        async with aclosing(self._counted_pieces()) as found:
            carriage, head = await sniff(self.url, found)
            if carriage is not None:
                async for part in in_turns(self._packet(head, carriage)):
                    yield part
                async for piece in found:
                    async for part in in_turns(self._packet(piece, carriage)):
                        yield part
                return
        source = container(self.url, head)
        self.link = source.link
        async with aclosing(source.packets()) as packets:
            async for packet in packets:
                yield packet

    def packets_blocking(self, piece: int) -> Generator[Packet, None, None] | None:
        """The same without an event loop: for a regular file of MPEG-TS or KLV, else None.

        A packet is valid until the next one is requested.
        """
        found = open_blocking(self.url, piece)
        return None if found is None else self._counting(found)

    def _counting(self, found: BlockingFile) -> Generator[Packet, None, None]:
        before = self.link.size
        with closing(found):
            for packet in found.packets():
                self.link.size = before + found.size
                yield packet

    async def _counted_pieces(self) -> AsyncGenerator[bytes, None]:
        async with aclosing(pieces(self.url)) as found:
            async for piece in found:
                self.link.size += len(piece)
                yield piece

    def _packet(self, data: bytes, carriage: Carriage) -> Packet:
        return Packet(data, now_us() if self._live_stamps else None, carriage)


def container(url: Url, head: bytes) -> LibavSource:
    """The source for a file that is neither MPEG-TS nor KLV; raises NotMedia if libav cannot read it."""
    if (refused := contents.refusal(str(url), head)) is not None:
        raise NotMedia(refused)
    if url.scheme == "stdin" or not os.path.isfile(url.path):
        raise NotMedia(
            f"{url} contains neither MPEG-TS nor KLV; for other containers (mp4, mkv, ...) give the file itself,"
            " because they cannot be read from a pipe"
        )
    return LibavSource(url, timeout=5.0)


async def pieces(url: Url) -> AsyncGenerator[bytes, None]:
    """The bytes of a file, a folder's files, a named pipe or standard input, without blocking the event loop."""
    pulse = progress().pulse()
    with pulse.within(DISK):
        places = await threads.run(partial(_files, url), "klvrelay-file")
    for place in places:
        async with aclosing(_pieces(place)) as found:
            async for piece in found:
                yield piece


def _files(url: Url) -> list[Url]:
    """The files of a folder; for anything else, the URL itself."""
    if url.scheme != "file" or not os.path.isdir(url.path):
        return [url]
    return [Url("file", path=path) for path in recordings_in(url)]


async def _pieces(url: Url) -> AsyncGenerator[bytes, None]:
    disk = _Disk(url)
    try:
        polled = await disk.returned(disk.run(disk.open))
        progress().opened = True
        async with aclosing(_from_pipe(url, disk.fd) if polled else _from_disk(disk)) as found:
            async for piece in found:
                yield piece
    except OSError as fault:
        raise explain(url, fault) from fault
    finally:
        disk.close()


class _Disk:
    """A file that is opened, read and closed on one dedicated thread, in this order.

    A read that hangs on a slow disk blocks nothing else, and no descriptor is closed during a read.
    """

    def __init__(self, url: Url) -> None:
        self._url = url
        self._thread = Worker("klvrelay-file")
        self._pulse = progress().pulse()
        self.run = self._thread.run
        self.fd = -1

    async def returned(self, call: asyncio.Future[T]) -> T:
        """The result of a call, which the file system must return in time."""
        with self._pulse.within(DISK):
            return await call

    def open(self) -> bool:
        """Open the file; true if its data must be awaited on the event loop (a pipe, a terminal)."""
        stdin = self._url.scheme == "stdin"
        # Without O_NONBLOCK, opening a named pipe blocks until it has a writer.
        self.fd = 0 if stdin else os.open(self._url.path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        mode = os.fstat(self.fd).st_mode
        if stat.S_ISDIR(mode):
            raise IsADirectoryError
        if stdin and os.isatty(self.fd):
            raise NotMedia(
                "standard input is a terminal: pipe a stream into it, for example `cat flight.ts | klvrelay decode -`"
            )
        return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or os.isatty(self.fd)

    def read(self) -> bytes:
        return os.read(self.fd, PIECE)

    def close(self) -> None:
        self._thread.close(self._close)

    def _close(self) -> None:
        if self.fd > 0:
            os.close(self.fd)


async def _from_disk(disk: _Disk) -> AsyncGenerator[bytes, None]:
    """Pieces of a file; the next one is read while the last is processed."""
    ahead = disk.run(disk.read)
    try:
        while piece := await disk.returned(ahead):
            ahead = disk.run(disk.read)
            yield piece
    finally:
        ahead.cancel()


async def _from_pipe(url: Url, fd: int) -> AsyncGenerator[bytes, None]:
    with suppress(OSError):  # not a pipe, or more than the user's limit
        fcntl.fcntl(fd, fcntl.F_SETPIPE_SZ, PIPE_PIECE)
    hint = asyncio.get_running_loop().call_later(HINT_SECONDS, LOG.info, "%s: no data yet, waiting for it", url)
    while True:
        try:
            await _readable(fd)
        finally:
            hint.cancel()
        try:
            piece = os.read(fd, PIPE_PIECE)
        except BlockingIOError:
            continue
        if not piece:
            return
        yield piece


async def _readable(fd: int) -> None:
    loop = asyncio.get_running_loop()
    ready = loop.create_future()
    loop.add_reader(fd, wake, ready)
    try:
        await ready
    finally:
        loop.remove_reader(fd)
