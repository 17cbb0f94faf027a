"""The notifications of one relay as a service of systemd, while it runs.

    EXTEND      while the spool is opened, which may take longer than systemd waits for READY
    READY       once every sink was connected and every source opened or tried, or START_MOST seconds after the start
    STATUS      whenever it changed
    RELOADING   while settings are read and applied, then READY again, also if they are refused
    STOPPING    when the relay begins to stop
    WATCHDOG    while every part makes progress
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from klvrelay.relay.readiness import START_MOST, unready_parts
from klvrelay.relay.relay import Relay
from klvrelay.relay.supervise import contain
from klvrelay.relay.tasks import cancel
from klvrelay.systemd.notify_socket import NotifySocket
from klvrelay.systemd.status import status_line
from klvrelay.systemd.watchdog import Watchdog

LOG = logging.getLogger("klvrelay.systemd")

EXTEND, EXTEND_EVERY, EXTEND_MOST = 60, 20.0, 600.0
"""Seconds that systemd is asked to wait for READY, how often, and for how long altogether: a disk may hang."""
LOOK = 0.1
"""Seconds between two looks at the relay."""
STATUS_EVERY = 1.0
"""Minimum seconds between two changes of the status."""
OWED_MOST = 16
"""Maximum number of notifications that wait because the socket is full."""


class Service:
    """Notifies systemd. No fault of it affects the relay."""

    def __init__(self, notify: NotifySocket) -> None:
        self._notify = notify
        self._watchdog: Watchdog | None = None
        self._owed: deque[tuple[str, ...]] = deque(maxlen=OWED_MOST)
        self._has_begun = self._is_ready = self._is_stopping = False
        self._status = ""
        self._status_at = -math.inf
        self._faults: set[str] = set()

    @asynccontextmanager
    async def starting(self) -> AsyncIterator[None]:
        """Inside, the relay is made and runs. Until it runs, systemd is asked to wait."""
        extending = asyncio.create_task(self._extend(), name="extend")
        try:
            yield
        finally:
            await cancel([extending])
            self._notify.close()

    async def _extend(self) -> None:
        begin = time.monotonic()
        while not self._has_begun and time.monotonic() - begin < EXTEND_MOST:
            self._send(f"EXTEND_TIMEOUT_USEC={EXTEND}000000", "STATUS=starting")
            await asyncio.sleep(EXTEND_EVERY)

    async def run(self, relay: Relay) -> None:
        """Until cancelled, beside the relay."""
        self._has_begun = True
        if self._notify.watchdog is not None:
            self._watchdog = Watchdog(self._notify.watchdog, relay.stuck)
        pause = LOOK if self._watchdog is None else min(LOOK, self._watchdog.every / 2)
        begin = time.monotonic()
        try:
            while True:
                if (fault := contain(lambda: self._look(relay, begin), "systemd")) is not None:
                    self._log(str(fault))
                await asyncio.sleep(pause)
        finally:
            self._stopping()

    @contextmanager
    def reloading(self) -> Iterator[None]:
        """Inside, settings are read and applied, or refused."""
        if not self._is_ready or self._is_stopping:
            yield
            return
        self._send("RELOADING=1", f"MONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}")
        try:
            yield
        finally:
            if not self._is_stopping:
                self._send("READY=1")

    def _look(self, relay: Relay, begin: float) -> None:
        """Send what is due."""
        while self._owed and self._notify.send(*self._owed[0]):
            self._owed.popleft()
        now = time.monotonic()
        if self._watchdog is not None and self._watchdog.is_due():
            self._notify.send("WATCHDOG=1")  # never owed: it means now
        if relay.is_stopping:
            self._stopping()
            return
        ready = not self._is_ready and (not unready_parts(relay) or now - begin >= START_MOST)
        if ready:
            self._is_ready = True
            self._send("READY=1")
        if ready or now - self._status_at >= STATUS_EVERY:
            self._send_status(relay, now)

    def _send_status(self, relay: Relay, now: float) -> None:
        """Send the status if it changed."""
        line = status_line(relay, () if self._watchdog is None else self._watchdog.stuck)
        status = line if self._is_ready else f"starting: {line}"
        if status != self._status:
            self._status, self._status_at = status, now
            self._send(f"STATUS={status}")

    def _stopping(self) -> None:
        if not self._is_stopping:
            self._is_stopping = True
            self._send("STOPPING=1", "STATUS=stopping")

    def _send(self, *lines: str) -> None:
        """Send it, after what is owed, or later."""
        if self._owed or not self._notify.send(*lines):
            self._owed.append(lines)

    def _log(self, fault: str) -> None:
        if fault not in self._faults and len(self._faults) < OWED_MOST:
            self._faults.add(fault)
            LOG.error("%s", fault)
