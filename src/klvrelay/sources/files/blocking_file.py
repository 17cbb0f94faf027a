"""Read a regular file of MPEG-TS or KLV without an event loop, threads or copies."""

from __future__ import annotations

import mmap
import os
from collections.abc import Generator
from contextlib import suppress
from io import FileIO

from klvrelay.config.url import Url
from klvrelay.core.carriage import blank_before
from klvrelay.record import Carriage, Packet
from klvrelay.recordings.sniff import FEW, carriage_by

PIECE = 4 << 20
"""Bytes per read, two huge pages; a quarter of that takes 4 % more processor time per GB."""
HEAD = 512 << 10
"""Bytes inspected to detect the content."""


class BlockingFile:
    """A file that is read from its beginning to its end; the first piece is already read. The caller closes it.

    size   bytes read so far
    """

    def __init__(self, url: Url, file: FileIO, buffer: mmap.mmap, size: int, carriage: Carriage) -> None:
        self._url, self._file, self._buffer, self._carriage = url, file, buffer, carriage
        self.size = size

    def packets(self) -> Generator[Packet, None, None]:
        """Packets in one shared buffer: each is valid until the next one is requested. Raises SourceDown."""
        view, size = memoryview(self._buffer), self.size
        begin = blank_before(view[: min(size, HEAD)])
        yield Packet(view[begin if begin > FEW else 0 : size], None, self._carriage)
        while size := self._read():
            self.size += size
            yield Packet(view[:size], None, self._carriage)

    def close(self) -> None:
        self._file.close()

    def _read(self) -> int:
        try:
            return self._file.readinto(self._buffer) or 0
        except OSError as fault:
            from klvrelay.sources.files.faults import explain

            raise explain(self._url, fault) from fault


def open_blocking(url: Url, piece: int = PIECE) -> BlockingFile | None:
    """Open the file for reading in pieces of `piece` bytes (HEAD at least).

    Returns None for anything else: a pipe, a folder, a container, an unreadable file.
    """
    if url.scheme != "file" or not os.path.isfile(url.path):
        return None
    buffer = _memory(piece)
    try:
        file = FileIO(url.path)
    except OSError:
        return None
    if hasattr(os, "posix_fadvise"):  # more read-ahead by the kernel, because no thread reads ahead
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_SEQUENTIAL)
    try:
        size = file.readinto(buffer) or 0
    except OSError:
        size = 0
    carriage = carriage_by(buffer[: min(size, HEAD)])
    if carriage is None:
        file.close()
        return None
    return BlockingFile(url, file, buffer, size, carriage)


def _memory(size: int) -> mmap.mmap:
    """Page-aligned memory: copying to other addresses, such as those of a bytearray, takes the kernel twice as long.
    Huge pages, if available, avoid a page fault for every 4 KiB, and most TLB misses.
    """
    if not hasattr(mmap, "MADV_HUGEPAGE"):
        return mmap.mmap(-1, size)
    buffer = mmap.mmap(-1, size, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    with suppress(OSError):  # a kernel without huge pages
        buffer.madvise(mmap.MADV_HUGEPAGE)
    return buffer
