"""A connection to a Redis server: login, and requests with their replies, in order."""

from __future__ import annotations

import asyncio
from collections import deque

from klvrelay.config.sinks.redis import RedisSettings
from klvrelay.errors import SinkDown, SinkError
from klvrelay.sinks.dialing.dial import dial
from klvrelay.sinks.dialing.exchange import Exchange, version_of
from klvrelay.sinks.redis.faults import LATER, check_mode, login_fault, unavailable
from klvrelay.sinks.redis.resp import ErrorReply, NoRedis, Replies, Reply, command


class Request:
    """Commands that were sent, and the replies so far."""

    __slots__ = ("answered", "count", "replies")

    def __init__(self, count: int) -> None:
        self.count = count
        self.replies: list[Reply] = []
        self.answered: asyncio.Future[None] = asyncio.get_running_loop().create_future()


class RedisConnection:
    """A connected socket. Made by `open`.

    server  name and version of the server, for the log
    """

    def __init__(self, settings: RedisSettings) -> None:
        self._settings = settings
        self._replies = Replies()
        self._requests: deque[Request] = deque()
        self._exchange: Exchange | None = None
        self.server = ""

    async def open(self) -> None:
        """Connect and log in. Raises SinkDown or SinkRefused."""
        self._exchange = Exchange(await dial(self._settings), self._settings, self._read)
        try:
            await self._log_in()
        except SinkDown as fault:
            raise self._no_redis() if self._exchange.received == 0 else fault from None

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
        request = self.ask(command(*words), 1)
        await self.wait(request)
        return request.replies[0]

    @property
    def exchange(self) -> Exchange:
        if self._exchange is None:
            raise SinkDown(f"{self._settings.url}: not connected")
        return self._exchange

    def ask(self, commands: bytes, count: int) -> Request:
        """Send commands with so many replies. Raises what ended the connection."""
        if (fault := self.exchange.fault) is not None:
            raise SinkDown(str(fault))
        request = Request(count)
        self._requests.append(request)
        self.exchange.write(commands)
        return request

    async def wait(self, request: Request) -> None:
        """Return once all replies are there. Raises SinkDown or SinkRefused; the request has the replies before that.
        """
        await self.exchange.wait(request.answered, lambda: len(request.replies))

    def close(self) -> None:
        """Close the socket."""
        if self._exchange is not None:
            self._exchange.close()

    def _read(self, data: bytes) -> None:
        try:
            replies = self._replies.feed(data)
        except NoRedis:
            raise self._no_redis() from None
        for reply in replies:
            if not self._requests:
                raise self._unasked(reply)
            request = self._requests[0]
            request.replies.append(reply)
            if len(request.replies) == request.count:
                self._requests.popleft()
                if not request.answered.done():
                    request.answered.set_result(None)

    def _unasked(self, reply: Reply) -> SinkError:
        """What the server sends by itself before it closes the connection, such as that it has too many clients."""
        return login_fault(self._settings.url, reply) if isinstance(reply, ErrorReply) else self._no_redis()

    def _no_redis(self) -> SinkDown:
        hint = "rediss://, if it is a TLS port" if not self._settings.tls else "the port"
        return SinkDown(f"{self._settings.url}: no Redis server answers there: check {hint}")
