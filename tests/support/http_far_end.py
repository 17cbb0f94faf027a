"""A web server on asyncio that receives POSTs and sends the answers that a test sets; None closes the connection."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import ClassVar, NamedTuple

from klvrelay.config.sinks.far_end import FarEndSettings
from klvrelay.config.sinks.known import kind_of_url


class PostRequest(NamedTuple):
    """What was received: path with query, header fields in lower case, body."""

    target: str
    fields: dict[str, str]
    body: bytes


Answering = Callable[[PostRequest], bytes | None]
"""The bytes of an answer; None: close the connection without one."""


def answer_of(status: int, *fields: str, body: bytes = b"", version: str = "1.1") -> bytes:
    """An answer with its length."""
    head = [f"HTTP/{version} {status} X", *fields, f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(head).encode() + body


def accept(_: PostRequest) -> bytes:
    return answer_of(204)


class PostReceiver:
    """Keeps the records of all POSTs that it answers with 2xx."""

    confirms: ClassVar[bool] = True

    def __init__(self, folder: Path | None, port: int, answering: Answering = accept) -> None:
        self.port, self.answering = port, answering
        self.url = f"http://127.0.0.1:{port}/records"
        self.requests: list[PostRequest] = []
        self.connections = 0
        self.context: ssl.SSLContext | None = None
        self._server: asyncio.Server | None = None
        self._clients: set[asyncio.StreamWriter] = set()

    def settings(self, **settings: object) -> FarEndSettings:
        return kind_of_url(self.url).from_url(self.url, {"timeout": 4.0, **settings})

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, ssl=self.context)
        self.port = self._server.sockets[0].getsockname()[1]
        scheme = "http" if self.context is None else "https"
        self.url = f"{scheme}://127.0.0.1:{self.port}/records"

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        self.cut()
        self._server = None

    def cut(self) -> None:
        """Close all connections; new ones are accepted."""
        for client in list(self._clients):
            client.transport.abort()

    async def close(self) -> None:
        if self._server is not None:
            await self.stop()
        await asyncio.sleep(0)

    async def documents(self) -> list[bytes]:
        return [line for request in self.requests for line in request.body.splitlines()]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._clients.add(writer)
        self.connections += 1
        with suppress(asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
            while True:
                request = await _read(reader)
                answer = self.answering(request)
                if answer is None:
                    break
                if answer[9:10] == b"2":
                    self.requests.append(request)
                writer.write(answer)
                await writer.drain()
                if answer.startswith(b"HTTP/1.0") or b"Connection: close" in answer:
                    break
        self._clients.discard(writer)
        writer.close()


async def _read(reader: asyncio.StreamReader) -> PostRequest:
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    _, target, _ = head[0].split(" ")
    fields = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
    return PostRequest(target, fields, await reader.readexactly(int(fields["content-length"])))
