"""A relay that runs in the test, with its alerts; and what was published about them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import orjson

from klvrelay.alerts.alert import Alert
from klvrelay.config.settings import RelaySettings
from klvrelay.relay.build import run_relay
from klvrelay.relay.relay import Relay

Beside = Callable[[Relay], Awaitable[None]]


class ObservedRelay:
    """A running relay. `events`: the alerts that were raised and cleared, in order."""

    def __init__(self, relay: Relay) -> None:
        assert relay.alerting is not None
        self.relay, self.alerts = relay, relay.alerting.alerts
        self.events: list[Alert] = []
        self.alerts.listeners.append(lambda alert, rule: self.events.append(alert))

    def of(self, name: str) -> list[Alert]:
        """The events of a stream or sink."""
        return [alert for alert in self.events if alert.name == name]

    def seen(self, name: str | None = None) -> list[str]:
        """`raised no_klv`, `cleared no_klv`, ...; of a stream or sink, or of all."""
        events = self.events if name is None else self.of(name)
        return [f"{alert.event} {alert.rule}" for alert in events]


@asynccontextmanager
async def observed(settings: RelaySettings, *others: Beside) -> AsyncIterator[ObservedRelay]:
    """Run a relay until the end of the block, with others beside it."""
    found: asyncio.Future[ObservedRelay] = asyncio.get_running_loop().create_future()

    async def beside(relay: Relay) -> None:
        found.set_result(ObservedRelay(relay))

    task = asyncio.create_task(run_relay(settings, beside, *others))
    try:
        yield await asyncio.wait_for(found, 10)
    finally:
        task.cancel()
        await asyncio.wait({task}, timeout=10)


def published_events(payloads: Sequence[bytes]) -> list[tuple[str, str]]:
    """The events in messages of a topic `alert`: what happened, and the rule."""
    documents: list[Any] = [orjson.loads(payload) for payload in payloads if payload]
    return [(event["event"], event["rule"]) for document in documents for event in document["events"]]
