"""Decides which alerts are sent to which destinations, and when.

In quiet hours, alerts that are not critical are held; those that are still raised when the hours end are sent then. The
clear of an alert goes to the destinations that got it, at any time, so that none keeps it open.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace

from klvrelay.alerts.alert import Alert
from klvrelay.alerts.destinations.contract import AlertDestination, Notification
from klvrelay.alerts.destinations.open import open_destination
from klvrelay.alerts.destinations.outbox import AlertOutbox, SendCounts
from klvrelay.alerts.rule import AlertRule
from klvrelay.config.alert_rules import SEVERITIES
from klvrelay.config.alerts import AlertsSettings, NotifySettings


class Notifier:
    """The destinations of a relay."""

    def __init__(
        self, settings: AlertsSettings, *, opened: Callable[[NotifySettings], AlertDestination] = open_destination,
        wall: Callable[[], float] = time.time, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:  # fmt: skip
        self._settings, self._opened, self._wall, self._sleep = settings, opened, wall, sleep
        self._outboxes = {one.name: self._outbox(one) for one in settings.destinations}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._is_running = False
        self._got: dict[str, set[str]] = {}  # names of the destinations by the id of a raised alert
        self._held: dict[str, tuple[Alert, AlertRule]] = {}

    def _outbox(self, settings: NotifySettings) -> AlertOutbox:
        return AlertOutbox(settings, self._opened(settings), self._sleep)

    def counts(self) -> dict[str, SendCounts]:
        """The notifications of each destination."""
        return {name: outbox.counts for name, outbox in self._outboxes.items()}

    @property
    def sent(self) -> int:
        """Number of notifications that were sent."""
        return sum(outbox.counts.sent for outbox in self._outboxes.values())

    def resume(self, alert: Alert, names: Iterable[str]) -> None:
        """These destinations were notified of the alert by an earlier run."""
        self._got[alert.id] = set(names)

    def notified(self, alert: Alert) -> tuple[str, ...]:
        """The names of the destinations to which the present event of an alert was sent; if it is raised, and
        nothing of it waits. If it ended: those to which this could not be sent yet.
        """
        waiting = {name for name, outbox in self._outboxes.items() if outbox.holds(Notification(alert).id)}
        return tuple(sorted(self._got.get(alert.id, set()) - waiting if alert.is_raised else waiting))

    def note(self, alert: Alert, rule: AlertRule) -> None:
        """An alert was raised, cleared or ended, or continues."""
        if not alert.is_raised:
            self._held.pop(alert.id, None)
            self._put(alert, self._got.pop(alert.id, ()))
            return
        if alert.news == "updated" and alert.id not in self._held:
            self._put(alert, self._got.get(alert.id, ()))
            return
        alert = replace(alert, news="raised")
        if self._must_wait(alert, rule):
            self._held[alert.id] = alert, rule
        else:
            self._send(alert, rule)

    def _put(self, alert: Alert, names: Iterable[str]) -> None:
        for name in sorted(names):
            if (outbox := self._outboxes.get(name)) is not None:
                outbox.put(Notification(alert))

    def check(self) -> None:
        """Send what was held, if the quiet hours are over. Call it once a second."""
        if self._held and not self._is_quiet:
            for alert, rule in self._held.values():
                self._send(alert, rule)
            self._held.clear()

    @property
    def _is_quiet(self) -> bool:
        quiet = self._settings.quiet
        return quiet is not None and quiet.contain(self._wall(), self._settings.zone)

    def _must_wait(self, alert: Alert, rule: AlertRule) -> bool:
        return rule.quiet and alert.severity != "critical" and self._is_quiet

    def _send(self, alert: Alert, rule: AlertRule) -> None:
        got = self._got.setdefault(alert.id, set())
        for outbox in self._outboxes_for(alert, rule):
            if outbox.settings.name not in got:
                outbox.put(Notification(alert))
                got.add(outbox.settings.name)

    def _outboxes_for(self, alert: Alert, rule: AlertRule) -> Iterable[AlertOutbox]:
        severity = SEVERITIES.index(alert.severity)
        for name, outbox in self._outboxes.items():
            is_named = rule.notify is None or name in rule.notify
            if is_named and severity >= SEVERITIES.index(outbox.settings.severity):
                yield outbox

    def start(self) -> None:
        """Begin to send, on the running event loop."""
        self._is_running = True
        for name, outbox in self._outboxes.items():
            if name not in self._tasks:
                self._tasks[name] = asyncio.create_task(outbox.run(), name=f"notify {name}")

    async def settle(self, seconds: float) -> None:
        """Wait until all is sent, for so many seconds at most."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await asyncio.gather(*(outbox.settle() for outbox in self._outboxes.values()))

    async def stop(self) -> None:
        """Send no more."""
        self._is_running = False
        await self._end(list(self._tasks))

    async def apply(self, settings: AlertsSettings) -> None:
        """Replace the settings. Destinations that are unchanged continue, with what waits for them."""
        before, self._settings = self._outboxes, settings
        kept = {name: box for name, box in before.items() if box.settings in settings.destinations}
        self._outboxes = {one.name: kept.get(one.name) or self._outbox(one) for one in settings.destinations}
        await self._end([name for name in self._tasks if name not in kept])
        if self._is_running:
            self.start()

    async def _end(self, names: Iterable[str]) -> None:
        tasks = [self._tasks.pop(name) for name in names]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
