"""The spool of a relay: opened before it is built, and closed within the time of a stop."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from klvrelay.config.settings import RelaySettings

if TYPE_CHECKING:
    from klvrelay.spool.disk.log import DiskLog

LOG = logging.getLogger("klvrelay.relay")

LAST_WRITES = 0.5
"""Seconds in which the spool must have written the last records."""


async def open_spool(settings: RelaySettings) -> DiskLog | None:
    """The spool of these settings; None without one. Raises ConfigError."""
    if settings.spool is None:
        return None
    from klvrelay.spool.disk.opening import open_log  # loaded here: without a spool it is not needed

    spool, limits = settings.spool, {"limit": settings.waiting, "size_limit": settings.waiting_size}
    prefixes = [sink.far_end.prefix for sink in settings.sinks]
    owner = min(prefixes, default="")  # of a new spool, whatever their order
    return await open_log(
        spool.path, owner, spool.size, commit=spool.commit, age=spool.age, others=prefixes, **limits
    )  # fmt: skip


async def close_spool(spool: DiskLog | None) -> None:
    """Write what waits, within the time of a stop."""
    if spool is None:
        return
    closing = asyncio.create_task(spool.close(), name="close spool")
    try:  # in another task, which is not cancelled
        await asyncio.wait({closing}, timeout=LAST_WRITES)
    finally:
        closing.add_done_callback(_note_closed)


def _note_closed(closing: asyncio.Task[None]) -> None:
    if not closing.cancelled() and (fault := closing.exception()) is not None:
        LOG.error("spool: the last records were not written: %s", fault)
