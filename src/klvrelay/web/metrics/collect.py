"""Collects all metrics, with pauses: hundreds of streams must not delay live records."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice

from klvrelay.health.board import Board
from klvrelay.web.metrics.exposition import lines_of
from klvrelay.web.metrics.family import Family
from klvrelay.web.metrics.of_relay import families_of_relay
from klvrelay.web.metrics.of_sinks import families_of_sinks
from klvrelay.web.metrics.of_streams import families_of_streams

TURN, LINES = 0.001, 20
"""Seconds after which other tasks run, and the number of lines between two looks at the clock."""

More = Callable[[], Iterable[Family]]


def families(board: Board, more: Iterable[More] = ()) -> Iterator[Family]:
    """All metrics. `more`: makes those of other parts, such as alerts."""
    yield from chain(families_of_relay(board), families_of_streams(board.streams()), families_of_sinks(board.sinks()))
    for each in more:
        yield from each()


async def exposition(board: Board, more: Iterable[More] = ()) -> bytes:
    """The text of all metrics."""
    board.refresh()
    await asyncio.sleep(0)
    lines = chain.from_iterable(map(lines_of, families(board, more)))
    parts: list[bytes] = []
    began = time.perf_counter()
    while part := "".join(islice(lines, LINES)):
        parts.append(part.encode())
        if time.perf_counter() - began > TURN:
            await asyncio.sleep(0)
            began = time.perf_counter()
    return b"".join(parts)
