"""A sink of the relay, and how records are delivered to it."""

from __future__ import annotations

from typing import NamedTuple

from klvrelay.config.settings import Order as Order
from klvrelay.sinks.contract import Sink


class SinkInput(NamedTuple):
    """A sink and its delivery.

    name         its name, also that of its cursor
    sink         delivers to the far end
    order        after an outage: "strict", the backlog first, or "live-first", the backlog beside the live records
    replay_rate  with "live-first", records of the backlog per second
    cursor       name of its position in the spool; None: from the scheme in `name`
    patience     seconds in which an attempt to connect must end, one way or the other
    """

    name: str
    sink: Sink
    order: Order = "strict"
    replay_rate: float = 200.0
    cursor: str | None = None
    patience: float = 60.0

    @property
    def rate(self) -> float | None:
        """Records of the backlog per second beside the live records; None if the backlog comes first."""
        return self.replay_rate if self.order == "live-first" else None

    @property
    def key(self) -> str:
        """The name by which a reload compares sinks: it stays the same if the sink moves."""
        return self.cursor or self.name
