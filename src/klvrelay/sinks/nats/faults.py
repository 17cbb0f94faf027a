"""What an error of a NATS server means. No text of the server is shown: it may repeat a password."""

from __future__ import annotations

import re
from typing import NamedTuple

import orjson

from klvrelay.errors import SinkDown, SinkError, SinkRefused
from klvrelay.sinks.results import DELIVERED, LEFT_OUT, REJECTED

NO_RESPONDERS = "503"
"""Status of the answer if a subject has no subscriber: no JetStream stream has it."""
TOO_LARGE, NAME_IN_USE, OVERLAP = 10054, 10058, 10065
NOT_ENABLED = (10039, 10076)
"""Errors of JetStream by number."""
_TEXTS = {
    10003: "the request is not valid (error 10003)",
    10023: "it has no memory or storage left",
    10028: "the memory of the account is used up",
    10047: "its storage is used up",
    TOO_LARGE: "the message exceeds max_msg_size of the stream",
    NAME_IN_USE: "a stream with this name exists with other subjects or limits: set another stream_name",
    OVERLAP: "another stream has some of the subjects: extend that one",
    10077: "the stream is full, or its storage is (error 10077)",
    10109: "the stream is sealed",
    10167: "too many messages wait to be stored",
}
_VIOLATION = re.compile(r'permissions violation for (publish|subscription) to "([^"]*)"', re.IGNORECASE)


class StoreAnswer(NamedTuple):
    """The answer to a message. result: None: it is to be offered again. text: why it was not stored."""

    result: int | None
    text: str = ""


STORED = StoreAnswer(DELIVERED)
DENIED = StoreAnswer(REJECTED, "the user may not publish to it: extend its permissions")
UNBOUND = StoreAnswer(None, "no JetStream stream has this subject")


def verdict_of(payload: bytes, status: str = "") -> StoreAnswer:
    """What an answer of JetStream says about a message: `{"stream": ..., "seq": ...}`, an error, or only a status."""
    if status:
        return UNBOUND if status == NO_RESPONDERS else StoreAnswer(REJECTED, f"status {status}")
    if payload.startswith(b'{"stream":'):
        return STORED
    try:
        error = orjson.loads(payload).get("error")
        if error is None:
            return STORED
        code, number = int(error.get("code", 500)), int(error.get("err_code", 0))
    except (ValueError, TypeError, AttributeError):
        return StoreAnswer(None, "an answer that is not JSON")
    if number == TOO_LARGE:
        return StoreAnswer(LEFT_OUT, text_of(code, number))
    return StoreAnswer(None if code >= 500 or code == 429 else REJECTED, text_of(code, number))


def text_of(code: int, number: int) -> str:
    """What an error of JetStream means."""
    return _TEXTS.get(number, f"error {number or code}")


def violation(text: str) -> tuple[str, str] | None:
    """("publish" or "subscription", subject) of an -ERR line about permissions."""
    found = _VIOLATION.search(text)
    return None if found is None else (found[1].lower(), found[2])


_REFUSALS = {
    "tls required": "the NATS server requires TLS: use tls://",
    "authorization violation": "the NATS server refuses the login: check username and password, token or"
    " credentials_file",
    "authentication revoked": "the credentials have been revoked: get new ones",
    "authentication expired": "the credentials have expired: get new ones",
}
_ENDS = {
    "maximum connections": "the NATS server has too many connections (max_connections)",
    "authentication timeout": "the NATS server did not get the login in time",
    "stale connection": "the NATS server got no answer to its pings",
    "slow consumer": "the NATS server could not send its answers in time",
}


def server_fault(url: str, text: str) -> SinkError:
    """What an -ERR line that ends the connection means."""
    lower = text.lower()
    for kind, reasons in ((SinkRefused, _REFUSALS), (SinkDown, _ENDS)):
        for phrase, reason in reasons.items():
            if phrase in lower:
                return kind(f"{url}: {reason}")
    return SinkDown(f"{url}: the NATS server ended the connection with an error: see its log")
