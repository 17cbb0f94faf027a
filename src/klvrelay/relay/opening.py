"""One opening of a source: it is read until it ends, fails or must be reopened."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

from klvrelay.errors import SourceDown

LOG = logging.getLogger("klvrelay.relay")

CLOSING, LAST_CLOSING = 15.0, 1.5
"""Seconds in which a source must close: before it is reopened, and when the relay stops. Then it is abandoned."""


class Reopened(SourceDown):
    """The relay closed the source in order to reopen it. The text is the reason."""


class Opening:
    """Runs the task that reads a source, until the task ends or `reopen` is called."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._reason: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    @property
    def reopening(self) -> bool:
        """Was `reopen` called?"""
        return self._reason.done()

    def reopen(self, reason: str) -> None:
        """Close the source: `run` raises Reopened."""
        if not self._reason.done():
            self._reason.set_result(reason)

    async def run(self, reading: Coroutine[Any, Any, None]) -> None:
        """Return at the end of the source; raise what ended it."""
        reader = asyncio.create_task(reading, name=f"source {self._name}")
        reader.add_done_callback(_retrieve)
        try:
            both: set[asyncio.Future[Any]] = {reader, self._reason}
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            if not reader.done():
                await self._close(reader, CLOSING)
        except asyncio.CancelledError:
            await self._close(reader, LAST_CLOSING)
            raise
        if reader.done() and not reader.cancelled():
            reader.result()
        if self._reason.done():
            raise Reopened(self._reason.result())

    async def _close(self, reader: asyncio.Task[None], timeout: float) -> None:
        reader.cancel()
        _, hanging = await asyncio.wait({reader}, timeout=timeout)
        if hanging:
            LOG.warning("%s: source does not close, abandoned: seconds=%g", self._name, timeout)


def _retrieve(reader: asyncio.Task[None]) -> None:
    """Retrieve the exception of an abandoned task, which asyncio would log otherwise."""
    if not reader.cancelled():
        reader.exception()
