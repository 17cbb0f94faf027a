"""A connection to a Redis server through redis-py: login, and commands with their replies, in order."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from typing import Any

from hiredis import pack_command
from redis.asyncio.connection import AbstractConnection, DefaultParser
from redis.exceptions import RedisError

from klvrelay.config.sinks.redis import RedisSettings
from klvrelay.errors import SinkDown, SinkError
from klvrelay.sinks.dialing.stream import WatchedStream, context_of, open_stream
from klvrelay.sinks.dialing.version import version_of
from klvrelay.sinks.redis.faults import LATER, ErrorReply, Reply, check_mode, login_fault, reply_of, unavailable


class StreamConnection(AbstractConnection):
    """A connection of redis-py on a stream that is connected already. It never connects again."""

    def __init__(self, stream: WatchedStream) -> None:
        super().__init__(
            protocol=2, socket_timeout=None, driver_info=None, parser_class=DefaultParser, legacy_responses=True
        )
        self._stream: WatchedStream | None = stream

    async def _connect(self) -> None:
        stream, self._stream = self._stream, None
        if stream is None:
            raise OSError("the connection has ended")
        self._reader, self._writer = stream.reader, stream.writer

    def _host_error(self) -> str:
        return "the Redis server"

    def repr_pieces(self) -> list[tuple[str, Any]]:
        return []


def _packed(words: Any) -> bytes:
    packed: bytes = pack_command(words)
    return packed


class RedisConnection:
    """A connected socket. Made by `open`.

    server  name and version of the server, for the log
    """

    def __init__(self, settings: RedisSettings) -> None:
        self._settings = settings
        self._turn = asyncio.Lock()
        self._work: set[asyncio.Task[None]] = set()
        self._answered = 0
        self._stream: WatchedStream | None = None
        self._connection: StreamConnection | None = None
        self.server = ""

    async def open(self) -> None:
        """Connect and log in. Raises SinkDown or SinkRefused."""
        context = await context_of(self._settings)
        self._stream = await open_stream(self._settings)
        if context is not None:
            await self._stream.secure(self._settings, context)
        self._connection = StreamConnection(self._stream)
        await self._connection.connect_check_health()
        try:
            await self._log_in()
        except SinkDown as fault:
            raise self._no_redis() if self._stream.received == 0 else fault from None

    async def _log_in(self) -> None:
        words = [b"HELLO", b"2"]
        if self._settings.username is not None:
            password = "" if self._settings.password is None else self._settings.password.reveal()
            words += [b"AUTH", self._settings.username.encode(), password.encode()]
        words += [b"SETNAME", self._settings.client_name.encode()]
        self._greet(await self._ask_one(*words))
        if self._settings.database:
            self._check(await self._ask_one(b"SELECT", b"%d" % self._settings.database))
        pong = await self._ask_one(b"PING")
        if isinstance(pong, ErrorReply) and pong.code in LATER:
            raise unavailable(self._settings.url, pong)

    def _greet(self, answer: Reply) -> None:
        self._check(answer)
        if not isinstance(answer, list):
            raise self._no_redis()
        facts = {name: value for name, value in zip(answer[::2], answer[1::2], strict=False) if isinstance(name, bytes)}
        check_mode(self._settings.url, facts.get(b"mode"), facts.get(b"role"))
        version = facts.get(b"version")
        self.server = "Valkey" if facts.get(b"server") == b"valkey" else "Redis"
        if isinstance(version, bytes):
            self.server += f" {version_of(version.decode(errors='replace'))}"

    def _check(self, reply: Reply) -> None:
        if isinstance(reply, ErrorReply):
            raise login_fault(self._settings.url, reply)

    async def _ask_one(self, *words: bytes) -> Reply:
        replies: list[Reply] = []
        await self.ask([words], replies)
        return replies[0]

    @property
    def stream(self) -> WatchedStream:
        if self._stream is None:
            raise SinkDown(f"{self._settings.url}: not connected")
        return self._stream

    async def ask(self, commands: Sequence[tuple[bytes, ...]], replies: list[Reply]) -> None:
        """Send commands together, and add the reply to each. Raises what ended the connection, SinkDown or SinkRefused;
        `replies` has those before that.
        """
        if self.stream.ended.done():
            raise self.stream.fault
        work = asyncio.create_task(self._converse(commands, replies), name="Redis commands")
        self._work.add(work)
        work.add_done_callback(self._forget)
        await self.stream.watch(work, progress=lambda: self._answered)
        work.result()

    def _forget(self, work: asyncio.Task[None]) -> None:
        self._work.discard(work)
        if not work.cancelled():
            work.exception()  # nobody may ask for it

    async def _converse(self, commands: Sequence[tuple[bytes, ...]], replies: list[Reply]) -> None:
        """Goes on if `ask` is cancelled, so that each reply is that of its command."""
        assert self._connection is not None
        async with self._turn:
            try:
                await self._connection.send_packed_command([_packed(one) for one in commands], check_health=False)
                for _ in commands:
                    replies.append(await self._reply(self._connection))
                    self._answered += 1
                    self.stream.answered()
            except (RedisError, ValueError):  # a MOVED that the library can't read is a ValueError
                raise self._end() from None

    async def _reply(self, connection: StreamConnection) -> Reply:
        try:
            reply: Reply = await connection.read_response(timeout=math.inf, disconnect_on_error=False)
        except RedisError as fault:
            if (error := reply_of(fault)) is None:
                raise
            return error
        return reply

    def _end(self) -> SinkError:
        """Why replies are missing: the connection has ended, or what arrived is none."""
        if not self.stream.ended.done():
            self.stream.fail(self._no_redis())
        return self.stream.fault

    async def close(self) -> None:
        """Close the socket."""
        if self._stream is not None:
            self._stream.close()
        if self._work:
            await asyncio.wait(self._work)
        if self._connection is not None:
            await self._connection.disconnect(nowait=True)

    def _no_redis(self) -> SinkDown:
        hint = "rediss://, if it is a TLS port" if not self._settings.tls else "the port"
        return SinkDown(f"{self._settings.url}: no Redis server answers there: check {hint}")
