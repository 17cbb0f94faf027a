"""Events for the connection itself: pings, and the change to TAK protocol 1."""

from __future__ import annotations

import time

from klvrelay.sinks.cot.cot_event import CotEvent, CotPoint, Detail

_LASTING_US = 20_000_000
_PLACE = CotPoint(0.0, 0.0, 0.0)


def ping(prefix: str) -> CotEvent:
    """Asks a server whether it is there. It keeps the connection, too: servers close idle ones."""
    return _control(f"{prefix}.ping", "t-x-c-t")


def pong(prefix: str) -> CotEvent:
    """The answer to the ping of a server."""
    return _control(f"{prefix}.ping", "t-x-c-t-r")


def protocol_request(uid: str) -> CotEvent:
    """Asks a server for TAK protocol 1, which it has offered under this uid."""
    wanted = Detail("TakControl", inner=(Detail("TakRequest", {"version": "1"}),))
    return _control(uid, "t-x-takp-q", (wanted,))


def _control(uid: str, kind: str, details: tuple[Detail, ...] = ()) -> CotEvent:
    now = time.time_ns() // 1000
    return CotEvent(uid, kind, "m-g", now, now + _LASTING_US, _PLACE, details)
