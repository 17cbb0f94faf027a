"""The JetStream stream that stores what is published: found by its subjects, and created if that is wanted."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from nats.errors import Error
from nats.js.api import DiscardPolicy, RetentionPolicy, StorageType, StreamConfig
from nats.js.errors import APIError, NotFoundError

from klvrelay.config.sinks.nats import NatsSettings
from klvrelay.errors import SinkDown, SinkError, SinkRefused
from klvrelay.sinks.nats.connection import NatsConnection
from klvrelay.sinks.nats.faults import NOT_ENABLED, text_of
from klvrelay.sinks.nats.subjects import all_below, default_stream_name

DUPLICATE_WINDOW = 120
"""Seconds in which a created stream recognises a message that is sent again."""


class _NotPermitted(Exception):
    """The user may not ask this."""


class JetStream:
    """Asks the server about its streams."""

    def __init__(self, settings: NatsSettings, connection: NatsConnection) -> None:
        self._settings, self._connection = settings, connection
        self._manager = connection.client.jsm(timeout=2 * settings.timeout)
        self._denied: asyncio.Future[None] | None = None

    def deny(self, subject: str) -> None:
        """The user may not publish to a subject, given in lower case."""
        if subject.startswith("$js.api.") and self._denied is not None and not self._denied.done():
            self._denied.set_result(None)

    async def ensure_stream(self) -> None:
        """Raise SinkRefused, with a remedy, if no stream has subjects below the prefix and none is to be created."""
        subjects = all_below(self._settings.prefix)
        if await self.has_stream(subjects) is not False:
            return
        if self._settings.create:
            return await self._create(subjects)
        name = self._stream_name
        raise SinkRefused(
            f"{self._settings.url}: no JetStream stream has the subjects {subjects}: create it with"
            f" `nats stream add {name} --subjects '{subjects}'`, or set create = true"
        )

    @property
    def _stream_name(self) -> str:
        return self._settings.stream_name or default_stream_name(self._settings.prefix)

    async def has_stream(self, subject: str) -> bool | None:
        """Has any stream these subjects? None: the user may not ask. Raises SinkDown or SinkRefused."""
        try:
            await self._ask(self._manager.find_stream_name_by_subject(subject))
        except NotFoundError:
            return False
        except _NotPermitted:
            return None
        except APIError as error:
            raise self._fault(error) from None
        return True

    async def _create(self, subjects: str) -> None:
        seconds = self._settings.max_age or 0
        window = min(DUPLICATE_WINDOW, seconds) if seconds else DUPLICATE_WINDOW
        wanted = StreamConfig(
            name=self._stream_name, subjects=[subjects], storage=StorageType.FILE, retention=RetentionPolicy.LIMITS,
            discard=DiscardPolicy.OLD, max_bytes=self._settings.max_size, max_age=seconds, num_replicas=1,
            max_consumers=-1, max_msgs=-1, max_msg_size=-1, duplicate_window=window, allow_direct=True,
        )  # fmt: skip
        try:
            await self._ask(self._manager.add_stream(wanted))
        except _NotPermitted:
            raise SinkRefused(
                f"{self._settings.url}: the user may not create a stream: extend its permissions"
            ) from None
        except APIError as error:
            raise self._fault(error) from None

    async def _ask(self, question: Coroutine[Any, Any, Any]) -> None:
        """Raises _NotPermitted, APIError, SinkDown or SinkRefused."""
        denied = self._denied = asyncio.get_running_loop().create_future()
        try:
            await self._connection.watch(self._answer(question, denied))
        except (APIError, SinkError):
            raise
        except (Error, LookupError, TypeError, ValueError):
            raise SinkDown(f"{self._settings.url}: no answer of JetStream that can be read") from None

    async def _answer(self, question: Coroutine[Any, Any, Any], denied: asyncio.Future[None]) -> None:
        work = asyncio.ensure_future(question)
        try:
            await asyncio.wait({work, denied}, return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                raise _NotPermitted
            work.result()
            self._connection.stream.answered()
        finally:
            work.cancel()
            await asyncio.wait({work})

    def _fault(self, error: APIError) -> SinkError:
        url, code = self._settings.url, error.code
        if code is None:  # nobody answers
            return SinkRefused(
                f"{url}: JetStream is not enabled: add `jetstream {{}}` to the server's configuration,"
                " or set jetstream = false"
            )
        if error.err_code in NOT_ENABLED:
            return SinkRefused(
                f"{url}: JetStream: it is not enabled for this account: enable it, or set jetstream = false"
            )
        kind = SinkRefused if code < 500 else SinkDown
        return kind(f"{url}: JetStream: {text_of(code, error.err_code or 0)}")
