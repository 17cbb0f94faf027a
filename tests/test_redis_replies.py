"""The error replies of Redis, and what they mean."""

from __future__ import annotations

import redis
from cases import each_case
from queue_trials import PASSWORD
from redis.asyncio.connection import DefaultParser
from redis.exceptions import InvalidResponse, ResponseError

from klvrelay.sinks.redis.faults import ErrorReply, error_of, login_fault, reply_of, result_of
from klvrelay.sinks.results import DELIVERED, LEFT_OUT, REJECTED


@each_case("text, result", [
    ("WRONGTYPE Operation against a key", REJECTED), ("NOPERM No permissions", REJECTED), ("ERR syntax", REJECTED),
    ("OOM command not allowed", None), ("LOADING Redis is loading", None), ("READONLY You can't", None),
    ("MASTERDOWN Link", None), ("NOREPLICAS Not enough", None), ("MISCONF Redis", None), ("MOVED 1 a:1", None),
    ("ERR Protocol error: invalid bulk length", LEFT_OUT),
])  # fmt: skip
def test_an_error_reply_is_of_the_publication_or_of_the_server(text: str, result: int | None):
    """Those of the server cost no record."""
    assert result_of(ErrorReply(text)) == result
    assert error_of([b"OK", [b"QUEUED", ResponseError(text)]]) == ErrorReply(text)
    assert result_of(error_of([b"OK", 3, None, [1]])) == DELIVERED


def test_the_text_of_an_error_is_not_repeated():
    """An old server repeats the arguments of an unknown command, and so the password."""
    for text in (f"ERR unknown command 'HELLO', with args: {PASSWORD}", f"ODD {PASSWORD}", f"LOADING {PASSWORD}"):
        assert PASSWORD not in str(login_fault("redis://h:6379", ErrorReply(text)))


def test_an_error_of_the_library_is_the_reply_that_caused_it():
    """With its code, also where redis-py has a class for it, or takes it for a lost connection."""
    for text in ("WRONGTYPE x", "NOPERM no", "LOADING data", "ERR max number of clients reached", "MOVED 1 a:1"):
        assert reply_of(DefaultParser.parse_error(text)) == ErrorReply(text)
    assert reply_of(InvalidResponse("Protocol error")) is None
    assert reply_of(redis.ConnectionError("Connection closed by server.")) is None
