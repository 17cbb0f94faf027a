"""The files of segments: found, created, opened, read, removed.

New files are filled with zeros: appending to a file that grows writes more than three times as much to the device.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count

from klvrelay.spool.disk.files import File, Folder
from klvrelay.spool.disk.format import HEADER_SIZE, Codec, Header, read_header

NAME = re.compile(r"segment-(\d{1,9})")
LARGEST = 1 << 26
"""Bytes of a file above which it is no segment: that of the largest record is far smaller."""
_PIECE = 1 << 18
SHORTAGES = {errno.EMFILE, errno.ENFILE, errno.ENOMEM}
"""A segment that cannot be opened now for one of these reasons can be opened later."""


@dataclass(slots=True)
class Segment:
    """A segment.

    first       position of its first entry; -1 if it is unused
    created_us  wall-clock time at which it was begun, microseconds since 1970
    file        its open file, if it is the newest segment
    """

    name: str
    first: int
    created_us: int
    size: int
    file: File | None = None

    def close(self) -> None:
        if self.file is not None:
            self.file.close()
            self.file = None


class SegmentFiles:
    """The files of segments in the folder of a spool. All methods raise OSError."""

    def __init__(self, folder: Folder, codec: Codec) -> None:
        self._folder, self._codec = folder, codec

    def names(self) -> list[str]:
        return sorted(filter(NAME.fullmatch, self._folder.names()))

    def find(self, name: str) -> Segment:
        """The segment in an existing file."""
        with self._opened(name) as file:
            if file.size() > LARGEST:
                raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
            return Segment(name, *self._identify(file), file.size())

    def _identify(self, file: File) -> tuple[int, int]:
        """The first position and the time of creation of a segment, first -1 if it holds no entries."""
        header = read_header(file.read(HEADER_SIZE, 0))
        if header is not None and header.spool == self._codec.spool:
            return header.first, header.created_us
        entry = next(self._codec.scan(file.read(file.size(), 0), HEADER_SIZE, 0), None)
        return (-1, 0) if entry is None else (entry.position, 0)

    @contextmanager
    def _opened(self, name: str) -> Iterator[File]:
        file = self._folder.open(name)
        try:
            yield file
        finally:
            file.close()

    def create(self, size: int) -> Segment:
        """A new unused segment."""
        taken = set(self._folder.names())
        name = next(name for number in count() if (name := f"segment-{number:03}") not in taken)
        file = self._folder.open(name, create=True)
        try:
            file.reserve(size)  # on a full disk, each attempt would write all zeros that fit
            for at in range(0, size, _PIECE):
                file.write(bytes(min(_PIECE, size - at)), at)
            file.sync()
            self._folder.sync()
        except OSError:
            self._folder.remove(name)
            raise
        finally:
            file.close()
        return Segment(name, -1, 0, size)

    def begin(self, segment: Segment, first: int, now_us: int) -> None:
        """Use an unused segment for entries from position `first` on. It stays open."""
        segment.first, segment.created_us = first, now_us
        file = self._folder.open(segment.name)
        try:
            file.write(Header(self._codec.spool, segment.first, segment.created_us).pack(), 0)
            file.sync()
        except OSError:
            file.close()
            raise
        segment.file = file

    def reopen(self, segment: Segment) -> File:
        """Open a segment in use, to append to it."""
        segment.file = self._folder.open(segment.name)
        return segment.file

    def touch(self, segment: Segment) -> None:
        """Write to an unused segment: an OSError says that the disk fails."""
        with self._opened(segment.name) as file:
            file.write(b"\0", segment.size - 1)
            file.sync()

    def read(self, segment: Segment) -> bytes:
        """All bytes. An OSError has the name of the segment as its `filename`."""
        try:
            with self._opened(segment.name) as file:
                return file.read(segment.size, 0)
        except OSError as fault:
            fault.filename = segment.name
            raise

    def remove(self, segment: Segment) -> None:
        self._folder.remove(segment.name)
