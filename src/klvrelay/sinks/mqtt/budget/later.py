"""Delivers the records that a budget left out, over the connection of their sink, when it is idle."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Self

from klvrelay.outcome import Outcome

if TYPE_CHECKING:
    from klvrelay.gap import Item
    from klvrelay.sinks.mqtt.budget.budget_outputs import BudgetOutputs

LOOK = 1.0
"""Seconds between two checks which broker is in use."""


class LaterSink:
    """A second sink beside one with a budget, with a separate cursor. Its contract is `Sink`.

    outputs   those of the broker in use
    """

    best_effort = True

    def __init__(self, outputs: Callable[[], BudgetOutputs], url: str) -> None:
        self._outputs, self._url = outputs, url

    def __repr__(self) -> str:
        return f"LaterSink({self._url})"

    async def __aenter__(self) -> Self:
        """Wait until the other sink is connected."""
        while True:
            try:
                async with asyncio.timeout(LOOK):
                    await self._outputs().connected.wait()
            except TimeoutError:
                continue  # another broker may be in use by now
            return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        """The connection belongs to the other sink."""

    async def deliver(self, batch: Sequence[Item]) -> Outcome:
        """See `Sink.deliver`."""
        return await self._outputs().deliver_later(batch)
