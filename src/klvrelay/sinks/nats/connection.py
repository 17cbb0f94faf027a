"""A connection to a NATS server through nats-py, which does not reconnect: its login, its end, and what it reports."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from nats.aio.client import Client
from nats.errors import Error, ProtocolError, StaleConnectionError, UnexpectedEOF

from klvrelay.config.sinks.nats import NatsSettings
from klvrelay.errors import SinkDown, SinkError, SinkRefused
from klvrelay.sinks.dialing.faults import lost
from klvrelay.sinks.dialing.stream import IDLE, WatchedStream
from klvrelay.sinks.dialing.version import version_of
from klvrelay.sinks.nats.faults import server_fault, violation
from klvrelay.sinks.nats.nkey_login import NkeyLogin
from klvrelay.sinks.nats.transport import StreamTransport

T = TypeVar("T")

REASON = 1.0
"""Seconds for the library to find out why the connection has ended."""
OnDenied = Callable[[str], None]

logging.getLogger("nats").setLevel(logging.CRITICAL)  # it would log what a server sends


class NatsConnection:
    """A connected client. Made by `open`.

    on_denied  is called with a subject, in lower case, that the user may not publish to
    client     of nats-py
    """

    def __init__(self, settings: NatsSettings, on_denied: OnDenied) -> None:
        self._settings = settings
        self._on_denied = on_denied
        self._transport = StreamTransport(settings)
        self._fault: SinkError | None = None
        self._end_seen: asyncio.Future[None] | None = None
        self._is_open = False
        self.client = Client()

    async def open(self) -> None:
        """Connect and log in. Raises SinkDown or SinkRefused."""
        self._end_seen = asyncio.get_running_loop().create_future()
        self.client._transport = self._transport
        options: dict[str, Any] = {
            "name": "klvrelay", "allow_reconnect": False, "max_reconnect_attempts": 1, "reconnect_time_wait": 0,
            "connect_timeout": self._settings.timeout, "pending_size": 0, "ping_interval": IDLE,
            "max_outstanding_pings": max(1, math.ceil(self._settings.timeout / IDLE)), "error_cb": self._report,
            "disconnected_cb": _ignore, "closed_cb": self._take_end,
        }  # fmt: skip
        await self.client.connect("nats://server", **options, **_login(self._settings))
        self._is_open = True
        await self.ping()

    @property
    def stream(self) -> WatchedStream:
        return self._transport.stream

    @property
    def _over(self) -> asyncio.Future[None]:
        """Done once the library has noticed the end."""
        if self._end_seen is None:
            raise SinkDown(f"{self._settings.url}: not connected")
        return self._end_seen

    @property
    def version(self) -> str:
        """Of the server, for the log."""
        known: Any = self.client.connected_server_version
        return version_of(known._server_version)

    async def ping(self) -> None:
        """Return once the server has read all that was sent before. Raises what ended the connection."""
        before = self.client._pongs_received
        await self.watch(self._flush())
        if self.client._pongs_received == before:  # the library returns if it no longer reads
            self.stream.fail(lost(self._settings, TimeoutError()))
            raise await self.ended()
        self.stream.answered()

    async def _flush(self) -> None:
        with contextlib.suppress(Error):
            await self.client.flush(3600)

    async def watch(self, steps: Coroutine[Any, Any, T], progress: Callable[[], int] = lambda: 0) -> T:
        """The result of a coroutine. Raises SinkDown or SinkRefused: what ended the connection meanwhile, or that there
        was no progress for the time limit.
        """
        work = asyncio.ensure_future(steps)
        try:
            await self.stream.watch(work, self._over, progress=progress)
            if not work.done():
                raise self._copy()
            return work.result()
        finally:
            if not work.done():
                work.cancel()
                await asyncio.wait({work})

    async def ended(self) -> SinkError:
        """Wait until the connection has ended. Returns the cause."""
        ends: set[asyncio.Future[Any]] = {self._over, self.stream.ended}
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.wait({self._over}, timeout=REASON)
        return self._copy()

    def _copy(self) -> SinkError:
        fault = self._fault or self.stream.fault
        return type(fault)(str(fault))

    async def close(self) -> None:
        """Close the connection."""
        self._transport.close()
        with contextlib.suppress(Error, AssertionError):
            await self.client.close()

    # ---- what the library reports ----

    async def _report(self, error: Exception) -> None:
        """Raises it while the connection is opened; then, permissions are what matters."""
        if not self._is_open:
            raise self._fault_of(error)
        denied = violation(str(error))
        if denied is not None and denied[0] == "publish":
            self._on_denied(denied[1])
        elif denied is not None:
            self._end(SinkRefused(
                f"{self._settings.url}: the user may not subscribe to _INBOX.>, where answers arrive: extend its"
                " permissions"
            ))  # fmt: skip

    async def _take_end(self) -> None:
        error = self.client.last_error
        self._end(self.stream.fault if error is None else self._fault_of(error))

    def _end(self, fault: SinkError) -> None:
        self._fault = self._fault or fault
        if not self._over.done():
            self._over.set_result(None)

    def _fault_of(self, error: Exception) -> SinkError:
        if isinstance(error, SinkError):
            return error
        if isinstance(error, UnexpectedEOF):
            return self.stream.fault
        if isinstance(error, StaleConnectionError | TimeoutError):
            return lost(self._settings, TimeoutError())
        if isinstance(error, ProtocolError):
            return self._transport.no_nats()
        if isinstance(error, Error):
            return server_fault(self._settings.url, str(error))
        if isinstance(error, OSError) and not self.stream.ended.done():
            return lost(self._settings, error)
        return self.stream.fault


async def _ignore() -> None:
    pass


def _login(settings: NatsSettings) -> dict[str, Any]:
    """Arguments of `connect`."""
    if settings.username is not None:
        return {"user": settings.username, "password": settings.password.reveal() if settings.password else ""}
    if settings.token is not None:
        return {"token": settings.token.reveal()}
    if settings.credentials_file is not None:
        return NkeyLogin.read(settings.credentials_file).options()
    return {}
