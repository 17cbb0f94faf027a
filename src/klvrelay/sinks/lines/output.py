"""Standard output: a line of JSON for each record, or KLV packets."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from functools import partial

from klvrelay.config.sinks.lines import LinesSettings
from klvrelay.errors import OutputLost, SinkDown
from klvrelay.sinks.dialing.faults import plain
from klvrelay.sinks.lines.framing import framed
from klvrelay.sinks.publishing.publication import Publication
from klvrelay.sinks.results import DELIVERED, UNWANTED
from klvrelay.threads import Worker

STDOUT = 1
"""The descriptor of standard output."""


class StandardOutput:
    """Its contract is `FarEnd`. A slow reader makes records wait; one that goes away ends the relay.

    What was written counts as delivered.
    """

    detail = ""

    def __init__(self, settings: LinesSettings) -> None:
        self._settings = settings
        self.url = settings.url
        self._worker: Worker | None = None

    async def open(self) -> None:
        """Start the thread that writes: a write to a pipe may block."""
        self._worker = Worker("klvrelay-stdout")

    async def send(self, publications: Sequence[Publication]) -> Sequence[int]:
        """Write all, and return. Raises OutputLost if standard output cannot be written."""
        if self._worker is None:
            raise SinkDown(f"{self.url}: not open")
        parts = [framed(one, self._settings.framing) for one in publications]
        try:
            await self._worker.run(partial(_write, b"".join(part for part in parts if part is not None)))
        except OSError as fault:
            raise OutputLost(f"can't write to standard output: {plain(fault)}") from fault
        return [UNWANTED if part is None else DELIVERED for part in parts]

    async def lost(self) -> SinkDown:
        """There is no connection that can be lost."""
        await asyncio.Event().wait()
        raise AssertionError("unreachable")

    async def close(self) -> None:
        """End the thread."""
        worker, self._worker = self._worker, None
        if worker is not None:
            worker.close()


def _write(data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(STDOUT, rest) :]
