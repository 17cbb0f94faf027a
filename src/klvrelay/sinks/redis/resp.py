r"""The protocol RESP2 of Redis.

    command   *<count>\r\n  then for each argument  $<bytes>\r\n<argument>\r\n
    reply     +<text>\r\n   -<error>\r\n   :<integer>\r\n   $<bytes>\r\n<data>\r\n   *<count>\r\n<replies>
              a length of -1 is null
"""

from __future__ import annotations

from typing import NamedTuple

REPLY_MOST = 1 << 20
"""Maximum bytes of a reply: those of the commands used here have a few hundred."""
DEPTH_MOST = 4


class ErrorReply(NamedTuple):
    """An error. Its first word is the code, such as WRONGTYPE."""

    text: str

    @property
    def code(self) -> str:
        return self.text.partition(" ")[0]


Reply = bytes | int | ErrorReply | list["Reply"] | None


class NoRedis(Exception):
    """The bytes are no replies of RESP2."""


def command(*words: bytes) -> bytes:
    """A command as bytes."""
    return b"*%d\r\n%b" % (len(words), b"".join(map(argument, words)))


def argument(word: bytes) -> bytes:
    """An argument of a command."""
    return b"$%d\r\n%b\r\n" % (len(word), word)


class Replies:
    """Splits received bytes into replies."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[Reply]:
        """The replies that are complete now. Raises NoRedis."""
        data = self._rest + data
        found, at = [], 0
        while at < len(data) and (one := _parse(data, at, 0)) is not None:
            reply, at = one
            found.append(reply)
        self._rest = data[at:]
        if len(self._rest) > REPLY_MOST:
            raise NoRedis
        return found


def _parse(data: bytes, at: int, depth: int) -> tuple[Reply, int] | None:
    """The reply at a position, and the position after it; None: it is not complete."""
    kind = data[at : at + 1]
    if kind not in b"+-:$*" or depth > DEPTH_MOST:
        raise NoRedis
    if (end := data.find(b"\r\n", at)) < 0:
        return None
    line, after = data[at + 1 : end], end + 2
    if kind == b"$":
        return _bulk(data, after, _integer(line))
    if kind == b"*":
        return _array(data, after, _integer(line), depth)
    if kind == b":":
        return _integer(line), after
    return ErrorReply(line.decode(errors="replace")) if kind == b"-" else line, after


def _bulk(data: bytes, at: int, size: int) -> tuple[Reply, int] | None:
    if size < 0:
        return None, at
    if size > REPLY_MOST:
        raise NoRedis
    end = at + size
    return None if len(data) < end + 2 else (data[at:end], end + 2)


def _array(data: bytes, at: int, count: int, depth: int) -> tuple[Reply, int] | None:
    if count > REPLY_MOST:
        raise NoRedis
    found: list[Reply] = []
    for _ in range(count):
        if at >= len(data) or (one := _parse(data, at, depth + 1)) is None:
            return None
        reply, at = one
        found.append(reply)
    return (None if count < 0 else found), at


def _integer(text: bytes) -> int:
    try:
        return int(text)
    except ValueError:
        raise NoRedis from None
