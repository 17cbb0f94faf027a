"""What waits for one destination: bounded, in order, with bounded retries. No destination waits for another."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from klvrelay.alerts.alert import Alert
from klvrelay.alerts.destinations.contract import AlertDestination, Notification, NotifyFault
from klvrelay.backoff import Backoff, Repeats
from klvrelay.config.alerts import NotifySettings
from klvrelay.errors import describe_bug
from klvrelay.text import printable

LOG = logging.getLogger("klvrelay.alerts")

WAITING_MOST = 500
"""Maximum number of notifications that wait; beyond that the oldest alerts are dropped, each with its clear."""
CLEARS_MOST = 10_000
"""Maximum number if all of them are clears: they are not dropped, or the destination would keep the alerts open."""
FIRST, LONGEST = 1.0, 60.0
"""Seconds of the first and of the longest pause between two attempts."""


@dataclass(slots=True)
class SendCounts:
    """Notifications of one destination: sent; failed after all attempts; dropped since too many waited; attempts that
    failed.
    """

    sent: int = 0
    failed: int = 0
    dropped: int = 0
    attempts_failed: int = 0


class AlertOutbox:
    """Delivers to one destination, until cancelled.

    counts  of its notifications
    """

    def __init__(
        self, settings: NotifySettings, destination: AlertDestination,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:  # fmt: skip
        self.settings, self.counts = settings, SendCounts()
        self._destination, self._sleep = destination, sleep
        self._waiting: deque[Notification] = deque()
        self._current: Notification | None = None
        self._some, self._settled = asyncio.Event(), asyncio.Event()
        self._settled.set()
        self._repeats = Repeats()
        self._unsent: set[str] = set()  # ids of raised alerts that were dropped

    @property
    def waiting(self) -> int:
        """Number of notifications that wait, without the one that is being sent."""
        return len(self._waiting)

    def put(self, notification: Notification) -> None:
        """Send it after those that wait. The clear of an alert that was dropped is dropped too."""
        if len(self._waiting) >= WAITING_MOST and not self._is_unsent(notification.alert):
            self._drop_one()
        if self._is_unsent(notification.alert):
            self._unsent.remove(notification.alert.id)
            self.counts.dropped += 1
            return
        self._waiting.append(notification)
        self._settled.clear()
        self._some.set()

    def _is_unsent(self, alert: Alert) -> bool:
        """Is it the clear of an alert that was dropped?"""
        return not alert.is_raised and alert.id in self._unsent

    def _drop_one(self) -> None:
        """Drop the oldest alert, with its clear."""
        oldest = next((one for one in self._waiting if one.alert.is_raised), None)
        if oldest is None and len(self._waiting) < CLEARS_MOST:
            return
        oldest = oldest or self._waiting[0]
        self._waiting.remove(oldest)
        clear = next((one for one in self._waiting if _clears(one.alert, oldest.alert)), None)
        if clear is not None:
            self._waiting.remove(clear)
        elif oldest.alert.is_raised:
            self._unsent.add(oldest.alert.id)
        self.counts.dropped += 1 if clear is None else 2
        self._log("too many notifications wait, the oldest was dropped")

    def holds(self, notification_id: str) -> bool:
        """Does this notification wait, or is it being sent?"""
        current = () if self._current is None else (self._current,)
        return any(one.id == notification_id for one in (*current, *self._waiting))

    async def settle(self) -> None:
        """Wait until nothing waits any longer."""
        await self._settled.wait()

    async def run(self) -> None:
        """Send what waits, one after the other."""
        while True:
            await self._some.wait()
            while self._waiting:
                self._current = self._waiting.popleft()
                await self._deliver(self._current)
                self._current = None
            self._some.clear()
            self._settled.set()

    async def _deliver(self, notification: Notification) -> None:
        backoff = Backoff(first=FIRST, cap=LONGEST)
        for left in range(self.settings.retries, -1, -1):
            fault = await self._try(notification)
            if fault is None:
                self.counts.sent += 1
                self._repeats.over()
                return
            self.counts.attempts_failed += 1
            if fault.is_final or not left:
                break
            self._log(f"{fault}; retrying")
            await self._sleep(max(backoff.next(), min(fault.wait, LONGEST)))
        self.counts.failed += 1
        self._log(f"{fault}; given up")

    async def _try(self, notification: Notification) -> NotifyFault | None:
        try:
            detail = await self._destination.send(notification)
        except NotifyFault as fault:
            return fault
        except Exception as error:  # noqa: BLE001 (a bug of one destination must not end it)
            return NotifyFault(f"internal error: {type(error).__name__} ({describe_bug(error)})", is_final=True)
        LOG.debug("alert sent: notify=%s alert=%s answer=%r", self.settings.name, notification.id, detail)
        return None

    def _log(self, text: str) -> None:
        if (line := self._repeats.add(text)) is not None:
            LOG.warning("alert not sent: notify=%s kind=%s reason=%r", self.settings.name, self.settings.kind,
                        printable(line))  # fmt: skip


def _clears(one: Alert, other: Alert) -> bool:
    return one.id == other.id and not one.is_raised
