"""Brokers to publish to: mosquitto, the embedded one, and an oracle that logs and fails on demand.

A pytest plugin, loaded by `conftest.py`.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import shutil
import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiomqtt
import pytest
from oracle_broker import OracleBroker

from klvrelay.cli.embedded_broker import EmbeddedBroker

SAMPLE = Path(__file__).parents[2] / "samples" / "mosquitto.conf"
PATIENCE = 20.0


async def until(holds: Callable[[], object], within: float = PATIENCE) -> None:
    """Return once `holds()` is true; fail after the time limit."""
    loop = asyncio.get_running_loop()
    end = loop.time() + within
    while not holds():
        assert loop.time() < end, f"not within {within} s: {holds}"
        await asyncio.sleep(0.005)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass(slots=True)
class Mosquitto:
    """A mosquitto process on a free port, with the configuration that klvrelay ships."""

    home: Path
    port: int
    process: asyncio.subprocess.Process | None = None
    scheme: str = "mqtt"

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"

    def configure(self, text: str | None = None) -> None:
        """Write the shipped configuration, or `text`, with this broker's port and directory."""
        text = SAMPLE.read_text() if text is None else text
        text = re.sub(r"(?m)^listener \d+", f"listener {self.port}", text)
        head = f"user root\npersistence_location {self.home}/\n"
        self.home.joinpath("mosquitto.conf").write_text(head + text)

    async def start(self) -> None:
        program = shutil.which("mosquitto")
        assert program is not None
        log = self.home.joinpath("mosquitto.log").open("ab")
        with log:
            self.process = await asyncio.create_subprocess_exec(
                program, "-c", str(self.home / "mosquitto.conf"), cwd=self.home, stdout=log, stderr=log
            )
        await self._listening()

    async def _listening(self) -> None:
        def answers() -> bool:
            assert self.process is not None
            assert self.process.returncode is None, self.log()
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return True
            return False

        await until(answers)

    async def stop(self) -> None:
        """A clean stop: retained messages are saved to disk."""
        async with asyncio.timeout(PATIENCE):
            while self.process is not None and self.process.returncode is None:
                self.process.terminate()  # mosquitto ignores a signal during its start
                await asyncio.wait({asyncio.create_task(self.process.wait())}, timeout=1)

    async def kill(self) -> None:
        if self.process is not None and self.process.returncode is None:
            self.process.kill()
            await self.process.wait()

    def log(self) -> str:
        return self.home.joinpath("mosquitto.log").read_text()


@dataclass(slots=True)
class Heard:
    """The messages that a subscriber received, in order."""

    messages: list[aiomqtt.Message]

    def on(self, topic: str) -> list[bytes]:
        return [bytes(m.payload) for m in self.messages if str(m.topic) == topic]

    async def count(self, n: int, topic: str | None = None) -> list[aiomqtt.Message]:
        """The messages (of a topic) once there are `n`."""

        def found() -> list[aiomqtt.Message]:
            return [m for m in self.messages if topic is None or str(m.topic) == topic]

        await until(lambda: len(found()) >= n)
        return found()


@contextlib.asynccontextmanager
async def listening(
    port: int, *topics: str, protocol: int = 5, username: str | None = None
) -> AsyncIterator[Heard]:
    """A subscriber that uses none of klvrelay's code."""
    versions = {5: aiomqtt.ProtocolVersion.V5, 4: aiomqtt.ProtocolVersion.V311}
    heard = Heard([])

    async def hear(client: aiomqtt.Client) -> None:
        with contextlib.suppress(aiomqtt.MqttError):
            async for message in client.messages:
                heard.messages.append(message)

    async with aiomqtt.Client("127.0.0.1", port, protocol=versions[protocol], username=username) as client:
        for topic in topics or ("#",):
            await client.subscribe(topic, qos=1)
        task = asyncio.create_task(hear(client), name="listening")
        try:
            yield heard
        finally:
            task.cancel()
            await asyncio.wait({task})
            if client._disconnected.done():
                client._disconnected.exception()


@pytest.fixture
async def mosquitto(tmp_path: Path) -> AsyncIterator[Mosquitto]:
    """A running mosquitto; its test is marked `needs("mosquitto")`."""
    broker = Mosquitto(tmp_path, _free_port())
    broker.configure()
    await broker.start()
    yield broker
    await broker.kill()


@pytest.fixture
async def embedded() -> AsyncIterator[EmbeddedBroker]:
    async with EmbeddedBroker(0) as broker:
        yield broker


@pytest.fixture
async def oracle() -> AsyncIterator[OracleBroker]:
    async with OracleBroker() as broker:
        yield broker


_REAL = (pytest.param("mosquitto", marks=pytest.mark.needs("mosquitto")), "embedded")


@pytest.fixture(params=_REAL)
def real_broker(request: pytest.FixtureRequest) -> Any:
    """A broker that stores and forwards correctly; has `port` and `url`."""
    return request.getfixturevalue(request.param)


@pytest.fixture(params=(*_REAL, "oracle"))
def broker(request: pytest.FixtureRequest) -> Any:
    """Each kind of broker in turn: has `port` and `url`."""
    return request.getfixturevalue(request.param)
