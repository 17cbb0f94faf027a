"""Delivers to NATS: all messages of a group are sent, then all answers awaited."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from nats.errors import Error

from klvrelay.backoff import Repeats
from klvrelay.config.names import safe_level
from klvrelay.config.sinks.nats import NatsSettings
from klvrelay.errors import SinkDown, SinkError
from klvrelay.sinks.contract import Notice
from klvrelay.sinks.nats.connection import NatsConnection
from klvrelay.sinks.nats.faults import UNBOUND, StoreAnswer
from klvrelay.sinks.nats.jetstream import JetStream
from klvrelay.sinks.nats.publishing import TURN, NatsMessage, Publishing
from klvrelay.sinks.nats.subjects import all_below, subject_of
from klvrelay.sinks.publishing.far_end import Unconfirmed
from klvrelay.sinks.publishing.publication import Publication
from klvrelay.sinks.results import DELIVERED, LEFT_OUT, REJECTED

SUBJECTS_MOST = 4096
"""Maximum number of subjects that are kept."""
LOG = logging.getLogger("klvrelay.sinks")


class NatsSubjects:
    """One server. Its contract is `FarEnd` and `ValueKeeper`."""

    def __init__(self, settings: NatsSettings) -> None:
        self._settings = settings
        self.url = settings.url
        self.detail = ""
        self._subjects: dict[str, str] = {}
        self._denied: set[str] = set()
        self._logged = Repeats()
        self._renew()

    def _renew(self) -> None:
        self._connection = NatsConnection(self._settings, self._deny)
        self._publishing = Publishing(self._connection)
        self._jetstream = JetStream(self._settings, self._connection)
        self._denied.clear()

    async def open(self) -> None:
        """Connect, log in, and find the JetStream stream. Raises SinkDown or SinkRefused."""
        self._renew()
        await self._connection.open()
        if self._settings.jetstream:
            await self._jetstream.ensure_stream()
            await self._publishing.open()
        self.detail = f", NATS {self._connection.version}{'' if self._settings.jetstream else ' without JetStream'}"

    def _deny(self, subject: str) -> None:
        if len(self._denied) < SUBJECTS_MOST:
            self._denied.add(subject)
        self._publishing.deny(subject)
        self._jetstream.deny(subject)

    async def send(self, publications: Sequence[Publication]) -> Sequence[int]:
        """Send all messages, and return once each is answered. Raises Unconfirmed."""
        messages = [self._message(one) for one in publications]
        most = self._connection.client.max_payload
        fits = [message.size <= most for message in messages]
        sent = [message for message, is_short in zip(messages, fits, strict=True) if is_short]
        verdicts = await (self._store(sent) if self._settings.jetstream else self._announce(sent))
        results: list[int] = []
        at = 0
        for is_short in fits:
            if not is_short:
                results.append(LEFT_OUT)
                continue
            one = verdicts[at]
            if one.result is None:
                raise Unconfirmed(f"{self.url}: {one.text}", results)
            results.append(one.result)
            at += 1
        return results

    def _message(self, publication: Publication) -> NatsMessage:
        if (subject := self._subjects.get(publication.topic)) is None:
            if len(self._subjects) >= SUBJECTS_MOST:
                self._subjects.clear()
            subject = self._subjects[publication.topic] = subject_of(publication.topic)
        headers = {
            "Nats-Msg-Id": f"{subject}:{publication.identity}", "Content-Type": publication.content_type,
        }  # fmt: skip
        if publication.age:
            headers["Klvrelay-Age"] = publication.age
        return NatsMessage(subject, headers, publication.data)

    # ---- JetStream ----

    async def _store(self, messages: Sequence[NatsMessage]) -> list[StoreAnswer]:
        """The verdicts of JetStream. Those after the connection was lost, or that cannot be known, have no result."""
        if not messages:
            return []
        answers, fault = await self._publishing.publish(messages)
        missing = StoreAnswer(None, str(fault).removeprefix(f"{self.url}: "))
        verdicts = [answer or missing for answer in answers]
        if fault is None:
            verdicts = await self._without_unbound(messages, verdicts)
        self._log(messages, verdicts)
        return verdicts

    async def _without_unbound(self, messages: Sequence[NatsMessage], verdicts: list[StoreAnswer]) -> list[StoreAnswer]:
        """A subject that no stream has is refused, if there is a stream for others. Otherwise, JetStream is not ready,
        or its stream was removed: the messages are offered again.
        """
        unbound = {message.subject for message, one in zip(messages, verdicts, strict=True) if one is UNBOUND}
        refused = {subject for subject in unbound if await self._is_refused(subject)}
        return [
            StoreAnswer(REJECTED, one.text) if one is UNBOUND and message.subject in refused else one
            for message, one in zip(messages, verdicts, strict=True)
        ]

    async def _is_refused(self, subject: str) -> bool:
        try:
            return (
                await self._jetstream.has_stream(subject) is False
                and await self._jetstream.has_stream(all_below(self._settings.prefix)) is True
            )
        except SinkError:
            return False

    def _log(self, messages: Sequence[NatsMessage], verdicts: Sequence[StoreAnswer]) -> None:
        reasons = {
            (message.subject, one.text)
            for message, one in zip(messages, verdicts, strict=True)
            if one.result in (REJECTED, LEFT_OUT)
        }
        for subject, text in sorted(reasons):
            self._warn(f"{subject}: refused by the NATS server: {text}")

    def _warn(self, text: str) -> None:
        if (line := self._logged.add(text)) is not None:
            LOG.warning("%s: %s", self.url, line)

    # ---- without JetStream ----

    async def _announce(self, messages: Sequence[NatsMessage]) -> list[StoreAnswer]:
        """Send to subscribers of the moment. The server has read all once it answers a ping."""
        try:
            for number, message in enumerate(messages, 1):
                await self._say(message)
                if number % TURN == 0:
                    await asyncio.sleep(0)
            await self._connection.ping()
        except SinkError as lost:
            raise Unconfirmed(str(lost)) from None
        verdicts = [
            StoreAnswer(REJECTED, "the user may not publish to it") if message.subject.lower() in self._denied
            else StoreAnswer(DELIVERED) for message in messages
        ]  # fmt: skip
        self._log(messages, verdicts)
        return verdicts

    async def put(self, notice: Notice) -> None:
        """Publish a latest value: the last message of its subject. Raises SinkDown."""
        place = notice.kind if notice.stream is None else f"{safe_level(notice.stream)}/{notice.kind}"
        kind = "application/json" if notice.kind != "availability" else "text/plain"
        message = NatsMessage(
            subject_of(f"{self._settings.prefix}/{place}"), {"Content-Type": kind}, notice.document
        )  # fmt: skip
        if not self._settings.jetstream:
            return await self._say(message)
        [answer], fault = await self._publishing.publish([message])
        if answer is None:
            raise fault or SinkDown(f"{self.url}: no answer")
        if answer.result != DELIVERED:
            self._warn(f"{message.subject}: not stored by the NATS server: {answer.text}")

    async def _say(self, message: NatsMessage) -> None:
        """Send a message without a wish for an answer. Raises SinkDown."""
        try:
            await self._connection.client.publish(message.subject, message.payload, headers=message.headers)
        except Error:
            raise SinkDown(str(await self._connection.ended())) from None

    async def lost(self) -> SinkDown:
        """Wait until the connection is lost. The library pings the server."""
        return SinkDown(str(await self._connection.ended()))

    async def close(self) -> None:
        """Close the connection."""
        await self._connection.close()
