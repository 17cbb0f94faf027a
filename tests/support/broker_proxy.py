"""A TCP proxy in front of a broker, with the faults of a network in both directions."""

from __future__ import annotations

import asyncio
import socket
import struct
import time
from contextlib import suppress
from typing import Self


class BrokerProxy:
    """Forwards connections at `port` to `to` on 127.0.0.1.

    stalled      nothing passes in either direction, and the connections stay open
    swallowing   what the broker answers is discarded
    rate         bytes per second towards the broker, or None
    passed       wall time of the last bytes towards the broker (True) and from it (False)
    """

    def __init__(self, to: int) -> None:
        self._to = to
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._passes = asyncio.Event()
        self._passes.set()
        self.swallowing = False
        self.rate: float | None = None
        self.connections = 0
        self.passed = {True: 0.0, False: 0.0}
        self.port = 0

    @property
    def url(self) -> str:
        return f"mqtt://127.0.0.1:{self.port}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._welcome, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *fault: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    def stall(self, stalled: bool) -> None:
        """Let nothing pass, or let it pass again."""
        (self._passes.clear if stalled else self._passes.set)()

    def cut(self, *, reset: bool = False) -> int:
        """End every connection, by FIN or RST; returns how many."""
        ended = 0
        for writer in list(self._writers):
            if reset:
                sock: socket.socket = writer.get_extra_info("socket")
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                writer.transport.abort()
            writer.close()
            ended += 1
        self._writers.clear()
        return ended

    async def _welcome(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        self.connections += 1
        with suppress(OSError, asyncio.CancelledError):
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._to)
            self._writers.add(writer)
            try:
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(self._pump(reader, far_writer, up=True))
                    tasks.create_task(self._pump(far_reader, writer, up=False))
            finally:
                self._writers.discard(writer)
                far_writer.transport.abort()
        writer.close()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, up: bool) -> None:
        with suppress(OSError):
            while piece := await reader.read(65536):
                await self._passes.wait()
                if self.rate is not None and up:
                    await self._trickle(piece, writer)
                elif up or not self.swallowing:
                    writer.write(piece)
                    self.passed[up] = time.time()
                    await writer.drain()
        writer.close()

    async def _trickle(self, piece: bytes, writer: asyncio.StreamWriter) -> None:
        """Forward byte by byte, as long as the rate applies."""
        for at in range(len(piece)):
            if (rate := self.rate) is None:
                writer.write(piece[at:])
                return
            writer.write(piece[at : at + 1])
            await asyncio.sleep(1 / rate)
