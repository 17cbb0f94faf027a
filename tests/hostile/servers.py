"""Hostile servers on loopback, in the test's loop: a script answers each request.

A request ends at an empty line, as in HTTP and RTSP. Such a server keeps all it receives, so that a test can search it
for a password.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Self

PIECE = 65536


@dataclass(frozen=True)
class Request:
    """One received request."""

    head: bytes

    @property
    def method(self) -> str:
        return self.head.split(b" ", 1)[0].decode()

    @property
    def target(self) -> str:
        return self.head.split(b" ", 2)[1].decode()

    def field(self, name: str) -> str:
        """The value of a header field; "" where it is absent."""
        for line in self.head.decode("latin-1").split("\r\n")[1:]:
            key, _, value = line.partition(":")
            if key.lower() == name.lower():
                return value.strip()
        return ""


class Line:
    """One connection to write to."""

    def __init__(self, server: Hostile, writer: asyncio.StreamWriter) -> None:
        self._server, self._writer = server, writer

    async def send(self, data: bytes) -> None:
        """Raises ConnectionError once the client has closed."""
        self._writer.write(data)
        await self._writer.drain()
        self._server.sent += len(data)
        if self._writer.is_closing():
            raise ConnectionResetError

    async def flood(self, piece: bytes, *, most: int = 4 << 30) -> None:
        """Repeat the bytes until the client closes, or until `most` bytes are sent: the test has failed then."""
        block = piece * max(1, PIECE // len(piece))
        for _ in range(most // len(block)):
            await self.send(block)

    async def dribble(self, data: bytes, every: float) -> None:
        """Send byte by byte."""
        for at in range(len(data)):
            await self.send(data[at : at + 1])
            await asyncio.sleep(every)

    async def start_tls(self, context: ssl.SSLContext) -> None:
        """Start TLS as a proxy does, or an impostor behind one."""
        await self._writer.start_tls(context)

    def close(self) -> None:
        self._writer.close()


Script = Callable[[Line, Request], Awaitable[None]]


class Hostile:
    """A server; `answers` are a script, or by path (the query counts for nothing) bytes or scripts.

    greeting what it sends before the first request
    host       the loopback address that it listens on
    requests the requests received
    heard every byte received, decrypted where it uses TLS
    sent       bytes that it could send
    guests     connections that came as far as the first byte that is not TLS's own
    """

    def __init__(
        self, answers: Script | Mapping[str, bytes | Script], *, tls: ssl.SSLContext | None = None,
        greeting: bytes = b"", host: str = "127.0.0.1",
    ) -> None:  # fmt: skip
        self.answers, self._tls, self._greeting, self.host = answers, tls, greeting, host
        self.requests: list[Request] = []
        self.heard = bytearray()
        self.sent = self.guests = self.port = 0
        self._begun = 0.0
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, self.host, 0, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def url(self, path: str = "/x", *, login: str = "", scheme: str = "") -> str:
        scheme = scheme or ("https" if self._tls else "http")
        return f"{scheme}://{login and login + '@'}{self.host}:{self.port}{path}"

    def served(self, seconds: float) -> Callable[[], bool]:
        """Has the first connection been open for so long?"""
        return lambda: self._begun > 0 and time.monotonic() - self._begun >= seconds

    def count(self, path: str) -> int:
        return sum(request.target.partition("?")[0] == path for request in self.requests)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.guests += 1
        self._begun = self._begun or time.monotonic()
        line = Line(self, writer)
        held = bytearray()
        try:
            with suppress(OSError):  # ssl.SSLError is an OSError
                if self._greeting:
                    await line.send(self._greeting)
                while not writer.is_closing() and (data := await reader.read(PIECE)):
                    self.heard += data
                    held += data
                    while (end := held.find(b"\r\n\r\n")) >= 0:
                        request = Request(bytes(held[:end]))
                        del held[: end + 4]
                        self.requests.append(request)
                        await self._answer(line, request)
        except asyncio.CancelledError:
            writer.transport.abort()  # Server side only; asyncio would log the task of a cancelled connection.
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _answer(self, line: Line, request: Request) -> None:
        answer = self.answers
        if isinstance(answer, Mapping):
            answer = answer.get(request.target.partition("?")[0], http(status="404 Not Found"))
        if isinstance(answer, bytes):
            await line.send(answer)
        else:
            await answer(line, request)


def http(body: bytes = b"", *, status: str = "200 OK", length: int | None = -1, more: bytes = b"") -> bytes:
    """An HTTP answer with the announced `length`, or none for None; `more` holds header lines, each with its line end.
    """
    size = len(body) if length == -1 else length
    announced = b"" if size is None else b"Content-Length: %d\r\n" % size
    return b"HTTP/1.1 %s\r\n%s%s\r\n%s" % (status.encode(), announced, more, body)


def moved(location: str, status: str = "302 Found") -> bytes:
    """A redirect."""
    return http(status=status, more=b"Location: %s\r\n" % location.encode("latin-1"))


def wants_login(scheme: str = 'Basic realm="x"', *, more: bytes = b"") -> bytes:
    return http(status="401 Unauthorized", more=b"WWW-Authenticate: %s\r\n%s" % (scheme.encode(), more))


def flooding(begin: bytes, again: bytes) -> Script:
    """Bytes, then more until the client closes."""

    async def script(line: Line, _: Request) -> None:
        await line.send(begin)
        await line.flood(again)

    return script


def dribbling(begin: bytes, slowly: bytes, every: float = 0.05) -> Script:
    """Bytes, then more one by one, over and over."""

    async def script(line: Line, _: Request) -> None:
        await line.send(begin)
        while True:
            await line.dribble(slowly, every)

    return script
