"""Real Redis and NATS servers in processes of a test."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import signal
import socket
import sys
from pathlib import Path
from typing import Any, ClassVar

import orjson
import pytest
from far_ends import settings_of

from klvrelay.config.sinks.far_end import FarEndSettings

READY = 10.0
"""Seconds for a server to accept connections."""


class Server:
    """A program that listens on a port. `stop` ends it as a kill does; what it has written stays."""

    confirms: ClassVar[bool] = True

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.port = folder, port
        self._process: asyncio.subprocess.Process | None = None

    def command(self) -> list[str]:
        raise NotImplementedError

    async def start(self) -> None:
        with (self.folder / "server.log").open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(*self.command(), stdout=log, stderr=log)
        async with asyncio.timeout(READY):
            while not self._answers():
                assert self._process.returncode is None, (self.folder / "server.log").read_text()[-2000:]
                await asyncio.sleep(0.01)
        await self.ready()

    async def ready(self) -> None:
        """What follows the start."""

    def _answers(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True
        return False

    async def stop(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    def suspend(self) -> None:
        """It runs no more, but its kernel still accepts connections and bytes. `close` ends this too."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    async def close(self) -> None:
        await self.stop()


class RedisServer(Server):
    """With an append-only file. Only with `appendfsync always` does all that it has confirmed survive a kill: with
    `everysec` it answers before it writes while an earlier flush is in progress.
    """

    def __init__(self, folder: Path, port: int, *words: str) -> None:
        super().__init__(folder, port)
        if (program := shutil.which("redis-server")) is None:
            pytest.skip("not installed: redis-server")
        self._program, self._words = program, words
        self.url = f"redis://127.0.0.1:{port}"

    def command(self) -> list[str]:
        own = (self._program, "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder))
        if "--sentinel" in self._words:
            (self.folder / "sentinel.conf").write_text(f"port {self.port}\n")
            return [self._program, str(self.folder / "sentinel.conf"), "--sentinel"]
        return [*own, "--appendonly", "yes", "--appendfsync", "always", "--save", "", *self._words]

    def settings(self) -> FarEndSettings:
        return settings_of(self.url)

    def client(self) -> Any:
        import redis

        return redis.Redis(port=self.port, socket_timeout=5)

    async def ready(self) -> None:
        if self._words:
            return
        with self.client() as client:
            async with asyncio.timeout(READY):
                while client.info("persistence")["loading"]:
                    await asyncio.sleep(0.01)

    async def documents(self) -> list[bytes]:
        with self.client() as client:
            keys = sorted(client.scan_iter(_type="stream"))
            return [fields[b"payload"] for key in keys for _, fields in client.xrange(key)]


class NatsServer(Server):
    """JetStream with a file store. `stop` kills it; the pages that it wrote stay with the kernel."""

    largest = 1 << 20

    def __init__(self, folder: Path, port: int, config: str = "", *, jetstream: bool = True) -> None:
        super().__init__(folder, port)
        self._program = Path(sys.executable).with_name("nats-server")
        if not self._program.exists():
            pytest.skip("not installed: nats-server")
        self._config, self._jetstream = config, jetstream
        self.url = f"nats://127.0.0.1:{port}"

    def command(self) -> list[str]:
        path = self.folder / "nats.conf"
        storage = f'jetstream {{ store_dir: "{self.folder}/js" }}' if self._jetstream else ""
        path.write_text(f'listen: "127.0.0.1:{self.port}"\n{storage}\n{self._config}\n')
        return [str(self._program), "-c", str(path)]

    def settings(self) -> FarEndSettings:
        return settings_of(self.url, create=True)

    async def documents(self) -> list[bytes]:
        return [data for _, data in await self.messages() if orjson.loads(data).get("schema")]

    async def messages(self, stream: str = "klvrelay", login: str = "") -> list[tuple[str, bytes]]:
        """Subject and payload of all messages of a stream: telemetry, rejected and gap."""
        import nats
        from nats.js.errors import NotFoundError

        client = await nats.connect(f"nats://{login}127.0.0.1:{self.port}", allow_reconnect=False)
        try:
            jetstream = client.jetstream()
            try:
                last = (await jetstream.stream_info(stream)).state.last_seq
            except NotFoundError:
                return []
            found = []
            for part in ("telemetry", "rejected", "gap"):
                found += await _all(jetstream, stream, f"*.*.{part}")
            assert len(found) <= last
            return found
        finally:
            await client.close()


async def _all(jetstream: Any, stream: str, subject: str) -> list[tuple[str, bytes]]:
    from nats.errors import TimeoutError as Slow
    from nats.js.api import AckPolicy, ConsumerConfig

    config = ConsumerConfig(ack_policy=AckPolicy.NONE)
    reader = await jetstream.pull_subscribe(subject, stream=stream, config=config)
    found = []
    with contextlib.suppress(Slow, TimeoutError):
        while waiting := (await reader.consumer_info()).num_pending:
            batch = await reader.fetch(min(waiting, 1000), timeout=2)
            found += [(message.subject, message.data) for message in batch]
    await reader.unsubscribe()
    return found
