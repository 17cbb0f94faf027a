"""The replies of Redis: how they are split, and what errors mean."""

from __future__ import annotations

import pytest
from cases import each_case
from queue_trials import PASSWORD

from klvrelay.sinks.redis.faults import error_of, login_fault, result_of
from klvrelay.sinks.redis.resp import ErrorReply, NoRedis, Replies, command
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
    assert error_of([b"OK", [b"QUEUED", ErrorReply(text)]]) == ErrorReply(text)
    assert result_of(error_of([b"OK", 3, None, [1]])) == DELIVERED


def test_the_text_of_an_error_is_not_repeated():
    """An old server repeats the arguments of an unknown command, and so the password."""
    for text in (f"ERR unknown command 'HELLO', with args: {PASSWORD}", f"ODD {PASSWORD}", f"LOADING {PASSWORD}"):
        assert PASSWORD not in str(login_fault("redis://h:6379", ErrorReply(text)))


def test_replies_are_found_however_they_are_split():
    """At each byte."""
    data = b"+OK\r\n-ERR no\r\n:-12\r\n$4\r\na\r\nb\r\n$-1\r\n*3\r\n:1\r\n$0\r\n\r\n*-1\r\n*0\r\n"
    wanted = [b"OK", ErrorReply("ERR no"), -12, b"a\r\nb", None, [1, b"", None], []]
    for cut in range(len(data) + 1):
        replies = Replies()
        assert replies.feed(data[:cut]) + replies.feed(data[cut:]) == wanted
    replies = Replies()
    assert [one for byte in data for one in replies.feed(bytes([byte]))] == wanted


@each_case("data", [
    b"HTTP/1.1 200 OK\r\n", b"$x\r\n", b"$9999999\r\n", b"*9999999\r\n", b"*1\r\n" * 9 + b":1\r\n",
    b"+" + b"x" * (1 << 20) + b"y" * 9,
])  # fmt: skip
def test_bytes_that_are_no_replies_are_refused(data: bytes):
    """Within bounded memory."""
    with pytest.raises(NoRedis):
        Replies().feed(data)


def test_a_command_is_an_array_of_arguments():
    """Arguments may contain line ends."""
    assert command(b"SET", b"a", b"\r\n") == b"*3\r\n$3\r\nSET\r\n$1\r\na\r\n$2\r\n\r\n\r\n"
