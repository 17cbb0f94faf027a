"""A file that another program still writes: at its end, wait for more; next door, `file.py` stops there.

    GrowingSource   what it holds, in packets       the loop
    _Tail           looks every 20 to 50 ms         a thread, since a disk may hang
    _Folder         a recorder's folder; `written.py` has the file
"""

from __future__ import annotations

import logging
import os
import stat
import threading
import time
from collections.abc import AsyncGenerator
from contextlib import suppress
from typing import Protocol

from klvrelay.config.url import Url
from klvrelay.errors import NotMedia
from klvrelay.link_stats import LinkStats
from klvrelay.record import Packet
from klvrelay.recordings.segment_names import RecordedSegment, only_one, segments
from klvrelay.recordings.sniff import Sniffer, is_container
from klvrelay.sources.files.faults import explain
from klvrelay.sources.files.written import PIECE, SETTLED, Look, WrittenFile
from klvrelay.sources.parts import in_turns
from klvrelay.threads import Worker
from klvrelay.transports.arrival_clock import now_us

LOG = logging.getLogger("klvrelay")

QUICK, SLOW = 0.02, 0.05
"""Seconds between two looks: just after bytes came, and when none have come for a while."""
GATHER = 0.01
"""Seconds from a look that found all there was to the next."""


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
        self.link = LinkStats()
        self._told = False

    async def packets(self) -> AsyncGenerator[Packet, None]:
        """Packets stamped with the time they were read, but for what was there already when it was opened: that was
        never live. An empty one where the file begins anew.
        """
        tail, sniffer, known = _Tail(self.url), Sniffer(), False
        try:
            while True:
                piece, received = await tail.more()
                if piece is None:
                    if sniffer.carriage is not None:
                        yield Packet(b"", received)
                    sniffer = Sniffer()
                    continue
                self.link.size += len(piece)
                if sniffer.carriage is None and piece:
                    if not sniffer.add(piece):
                        continue
                    if sniffer.hopeless:
                        sniffer = self._hopeless(sniffer, known)
                        continue
                    piece, known = sniffer.head, True
                if piece and sniffer.carriage is not None:
                    async for part in in_turns(Packet(piece, received, sniffer.carriage)):
                        yield part
        finally:
            tail.close()

    def _hopeless(self, sniffer: Sniffer, known: bool) -> Sniffer:
        """It is no stream: that ends it, unless it was one before. Then it is looked for on and on."""
        if is_container(sniffer.head):
            raise NotMedia(
                f"{self.url} is mp4, mkv or the like, which can't be read before it is complete: have MPEG-TS written,"
                " or leave --follow away once the file is finished"
            )
        if not known:
            raise NotMedia(f"{self.url} holds neither MPEG-TS nor KLV")
        if not self._told:
            self._told = True
            LOG.warning("%s holds neither MPEG-TS nor KLV since it began again: waiting for either", self.url)
        return Sniffer()


class _Tail:
    """Looks for more on a thread of its own, which waits there: while nothing comes, the loop sleeps."""

    def __init__(self, url: Url) -> None:
        self._url = url
        self._thread = Worker("klvrelay-growing")
        self._stopped = threading.Event()
        self._place: _Place | None = None
        self._drained = False
        self._live = False  # its end was seen: what comes from then on is new
        self._waited = False

    async def more(self) -> tuple[Look, int | None]:
        """What comes next, and when it was read, if it is new; raises SourceDown or NotMedia."""
        return await self._thread.run(self._wait)

    def close(self) -> None:
        self._stopped.set()
        self._thread.close(self._close)

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
                self._place = _Folder(self._url, self._waited) if stat.S_ISDIR(mode) else WrittenFile(self._url.path)
            return self._place.look()
        except FileNotFoundError:
            if self._place is None and not self._waited:
                LOG.info("%s is not there yet: waiting for it", self._url)
            self._waited = True
            return b""
        except OSError as fault:
            raise explain(self._url, fault) from fault


class _Place(Protocol):
    """What can be looked at; both methods are called on the tail's thread."""

    def look(self) -> Look: ...
    def close(self) -> None: ...


class _Folder:
    """A recorder's folder: its newest segment, then each that follows; they are one stream.

    waited   it had none when it was first looked for: then the first that comes is taken
    """

    def __init__(self, url: Url, waited: bool) -> None:
        self._url = url
        self._waited = waited
        self._fd = -1
        self._segment: RecordedSegment | None = None
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

    def _following(self) -> RecordedSegment | None:
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

    def _switch(self, segment: RecordedSegment) -> None:
        """Open it, under the name that it has by now."""
        names = segment.name, segment._replace(part=False).name
        self._seen = 0  # there may be more behind it already
        for name in names:
            with suppress(FileNotFoundError):
                fd = os.open(os.path.join(self._url.path, name), os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
                self.close()
                self._fd = fd
                return
        raise FileNotFoundError
