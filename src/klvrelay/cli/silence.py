"""A hint for a source from which nothing is received."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from klvrelay.config.url import Url
from klvrelay.log import logger

SILENT = 5.0
"""Seconds without data after which the hint is logged."""


@asynccontextmanager
async def hint_of_silence(url: Url, is_silent: Callable[[], bool]) -> AsyncIterator[None]:
    """Inside, log once if nothing has been received in the first SILENT seconds."""
    task = asyncio.create_task(_hint(url, is_silent), name="klvrelay-silence")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def _hint(url: Url, is_silent: Callable[[], bool]) -> None:
    await asyncio.sleep(SILENT)
    if is_silent():
        logger().warning("nothing received yet from %s; check that the sender is running", url)
