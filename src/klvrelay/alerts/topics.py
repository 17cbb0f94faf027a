"""The documents of alerts on topics: of each stream, and of the relay with its sinks.

A document is retained while anything is raised. When the last alert is cleared, a document with `raised: []` follows,
so that subscribers see the clear; some seconds later an empty one, which deletes the retained value.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from klvrelay.alerts.alert import SCHEMA, Alert
from klvrelay.alerts.rule import AlertRule
from klvrelay.health.report import utc
from klvrelay.json_output import dumps

LINGER = 5.0
"""Seconds from the last clear until the retained value is deleted."""
EVENTS_MOST, RAISED_MOST = 100, 500
"""Maximum number of events and of raised alerts in a document."""

PublishAlerts = Callable[[str | None, bytes], None]
"""Publishes the document of a stream (None: of the relay); an empty one deletes the retained value."""


class AlertTopics:
    """Publishes the documents.

    raised   the raised alerts
    streams  names of the streams: what earlier runs left on their topics is deleted
    """

    def __init__(
        self, boot: str, publish: PublishAlerts, raised: Callable[[], Iterable[Alert]],
        streams: Callable[[], Iterable[str]] = tuple, clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._boot, self._publish, self._raised, self._streams, self._clock = boot, publish, raised, streams, clock
        self._events: dict[str | None, list[Alert]] = {}
        self._known: set[str | None] = set()
        self._ending: dict[str | None, float] = {}

    def note(self, alert: Alert, rule: AlertRule) -> None:
        """An alert was raised or cleared: it is in the next document."""
        events = self._events.setdefault(_topic_of(alert), [])
        if len(events) < EVENTS_MOST:
            events.append(alert)

    def flush(self) -> None:
        """Publish what changed. Call it after each evaluation."""
        now = self._clock()
        for name in (None, *self._streams()):
            if name not in self._known:
                self._known.add(name)
                self._publish(name, b"")
        for name in [name for name, end in self._ending.items() if now >= end]:
            del self._ending[name]
            self._publish(name, b"")
        events, self._events = self._events, {}
        if not events:
            return
        raised = list(self._raised())
        for name, changed in events.items():
            still = [alert for alert in raised if _topic_of(alert) == name]
            self._publish(name, self._document(name, still, changed))
            self._ending.pop(name, None)
            if not still:
                self._ending[name] = now + LINGER

    def _document(self, name: str | None, raised: list[Alert], events: list[Alert]) -> bytes:
        return dumps(
            {
                "schema": SCHEMA,
                "stream": name,
                "boot": self._boot,
                "at": utc(time.time_ns() // 1000),
                "raised": [alert.document() for alert in raised[:RAISED_MOST]],
                "events": [{"event": alert.event, **alert.document()} for alert in events],
            }
        )

    def end(self) -> None:
        """The relay stops: delete what is retained."""
        for name in {*self._events, *self._ending}:
            self._publish(name, b"")
        self._events.clear()
        self._ending.clear()


def _topic_of(alert: Alert) -> str | None:
    """The stream of the topic; alerts of sinks are on that of the relay."""
    return alert.name if alert.subject == "stream" else None
