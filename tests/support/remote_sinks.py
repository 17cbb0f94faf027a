"""Sinks whose far end answers late, refuses, or hangs up, for the tests of delivery."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Self

from records import all_of, gaps_of, records_of

from klvrelay.errors import SinkDown
from klvrelay.gap import Item
from klvrelay.outcome import Outcome
from klvrelay.record import Record


@dataclass
class FarEnd:
    """Accepts each batch when it is sent, in order; its answer follows after `round_trip` seconds.

    window maximum records without an answer
    breaks hangs up at such a record without accepting it
    tells       says then which of the batch it took before
    lasts       seconds after which each connection ends by itself
    silent      never answers
    taken       (time, record) as it took them; answers came for `answered` batches
    """

    round_trip: float = 0.0003
    window: int = 1000
    breaks: Callable[[Record], bool] = lambda record: False
    tells: bool = False
    lasts: float | None = None
    silent: bool = False
    taken: list[tuple[float, Record]] = field(default_factory=list)
    gaps: list[tuple[str, int, int, str]] = field(default_factory=list)
    batches: list[int] = field(default_factory=list)
    entries: list[float] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0
    most_unanswered: int = 0

    async def __aenter__(self) -> Self:
        loop = self._loop = asyncio.get_running_loop()
        self.entries.append(loop.time())
        self._turn, self._slots = asyncio.Lock(), asyncio.Semaphore(self.window)
        self._down: asyncio.Future[None] = loop.create_future()
        self._timer = loop.call_later(1e9 if self.lasts is None else self.lasts, self._hang_up)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._timer.cancel()
        self._hang_up()

    def _hang_up(self) -> None:
        if not self._down.done():
            self._down.set_result(None)

    async def keep(self, notices: object) -> None:
        await asyncio.shield(self._down)
        raise SinkDown("the far end hung up")

    async def deliver(self, batch: Sequence[Item]) -> Outcome:
        self.batches.append(len(batch))
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            return await self._deliver(batch)
        finally:
            self.at_once -= 1

    async def _deliver(self, batch: Sequence[Item]) -> Outcome:
        taken = 0
        async with self._turn:
            for record in records_of(batch):
                await self._slots.acquire()
                self._loop.call_later(1e9 if self.silent else self.round_trip, self._slots.release)
                if self.breaks(record):
                    self._hang_up()
                if self._down.done():
                    raise SinkDown("the far end hung up", answered=self._answered(batch, taken))
                taken += 1
                self.taken.append((self._loop.time() + self.round_trip / 2, record))
                self.most_unanswered = max(self.most_unanswered, self.window - self._slots._value)
        await asyncio.wait({self._down}, timeout=None if self.silent else self.round_trip)
        if self._down.done():
            raise SinkDown("the far end hung up", answered=self._answered(batch, taken))
        self.gaps += gaps_of(batch)
        return all_of(batch)

    def _answered(self, batch: Sequence[Item], taken: int) -> Outcome:
        """The answers to the leading records, up to the first gap."""
        leading = len(list(takewhile(lambda item: isinstance(item, Record), batch)))
        return Outcome(min(taken, leading)) if self.tells else Outcome()

    def seqs(self, stream: str = "uav1") -> list[int]:
        return [record.seq for _, record in self.taken if record.stream == stream]
