"""Follow a file that another program is still writing: wait for more at its end.

GrowingSource   packets                                      event loop
_Tail           polls the file every 20 to 50 ms             thread, because a disk may hang
_Folder         finds the segments in a recorder's folder    thread
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
from klvrelay.recordings.segment_names import RecordedSegment, check_one_stream, segments
from klvrelay.recordings.sniff import Sniffer, is_container
from klvrelay.sources.files.faults import explain
from klvrelay.sources.files.written import PIECE, SETTLED, PollResult, WrittenFile
from klvrelay.sources.parts import in_turns
from klvrelay.sources.progress import DISK, progress
from klvrelay.threads import Worker
from klvrelay.transports.arrival_clock import now_us

LOG = logging.getLogger("klvrelay.sources")

QUICK, SLOW = 0.02, 0.05
"""Seconds between polls: just after bytes arrived, and after a longer pause."""
GATHER = 0.01
"""Seconds from a poll that found all available data to the next."""


class GrowingSource:
    """A file that is still being written, a named pipe whose writers come and go, or a recorder's folder.

    A file is read from its beginning, a folder from the beginning of its newest segment; neither ever ends. A file that
    does not exist yet is awaited; a truncated or replaced file is read from its beginning. The source is not live: what
    a slow reader has not taken remains in the file.
    """

    live = False
    fixed = False
    dropped = 0

    def __init__(self, url: Url) -> None:
        self.url = url
        self.link = LinkStats()
        self._logged = False

    async def packets(self) -> AsyncGenerator[Packet, None]:
        """Packets stamped with the time of reading, except for data that existed when the file was opened, because that
        was never live. An empty packet marks a restart of the file.
        """
        tail, sniffer, known = _Tail(self.url), Sniffer(), False
        progress().opened = True  # a file that does not exist yet is awaited
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
                    if sniffer.is_rejected:
                        sniffer = self._after_other_content(sniffer, known)
                        continue
                    piece, known = sniffer.head, True
                if piece and sniffer.carriage is not None:
                    async for part in in_turns(Packet(piece, received, sniffer.carriage)):
                        yield part
        finally:
            tail.close()

    def _after_other_content(self, sniffer: Sniffer, known: bool) -> Sniffer:
        """The content is not a stream: an error at first; after a stream, keep waiting for the next one."""
        if is_container(sniffer.head):
            raise NotMedia(
                f"{self.url} is mp4, mkv or similar, which cannot be read before it is complete: write MPEG-TS instead,"
                " or omit --follow once the file is complete"
            )
        if not known:
            raise NotMedia(f"{self.url} contains neither MPEG-TS nor KLV")
        if not self._logged:
            self._logged = True
            LOG.warning("%s: neither MPEG-TS nor KLV since its restart, waiting for either", self.url)
        return Sniffer()


class _Tail:
    """Polls for more data on a dedicated thread, so that the event loop sleeps while nothing arrives."""

    def __init__(self, url: Url) -> None:
        self._url = url
        self._thread = Worker("klvrelay-growing")
        self._stopped = threading.Event()
        self._pulse = progress().pulse()
        self._polled: _Pollable | None = None
        self._drained = False
        self._live = False  # the end was reached: later data is new
        self._waited = False

    async def more(self) -> tuple[PollResult, int | None]:
        """The next data, and when it was read if it is new; raises SourceDown or NotMedia."""
        return await self._thread.run(self._wait)

    def close(self) -> None:
        self._stopped.set()
        self._thread.close(self._close)

    def _close(self) -> None:
        if self._polled is not None:
            self._polled.close()

    def _wait(self) -> tuple[PollResult, int | None]:
        pause = QUICK
        if self._drained:  # let small writes accumulate
            self._live = True
            self._stopped.wait(GATHER)
        while not self._stopped.is_set():
            with self._pulse.within(DISK):
                found = self._poll()
            if found != b"":
                self._drained = found is not None and len(found) < PIECE
                return found, now_us() if self._live else None
            self._live = True
            self._stopped.wait(pause)
            pause = min(SLOW, pause * 1.1)
        return b"", None

    def _poll(self) -> PollResult:
        try:
            if self._polled is None:
                mode = os.stat(self._url.path).st_mode
                self._polled = _Folder(self._url, self._waited) if stat.S_ISDIR(mode) else WrittenFile(self._url.path)
            return self._polled.poll()
        except FileNotFoundError:
            if self._polled is None and not self._waited:
                LOG.info("%s: does not exist yet, waiting for it", self._url)
            self._waited = True
            return b""
        except OSError as fault:
            raise explain(self._url, fault) from fault


class _Pollable(Protocol):
    """A file or folder that can be polled; both methods are called on the thread of the tail."""

    def poll(self) -> PollResult: ...
    def close(self) -> None: ...


class _Folder:
    """A recorder's folder: its newest segment, then each that follows; they form one stream.

    waited   the folder was empty at first: then the first segment that appears is read
    """

    def __init__(self, url: Url, waited: bool) -> None:
        self._url = url
        self._waited = waited
        self._fd = -1
        self._segment: RecordedSegment | None = None
        self._seen = 0  # the folder's time stamp when it was last listed

    def poll(self) -> PollResult:
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
        """The segment after this one; at first, the newest."""
        stamp = os.stat(self._url.path).st_mtime_ns
        if stamp == self._seen and abs(time.time_ns() - stamp) > SETTLED:
            return None
        found = segments(self._url.path)
        check_one_stream(self._url, found)
        self._seen = stamp
        if self._segment is None:
            self._waited = self._waited or not found
            return found[0 if self._waited else -1] if found else None
        return next((segment for segment in found if segment.time_us > self._segment.time_us), None)

    def _switch(self, segment: RecordedSegment) -> None:
        """Open it, under its current name."""
        names = segment.name, segment._replace(part=False).name
        self._seen = 0  # there may already be a later segment
        for name in names:
            with suppress(FileNotFoundError):
                fd = os.open(os.path.join(self._url.path, name), os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
                self.close()
                self._fd = fd
                return
        raise FileNotFoundError
