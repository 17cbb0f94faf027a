"""What an error reply of Redis means. No text of the server is shown: it may repeat a password."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from redis.exceptions import RedisError, ResponseError

from klvrelay.errors import SinkDown, SinkError, SinkRefused
from klvrelay.sinks.results import DELIVERED, LEFT_OUT, REJECTED


class ErrorReply(NamedTuple):
    """An error. Its first word is the code, such as WRONGTYPE."""

    text: str

    @property
    def code(self) -> str:
        return self.text.partition(" ")[0]


Reply = bytes | int | ErrorReply | RedisError | list["Reply"] | None
"""What redis-py returns; an error within an array is its exception."""

LATER = {
    "OOM": "its memory is full (maxmemory): lower max_length, or give it more; records wait",
    "LOADING": "it is loading its data",
    "MASTERDOWN": "it is a replica without its primary",
    "READONLY": "it is a read-only replica: give the address of the primary",
    "MISCONF": "it can't save its data to disk and accepts no writes: see its log",
    "NOREPLICAS": "it has too few replicas for a write (min-replicas-to-write)",
    "BUSY": "a script keeps it busy",
    "CLUSTERDOWN": "its cluster is down",
    "NOAUTH": "it now requires a login",
    "MOVED": "it is part of a Redis Cluster, which is not supported: give the address of a single server",
    "ASK": "it is part of a Redis Cluster, which is not supported: give the address of a single server",
    "TRYAGAIN": "its cluster is changing",
    "UNBLOCKED": "it has become a replica",
}
"""Errors that do not depend on the publication: it is offered again."""
_TOO_LARGE = "ERR Protocol error: invalid bulk length"


def reply_of(fault: RedisError) -> ErrorReply | None:
    """The error reply that redis-py raises as an exception; None: it is no reply."""
    code = fault.status_code
    if code is not None:
        return ErrorReply(f"{code} {fault}")
    return ErrorReply(str(fault)) if type(fault) is ResponseError else None


def error_of(replies: Sequence[Reply]) -> ErrorReply | None:
    """The error among the replies to the commands of a publication: the first, which says more than EXECABORT."""
    for reply in replies:
        if isinstance(reply, RedisError):
            return reply_of(reply)
        if isinstance(reply, ErrorReply):
            return reply
        if isinstance(reply, list) and (inner := error_of(reply)) is not None:
            return inner
    return None


def result_of(error: ErrorReply | None) -> int | None:
    """The result of a publication; None: it is to be offered again."""
    if error is None:
        return DELIVERED
    if error.text.startswith(_TOO_LARGE):
        return LEFT_OUT
    return None if error.code in LATER else REJECTED


def unavailable(url: str, error: ErrorReply) -> SinkDown:
    """The server accepts no writes now."""
    return SinkDown(f"{url}: the Redis server accepts no records now: {LATER[error.code]}")


def refused(key: str, error: ErrorReply) -> str:
    """Why the server refused one key, for the log."""
    reason = {
        "WRONGTYPE": "the key exists with another type: remove or rename it",
        "NOPERM": "the user may not write it: extend the ACL",
    }.get(error.code, "an error that is not known: see its log")
    return f"{key}: refused by the Redis server: {reason}"


def login_fault(url: str, error: ErrorReply) -> SinkError:
    """Why the login failed. The text of the error is not quoted: it may repeat the password."""
    text, code = error.text, error.code
    if code == "WRONGPASS" or "invalid password" in text:
        return SinkRefused(f"{url}: the Redis server refuses user name or password: check both")
    if code == "NOAUTH":
        return SinkRefused(f"{url}: the Redis server requires a login: set username and password")
    if code == "DENIED":
        return SinkRefused(f"{url}: the Redis server is in protected mode: give it a password, or bind addresses")
    if code == "NOPERM":
        return SinkRefused(f"{url}: the user may not select this database: extend its ACL")
    if "DB index" in text:
        return SinkRefused(f"{url}: the Redis server has no such database: give a lower number")
    if "max number of clients" in text:
        return SinkDown(f"{url}: the Redis server has too many clients (maxclients)")
    if "unknown command" in text:
        return SinkRefused(f"{url}: the server does not know HELLO: Redis 7.0 or newer is required")
    if code in LATER:
        return unavailable(url, error)
    return SinkDown(f"{url}: the Redis server refuses the login with an unknown error: see its log")


def check_mode(url: str, mode: object, role: object) -> None:
    """Raise SinkRefused for a sentinel or a cluster, and SinkDown for a replica."""
    if mode == b"sentinel":
        raise SinkRefused(f"{url}: a Redis Sentinel is not supported: give the address of the primary itself")
    if mode == b"cluster":
        raise SinkRefused(f"{url}: a Redis Cluster is not supported: give the address of a single server")
    if role in (b"replica", b"slave"):
        raise SinkDown(f"{url}: {LATER['READONLY'].replace('it is', 'the Redis server is')}")
