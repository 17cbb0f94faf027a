"""Publishes the messages of the sink, except to suspended topics, and notes the broker's answers."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from functools import partial
from typing import Any, TypeVar

from klvrelay.sinks.mqtt.protocol.connection import REFUSED, SESSION_LOST, TOO_LARGE, Connection, Message, Unanswered
from klvrelay.sinks.mqtt.refused.breaking import Breaking
from klvrelay.sinks.mqtt.refused.lanes import Lanes, Settle
from klvrelay.sinks.mqtt.refused.suspended import Suspended

LOG = logging.getLogger("klvrelay.sinks")

Code = TypeVar("Code", int, int | None)


class Publisher:
    """Publishes over one connection after another.

    suspended   the topics that the broker refuses
    by_topic    see `Breaking`
    breaking    the messages at which it closes the connection
    settle      see `Lanes`
    route       while set, it publishes latest values in place of this class
    """

    def __init__(self, url: str, settle: Settle, *, by_topic: bool = False) -> None:
        self._url = url
        self.suspended = Suspended(url)
        self.breaking = Breaking(url, self.suspended, by_topic=by_topic)
        self._lanes = Lanes(self.breaking.control, settle)
        self._reported_too_large = False
        self.route: Callable[[Sequence[Message]], Awaitable[None]] | None = None

    def admitted(self, messages: Sequence[Message]) -> list[Message]:
        """The messages whose topics are not suspended."""
        return [message for message in messages if self.suspended.admits(message.topic)]

    async def publish_admitted(self, connection: Connection, messages: Sequence[Message]) -> None:
        """Publish the messages whose topics are not suspended, ahead of waiting records."""
        if self.route is not None:
            await self.route(messages)
        else:
            await self.publish(connection, self.admitted(messages), ahead=True)

    def publish(
        self, connection: Connection, messages: Sequence[Message], *, ahead: bool = False
    ) -> Coroutine[Any, Any, list[int]]:
        """Publish messages, except those held by `breaking`. Returns the broker's codes; see `Connection.publish`.

        Withheld messages wait: see `control.py`.
        """
        if not self._lanes.are_used:
            return self.publish_fitting(connection, messages, ahead=ahead)
        send = partial(self.publish_fitting, connection, ahead=ahead)
        return self._lanes.publish(connection, messages, send)

    def publish_fitting(
        self, connection: Connection, messages: Sequence[Message], *, ahead: bool = False
    ) -> Coroutine[Any, Any, list[int]]:
        """As `publish`, though they may be withheld."""
        send = self._publish_unheld if self.breaking.is_active else self._publish
        return send(connection, messages, ahead=ahead)

    async def _publish_unheld(self, connection: Connection, messages: Sequence[Message], *, ahead: bool) -> list[int]:
        held = [self.breaking.holds(message) for message in messages]
        sent = [message for message, is_held in zip(messages, held, strict=True) if not is_held]
        try:
            return _filled(held, await self._publish(connection, sent, ahead=ahead))
        except Unanswered as fault:
            fault.codes = _filled(held, fault.codes)
            raise

    async def _publish(self, connection: Connection, messages: Sequence[Message], *, ahead: bool) -> list[int]:
        try:
            codes = await connection.publish(messages, ahead=ahead)
        except Unanswered as fault:
            self._note(connection, messages, fault.codes)
            raise
        if self.suspended.refused or self.breaking.is_alert or (any(codes) and max(codes) >= REFUSED):
            self._note(connection, messages, codes)
            return codes
        return [0] * len(codes)  # other codes are successes: no subscriber

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
                if self.breaking.is_alert and not _is_answered(connection, message):
                    self._note_accepted(connection, message)

    def begin(self, connection: Connection) -> None:
        """A new connection: note each answer, while the message that ended earlier ones is sought."""
        breaking = self.breaking
        connection.note_answers(partial(self._note_answer, connection) if breaking.is_alert else None)
        if breaking.control.is_running:
            connection.narrow()

    def _note_answer(self, connection: Connection, message: Message, code: int) -> None:
        if code < REFUSED and _is_answered(connection, message):
            self._note_accepted(connection, message)

    def _note_accepted(self, connection: Connection, message: Message) -> None:
        breaking = self.breaking
        was_one_by_one, was_control = breaking.one_by_one, breaking.control.is_running
        breaking.accept(message)
        if was_one_by_one and not breaking.one_by_one:
            connection.widen()
        elif was_control and not breaking.control.is_running:
            connection.grow()

    def _log_too_large(self, connection: Connection, message: Message) -> None:
        if not self._reported_too_large:
            self._reported_too_large = True
            LOG.warning(
                "%s: messages exceed the broker's limit; left out: topic=%s payload=%d broker_limit=%d",
                self._url, message.topic, len(message.payload), connection.largest,
            )  # fmt: skip


def _is_answered(connection: Connection, message: Message) -> bool:
    """Does the broker answer it? At QoS 0 it is accepted once `publish` returns: then the broker may have read it."""
    return connection.terms.fitted(message).qos > 0


def _filled(held: Sequence[bool], codes: Sequence[Code]) -> list[Code]:
    """The codes of the messages that were sent, with TOO_LARGE for each one that was held."""
    rest = iter(codes)
    return [TOO_LARGE if is_held else next(rest) for is_held in held]
