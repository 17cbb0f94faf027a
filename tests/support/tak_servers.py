"""TAK servers for tests: taky in its process, and one that follows a script."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import xml.etree.ElementTree as ET
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar

import pytest
import takproto
from cot_cases import POSITION, TIME_US
from far_ends import settings_of
from records import BOOT
from takproto.proto import TakMessage

import klvrelay
from klvrelay.config.settings import SinkSettings
from klvrelay.config.sinks.far_end import FarEndSettings
from klvrelay.json_output import dumps
from klvrelay.record import Record
from klvrelay.relay.build import shaper_of
from klvrelay.shape.output import Output
from klvrelay.sinks.contract import Sink
from klvrelay.sinks.open import open_sink

SUPPORT = Path(__file__).parent
ORBIT = SUPPORT.parents[1] / "samples" / "orbit.ts"
EVERY = Output("all", "{prefix}/{stream}/all", format="klv")
"""Each record has its events."""
PERIOD_US = 40_000


def positioned(seq: int, stream: str = "uav1") -> Record:
    """A record with a position, whose time says its number."""
    return _positioned(seq)._replace(stream=stream)


@cache
def _positioned(seq: int) -> Record:
    time_us = TIME_US + seq * PERIOD_US
    (found,) = klvrelay.decode(klvrelay.encode({"precision_time_stamp": time_us, **POSITION}))
    return found._replace(boot=BOOT, seq=seq, received_us=time_us)


def first_of_orbit() -> Record:
    """A record with aircraft, frame centre, corners and a target."""
    return klvrelay.decode(ORBIT.read_bytes())[0]._replace(stream="orbit")


def sink_to(url: str, *outputs: Output, **settings: object) -> Sink:
    """A sink, by default without a limit of the rate."""
    made = SinkSettings("cot", settings_of(url, **settings), outputs=outputs or (EVERY,))
    return open_sink(made, shaper_of(made), "5f2c9a")


def number_of(event: ET.Element) -> int:
    """The number of the record of an event."""
    time = takproto.functions.format_time(event.get("time"))
    return round((1000 * time - TIME_US) / PERIOD_US)


@asynccontextmanager
async def taky(folder: Path, port: int, **tls: str | int) -> AsyncIterator[None]:
    """A taky that listens. `tls`: settings of its [ssl], with mon_port for a listener without TLS."""
    if find_spec("taky") is None:
        pytest.skip("taky is not installed: pip install taky")
    folder.mkdir(exist_ok=True)
    monitor = tls.pop("mon_port", "")
    secured = "".join(f"{key}={value}\n" for key, value in tls.items())
    (folder / "taky.conf").write_text(
        f"[taky]\nbind_ip=127.0.0.1\nroot_dir={folder}\n"
        f"[cot_server]\nport={port}\n" + (f"mon_ip=127.0.0.1\nmon_port={monitor}\n" if monitor else "") +
        f"[dp_server]\nupload_path={folder}\n"
        f"[ssl]\nenabled={'true' if tls else 'false'}\ncert_db={folder}/certs.txt\n{secured}"
    )  # fmt: skip
    words = [sys.executable, str(SUPPORT / "taky_program.py"), "-c", str(folder / "taky.conf")]
    server = await asyncio.create_subprocess_exec(*words, stderr=asyncio.subprocess.PIPE)
    try:
        async with asyncio.timeout(30):
            await _said(server.stderr, b"Listening for")
            await _listening(int(monitor or port))
        drained = asyncio.create_task(_discard(server.stderr))
        yield
        drained.cancel()
    finally:
        with contextlib.suppress(ProcessLookupError):
            server.kill()
        await server.wait()


@asynccontextmanager
async def pytak_receiver(url: str) -> AsyncIterator[Callable[[], Awaitable[list[str]]]]:
    """A PyTAK that is connected; a function that returns uid and type of its next event."""
    words = [sys.executable, str(SUPPORT / "pytak_receiver.py"), url]
    receiver = await asyncio.create_subprocess_exec(
        *words, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    assert receiver.stdout is not None
    lines = receiver.stdout

    async def following() -> list[str]:
        return (await asyncio.wait_for(lines.readline(), 20)).decode().split()

    try:
        assert await following() == ["ready"]
        yield following
    finally:
        with contextlib.suppress(ProcessLookupError):
            receiver.kill()
        await receiver.wait()


async def _said(stream: asyncio.StreamReader | None, text: bytes) -> None:
    assert stream is not None
    said = b""
    while text not in said:
        line = await stream.readline()
        assert line, said.decode()
        said += line


async def _discard(stream: asyncio.StreamReader | None) -> None:
    while stream is not None and await stream.readline():
        pass


async def _listening(port: int) -> None:
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except ConnectionRefusedError:
            await asyncio.sleep(0.02)
        else:
            writer.close()
            return


class ScriptedTakServer:
    """A server that keeps all events that it gets, over all its starts.

    greeting   sent at the begin of each connection
    answer     sent when the client requests TAK protocol 1; None: none. `accepts`: frames follow
    """

    def __init__(self, port: int, greeting: bytes = b"", answer: bytes | None = None, *, accepts: bool = False) -> None:
        self.port, self.greeting, self.answer, self.accepts = port, greeting, answer, accepts
        self.url = f"cot+tcp://127.0.0.1:{port}"
        self.events: list[ET.Element] = []
        self.frames: list[TakMessage] = []
        self.clients: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None

    @property
    def types(self) -> list[str | None]:
        """Of its events."""
        return [event.get("type") for event in self.events]

    def settings(self) -> FarEndSettings:
        return settings_of(self.url)

    async def __aenter__(self) -> ScriptedTakServer:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)

    async def stop(self) -> None:
        """It goes away, and its clients see it."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for client in list(self.clients):
            client.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.clients.add(writer)
        writer.write(self.greeting)
        is_protobuf = False
        try:
            while True:
                if is_protobuf:
                    self.frames.append(await _frame(reader))
                    continue
                event = ET.fromstring(await reader.readuntil(b"</event>"))
                self.events.append(event)
                if event.get("type") == "t-x-takp-q" and self.answer is not None:
                    writer.write(self.answer)
                    is_protobuf = self.accepts
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.clients.discard(writer)
            writer.close()

    def say(self, data: bytes) -> None:
        """Send bytes to all clients."""
        for client in self.clients:
            client.write(data)


async def _frame(reader: asyncio.StreamReader) -> TakMessage:
    assert await reader.readexactly(1) == b"\xbf"
    size = shift = 0
    while True:
        (byte,) = await reader.readexactly(1)
        size |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            break
    return TakMessage.FromString(await reader.readexactly(size))


class TakTrial(ScriptedTakServer):
    """A TAK server for the contract suite, which gets an event of each aircraft for each record."""

    confirms: ClassVar[bool] = False
    largest = None
    outputs = (EVERY,)

    def __init__(self, folder: Path, port: int) -> None:
        super().__init__(port)

    def record(self, number: int, stream: str = "uav1") -> Record:
        return positioned(number, stream)

    async def close(self) -> None:
        await self.stop()

    async def documents(self) -> list[bytes]:
        """What identifies the record of each event: its uid has the stream, its time the number."""
        aircraft = [event for event in self.events if event.get("type") == "a-f-A-M-F-Q"]
        return [dumps({"schema": "klvrelay/1", "boot": BOOT, **_identity(event)}) for event in aircraft]


def _identity(event: ET.Element) -> dict[str, object]:
    return {"stream": str(event.get("uid")).rpartition(".")[2], "seq": number_of(event)}
