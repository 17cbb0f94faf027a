"""The connection under nats-py: dialed with the relay's settings and limits, with TLS exactly if the URL asks for it.

The library's own transport would send a password without TLS to a server that offers none, and would use TLS unasked.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from typing import Any

import orjson
from nats.aio.transport import Transport

from klvrelay.config.sinks.nats import NatsSettings
from klvrelay.errors import SinkDown, SinkRefused
from klvrelay.json_output import dumps
from klvrelay.sinks.dialing.faults import lost
from klvrelay.sinks.dialing.stream import WatchedStream, context_of, open_stream

_INFO, _PING = b"INFO ", b"PING"


class StreamTransport(Transport):
    """One connection; it never connects again. `write` and `drain` never fail: the library notices the end when it
    reads.
    """

    def __init__(self, settings: NatsSettings) -> None:
        self._settings = settings
        self._stream: WatchedStream | None = None
        self._greeting = b""

    @property
    def stream(self) -> WatchedStream:
        if self._stream is None:
            raise SinkDown(f"{self._settings.url}: not connected")
        return self._stream

    async def connect(self, uri: object, buffer_size: int, connect_timeout: float) -> None:
        """Connect, with TLS if set. Raises SinkDown or SinkRefused."""
        context = await context_of(self._settings)
        if self._stream is not None:
            raise self._stream.fault
        self._stream = await open_stream(self._settings)
        info = self._info_of(await self._first_line())
        self._check_tls(info)
        if context is not None:
            await self._stream.secure(self._settings, context)
        own = {name: value for name, value in info.items() if name != "connect_urls"}
        self._greeting = b"%b%b\r\n" % (_INFO, dumps(own))

    async def connect_tls(self, uri: object, ssl_context: object, buffer_size: int, connect_timeout: float) -> None:
        """`connect` has done it."""

    async def _first_line(self) -> bytes:
        """The first line of the server. A server that expects TLS first, or another, is silent."""
        try:
            async with asyncio.timeout(self._settings.timeout):
                return await self.stream.reader.readline()
        except (TimeoutError, ValueError):
            raise self.no_nats() from None
        except OSError as fault:
            raise lost(self._settings, fault) from fault

    def _info_of(self, line: bytes) -> Mapping[str, Any]:
        try:
            info = orjson.loads(line[len(_INFO) :]) if line[: len(_INFO)].upper() == _INFO else None
        except ValueError:
            info = None
        if not isinstance(info, dict) or not isinstance(info.get("max_payload", 0), int):
            raise self.no_nats()
        return info

    def _check_tls(self, info: Mapping[str, Any]) -> None:
        url, has_tls = self._settings.url, info.get("tls_required") or info.get("tls_available")
        if self._settings.tls and not has_tls:
            raise SinkRefused(f"{url}: the NATS server has no TLS: configure it, or use nats://")
        if info.get("tls_required") and not self._settings.tls:
            raise SinkRefused(f"{url}: the NATS server requires TLS: use tls://")

    def no_nats(self) -> SinkDown:
        """Something else answers there."""
        hint = "its host and port; a server with TLS first is not supported" if self._settings.tls else "host and port"
        return SinkDown(f"{self._settings.url}: no NATS server answers there: check {hint}")

    def write(self, payload: bytes) -> None:
        self.writelines([payload])

    def writelines(self, payload: list[bytes]) -> None:
        if not self.stream.ended.done():
            self.stream.writer.writelines(payload)

    async def read(self, buffer_size: int) -> bytes:
        return await self.stream.reader.read(buffer_size)

    async def readline(self) -> bytes:
        """The greeting, then what answers the login: a server may announce changes before."""
        line, self._greeting = self._greeting, b""
        if line:
            return line
        while (line := await self.stream.reader.readline()).startswith((_INFO, _PING)):
            if line.startswith(_PING):
                self.write(b"PONG\r\n")
        return line

    async def drain(self) -> None:
        if not self.stream.ended.done():
            with contextlib.suppress(OSError):
                await self.stream.writer.drain()

    async def wait_closed(self) -> None:
        """`close` does not wait."""

    def close(self) -> None:
        if self._stream is not None:
            self._stream.close()

    def at_eof(self) -> bool:
        return self._stream is None or self._stream.reader.at_eof()

    def __bool__(self) -> bool:
        return True
