"""Delivers to Redis Streams: one pipeline of commands for each group of publications."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from itertools import chain

from klvrelay.backoff import Repeats
from klvrelay.config.names import safe_level
from klvrelay.config.sinks.redis import RedisSettings
from klvrelay.errors import SinkDown, SinkError
from klvrelay.sinks.contract import Notice
from klvrelay.sinks.dialing.stream import IDLE
from klvrelay.sinks.publishing.far_end import Unconfirmed
from klvrelay.sinks.publishing.publication import Publication
from klvrelay.sinks.redis.commands import Command, RedisCommands, key_of
from klvrelay.sinks.redis.connection import RedisConnection
from klvrelay.sinks.redis.faults import ErrorReply, Reply, error_of, refused, result_of, unavailable
from klvrelay.sinks.results import REJECTED

FAREWELL = 0.5
"""Seconds to remove the status at the end."""
LOG = logging.getLogger("klvrelay.sinks")


class RedisStreams:
    """One database. Its contract is `FarEnd` and `ValueKeeper`."""

    def __init__(self, settings: RedisSettings) -> None:
        self._settings = settings
        self.url = settings.url
        self.detail = ""
        self._commands = RedisCommands(settings)
        self._connection = RedisConnection(settings)
        self._values: dict[bytes, bytes] = {}
        self._refused = Repeats()

    async def open(self) -> None:
        """Connect and log in. Raises SinkDown or SinkRefused."""
        self._connection = RedisConnection(self._settings)
        self._values.clear()
        await self._connection.open()
        self.detail = f", {self._connection.server}"

    async def send(self, publications: Sequence[Publication]) -> Sequence[int]:
        """Send all commands, and return once each is answered. Raises Unconfirmed."""
        commands = [self._commands.of(one) for one in publications]
        replies: list[Reply] = []
        try:
            await self._connection.ask(list(chain.from_iterable(commands)), replies)
        except SinkError as lost:
            raise Unconfirmed(str(lost), self._results(publications, commands, replies)) from None
        return self._results(publications, commands, replies)

    def _results(
        self, publications: Sequence[Publication], commands: Sequence[tuple[Command, ...]], replies: Sequence[Reply]
    ) -> list[int]:
        """The results of those that are answered. Raises Unconfirmed at the first that is to be offered again."""
        results: list[int] = []
        at = 0
        for publication, one in zip(publications, commands, strict=True):
            own = replies[at : at + len(one)]
            at += len(one)
            error = error_of(own)
            if len(own) < len(one) and error is None:
                break
            if (result := result_of(error)) is None:
                assert error is not None
                raise Unconfirmed(str(unavailable(self.url, error)), results)
            if result == REJECTED and error is not None:
                self._log_refused(publication, error)
            results.append(result)
        return results

    def _log_refused(self, publication: Publication, error: ErrorReply) -> None:
        text = refused(key_of(publication.topic).decode(), error)
        if (line := self._refused.add(text)) is not None:
            LOG.warning("%s: %s", self.url, line)

    async def put(self, notice: Notice) -> None:
        """Set the string of a value, which expires unless it is refreshed. Raises SinkDown."""
        place = notice.kind if notice.stream is None else f"{safe_level(notice.stream)}/{notice.kind}"
        key = key_of(f"{self._settings.prefix}/{place}")
        value = notice.document if notice.kind != "status" else b'{"state":"online",%b' % notice.document[1:]
        self._values[key] = value
        await self._set({key: value})

    async def _set(self, values: dict[bytes, bytes]) -> None:
        expiry = b"%d" % self._settings.value_expiry
        await self._ask([(b"SET", key, value, b"EX", expiry) for key, value in values.items()])

    async def _ask(self, commands: Sequence[Command]) -> None:
        """Send commands. An error of one of them is logged. Raises SinkDown."""
        replies: list[Reply] = []
        try:
            await self._connection.ask(commands, replies)
        except SinkError as lost:
            raise SinkDown(str(lost)) from None
        error = error_of(replies)
        if error is not None and (line := self._refused.add(refused("latest values", error))) is not None:
            LOG.warning("%s: %s", self.url, line)

    async def lost(self) -> SinkDown:
        """Wait until the connection is lost. Pings the server while nothing is sent, and refreshes latest values."""
        stream = self._connection.stream
        refresh = asyncio.create_task(self._refresh(), name="refresh values")
        try:
            await asyncio.wait({stream.ended})
            return SinkDown(str(stream.fault))
        finally:
            refresh.cancel()
            await asyncio.wait({refresh})

    async def _refresh(self) -> None:
        """Three times in the expiry of values, and at least each ten seconds. Ends with the connection."""
        with contextlib.suppress(SinkError):
            while True:
                await asyncio.sleep(min(IDLE, self._settings.value_expiry / 3))
                if self._values:
                    await self._set(dict(self._values))
                else:
                    await self._connection.ask([(b"PING",)], [])

    async def close(self) -> None:
        """Remove the status, if the connection is not lost, and close the connection."""
        status = key_of(f"{self._settings.prefix}/status")
        with contextlib.suppress(SinkDown, TimeoutError):
            async with asyncio.timeout(FAREWELL):
                if self._values.pop(status, None) is not None:
                    await self._ask([(b"DEL", status)])
        self._values.clear()
        await self._connection.close()
