"""GStreamer's RTSP server as a peer for tests; `gst_rtsp_server.py` is the server's process."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import feed
from conftest import HERE, SYSTEM_PYTHON


@dataclass
class GstServer:
    """A running server; `url` of a mount, with credentials before the host if wanted."""

    port: int
    process: asyncio.subprocess.Process

    def url(self, mount: str, credentials: str = "", scheme: str = "rtsp") -> str:
        return f"{scheme}://{credentials}127.0.0.1:{self.port}/{mount}"

    def freeze(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def kill(self) -> None:
        self.process.kill()


@asynccontextmanager
async def gst_server(
    folder: Path,
    tape: feed.Recording,
    *,
    seconds: float = 1.0,
    mtu: int = 1400,
    endless: bool = False,
    transport: str = "",
    auth: str = "",
    user: str = "",
    password: str = "",
    certificate: str = "",
    video: str = "",
) -> AsyncIterator[GstServer]:
    """Serves a recording over `seconds` from each client's PLAY.

    endless repeats the recording
    transport     the only one that it grants: "tcp" or "udp"
    auth its authentication scheme: "basic" or "digest"
    certificate   a file with key and certificate, for rtsps://
    video a recording whose H.264 is sent with the KLV
    """
    ts, klv = folder / "tape.ts", folder / "tape.klv"
    ts.write_bytes(tape.ts)
    klv.write_bytes(tape.bare)
    settings = {
        "ts": str(ts), "klv": str(klv), "seconds": seconds, "mtu": mtu, "endless": endless, "transport": transport,
        "auth": auth, "user": user, "password": password, "certificate": certificate, "video": video,
    }  # fmt: skip
    process = await asyncio.create_subprocess_exec(
        SYSTEM_PYTHON, str(HERE / "support" / "gst_rtsp_server.py"), json.dumps(settings),
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        async with asyncio.timeout(20):
            line = await process.stdout.readline()
        assert line, "GStreamer's RTSP server did not start"
        yield GstServer(int(line), process)
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
