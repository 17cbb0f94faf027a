"""A sink of the relay, and how records are delivered to it."""

from __future__ import annotations

from typing import Literal, NamedTuple

from klvrelay.sinks.contract import Sink

Order = Literal["strict", "live-first"]


class SinkInput(NamedTuple):
    """A sink and its delivery.

    name         its name, also that of its cursor
    sink         delivers to the far end
    order        after an outage: "strict", the backlog first, or "live-first", the backlog beside the live records
    replay_rate  with "live-first", records of the backlog per second
    url          its address in messages; "": its name
    """

    name: str
    sink: Sink
    order: Order = "strict"
    replay_rate: float = 200.0
    url: str = ""
