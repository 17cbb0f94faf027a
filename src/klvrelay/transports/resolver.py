"""Name resolution with a time limit, on a few daemon threads. IP addresses need neither a thread nor a look-up.

    SOURCES   hosts of sources and of send destinations
    BROKERS   hosts of brokers, separate so that unresolvable sources do not block the connection to the broker

The C library's `getaddrinfo` cannot be cancelled and may block for 40 s. A caller stops waiting after its time limit;
the thread stays busy until the library returns, and further requests for the same host share that look-up.
"""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import socket
import threading
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

from klvrelay import threads

THREADS = 16
"""Maximum parallel look-ups of source hosts; when all of them hang, further ones wait."""
BROKER_THREADS = 4


class Endpoint(NamedTuple):
    """A resolved address: `family` and `kind` for `socket.socket`, `address` for its `connect` or `bind`."""

    family: socket.AddressFamily
    kind: socket.SocketKind
    address: tuple[Any, ...]

    @property
    def host(self) -> str:
        return str(self.address[0])


@dataclass(slots=True)
class _LookUp:
    host: str
    found: Future[list[Endpoint]] = field(default_factory=Future)
    waiting: int = 0


class Resolver:
    """Resolves at most `most` hosts in parallel; safe to use from any thread and any event loop."""

    def __init__(self, most: int = THREADS) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._known: dict[str, _LookUp] = {}  # waiting or running
        self._queue: deque[_LookUp] = deque()
        self._running = 0

    async def resolve(
        self, host: str, port: int, *, timeout: float, kind: socket.SocketKind = socket.SOCK_STREAM
    ) -> list[Endpoint]:
        """Resolve a host to at least one endpoint. Raises OSError, and socket.gaierror after `timeout` seconds."""
        if (address := literal(host)) is not None:
            return [_at(address, port, kind)]
        with self._share(host) as found:
            try:
                async with asyncio.timeout(timeout):
                    return [_at(address, port, kind) for address in await asyncio.wrap_future(found)]
            except TimeoutError:
                raise _no_answer() from None

    def lookup(
        self, host: str, port: int, *, timeout: float, kind: socket.SocketKind = socket.SOCK_STREAM
    ) -> list[Endpoint]:
        """Like `resolve`, for a thread that may block."""
        if (address := literal(host)) is not None:
            return [_at(address, port, kind)]
        with self._share(host) as found:
            try:
                return [_at(address, port, kind) for address in found.result(timeout)]
            except TimeoutError:
                raise _no_answer() from None

    @contextmanager
    def _share(self, host: str) -> Iterator[Future[list[Endpoint]]]:
        with self._lock:
            look_up = self._known.get(host)
            if look_up is None:
                look_up = self._begin(host)
            look_up.waiting += 1
        try:
            yield look_up.found
        finally:
            with self._lock:
                look_up.waiting -= 1

    def _begin(self, host: str) -> _LookUp:
        look_up = _LookUp(host)
        look_up.found.set_running_or_notify_cancel()  # so that a caller that gives up does not cancel it for the others
        if self._running < self._most:
            self._start()
        self._known[host] = look_up
        self._queue.append(look_up)
        return look_up

    def _start(self) -> None:
        try:
            threads.start(self._work, "klvrelay-resolver")
        except RuntimeError as fault:
            if self._running:
                return  # the running threads will take it
            raise OSError(errno.EAGAIN, str(fault)) from None
        self._running += 1

    def _work(self) -> None:
        while (look_up := self._next()) is not None:
            outcome: Future[list[Endpoint]] = Future()
            threads.settle(outcome, partial(_look_up, look_up.host))
            self._end(look_up)
            if (fault := outcome.exception()) is None:
                look_up.found.set_result(outcome.result())
            else:
                look_up.found.set_exception(_as_unknown(fault))

    def _next(self) -> _LookUp | None:
        """The next host that has a waiting caller; None ends the thread."""
        with self._lock:
            while self._queue:
                look_up = self._queue.popleft()
                if look_up.waiting:
                    return look_up
                del self._known[look_up.host]
            self._running -= 1
            return None

    def _end(self, look_up: _LookUp) -> None:
        """Forget the look-up before its result is set, so that later callers start a new one."""
        with self._lock:
            del self._known[look_up.host]


def literal(host: str) -> Endpoint | None:
    """The endpoint of an IP address, with its zone if any; None for a name. Raises OSError for an unknown zone."""
    try:
        ip = ipaddress.ip_address(host)
    except ValueError:
        return None
    if ip.version == 4:
        return Endpoint(socket.AF_INET, socket.SOCK_STREAM, (str(ip), 0))
    bare, _, zone = host.partition("%")
    index = int(zone) if zone.isdecimal() else socket.if_nametoindex(zone) if zone else 0
    return Endpoint(socket.AF_INET6, socket.SOCK_STREAM, (bare, 0, 0, index))


def _look_up(host: str) -> list[Endpoint]:
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return [Endpoint(family, kind, address) for family, kind, _, _, address in found]


def _at(place: Endpoint, port: int, kind: socket.SocketKind) -> Endpoint:
    return Endpoint(place.family, kind, (place.address[0], port, *place.address[2:]))


def _no_answer() -> socket.gaierror:
    return socket.gaierror(socket.EAI_AGAIN, "no answer from the DNS server")


def _as_unknown(fault: BaseException) -> BaseException:
    """A name that cannot be encoded (an empty label, or one longer than 63 octets) counts as unknown."""
    unknown = socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    return unknown if isinstance(fault, UnicodeError) else fault


SOURCES = Resolver()
BROKERS = Resolver(BROKER_THREADS)
