"""A connection to a NATS server: greeting, login, and messages with their answers."""

from __future__ import annotations

import asyncio
import secrets
import socket
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

import orjson

from klvrelay.config.sinks.nats import NatsSettings
from klvrelay.errors import SinkDown, SinkError, SinkRefused
from klvrelay.json_output import dumps
from klvrelay.sinks.dialing.dial import call, secure
from klvrelay.sinks.dialing.exchange import Exchange, version_of
from klvrelay.sinks.dialing.faults import lost
from klvrelay.sinks.nats.faults import server_fault, violation
from klvrelay.sinks.nats.frames import FRAME_MOST, Frame, NatsFrames, NoNats
from klvrelay.sinks.nats.nkey_login import NkeyLogin

PAYLOAD_MOST = 1 << 20
"""Maximum bytes of a message, if the server names none: its default."""
OnAnswer = Callable[[int, Frame], None]
OnDenied = Callable[[str], None]


class NatsConnection:
    """A connected socket. Made by `open`.

    on_answer    is called with the number and the answer of a message whose reply subject is `inbox` + number
    on_denied    is called with a subject that the user may not publish to
    inbox        the beginning of reply subjects
    payload_most maximum bytes of headers and payload of a message
    """

    def __init__(self, settings: NatsSettings, on_answer: OnAnswer, on_denied: OnDenied) -> None:
        self._settings = settings
        self._on_answer, self._on_denied = on_answer, on_denied
        self.inbox = f"_INBOX.{secrets.token_hex(6)}.".encode()
        self.payload_most = PAYLOAD_MOST
        self.version = ""
        self._frames = NatsFrames()
        self._pongs: deque[asyncio.Future[None]] = deque()
        self._exchange: Exchange | None = None

    async def open(self) -> None:
        """Connect and log in. Raises SinkDown or SinkRefused."""
        sock = await call(self._settings)
        try:
            line, rest = await self._greeting(sock)
            info = self._info_of(line)
            self._check_tls(info)
        except BaseException:
            sock.close()
            raise
        if self._settings.tls:
            sock, rest = await secure(self._settings, sock), b""
        self._exchange = Exchange(sock, self._settings, self._read)
        words = b"CONNECT %b\r\nSUB %b* 1\r\n" % (dumps(self._login(info)), self.inbox)
        self._exchange.write(words)
        self._read(rest)
        await self.ping()

    async def _greeting(self, sock: socket.socket) -> tuple[bytes, bytes]:
        """The first line of the server, and what follows it. A server that expects TLS first, or another, is silent."""
        loop = asyncio.get_running_loop()
        data = b""
        try:
            async with asyncio.timeout(self._settings.timeout):
                while b"\r\n" not in data:
                    more = await loop.sock_recv(sock, 65536)
                    data += more
                    if not more or len(data) > FRAME_MOST or not b"INFO ".startswith(data[:5].upper()):
                        raise self._no_nats()
        except TimeoutError:
            raise self._no_nats() from None
        except OSError as fault:
            raise lost(self._settings, fault) from fault
        line, _, rest = data.partition(b"\r\n")
        return line, rest

    def _info_of(self, line: bytes) -> Mapping[str, Any]:
        try:
            info = orjson.loads(line[5:])
        except ValueError:
            raise self._no_nats() from None
        if not isinstance(info, dict):
            raise self._no_nats()
        if isinstance(most := info.get("max_payload"), int) and most > 0:
            self.payload_most = most
        self.version = version_of(str(info.get("version", "")))
        return info

    def _check_tls(self, info: Mapping[str, Any]) -> None:
        url, has_tls = self._settings.url, info.get("tls_required") or info.get("tls_available")
        if self._settings.tls and not has_tls:
            raise SinkRefused(f"{url}: the NATS server has no TLS: configure it, or use nats://")
        if info.get("tls_required") and not self._settings.tls:
            raise SinkRefused(f"{url}: the NATS server requires TLS: use tls://")

    def _login(self, info: Mapping[str, Any]) -> dict[str, Any]:
        settings = self._settings
        members: dict[str, Any] = {
            "verbose": False, "pedantic": False, "headers": True, "no_responders": True, "protocol": 1,
            "name": "klvrelay", "lang": "python", "version": "1", "tls_required": settings.tls,
        }  # fmt: skip
        if settings.username is not None:
            members["user"] = settings.username
            members["pass"] = "" if settings.password is None else settings.password.reveal()
        if settings.token is not None:
            members["auth_token"] = settings.token.reveal()
        if settings.credentials_file is not None:
            members |= NkeyLogin.read(settings.credentials_file).members(str(info.get("nonce", "")))
        return members

    @property
    def exchange(self) -> Exchange:
        if self._exchange is None:
            raise SinkDown(f"{self._settings.url}: not connected")
        return self._exchange

    def write(self, data: bytes) -> None:
        """Send bytes. Raises what ended the connection."""
        if (fault := self.exchange.fault) is not None:
            raise SinkDown(str(fault))
        self.exchange.write(data)

    async def ping(self) -> None:
        """Return once the server has read all that was sent before."""
        pong: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._pongs.append(pong)
        self.write(b"PING\r\n")
        await self.exchange.wait(pong)

    def close(self) -> None:
        """Close the socket."""
        if self._exchange is not None:
            self._exchange.close()

    def _read(self, data: bytes) -> None:
        try:
            frames = self._frames.feed(data)
        except NoNats:
            raise self._no_nats() from None
        for frame in frames:
            self._take(frame)

    def _take(self, frame: Frame) -> None:
        match frame.kind:
            case b"MSG" | b"HMSG":
                number = frame.subject[len(self.inbox) :]
                if number.isdigit():
                    self._on_answer(int(number), frame)
            case b"PING":
                self.exchange.write(b"PONG\r\n")
            case b"PONG" if self._pongs:
                pong = self._pongs.popleft()
                if not pong.done():
                    pong.set_result(None)
            case b"INFO":
                self._info_of(b"INFO " + frame.subject)
            case b"-ERR":
                self._take_error(frame.subject.decode(errors="replace").strip("'"))

    def _take_error(self, text: str) -> None:
        """Raises what ends the connection."""
        denied = violation(text)
        if denied is None:
            raise server_fault(self._settings.url, text)
        if denied[0] == "subscription":
            raise SinkRefused(
                f"{self._settings.url}: the user may not subscribe to _INBOX.>, where answers arrive: extend its"
                " permissions"
            )
        self._on_denied(denied[1])

    def _no_nats(self) -> SinkError:
        hint = "its host and port; a server with TLS first is not supported" if self._settings.tls else "host and port"
        return SinkDown(f"{self._settings.url}: no NATS server answers there: check {hint}")
