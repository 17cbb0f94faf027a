"""Collects all metrics, with pauses: hundreds of streams must not delay live records."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from itertools import chain

from klvrelay.health.board import Board
from klvrelay.web.metrics.exposition import lines_of
from klvrelay.web.metrics.family import Family
from klvrelay.web.metrics.of_relay import families_of_relay
from klvrelay.web.metrics.of_sinks import families_of_sinks
from klvrelay.web.metrics.of_streams import families_of_streams

TURN = 500
"""Lines after which other tasks run."""

More = Callable[[], Iterable[Family]]


def families(board: Board, more: Iterable[More] = ()) -> Iterator[Family]:
    """All metrics. `more`: makes those of other parts, such as alerts."""
    yield from chain(families_of_relay(board), families_of_streams(board.streams()), families_of_sinks(board.sinks()))
    for each in more:
        yield from each()


async def exposition(board: Board, more: Iterable[More] = ()) -> bytes:
    """The text of all metrics."""
    board.refresh()
    lines: list[str] = []
    paused = 0
    for family in families(board, more):
        lines += lines_of(family)
        if len(lines) - paused >= TURN:
            paused = len(lines)
            await asyncio.sleep(0)
    return "".join(lines).encode()
