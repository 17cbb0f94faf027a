"""What waits to be sent within a budget, and what becomes of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import time_ns

from klvrelay.record import Record
from klvrelay.shape.budget.classes import Urgency
from klvrelay.sinks.mqtt.outputs.pending import Pending
from klvrelay.sinks.mqtt.protocol.connection import Message

LIVE = 5_000_000
"""Microseconds: older records are those of an outage, and say nothing about the load."""


def is_live(record: Record) -> bool:
    """Did the record arrive just now?"""
    return record.received_us is not None and time_ns() // 1000 - record.received_us < LIVE


@dataclass(slots=True)
class Unsent:
    """What waits to be sent.

    make   its messages, made when it is sent; none if there is nothing to publish any more
    part   gets the answer: of several messages, that of the first which was accepted; NOT_SENT if it was displaced
    size   estimate of its bytes
    live   does its displacement count as a sign of too little budget?
    """

    make: Callable[[], Sequence[Message]]
    part: Pending
    size: int = 0
    live: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class Ready:
    """Messages that may be sent, of one entry of the queue and its class."""

    urgency: Urgency
    entry: Unsent
    messages: Sequence[Message]


def joint(codes: Sequence[int | None], count: int) -> int | None:
    """The answer to several messages: None if one is missing, else the best."""
    known = [code for code in codes if code is not None]
    return min(known) if len(known) == count else None
