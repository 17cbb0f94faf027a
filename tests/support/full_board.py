"""A board with everything that makes a metric, its ledger of incidents, and its alerts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from served_relay import alerting, board_of, connected, flown, ledger, outage

from klvrelay.core import Counters
from klvrelay.health.board import Board
from klvrelay.health.loop import LoopHealth
from klvrelay.link_stats import LinkStats
from klvrelay.relay.supervise import contain
from klvrelay.web.observed import Observed

UPLINK = {"step": 2, "bytes": 5000, "left_out": 7}


def full_board() -> Board:
    """A stream with clocks and all transport counters; a sink with a budget; a spool."""
    stream = flown()
    for clock in ("wall", "pts", "pcr"):
        for second in range(30):  # a drift needs some
            stream.clocks.against[clock].add(float(second), 0.1)
    lane = Counters()._replace(pcr_jitter_us=3.0, pcr_jitter_max_us=9.0)
    stream.note_link(LinkStats(srt_rtt_ms=12.5, lane=lane))
    sink = connected()
    sink.uplink, sink.withheld = lambda: UPLINK, lambda: {"telemetry": 3}
    board = board_of([stream], [sink])
    board.loop = LoopHealth(contain)
    board.has_spool = True
    return board


@asynccontextmanager
async def full_observed() -> AsyncIterator[Observed]:
    """With an open and a closed incident, and a destination of alerts."""
    board = full_board()
    async with ledger(board, "uav1", "uav2") as incidents:
        board.changes.publish(outage("uav2", state="live"))
        yield Observed(board, incidents=incidents, alerting=alerting(board))
