"""The embedded MQTT broker of the demo and of tests: amqtt on a loopback address, in a separate thread.

It supports MQTT 3.1.1 only. Any local user can connect, and can fill its memory with retained messages: use mosquitto
for production. The number of clients and the packet size are limited.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import errno
import ipaddress
import logging
import os
import threading
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from types import TracebackType
from typing import Any, Self

from klvrelay import threads
from klvrelay.errors import ConfigError, SinkDown

START_TIMEOUT = 10.0
STOP_TIMEOUT = 2.0
CONNECT_TIMEOUT = 10.0
LEAVE_TIMEOUT = 2.0
CLIENTS_MOST = 64
PART_MOST = 8 << 20
"""Maximum bytes that amqtt may read at a time: a packet, or its payload."""

_NAME = b"\x00\x04MQTT"
_DISCONNECT = b"\xe0", b"\x00"  # amqtt reads it byte by byte; no remaining length begins with 0x00
_OTHER_VERSION = b"\x20\x02\x00\x01"  # CONNACK: unacceptable protocol version

LOG = logging.getLogger("klvrelay.cli")


class EmbeddedBroker:
    """`async with EmbeddedBroker() as broker:` listens until the block is left.

    `port` is the requested port, or a free one if that is in use (see `moved`).
    """

    def __init__(self, port: int = 1883, host: str = "127.0.0.1") -> None:
        if not ipaddress.ip_address(host).is_loopback:
            raise ConfigError(f"embedded broker: {host} is not a loopback address: anyone could connect")
        self._requested_port = port
        self._host = host
        self.port = port
        self._thread: threading.Thread | None = None
        self._stop: concurrent.futures.Future[None] = concurrent.futures.Future()

    @property
    def moved(self) -> bool:
        """Whether the requested port was in use, so that the broker listens on another."""
        return self.port != self._requested_port and self._requested_port != 0

    @property
    def url(self) -> str:
        """The broker's address, as `mqtt://host:port`."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"mqtt://{host}:{self.port}"

    async def __aenter__(self) -> Self:
        """Return once the broker listens. Raises SinkDown if no port is available."""
        _load_amqtt()
        self._stop = concurrent.futures.Future()
        started: concurrent.futures.Future[int] = concurrent.futures.Future()
        name = "embedded broker"
        self._thread = threading.Thread(target=self._run, args=(started,), name=name, daemon=True)
        self._thread.start()
        try:
            async with asyncio.timeout(START_TIMEOUT):
                self.port = await asyncio.shield(asyncio.wrap_future(started))
        except BaseException:
            await self._end()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Disconnect all clients and discard all messages."""
        await self._end()

    async def _end(self) -> None:
        thread, self._thread = self._thread, None
        if thread is not None:
            self._stop.set_result(None)
            await threads.run(partial(thread.join, STOP_TIMEOUT + 1), "embedded broker's end")

    def _run(self, started: concurrent.futures.Future[int]) -> None:
        # A separate event loop, since amqtt leaves exceptions unretrieved when clients disappear.
        try:
            asyncio.run(self._serve(started))
        except Exception as fault:  # noqa: BLE001 (top level of the thread: nothing else would report it)
            LOG.debug("embedded broker failed fault=%r", fault)
            if not started.done():
                started.set_exception(SinkDown(f"embedded broker: can't start: {_fault_text(fault)}"))

    async def _serve(self, started: concurrent.futures.Future[int]) -> None:
        asyncio.get_running_loop().set_exception_handler(_log_quietly)
        broker = _new_broker()
        await broker.start()
        clients: set[asyncio.StreamWriter] = set()
        try:
            server = await self._listen(broker, clients)
            started.set_result(server.sockets[0].getsockname()[1])
            await asyncio.wrap_future(self._stop)
            await _close(server)
        finally:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(STOP_TIMEOUT):
                    await broker.shutdown()
            for client in clients:
                client.close()

    async def _listen(self, broker: Any, clients: set[asyncio.StreamWriter]) -> asyncio.Server:
        def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Coroutine[Any, Any, None]:
            # Registered before the task starts: it may be cancelled first.
            if len(clients) >= CLIENTS_MOST:
                return _reject(writer)
            clients.add(writer)
            return _serve_client(broker, reader, writer, clients.discard)

        try:
            return await asyncio.start_server(serve, self._host, self._requested_port)
        except OSError as fault:
            if fault.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise
        return await asyncio.start_server(serve, self._host, 0)


async def _close(server: asyncio.Server) -> None:
    """Stop accepting, let the last accepted connections start, then close: otherwise asyncio leaks them."""
    for sock in server.sockets:
        asyncio.get_running_loop().remove_reader(sock.fileno())
    for _ in range(5):
        await asyncio.sleep(0)
    server.close()


async def _reject(writer: asyncio.StreamWriter) -> None:
    writer.close()


async def _serve_client(
    broker: Any,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    forget: Callable[[asyncio.StreamWriter], None],
) -> None:
    """Reject anything but MQTT 3.1.1, which amqtt would misread, and pass the connection to amqtt."""
    from amqtt.adapters import StreamWriterAdapter

    try:
        async with asyncio.timeout(CONNECT_TIMEOUT):
            head = await _connect_head(reader)
        if head.endswith(_NAME + b"\x04"):
            whole = _ReplayReader(head, reader, writer.transport.abort, partial(_wait_until_sent, broker))
            await broker.external_connected(whole, StreamWriterAdapter(writer), "default")
        elif _NAME in head:
            writer.write(_OTHER_VERSION)
    except (OSError, asyncio.IncompleteReadError):
        pass
    finally:
        writer.close()
        forget(writer)


async def _wait_until_sent(broker: Any) -> None:
    """Return once all acknowledged messages are in flight: at a DISCONNECT, amqtt drops those still queued."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(LEAVE_TIMEOUT):
            sessions = broker._sessions
            while any(one.delivered_message_queue.qsize() for one, _ in sessions.values()):  # noqa: ASYNC110
                await asyncio.sleep(0.001)


async def _connect_head(reader: asyncio.StreamReader) -> bytes:
    """A CONNECT up to its protocol level (MQTT 3.1.1, 3.1); shorter if the bytes are something else."""
    head = await reader.readexactly(2)
    while head[0] == 0x10 and head[-1] & 0x80 and len(head) < 5:
        head += await reader.readexactly(1)
    return head + await reader.readexactly(len(_NAME) + 1) if head[0] == 0x10 else head


class _ReplayReader:
    """A reader for amqtt that replays the bytes already read, and hangs up at a packet that is too large.

    before_leave   awaited before amqtt reads a DISCONNECT
    """

    def __init__(
        self,
        head: bytes,
        reader: asyncio.StreamReader,
        hang_up: Callable[[], None],
        before_leave: Callable[[], Awaitable[None]],
    ) -> None:
        self._head = head
        self._reader = reader
        self._hang_up = hang_up
        self._before_leave = before_leave
        self._before = b""
        self._over = False

    async def read(self, n: int = -1) -> bytes:
        if self._over or not 0 <= n <= PART_MOST:
            self._over = True
            self._hang_up()  # amqtt would buffer whatever length the client announces
            return b""
        part, self._head = self._head[:n], self._head[n:]
        if len(part) < n:
            part += await self._reader.readexactly(n - len(part))
        before, self._before = self._before, part
        if (before, part) == _DISCONNECT:
            await self._before_leave()
        return part

    def feed_eof(self) -> None:
        self._reader.feed_eof()


def _load_amqtt() -> None:
    """Import amqtt, with a clear error if it is missing, and silence its log."""
    try:
        import amqtt.broker  # noqa: F401
    except ImportError as fault:
        raise ConfigError("embedded broker: amqtt is missing: pip install 'klvrelay[demo]'") from fault
    for name in ("amqtt", "transitions"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


def _new_broker() -> Any:
    from amqtt.broker import Broker

    listener = {"type": "external", "bind": "127.0.0.1"}
    anonymous = {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}}
    return Broker({"listeners": {"default": listener}, "plugins": anonymous})


def _log_quietly(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    LOG.debug("embedded broker: %s fault=%r", context.get("message"), context.get("exception"))


def _fault_text(fault: Exception) -> str:
    return os.strerror(fault.errno).lower() if isinstance(fault, OSError) and fault.errno else repr(fault)
