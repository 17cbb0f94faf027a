"""Sends publications in order, one group at a time: all that wait are sent together.

A far end with a long round trip so gets few large groups, and one nearby many small ones.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from klvrelay.errors import SinkDown
from klvrelay.sinks.publishing.far_end import FarEnd, Unconfirmed
from klvrelay.sinks.publishing.publication import Publication

GROUP_MOST, GROUP_SIZE_MOST = 2000, 4 << 20
"""Maximum publications and bytes in a group."""


class _Call:
    """The publications of one call, and their results."""

    __slots__ = ("fault", "publications", "results")

    def __init__(self, publications: Sequence[Publication]) -> None:
        self.publications = publications
        self.results: Sequence[int] = ()
        self.fault: SinkDown | None = None

    @property
    def is_done(self) -> bool:
        return self.fault is not None or len(self.results) == len(self.publications)

    def answer(self, results: Sequence[int], fault: SinkDown | None) -> None:
        self.results, self.fault = results, fault


class Outbox:
    """The publications of one connection."""

    def __init__(self, far_end: FarEnd) -> None:
        self._far_end = far_end
        self._turn = asyncio.Lock()
        self._waiting: list[_Call] = []
        self._fault: SinkDown | None = None

    async def send(self, publications: Sequence[Publication]) -> Sequence[int]:
        """Send publications after those of earlier calls, and return their results. Raises Unconfirmed."""
        if not publications:
            return ()
        entry = _Call(publications)
        self._waiting.append(entry)
        try:
            async with self._turn:  # in the order of the calls
                while not entry.is_done:
                    await self._send_group()
        finally:
            if entry in self._waiting:
                self._waiting.remove(entry)
        if (fault := entry.fault) is not None:
            raise Unconfirmed(str(fault), entry.results, traced=fault.traced, wait=fault.wait)
        return entry.results

    async def _send_group(self) -> None:
        """Send the entries that wait, up to a limit. If this is cancelled, nothing more is sent on the connection."""
        group = self._take()
        if self._fault is not None:
            return _answer(group, (), self._fault)
        results: Sequence[int] = ()
        fault: SinkDown | None = SinkDown(f"{self._far_end.url}: stopped")
        try:
            results = await self._far_end.send([one for entry in group for one in entry.publications])
            fault = None
        except Unconfirmed as lost:
            results, fault = lost.results, lost
        except SinkDown as lost:
            fault = lost
        finally:
            self._fault = fault
            _answer(group, results, fault)

    def _take(self) -> list[_Call]:
        count = size = taken = 0
        for entry in self._waiting:
            count += len(entry.publications)
            size += sum(len(one.data) for one in entry.publications)
            if taken and (count > GROUP_MOST or size > GROUP_SIZE_MOST):
                break
            taken += 1
        group, self._waiting = self._waiting[:taken], self._waiting[taken:]
        return group


def _answer(group: Sequence[_Call], results: Sequence[int], fault: SinkDown | None) -> None:
    """Pass the results on. Without a fault there is one for each publication."""
    at = 0
    for entry in group:
        own = results[at : at + len(entry.publications)]
        at += len(entry.publications)
        entry.answer(own, fault if len(own) < len(entry.publications) else None)
