"""What an error of a NATS server means."""

from __future__ import annotations

import re
from typing import NamedTuple

import orjson

from klvrelay.errors import SinkDown, SinkError, SinkRefused
from klvrelay.sinks.nats.frames import Frame
from klvrelay.sinks.results import DELIVERED, LEFT_OUT, REJECTED
from klvrelay.text import printable

NO_RESPONDERS = 503
"""Status of a message to a subject without a subscriber: no JetStream stream has it."""
TEXT_MOST = 120
_TOO_LARGE = 10054
"""Error of JetStream: the message exceeds max_msg_size of the stream."""
_VIOLATION = re.compile(r'permissions violation for (publish|subscription) to "([^"]*)"', re.IGNORECASE)


class StoreAnswer(NamedTuple):
    """The answer to a message. result: None: it is to be offered again. text: why it was not stored."""

    result: int | None
    text: str = ""


STORED = StoreAnswer(DELIVERED)
DENIED = StoreAnswer(REJECTED, "the user may not publish to it: extend its permissions")
UNBOUND = StoreAnswer(None, "no JetStream stream has this subject")


def verdict_of(frame: Frame) -> StoreAnswer:
    """What an answer of JetStream says about a message: `{"stream": ..., "seq": ...}`, or an error."""
    if frame.payload.startswith(b'{"stream":'):
        return STORED
    if frame.status == NO_RESPONDERS:
        return UNBOUND
    error = error_in(frame)
    if error is None:
        return STORED
    code, number, text = error
    if number == _TOO_LARGE:
        return StoreAnswer(LEFT_OUT, text)
    return StoreAnswer(None if code >= 500 or code == 429 else REJECTED, text)


def error_in(frame: Frame) -> tuple[int, int, str] | None:
    """Code, number and text of the error that an answer of JetStream contains."""
    if frame.status:
        return frame.status, 0, f"status {frame.status}"
    try:
        document = orjson.loads(frame.payload)
        error = document.get("error")
        if error is None:
            return None
        text = printable(str(error.get("description", "")))[:TEXT_MOST]
        return int(error.get("code", 500)), int(error.get("err_code", 0)), text
    except (ValueError, TypeError, AttributeError):
        return 500, 0, "an answer that is not JSON"


def violation(text: str) -> tuple[str, str] | None:
    """("publish" or "subscription", subject) of an -ERR line about permissions."""
    found = _VIOLATION.search(text)
    return None if found is None else (found[1].lower(), found[2])


def server_fault(url: str, text: str) -> SinkError:
    """What an -ERR line that ends the connection means."""
    lower = text.lower()
    if "tls required" in lower:
        return SinkRefused(f"{url}: the NATS server requires TLS: use tls://")
    if "authorization violation" in lower or "authentication revoked" in lower:
        return SinkRefused(
            f"{url}: the NATS server refuses the login: check username and password, token or credentials_file"
        )
    if "authentication expired" in lower:
        return SinkRefused(f"{url}: the credentials have expired: get new ones")
    if "maximum connections" in lower:
        return SinkDown(f"{url}: the NATS server has too many connections (max_connections)")
    if "authentication timeout" in lower:
        return SinkDown(f"{url}: the NATS server did not get the login in time")
    return SinkDown(f"{url}: the NATS server closed the connection: {printable(text)[:TEXT_MOST]}")
