"""A file that another program still writes: at its end, wait for more; next door, `file.py` stops there.

    GrowingSource   what it holds, in packets       the loop
    _Tail           looks every 20 to 50 ms         a thread, since a disk may hang
    _File, _Folder  what there is to be looked at
"""

from __future__ import annotations

import asyncio
import fcntl
import logging
import os
import stat
import threading
import time
from collections.abc import AsyncGenerator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Protocol

from klvrelay.errors import NotMedia
from klvrelay.names import Url
from klvrelay.record import Carriage, Link, Packet
from klvrelay.sources.clock import now_us
from klvrelay.sources.files.file import PIPE_PIECE, explained
from klvrelay.sources.files.folder import Segment, only_one, segments
from klvrelay.sources.sniff import LEAST, MOST, carriage_by, is_container

LOG = logging.getLogger("klvrelay")

PIECE = 1 << 20
QUICK, SLOW = 0.02, 0.05
"""Seconds between two looks: just after bytes came, and when none have come for a while."""
GATHER = 0.01
"""Seconds from a look that found all there was to the next."""
SETTLED = 1_000_000_000
"""Nanoseconds after which a folder's time stamp tells for sure that nothing has changed since."""

Look = bytes | None
"""Bytes that were found; none, for nothing new; None, for here it begins anew."""


class GrowingSource:
    """A file that is still written, a named pipe whose writers come and go, or a recorder's folder.

    A file is read from its beginning, a folder from that of its newest segment, and neither ever ends. What is not
    there yet is waited for; what was cut short or replaced begins anew. It is not live: what a slow reader has not
    taken is still in the file.
    """

    live = False
    fixed = False
    dropped = 0

    def __init__(self, url: Url) -> None:
        self.url = url
        self.link = Link()

    async def packets(self) -> AsyncGenerator[Packet, None]:
        """Packets stamped with the time they were read, but for what was there already when it was opened: that was
        never live. An empty one where the file begins anew.
        """
        tail = _Tail(self.url)
        carriage: Carriage | None = None
        head = b""
        try:
            while True:
                piece, received = await tail.more()
                if piece is None:
                    if carriage is not None:
                        yield Packet(b"", received)
                    carriage, head = None, b""
                    continue
                self.link.size += len(piece)
                if carriage is None:
                    head += piece
                    carriage = self._known(head)
                    piece, head = (head, b"") if carriage is not None else (b"", head)
                if carriage is not None:
                    yield Packet(piece, received, carriage)
        finally:
            tail.close()

    def _known(self, head: bytes) -> Carriage | None:
        """What the file is, as soon as that can be told."""
        if is_container(head):
            raise NotMedia(
                f"{self.url} is mp4, mkv or the like, which can't be read before it is complete: have MPEG-TS written,"
                " or leave --follow away once the file is finished"
            )
        enough = len(head) >= LEAST or head.startswith(b"\x06\x0e\x2b\x34")
        carriage = carriage_by(head) if enough else None
        if carriage is None and len(head) >= MOST:
            raise NotMedia(f"{self.url} holds neither MPEG-TS nor KLV")
        return carriage


class _Tail:
    """Looks for more on a thread of its own, which waits there: while nothing comes, the loop sleeps."""

    def __init__(self, url: Url) -> None:
        self._url = url
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="klvrelay-growing")
        self._stopped = threading.Event()
        self._place: _Place | None = None
        self._drained = False
        self._live = False  # its end was seen: what comes from then on is new
        self._waited = False

    async def more(self) -> tuple[Look, int | None]:
        """What comes next, and when it was read, if it is new; raises SourceDown or NotMedia."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._wait)

    def close(self) -> None:
        self._stopped.set()
        self._thread.submit(self._close)
        self._thread.shutdown(wait=False)

    def _close(self) -> None:
        if self._place is not None:
            self._place.close()

    def _wait(self) -> tuple[Look, int | None]:
        pause = QUICK
        if self._drained:  # a writer of many small pieces: let some come together
            self._live = True
            self._stopped.wait(GATHER)
        while not self._stopped.is_set():
            if (found := self._look()) != b"":
                self._drained = found is not None and len(found) < PIECE
                return found, now_us() if self._live else None
            self._live = True
            self._stopped.wait(pause)
            pause = min(SLOW, pause * 1.1)
        return b"", None

    def _look(self) -> Look:
        try:
            if self._place is None:
                mode = os.stat(self._url.path).st_mode
                self._place = _Folder(self._url, self._waited) if stat.S_ISDIR(mode) else _File(self._url.path)
            return self._place.look()
        except FileNotFoundError:
            if self._place is None and not self._waited:
                LOG.info("%s is not there yet: waiting for it", self._url)
            self._waited = True
            return b""
        except OSError as fault:
            raise explained(self._url, fault) from fault


class _Place(Protocol):
    """What can be looked at; both methods are called on the tail's thread."""

    def look(self) -> Look: ...
    def close(self) -> None: ...


class _File:
    """A file under a name that may be cut short, moved away, removed, or given to another file."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._fd = -1
        self._at = 0
        self._pipe = False
        self._ended = False  # a pipe: its last writer has gone
        self._held = b""

    def look(self) -> Look:
        if self._fd < 0:
            self._open()
        if data := self._held or self._read():
            again, self._ended, self._held = self._ended, False, b""
            if not again:
                return data
            self._held = data  # of another writer: what it writes begins anew
            return None
        mine = os.fstat(self._fd)
        if self._is_another(mine):
            if data := self._read():
                return data  # written to the old file before its name went to the new one
            self._open()
            return None
        if not self._pipe and mine.st_size < self._at:
            self._at = os.lseek(self._fd, 0, os.SEEK_SET)
            return None
        return b""

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _open(self) -> None:
        fd = os.open(self._path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        self.close()
        self._fd, self._at, self._ended = fd, 0, False
        mode = os.fstat(fd).st_mode
        self._pipe = stat.S_ISFIFO(mode)
        if stat.S_ISDIR(mode):
            raise IsADirectoryError
        if self._pipe:
            with suppress(OSError):  # more than a user may have
                fcntl.fcntl(fd, fcntl.F_SETPIPE_SZ, PIPE_PIECE)

    def _read(self) -> bytes:
        try:
            data = os.read(self._fd, PIECE)
        except BlockingIOError:  # a pipe whose writer has nothing to say
            return b""
        self._at += len(data)
        if self._pipe and not data:
            self._ended = self._at > 0
        return data

    def _is_another(self, mine: os.stat_result) -> bool:
        try:
            there = os.stat(self._path)
        except FileNotFoundError:
            return False  # moved or removed: its writer may still write to it
        return (there.st_dev, there.st_ino) != (mine.st_dev, mine.st_ino)


class _Folder:
    """A recorder's folder: its newest segment, then each that follows; they are one stream.

    waited   it had none when it was first looked for: then the first that comes is taken
    """

    def __init__(self, url: Url, waited: bool) -> None:
        self._url = url
        self._waited = waited
        self._fd = -1
        self._segment: Segment | None = None
        self._seen = 0  # the folder's time stamp when it was last listed

    def look(self) -> Look:
        if self._fd >= 0 and (data := os.read(self._fd, PIECE)):
            return data
        following = self._following()
        if following is None:
            return b""
        if self._fd >= 0 and (data := os.read(self._fd, PIECE)):
            self._seen = 0
            return data  # written before the next segment was begun
        before, self._segment = self._segment, following
        self._switch(following)
        return None if before is not None and before.kind != following.kind else os.read(self._fd, PIECE)

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _following(self) -> Segment | None:
        """The segment after this one; of all, at first, the newest."""
        stamp = os.stat(self._url.path).st_mtime_ns
        if stamp == self._seen and abs(time.time_ns() - stamp) > SETTLED:
            return None
        found = segments(self._url.path)
        only_one(self._url, found)
        self._seen = stamp
        if self._segment is None:
            self._waited = self._waited or not found
            return found[0 if self._waited else -1] if found else None
        return next((segment for segment in found if segment.time_us > self._segment.time_us), None)

    def _switch(self, segment: Segment) -> None:
        """Open it, under the name that it has by now."""
        names = segment.name, segment._replace(part=False).name
        self._seen = 0  # there may be more behind it already
        for name in names:
            with suppress(FileNotFoundError):
                fd = os.open(os.path.join(self._url.path, name), os.O_RDONLY | os.O_CLOEXEC)
                self.close()
                self._fd = fd
                return
        raise FileNotFoundError
