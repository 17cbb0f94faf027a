"""A board with everything that makes a metric, its ledger of incidents, and its alerts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from served_relay import alerting, board_of, connected, flown, ledger

from klvrelay.health.board import Board
from klvrelay.health.loop import LoopHealth
from klvrelay.link_stats import LinkStats
from klvrelay.relay.supervise import contain
from klvrelay.web.observed import Observed

UPLINK = {"step": 2, "bytes": 5000, "left_out": 7}


def full_board() -> Board:
    """A stream with clocks and all transport counters; a sink with a budget; a spool."""
    stream = flown()
    stream.clocks.settle()
    stream.note_link(LinkStats(**dict.fromkeys(_optional(), 1)))
    sink = connected()
    sink.uplink, sink.withheld = lambda: UPLINK, lambda: {"telemetry": 3}
    board = board_of([stream], [sink])
    board.loop = LoopHealth(contain)
    board.has_spool = True
    return board


def _optional() -> list[str]:
    """Counters that only some transports have."""
    return [name for name, value in LinkStats()._asdict().items() if value is None]


@asynccontextmanager
async def full_observed() -> AsyncIterator[Observed]:
    """With an open and a closed incident, and a destination of alerts."""
    board = full_board()
    async with ledger(board) as incidents:
        yield Observed(board, incidents=incidents, alerting=alerting(board))
