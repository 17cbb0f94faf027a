"""Publishes the messages of the sink, except to suspended topics, and notes the broker's answers."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from klvrelay.sinks.mqtt.connection import REFUSED, SESSION_LOST, TOO_LARGE, Connection, Message, Unanswered
from klvrelay.sinks.mqtt.suspended import Suspended

LOG = logging.getLogger("klvrelay.sinks")


class Publisher:
    """Publishes over one connection after another.

    suspended   the topics that the broker refuses
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self.suspended = Suspended(url)
        self._reported_too_large = False

    def admitted(self, messages: Sequence[Message]) -> list[Message]:
        """The messages whose topics are not suspended."""
        return [message for message in messages if self.suspended.admits(message.topic)]

    async def publish_admitted(self, connection: Connection, messages: Sequence[Message]) -> None:
        """Publish the messages whose topics are not suspended, ahead of waiting records."""
        await self.publish(connection, self.admitted(messages), ahead=True)

    async def publish(self, connection: Connection, messages: Sequence[Message], *, ahead: bool = False) -> list[int]:
        """Publish messages. Returns the broker's codes; see `Connection.publish`."""
        try:
            codes = await connection.publish(messages, ahead=ahead)
        except Unanswered as fault:
            self._note(connection, messages, fault.codes)
            raise
        if any(codes) or self.suspended:
            self._note(connection, messages, codes)
        return codes

    def _note(self, connection: Connection, messages: Sequence[Message], codes: Sequence[int | None]) -> None:
        """Suspend refused topics, resume accepted ones, and log the first message that is too large."""
        for message, code in zip(messages, codes, strict=False):
            if code == TOO_LARGE:
                self._log_too_large(connection, message)
            elif code == SESSION_LOST:
                pass  # the topic was not refused
            elif code is not None and code >= REFUSED:
                self.suspended.refuse(message.topic, code)
            elif code is not None:
                self.suspended.accept(message.topic)

    def _log_too_large(self, connection: Connection, message: Message) -> None:
        if not self._reported_too_large:
            self._reported_too_large = True
            LOG.warning(
                "mqtt message too large for the broker, left out like others of its size url=%s topic=%s payload=%d"
                " broker_limit=%d", self._url, message.topic, len(message.payload), connection.largest,
            )  # fmt: skip
