"""A web server with a scripted answer per path, in the test's loop, for faults that a correct server never has."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Self


@dataclass(frozen=True)
class Answer:
    """The answer to one request. `torn`: bytes after which the connection breaks, though all were announced."""

    body: bytes = b""
    status: str = "200 OK"
    head: Mapping[str, str] = field(default_factory=dict)
    torn: int | None = None
    hang: bool = False


@dataclass(frozen=True)
class Asked:
    path: str
    fields: Mapping[str, str]


class ScriptedWeb:
    """Answers by path, ignoring the query; several answers are used in turn, and the last one from then on."""

    def __init__(self, answers: Mapping[str, Answer | Sequence[Answer]], *, tls: ssl.SSLContext | None = None) -> None:
        self.answers = {path: [one] if isinstance(one, Answer) else list(one) for path, one in answers.items()}
        self.asked: list[Asked] = []
        self.by_number: dict[str, Sequence[bytes]] = {}  # bodies selected by a number in the query
        self.port = 0
        self._tls = tls
        self._guests: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for guest in self._guests:
            guest.cancel()
        await asyncio.gather(*self._guests, return_exceptions=True)

    def url(self, path: str, credentials: str = "") -> str:
        return f"{'https' if self._tls else 'http'}://{credentials}127.0.0.1:{self.port}{path}"

    def count(self, path: str) -> int:
        return sum(asked.path == path for asked in self.asked)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        guest = asyncio.current_task()
        assert guest is not None
        self._guests.add(guest)
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
                while await self._answer((await reader.readuntil(b"\r\n\r\n")).decode(), writer):
                    pass
        except asyncio.CancelledError:
            writer.transport.abort()  # server side only; asyncio would log the task of a cancelled connection
        finally:
            self._guests.discard(guest)
            writer.close()

    async def _answer(self, request: str, writer: asyncio.StreamWriter) -> bool:
        first, *lines = request.strip().split("\r\n")
        path = first.split()[1].partition("?")[0]
        fields = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        self.asked.append(Asked(path, fields))
        if path in self.by_number:
            number = int(first.partition("?n=")[2].partition("&")[0])
            self.answers[path] = [Answer(self.by_number[path][number])]
        script = self.answers.get(path, [Answer(status="404 Not Found")])
        answer = script.pop(0) if len(script) > 1 else script[0]
        if answer.hang:
            await asyncio.sleep(60)
        body, status, head = answer.body, answer.status, dict(answer.head)
        if (asked := fields.get("range", "")) and status.startswith("200"):
            begin, _, end = asked.removeprefix("bytes=").partition("-")
            body, status = body[int(begin) : int(end) + 1 if end else None], "206 Partial Content"
        head.setdefault("Content-Length", str(len(body)))
        lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in head.items()), "", ""]
        writer.write("\r\n".join(lines).encode() + body[: answer.torn])
        await writer.drain()
        return answer.torn is None


def playlist_of(
    lines: Sequence[str], *, first: int = 0, ended: bool = True, target: int = 1, seconds: float = 0.3
) -> Answer:
    """A media playlist; a line that is no tag is a segment."""
    text = ["#EXTM3U", "#EXT-X-VERSION:7", f"#EXT-X-TARGETDURATION:{target}", f"#EXT-X-MEDIA-SEQUENCE:{first}"]
    for line in lines:
        text += [line] if line.startswith("#") else [f"#EXTINF:{seconds:.3f},", line]
    return Answer("\n".join([*text, *(["#EXT-X-ENDLIST"] if ended else []), ""]).encode())


def cut(ts: bytes, count: int) -> list[bytes]:
    """A transport stream in so many segments, cut only at TS packets."""
    packets = len(ts) // 188
    cuts = [packets * number // count * 188 for number in range(count + 1)]
    return [ts[begin:end] for begin, end in pairwise(cuts)]
