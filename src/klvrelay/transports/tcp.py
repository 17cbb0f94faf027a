"""Parse tcp:// URLs and open TCP connections, to receive from or to send on.

tcp://HOST:PORT         connect
tcp://:PORT?listen=1    wait for the far end to connect
"""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
from collections.abc import Sequence
from typing import Literal

from klvrelay.config.url import Url
from klvrelay.errors import ConfigError, SourceDown
from klvrelay.transports import resolver
from klvrelay.transports.resolver import Endpoint

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]

PIECE = 256 << 10
"""Maximum bytes buffered in a reader; one read returns at most half of them."""
ANY = ("0.0.0.0", "::")
"""Addresses that a listener without a host binds to; with `None`, asyncio would look them up in a thread."""

LOG = logging.getLogger("klvrelay.transports")


class TcpSettings:
    """The options of a tcp:// URL; raises ConfigError for invalid ones.

    other     the role of the far end, for messages
    listens   the far end connects to us
    """

    def __init__(self, url: Url, other: Literal["sender", "receiver"]) -> None:
        if url.port is None:
            raise ConfigError(f"{url}: a port is missing, as in tcp://{url.host or 'HOST'}:5000")
        url.check_options({"listen"} if other == "sender" else {"listen", "pkt_size"})
        self.url = url
        self.other = other
        listen = url.options.get("listen", "")
        if listen not in ("", "0", "1"):
            raise ConfigError(f"{url}: listen must be 1 (wait for a {other}) or 0")
        self.listens = listen == "1"
        if not (url.host or self.listens):
            raise ConfigError(f"{url}: a host is missing; to wait for a {other}, use {url}?listen=1")


async def open_connection(settings: TcpSettings, timeout: float) -> Connection:
    """A connection, made within `timeout` seconds; a listener waits without limit.

    Raises SourceDown with the reason if that fails.
    """
    try:
        return await (_accept(settings, timeout) if settings.listens else _connect(settings.url, timeout))
    except OSError as fault:
        raise SourceDown(f"{settings.url}: {_reason(fault, settings)}") from fault


async def _connect(url: Url, timeout: float) -> Connection:
    found = await resolver.SOURCES.resolve(url.host, url.port or 0, timeout=timeout)
    fault: OSError = OSError(errno.EADDRNOTAVAIL, "no address")
    try:
        async with asyncio.timeout(timeout):
            for place in found:
                try:
                    return await asyncio.open_connection(sock=await _connect_to(place), limit=PIECE)
                except OSError as failed:
                    fault = failed
    except TimeoutError:
        raise SourceDown(f"{url}: no response within {timeout:g} s") from None
    raise fault


async def _connect_to(place: Endpoint) -> socket.socket:
    sock = socket.socket(place.family, place.kind)
    try:
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, place.address)
    except BaseException:
        sock.close()
        raise
    return sock


async def _accept(settings: TcpSettings, timeout: float) -> Connection:
    """The first connection; then the port is closed."""
    connected: asyncio.Future[Connection] = asyncio.get_running_loop().create_future()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if connected.done():
            writer.transport.abort()
        else:
            connected.set_result((reader, writer))

    url = settings.url
    server = await asyncio.start_server(accept, await _hosts(url, timeout), url.port, limit=PIECE, backlog=1)
    LOG.info("%s: waiting for a %s", url, settings.other)
    try:
        return await connected
    except asyncio.CancelledError:
        if connected.done() and not connected.cancelled():
            connected.result()[1].transport.abort()
        raise
    finally:
        server.close()


async def _hosts(url: Url, timeout: float) -> Sequence[str]:
    """Addresses to listen on; an IPv6 address keeps its zone."""
    if not url.host:
        return ANY
    found = await resolver.SOURCES.resolve(url.host, 0, timeout=timeout)
    return [url.host if "%" in url.host else place.host for place in found]


def _reason(fault: OSError, settings: TcpSettings) -> str:
    match fault:
        case ConnectionRefusedError():
            return f"connection refused: start the {settings.other} first, or wait for it with ?listen=1"
        case socket.gaierror():
            return f"unknown host name {settings.url.host}"
        case _ if settings.listens:
            return f"cannot listen there: {fault.strerror or fault}"
        case _:
            return f"no connection: {fault.strerror or fault}"
