"""The cursor of a sink in parts: live records, and the backlogs of outages.

    append --> live ------------------------> batch
                 |  `live-first`: at a connection ^
                 |  any order: the disk is away   |
                 +-----> backlog --(rate)---------+

With `live-first`, all that waits when a connection begins becomes the backlog. Within the live records and within the
backlog each stream is in order. A batch is of one kind, and they take turns, so a live record waits for one batch at
most. With `strict`, the live records wait for a backlog, except while it cannot be read.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Protocol

from klvrelay.gap import Item, Replay
from klvrelay.outcome import Outcome, Sums
from klvrelay.spool.cursor import NEVER
from klvrelay.spool.turns import Turns

PULSE = 0.05
"""Seconds from one part of the backlog to the next."""


class Flow(Protocol):
    """The live records, or a part of the backlog. For the methods see `klvrelay.spool.cursor.Cursor`."""

    @property
    def count(self) -> int: ...

    @property
    def is_done(self) -> bool: ...

    @property
    def offered(self) -> int: ...

    @property
    def offered_size(self) -> int: ...

    def sums(self) -> Sums: ...

    def take(self, most: int, size: int, batch: list[Item]) -> list[Item]: ...

    def has_offered(self, batch: Sequence[Item]) -> bool: ...

    def commit(self, batch: Sequence[Item], outcome: Outcome) -> None: ...

    def rewind(self) -> None: ...

    def set_aside(self) -> Item: ...


class Flows(ABC):
    """The live records of one sink and its backlog: flows, the oldest first, which are delivered one after another.

    rate   with `live-first`, records of the backlog per second; None: `strict`
    """

    live: Flow
    backlog: list[Flow]

    def __init__(self, name: str, limit: int, size_limit: int, rate: float | None) -> None:
        self.name, self.limit, self.size_limit = name, limit, size_limit
        self._rate = rate
        self._allowed = 0.0  # records of the backlog that may be sent now
        self._pulse: asyncio.TimerHandle | None = None
        self._is_draining = False
        self._is_away = False  # is the next part of the backlog on a disk that cannot be read?
        self._is_suspicious: Callable[[], bool] = bool
        self._least = 1
        self._turns = Turns(lambda: self._available >= self._least)
        self._was_live = False  # the last batch
        self._broke_replay = False  # the last connection was lost with a part of the backlog in flight
        self._empty = asyncio.Event()
        self._empty.set()
        self._past = Sums()  # of flows that are done

    @property
    def flows(self) -> list[Flow]:
        return [*self.backlog, self.live]

    @property
    def offered(self) -> int:
        return sum(flow.offered for flow in self.flows)

    @property
    def offered_size(self) -> int:
        return sum(flow.offered_size for flow in self.flows)

    @property
    def count(self) -> int:
        """Number of records and gaps that can be offered now."""
        return self._available

    @property
    def is_done(self) -> bool:
        """Is nothing waiting or in flight?"""
        return self._empty.is_set()

    @property
    def shed(self) -> int:
        """Number of records that were shed."""
        return self.sums().shed

    @property
    def waiting(self) -> int:
        """Number of records that are not answered."""
        return self.sums().waiting

    def sums(self) -> Sums:
        parts = (self._past, *(flow.sums() for flow in self.flows))
        return Sums(*map(sum, zip(*parts, strict=True)))

    def begin_connection(self, is_suspicious: Callable[[], bool] = bool) -> None:
        """With `live-first`, what waits is the backlog from now on.

        is_suspicious   does a record break each connection? Meanwhile the backlog is delivered first, without the rate
        """
        self._is_suspicious = is_suspicious
        if self._rate is not None:
            if not self.live.is_done:
                self._divide()
            self._allowed = max(0.0, 1.0 - self._rate * PULSE)  # one at once, at least
        # What may break each connection is sent first: otherwise the answers to live records would clear it.
        self._was_live = self._broke_replay
        self._continue()

    def set_rate(self, rate: float | None) -> None:
        """Change the order; see `rate`. With `strict`, a backlog that waits comes before the live records."""
        self._stop_pulse()
        self._rate, self._allowed = rate, 0.0
        self._continue()
        self._turns.wake()

    @abstractmethod
    def _divide(self) -> None:
        """The live records become the last part of the backlog."""

    @property
    def _replayable(self) -> int:
        """Number of items of the backlog that may be sent now."""
        if not self.backlog:
            return 0
        count = self.backlog[0].count
        is_free = self._rate is None or self._is_draining or self._is_suspicious()
        return count if is_free else min(count, int(self._allowed))

    @property
    def _live_count(self) -> int:
        """Number of live items that may be sent now."""
        waits = self._rate is None and self.backlog and not (self._is_away and not self.backlog[0].count)
        return 0 if waits else self.live.count

    @property
    def _available(self) -> int:
        return self._replayable if self.backlog and self._is_suspicious() else self._live_count + self._replayable

    async def batch(self, most: int = 20, size: int = NEVER) -> Sequence[Item]:
        """See `Cursor.batch`. A part of the backlog is a `Replay`."""
        while self._available < self._least:
            await self._turns.wait()
        replayable = self._replayable
        is_next = not self._was_live and not self._is_suspicious()
        self._was_live = not replayable or (is_next and self._live_count > 0)
        if self._was_live:
            batch = self.live.take(most, size, [])
        else:
            batch = self.backlog[0].take(min(most, replayable), size, Replay())
            self._allowed -= len(batch)
        self._turns.wake()
        return batch

    def offer_at(self, least: int) -> None:
        """See `Cursor.offer_at`."""
        self._least = least
        self._turns.wake()

    def commit(self, batch: Sequence[Item], outcome: Outcome) -> None:
        """See `Cursor.commit`."""
        flow = next(flow for flow in self.flows if flow.has_offered(batch))
        flow.commit(batch, outcome)
        self.changed()

    def rewind(self) -> None:
        """See `Cursor.rewind`. The backlog waits for the next connection."""
        self._broke_replay = bool(self.backlog and self.backlog[0].offered)
        for flow in self.flows:
            flow.rewind()
        self._stop_pulse()
        self._allowed = 0.0
        self.changed()

    def set_aside(self) -> Item:
        """Leave out the next item of the kind that was sent last; see `Cursor.set_aside`."""
        item = (self.live if self._was_live or not self.backlog else self.backlog[0]).set_aside()
        self.changed()
        return item

    async def wait_until_drained(self) -> None:
        """Return once nothing is waiting or in flight. From now on the rate does not apply."""
        self._is_draining = True
        self._turns.wake()
        await self._empty.wait()

    def changed(self) -> None:
        """Records were answered, lost or loaded."""
        while self.backlog and self.backlog[0].is_done:
            self._past = Sums(*map(sum, zip(self._past, self.backlog.pop(0).sums(), strict=True)))
        if not self.backlog:
            self._stop_pulse()
        if not self.backlog and self.live.is_done:
            self._empty.set()
        self._turns.wake()

    def _continue(self) -> None:
        """Allow the next part of the backlog."""
        self._pulse = None
        if self.backlog and self._rate is not None:
            part = self._rate * PULSE
            self._allowed = min(self._allowed + part, max(1.0, 2 * part))
            self._pulse = asyncio.get_running_loop().call_later(PULSE, self._continue)
            self._turns.wake()

    def _stop_pulse(self) -> None:
        if self._pulse is not None:
            self._pulse.cancel()
            self._pulse = None
