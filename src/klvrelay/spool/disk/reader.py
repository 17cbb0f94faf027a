"""Reads a spool without changing it, one segment at a time, also while a relay writes to it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

from klvrelay.errors import ConfigError
from klvrelay.spool.disk.cursor_file import OPEN_END, SUFFIX, Ranges, read_cursor
from klvrelay.spool.disk.files import File
from klvrelay.spool.disk.format import HEADER_SIZE, VERSION, Codec, Entry, read_header
from klvrelay.spool.disk.identity import FILE, find_identity
from klvrelay.spool.disk.readonly import PIECE, ReadOnlyFolder
from klvrelay.spool.disk.segment_files import LARGEST, NAME
from klvrelay.spool.disk.segments import BEYOND


class Damage(NamedTuple):
    """Damaged bytes of a file.

    lost   number of records that are lost at most; None if that is unknown
    """

    file: str
    offset: int
    size: int
    what: str
    lost: int | None = None


@dataclass(slots=True)
class SegmentContent:
    """A segment that was read.

    file        its name
    size        its bytes
    created_us  wall-clock time of its creation, microseconds since 1970; None if its header is damaged
    data        its bytes; unreadable ones are zeros
    entries     the valid ones
    unused      it contains no entries of this spool
    """

    file: str
    size: int
    created_us: int | None = None
    data: bytes = b""
    entries: list[Entry] = field(default_factory=list)
    damage: list[Damage] = field(default_factory=list)
    unused: bool = False


class SpoolReader:
    """A spool as it is when it is opened; what is written later is not read.

    Raises ConfigError if the folder is not a spool or has another version, and OSError.
    """

    def __init__(self, folder: ReadOnlyFolder) -> None:
        self._folder = folder
        identity = find_identity(folder)
        if identity is None:
            raise ConfigError(
                f"not a spool: no {FILE}, and no segments; give the folder of `run --spool`, or of [spool] path"
            )
        if identity.version != VERSION:
            raise ConfigError(
                f"spool of version {identity.version}, this klvrelay reads {VERSION}: use the klvrelay that wrote it"
            )
        self.identity, self.in_use = identity, folder.in_use
        self._codec = Codec(identity.id)
        self.damage = [] if identity.relay is not None else [Damage(FILE, 0, 0, "damaged or absent")]
        """Damage outside the segments."""
        self._firsts: dict[str, int] = {}
        names = folder.names()
        self.cursors: dict[str, Ranges] = {
            file.removesuffix(SUFFIX): self._cursor(file) for file in sorted(names) if file.endswith(SUFFIX)
        }
        """The positions that each sink has yet to answer for; all, if its file is damaged."""
        self.segments = self._in_order([name for name in names if NAME.fullmatch(name)])
        """Names and sizes of the segments, oldest first."""

    def _cursor(self, name: str) -> Ranges:
        file = self._folder.open(name)
        try:
            ranges, damaged = read_cursor(file, self.identity.id)
        finally:
            file.close()
        for offset in damaged if ranges is None or not self.in_use else ():  # the relay may be writing one of them
            what = "slot of the cursor is damaged, the other one is valid" if ranges else "cursor is damaged"
            self.damage.append(Damage(name, offset, 512, what))
        return [(0, OPEN_END)] if ranges is None else ranges

    def _in_order(self, names: list[str]) -> list[tuple[str, int]]:
        sizes: dict[str, int] = {}
        for name in sorted(names):
            file = self._open(name)
            if file is None:
                continue
            try:
                if (size := file.size()) > LARGEST:
                    self.damage.append(Damage(name, 0, size, "too large for a segment"))
                    continue
                self._firsts[name], sizes[name] = self._first(file), size
            finally:
                file.close()
        return [(name, sizes[name]) for name in sorted(sizes, key=lambda name: self._firsts[name])]

    def _open(self, name: str) -> File | None:
        """None if the relay has removed it meanwhile."""
        try:
            return self._folder.open(name)
        except FileNotFoundError:
            return None

    def _first(self, file: File) -> int:
        """The position of the first entry; -1 if there is none. An unreadable file comes first, too."""
        try:
            header = read_header(file.read(HEADER_SIZE, 0))
            if header is not None:
                return header.first if header.spool == self.identity.id else -1
            entry = next(self._codec.scan(file.read(file.size(), 0), HEADER_SIZE, 0), None)
        except OSError:
            return -1
        return -1 if entry is None else entry.position

    def read(self, name: str) -> SegmentContent | None:
        """A segment; None if the relay has removed it, or used it for new records meanwhile."""
        file = self._open(name)
        if file is None:
            return None
        try:
            content = SegmentContent(name, file.size())
            content.data = _read_whole(file, content)
            after = file.read(HEADER_SIZE, 0) if not content.damage else content.data[:HEADER_SIZE]
        finally:
            file.close()
        if after != content.data[:HEADER_SIZE] or self._is_used_again(content):
            return None
        self._find_entries(content)
        return content

    def _is_used_again(self, content: SegmentContent) -> bool:
        """Did the relay use the segment for new records since the start?"""
        header = read_header(content.data)
        return header is not None and header.spool == self.identity.id and header.first != self._firsts[content.file]

    def _find_entries(self, content: SegmentContent) -> None:
        header = read_header(content.data)
        if header is not None and header.spool != self.identity.id:
            content.unused = True
            return
        content.created_us = None if header is None else header.created_us
        first = 0 if header is None else header.first
        content.entries = list(self._codec.scan(content.data, HEADER_SIZE, first))
        content.unused = not content.entries and header is None and not content.damage
        if content.unused:
            return
        unreadable = list(content.damage)
        for found in self._damage(content, first if header is not None else None):
            if not any(one.offset < found.offset + found.size and found.offset < one.offset + one.size
                       for one in unreadable):  # fmt: skip
                content.damage.append(found)
        content.damage.sort()

    def _damage(self, content: SegmentContent, first: int | None) -> Iterator[Damage]:
        """Bytes that should be part of an entry, and are not."""
        name, entries = content.file, content.entries
        if first is None:
            yield Damage(name, 0, HEADER_SIZE, "header of the segment is damaged")
            first = entries[0].position - entries[0].skipped if entries else 0
        before = Entry(first - 1, 0, 0, HEADER_SIZE)
        for one, other in pairwise((before, *entries)):
            if one.end != other.start:
                lost = other.position - other.skipped - one.position - 1
                known = lost if 0 < lost < BEYOND else None
                yield Damage(name, one.end, other.start - one.end, "damaged records", known)
        last = entries[-1] if entries else before
        is_broken = self._codec.is_broken_at(content.data, last.end, last.position + 1)
        if is_broken and not (name == self.segments[-1][0] and (self.in_use or self._folder.in_use)):
            yield Damage(name, last.end, content.size - last.end, "damaged or incomplete record at the end", None)


def _read_whole(file: File, content: SegmentContent) -> bytes:
    """All bytes of a segment; those that cannot be read become zeros, and are noted as damage."""
    parts: list[bytes] = []
    for at in range(0, content.size, PIECE):
        size = min(PIECE, content.size - at)
        try:
            part = file.read(size, at)
        except OSError as fault:
            part = b""
            content.damage.append(Damage(content.file, at, size, f"cannot be read: {fault.strerror}"))
        parts.append(part.ljust(size, b"\0"))
    return b"".join(parts)
