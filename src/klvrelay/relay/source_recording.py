"""Writes the bytes of a source to segments on disk while it is relayed, as `klvrelay record` does.

Delivery never waits for the disk: what the disk does not take in time is missing in the recording, counted and logged.

take    packet -> segmenter -> queue      on the event loop
write   queue -> segment store            on a thread, some 30 times a second
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections import deque
from contextlib import suppress
from types import TracebackType
from typing import Self

from klvrelay.config.names import safe_level
from klvrelay.errors import ConfigError
from klvrelay.record import Packet, Units
from klvrelay.recordings.limits import RecordingLimits
from klvrelay.recordings.segment_store import ReceivedBytes, SegmentStore
from klvrelay.recordings.segmenter import Segmenter
from klvrelay.text import printable
from klvrelay.threads import Worker
from klvrelay.transports.arrival_clock import now_us

LOG = logging.getLogger("klvrelay.relay")

PAUSE = 0.03
"""Seconds between two writes; data that arrives in between is written together."""
TICK = 1.0
"""Seconds between two checks for a segment whose time is over, and between attempts after a write error."""
REMOVE_EVERY = 60.0
"""Seconds between two removals of old segments."""
WAITING_MOST = 32 << 20
"""Maximum bytes that wait for the disk."""
LAST = 1.0
"""Seconds in which the last segment must be completed at the end."""


class SourceRecording:
    """The recording of one source. Enter it to start the thread; leaving completes the last segment.

    size   bytes written
    lost   bytes received that are missing in the recording
    fault  why writing fails; "" while it succeeds
    """

    def __init__(self, folder: str, stream: str, limits: RecordingLimits) -> None:
        self.size = self.lost = 0
        self.fault = ""
        self._stream = stream
        self._store = SegmentStore(folder, safe_level(stream), limits)
        self._segmenter = Segmenter(limits)
        self._waiting: deque[ReceivedBytes | None] = deque()
        self._waiting_size = 0
        self._filled = asyncio.Event()
        self._is_open = self._is_behind = self._is_refused = False
        self._removed = time.monotonic()
        self._thread: Worker | None = None
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._thread = Worker("klvrelay-record")
        self._task = asyncio.create_task(self._run(self._thread), name=f"record {self._stream}")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        task, thread = self._task, self._thread
        assert task is not None
        assert thread is not None
        task.cancel()
        try:
            await asyncio.wait({task}, timeout=LAST)
            with suppress(TimeoutError):
                async with asyncio.timeout(LAST):
                    await thread.run(self._finish)
        finally:
            thread.close()
        lost = f" lost_bytes={self.lost}" if self.lost else ""
        LOG.info("%s: recorded: bytes=%d segments=%d%s", printable(self._stream), self.size, self._store.begun, lost)

    # ---- on the event loop ----

    def take(self, packet: Packet | Units) -> None:
        """Add what was received. Never waits."""
        if isinstance(packet, Units) or packet.pid is not None:
            return self._refuse()
        if not (size := len(packet.data)):
            return None
        if self._waiting_size + size > WAITING_MOST:
            return self._fall_behind(size)
        self._is_behind = False
        received = now_us() if packet.received_us is None else packet.received_us
        for data in self._segmenter.feed(bytes(packet.data), packet.carriage, time.monotonic()):
            self._waiting.append(None if data is None else ReceivedBytes(data, received, packet.carriage))
        self._waiting_size += size
        self._filled.set()

    def cut(self) -> None:
        """The source ends, or bytes are missing: the next ones begin a segment."""
        self._segmenter.end()
        if self._waiting and self._waiting[-1] is None:
            return
        self._waiting.append(None)
        self._filled.set()

    def _refuse(self) -> None:
        if not self._is_refused:
            self._is_refused = True
            LOG.warning("%s: not recorded: the source has no transport bytes: copy its file", printable(self._stream))

    def _fall_behind(self, size: int) -> None:
        self.lost += size
        if not self._is_behind:
            self._is_behind = True
            self.cut()
            LOG.warning("%s: the disk is too slow for the recording, which has a gap", printable(self._stream))

    async def _run(self, thread: Worker) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(TICK):
                    await self._filled.wait()
            self._filled.clear()
            if self._segmenter.overdue(time.monotonic()):
                self.cut()
            await self._write(thread)
            await asyncio.sleep(TICK if self.fault else PAUSE)

    async def _write(self, thread: Worker) -> None:
        batch, self._waiting = self._waiting, deque()
        size = _size(batch)
        fault = await thread.run(lambda: self._try_write(batch))
        left = _size(batch)
        self.size += size - left
        self.lost += left
        self._waiting_size -= size
        if fault:
            self._fail(fault)
        elif size and self.fault:
            LOG.warning("%s: recording again: lost_bytes=%d", printable(self._stream), self.lost)
            self.fault = ""

    def _fail(self, fault: str) -> None:
        if fault != self.fault:
            LOG.warning("%s: not recorded, retrying: reason=%r", printable(self._stream), fault)
        self.fault = fault

    # ---- on the thread ----

    def _try_write(self, batch: deque[ReceivedBytes | None]) -> str:
        """Write pieces, which are removed from `batch`. Returns why that failed, or ""."""
        was_open, self._is_open = self._is_open, False  # after a fault, the folder may have to be created again
        try:
            if not was_open:
                self._store.open()
            self._store.write(batch)
            self._is_open = True
            if time.monotonic() - self._removed >= REMOVE_EVERY:
                self._removed = time.monotonic()
                self._store.remove_old()
        except ConfigError as fault:
            return str(fault)
        except OSError as fault:
            return os.strerror(fault.errno or 0)
        return ""

    def _finish(self) -> None:
        """Write what waits, and complete the last segment."""
        batch, self._waiting = self._waiting, deque()
        size = _size(batch)
        self._try_write(batch)
        self.size += size - _size(batch)
        self.lost += _size(batch)
        self._store.complete()


def _size(batch: deque[ReceivedBytes | None]) -> int:
    return sum(len(piece.data) for piece in batch if piece is not None)
