"""The recorder's loop: opens a source, reopens it when it fails, and passes its bytes to the writer thread.

take    source -> segmenter -> queue      on the event loop
write   queue -> segment store            on a thread, some 30 times a second
tick    completes the segment of a silent source, and removes old segments
"""

from __future__ import annotations

import asyncio
import logging
import math
import os
import time
from collections import deque
from collections.abc import Callable
from contextlib import aclosing, suppress
from itertools import count
from typing import TypeVar

from klvrelay.backoff import Backoff, Repeats
from klvrelay.config.names import checked_name
from klvrelay.config.units import size_text
from klvrelay.errors import InternalError, KlvrelayError, NotMedia, Shortage, SourceDown, SourceError
from klvrelay.record import Packet
from klvrelay.recordings.limits import RecordingLimits
from klvrelay.recordings.segment_store import ReceivedBytes, SegmentStore
from klvrelay.recordings.segmenter import Segmenter
from klvrelay.relay.supervise import Standing, standing_of, supervise
from klvrelay.sources.contract import Source
from klvrelay.text import counted, printable
from klvrelay.threads import Worker
from klvrelay.transports.arrival_clock import now_us

LOG = logging.getLogger("klvrelay.recording")
T = TypeVar("T")

PAUSE = 0.03
"""Seconds between two writes; data that arrives in between is written together."""
RETRY = 1.0
"""Seconds between retries after a write error."""
GIVE_UP = 10.0
"""Seconds of write errors after which copying a file fails; the file can be copied again later."""
MOST_WAITING = 32 << 20
"""Maximum bytes that wait for the disk; then the source waits, and a live one drops and counts."""
REMOVE_EVERY = 60
"""Seconds between two removals of old segments."""


class Recorder:
    """Runs until its source ends or until it is cancelled; in both cases the last segment is completed.

    size      bytes written
    lost      bytes received that could not be written
    dropped   datagrams or packets dropped by the source
    state, disk_fault   as text; `disk_fault` is "" while writing succeeds
    """

    def __init__(self, open_source: Callable[[], Source], folder: str, stream: str, limits: RecordingLimits) -> None:
        self.size = 0
        self.lost = 0
        self.dropped = 0
        self.state = "waiting"
        self._open = open_source
        self._url = ""
        self._standing = Standing.UNREAD
        self._repeats = Repeats()
        self._store = SegmentStore(folder, checked_name(stream), limits)
        self._segmenter = Segmenter(limits)
        self._waiting: deque[ReceivedBytes | None] = deque()
        self._waiting_size = 0
        self._filled, self._has_space, self._ending = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self.disk_fault = ""
        self._live = True
        self._is_file = False
        self._failing_since = math.inf
        self._thread = Worker("klvrelay-record")

    @property
    def segments(self) -> int:
        """Segments begun so far."""
        return self._store.begun

    @property
    def kept(self) -> int:
        """Segments begun that still exist."""
        return self._store.begun - self._store.vanished

    def summary(self) -> str:
        """What was recorded, on one line."""
        kept = counted(self.kept, "segment") + (f" kept of {self.segments} begun" if self._store.vanished else "")
        lost = f", {size_text(self.lost)} lost because of write errors" if self.lost else ""
        dropped = f", {counted(self.dropped, 'packet')} dropped" if self.dropped else ""
        removed = f", {self._store.removed} old ones removed" if self._store.removed else ""
        return f"{self.size:,} bytes written, {kept}{removed}{dropped}{lost}"

    async def run(self) -> None:
        """Record. Raises ConfigError for an unusable folder, SourceError for an unreadable source, KlvrelayError after
        GIVE_UP seconds of write errors if the source is a file.
        """
        try:
            if left := await self._on_thread(self._store.open):
                LOG.info("segments of an earlier run completed: count=%d", left)
            await self._on_thread(self._store.remove_old)
            LOG.info("recording to %s as %s-*", printable(self._store.folder), printable(self._store.stream))
            tasks = [
                asyncio.create_task(self._record_all(), name="record take"),
                asyncio.create_task(self._tick(), name="record tick"),
            ]
            writer = asyncio.create_task(self._write(), name="record write")
            try:
                done, _ = await asyncio.wait([*tasks, writer], return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
                self._ending.set()
                self._filled.set()
                await asyncio.gather(writer, return_exceptions=True)
                await self._finish()
        finally:
            self._thread.close()

    # ---- reading the source ----

    async def _record_all(self) -> None:
        """Record to the end of the source, and wait until all is written."""
        await self._record_supervised()
        await self._wait_for_space(0)

    async def _record_supervised(self) -> None:
        try:
            await supervise(
                self._attempt, name=self._store.stream, backoff=Backoff(),
                standing=lambda: self._standing, down=self._down,
            )  # fmt: skip
        except (InternalError, Shortage) as fault:
            raise SourceError(f"{self._url}: {fault}") from fault

    async def _attempt(self, up: Callable[[], None]) -> None:
        """One connection: returns at the end of a finite source, raises if any other source ends."""
        up()
        source = self._open()
        self._url = str(source.url)
        self._standing = self._standing_of(source)
        try:
            await self._take(source)
        finally:
            self._standing = self._standing_of(source)
            self.dropped += source.dropped
            self._end_segment()
        if self._standing is Standing.LASTING:
            raise SourceDown(f"{source.url}: ended")

    def _standing_of(self, source: Source) -> Standing:
        return standing_of(source.url.scheme, live=source.live, read=source.link.size > 0)

    def _down(self, fault: KlvrelayError) -> None:
        text = str(fault) if isinstance(fault, SourceError) else f"{self._url}: {fault}"
        if (line := self._repeats.add(text)) is not None:
            LOG.warning("%s; retrying until it is back", printable(line))
        self.state = "source down"

    async def _take(self, source: Source) -> None:
        self._live = source.live
        self._is_file = _is_file(source)
        async with aclosing(source.packets()) as packets:
            async for packet in packets:
                if isinstance(packet, Packet) and packet.data:
                    await self._accept(source, packet)

    async def _accept(self, source: Source, packet: Packet) -> None:
        if packet.pid is not None:
            raise NotMedia(f"{source.url}: is a container without transport bytes to record: copy the file")
        if self.state != "recording":
            self._report_recovery(source)
        self.state = "recording"
        received = now_us() if packet.received_us is None else packet.received_us
        for data in self._segmenter.feed(bytes(packet.data), packet.carriage, time.monotonic()):
            self._waiting.append(None if data is None else ReceivedBytes(data, received, packet.carriage))
        self._waiting_size += len(packet.data)
        self._filled.set()
        await self._wait_for_space(MOST_WAITING)

    def _report_recovery(self, source: Source) -> None:
        if self.state != "source down" or self._repeats.logged:
            LOG.info("%s: receiving data", source.url)
        self._repeats.over()

    async def _wait_for_space(self, most: int) -> None:
        """Return once at most this many bytes wait for the disk."""
        while self._waiting_size > most:
            self._has_space.clear()
            await self._has_space.wait()

    def _end_segment(self) -> None:
        """Begin a new segment with the next bytes."""
        self._segmenter.end()
        self._waiting.append(None)
        self._filled.set()

    async def _tick(self) -> None:
        for second in count():
            await asyncio.sleep(1.0)
            if self._segmenter.overdue(time.monotonic()):
                self._end_segment()
            if second % REMOVE_EVERY == 0:
                await self._on_thread(self._remove_old)

    # ---- writing to disk ----

    async def _write(self) -> None:
        while not self._ending.is_set():
            await self._filled.wait()
            self._filled.clear()
            await self._flush()
            if self.disk_fault and self._is_file and time.monotonic() - self._failing_since > GIVE_UP:
                raise KlvrelayError(f"{printable(self._store.folder)}: cannot write: {self.disk_fault}")
            with suppress(TimeoutError):
                async with asyncio.timeout(RETRY if self.disk_fault else PAUSE):
                    await self._ending.wait()

    async def _flush(self) -> None:
        """Write what waits. After an error, the data of a finite source waits on; that of a live source is lost."""
        batch, self._waiting = self._waiting, deque()
        size = _size(batch)
        fault = await self._on_thread(lambda: self._try_write(batch))
        left = _size(batch)
        self.size += size - left
        if fault is None and size:
            self._disk_works()
        elif fault is not None:
            self._disk_fails(fault)
            if self._live:
                self.lost += left
                left = 0
            else:
                self._waiting.extendleft(reversed(batch))
                self._filled.set()
        self._waiting_size -= size - left
        self._has_space.set()

    def _try_write(self, batch: deque[ReceivedBytes | None]) -> OSError | None:
        try:
            self._store.write(batch)
        except OSError as fault:
            return fault
        return None

    def _remove_old(self) -> None:
        try:
            self._store.remove_old()
        except OSError as fault:
            LOG.debug("old segments not removed: reason=%r", fault.strerror)

    def _disk_fails(self, fault: OSError) -> None:
        if not self.disk_fault:
            self._failing_since = time.monotonic()
            self.disk_fault = os.strerror(fault.errno or 0)
            what = "received data is lost" if self._live else "the source waits"
            until = f"at most {GIVE_UP:g} s" if self._is_file else "until writing succeeds"
            LOG.warning("write failed, %s %s: reason=%r", what, until, self.disk_fault)

    def _disk_works(self) -> None:
        if self.disk_fault:
            LOG.warning("writing succeeds again: lost_bytes=%d", self.lost)
            self.disk_fault = ""

    async def _finish(self) -> None:
        """Write what waits, and complete the last segment."""
        await self._flush()
        self.lost += self._waiting_size
        await self._on_thread(self._store.complete)

    def _on_thread(self, job: Callable[[], T]) -> asyncio.Future[T]:
        return self._thread.run(job)


def _is_file(source: Source) -> bool:
    """A file or a folder; not a pipe, which its writer feeds."""
    path = source.url.path
    return source.url.scheme == "file" and (os.path.isfile(path) or os.path.isdir(path))


def _size(batch: deque[ReceivedBytes | None]) -> int:
    return sum(len(piece.data) for piece in batch if piece is not None)
