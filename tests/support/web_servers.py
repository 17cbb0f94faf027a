"""A web server as a peer of the tests, and playlists for it; `web_server.py` is the server's process."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from conftest import HERE


@dataclass
class WebServer:
    """A running server; `asked` are the requested paths."""

    port: int
    process: asyncio.subprocess.Process
    scheme: str
    asked: list[str] = field(default_factory=list)

    def url(self, path: str, credentials: str = "") -> str:
        return f"{self.scheme}://{credentials}127.0.0.1:{self.port}/{path}"

    def freeze(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def kill(self) -> None:
        self.process.kill()


@asynccontextmanager
async def web_server(
    folder: Path, *, auth: str = "", user: str = "", password: str = "", certificate: str = "", seconds: float = 1.0
) -> AsyncIterator[WebServer]:
    """Serve a folder; requires user and password by `auth`, "basic" or "digest"."""
    settings = {
        "folder": str(folder), "auth": auth, "user": user, "password": password, "certificate": certificate,
        "seconds": seconds,
    }  # fmt: skip
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(HERE / "support" / "web_server.py"), json.dumps(settings),
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    listening = None
    try:
        async with asyncio.timeout(20):
            line = await process.stdout.readline()
        assert line, "the web server did not start"
        server = WebServer(int(line), process, "https" if certificate else "http")
        listening = asyncio.create_task(_noted(process.stdout, server.asked))
        yield server
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        if listening:
            await listening


async def _noted(lines: asyncio.StreamReader, asked: list[str]) -> None:
    async for line in lines:
        asked.append(line.decode().strip())


def segments(ts: bytes, folder: Path, count: int, name: str = "part") -> list[str]:
    """Cut a transport stream into `count` files, only at TS packets."""
    packets = len(ts) // 188
    cuts = [packets * number // count * 188 for number in range(count + 1)]
    names = [f"{name}{number}.ts" for number in range(count)]
    for file, begin, end in zip(names, cuts, cuts[1:], strict=False):
        (folder / file).write_bytes(ts[begin:end])
    return names


def playlist(path: Path, names: Sequence[str], *, first: int = 0, seconds: float = 1.0, ended: bool = True) -> None:
    """Write a media playlist (RFC 8216) atomically; without `ended` it is a live one."""
    lines = ["#EXTM3U", "#EXT-X-VERSION:3", "#EXT-X-TARGETDURATION:1", f"#EXT-X-MEDIA-SEQUENCE:{first}"]
    for name in names:
        lines += [f"#EXTINF:{seconds:.3f},", name]
    if ended:
        lines.append("#EXT-X-ENDLIST")
    beside = path.with_suffix(".new")
    beside.write_text("\n".join(lines) + "\n")
    os.replace(beside, path)


def master(path: Path, names: Sequence[str]) -> None:
    """Write a playlist of variants (RFC 8216, 4.3.4.2)."""
    lines = ["#EXTM3U"]
    for number, name in enumerate(names, 1):
        lines += [f"#EXT-X-STREAM-INF:BANDWIDTH={number}000000", name]
    path.write_text("\n".join(lines) + "\n")
