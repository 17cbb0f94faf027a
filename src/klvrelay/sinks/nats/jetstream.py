"""The JetStream stream that stores what is published: found by its subjects, and created if that is wanted."""

from __future__ import annotations

from typing import Any

import orjson

from klvrelay.config.sinks.nats import NatsSettings
from klvrelay.errors import SinkDown, SinkError, SinkRefused
from klvrelay.json_output import dumps
from klvrelay.sinks.nats.connection import NatsConnection
from klvrelay.sinks.nats.faults import NO_RESPONDERS, NOT_ENABLED, error_in
from klvrelay.sinks.nats.frames import Frame, header_block
from klvrelay.sinks.nats.publishing import REFUSED, Answers
from klvrelay.sinks.nats.subjects import all_below, default_stream_name

DUPLICATE_WINDOW = 120
"""Seconds in which a created stream recognises a message that is sent again."""
_NO_HEADERS = header_block({})


class JetStream:
    """Asks the server about its streams."""

    def __init__(self, settings: NatsSettings, connection: NatsConnection, answers: Answers) -> None:
        self._settings, self._connection, self._answers = settings, connection, answers

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
        frame = await self._ask("STREAM.NAMES", {"subject": subject})
        if frame is REFUSED:
            return None
        if frame.status == NO_RESPONDERS:
            raise SinkRefused(
                f"{self._settings.url}: JetStream is not enabled: add `jetstream {{}}` to the server's configuration,"
                " or set jetstream = false"
            )
        if (error := error_in(frame)) is not None:
            raise self._fault(error)
        return bool(orjson.loads(frame.payload).get("streams"))

    async def _create(self, subjects: str) -> None:
        seconds = self._settings.max_age or 0
        window = min(DUPLICATE_WINDOW, seconds) if seconds else DUPLICATE_WINDOW
        wanted = {
            "name": self._stream_name, "subjects": [subjects], "storage": "file", "retention": "limits",
            "discard": "old", "max_bytes": self._settings.max_size, "max_age": int(seconds * 1e9), "num_replicas": 1,
            "max_consumers": -1, "max_msgs": -1, "max_msg_size": -1, "duplicate_window": int(window * 1e9),
            "allow_direct": True,
        }  # fmt: skip
        frame = await self._ask(f"STREAM.CREATE.{self._stream_name}", wanted)
        if frame is REFUSED:
            raise SinkRefused(f"{self._settings.url}: the user may not create a stream: extend its permissions")
        if (error := error_in(frame)) is not None:
            raise self._fault(error)

    async def _ask(self, what: str, document: dict[str, Any]) -> Frame:
        message = f"$JS.API.{what}".encode(), _NO_HEADERS, dumps(document)
        frames, fault = await self._answers.publish(self._connection, [message])
        if fault is not None or frames[0] is None:
            raise fault or SinkDown(f"{self._settings.url}: no answer of JetStream")
        return frames[0]

    def _fault(self, error: tuple[int, int, str]) -> SinkError:
        code, number, text = error
        if number in NOT_ENABLED:
            text = "it is not enabled for this account: enable it, or set jetstream = false"
        kind = SinkRefused if code < 500 or number in NOT_ENABLED else SinkDown
        return kind(f"{self._settings.url}: JetStream: {text}")
