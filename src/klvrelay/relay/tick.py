"""The checks at intervals: silence, states and latest values of the streams, counts of the sinks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from klvrelay.relay.stream import Stream
from klvrelay.relay.turns import turns

TICK = 0.25
"""Seconds between two checks of the streams."""
STATES = 4
"""Checks between two publications of the latest values of a stream."""
LATE, CATCH_UP = 1.0, 0.5
"""A check that is late by LATE seconds, since the process was stopped or had no processor, waits for CATCH_UP seconds
more: what arrived meanwhile is read first.
"""
SLOTS, STREAMS_PER_SLOT = 5, 8
"""TICK is divided into at most SLOTS parts, one for every STREAMS_PER_SLOT streams."""


async def keep_checking(
    streams: Callable[[], Sequence[Stream]], check_outputs: Callable[[], None], check: Callable[[Stream, bool], None]
) -> None:
    """Check the outputs several times a tick, and each stream once a tick, until cancelled.

    streams  returns the streams; a reload replaces the list
    check    is called with a stream, and whether its latest values are due
    """
    while True:
        known = streams()
        slots = max(1, min(SLOTS, len(known) // STREAMS_PER_SLOT))
        for turn in turns(len(known), slots, STATES):
            await _wait(TICK / slots)
            if streams() is not known:
                break
            check_outputs()
            for number, is_due in turn:
                check(known[number], is_due)


async def _wait(seconds: float) -> None:
    loop = asyncio.get_running_loop()
    due = loop.time() + seconds
    await asyncio.sleep(seconds)
    if loop.time() - due >= LATE:
        await asyncio.sleep(CATCH_UP)
