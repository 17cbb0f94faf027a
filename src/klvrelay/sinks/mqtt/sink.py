"""The MQTT sink: records to `telemetry` and `rejected`, notices to `state`, `availability`, `link` and `status`."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from collections.abc import Sequence
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Self

from klvrelay.config.mqtt import MqttSettings
from klvrelay.config.names import safe_level
from klvrelay.errors import SinkDown, SinkError
from klvrelay.outcome import Outcome
from klvrelay.sinks.contract import LatestValues, Notice
from klvrelay.sinks.mqtt.connect import connect
from klvrelay.sinks.mqtt.connection import REFUSED, TOO_LARGE, Connection, Message, Terms, Unanswered
from klvrelay.sinks.mqtt.faults import NoMqtt
from klvrelay.sinks.mqtt.messages import Messages
from klvrelay.sinks.mqtt.retained import Correction
from klvrelay.sinks.mqtt.session import Session
from klvrelay.sinks.mqtt.shipment import Shipment
from klvrelay.sinks.mqtt.suspects import Suspects
from klvrelay.sinks.mqtt.suspended import HUNG_UP, Suspended
from klvrelay.sinks.mqtt.takeover import TakeOver

if TYPE_CHECKING:
    from klvrelay.record import Record

GOODBYE_TIMEOUT, LAST_WORDS = 1.0, 0.3
"""Seconds that a broker gets to confirm the goodbye, and that it then takes at most to be sent without that."""
WHOLE = 8
"""Where a broker only hangs up, all that it might take is tried at the first of so many attempts, and one thing at each
of the others: its log and its table of connections are not to fill."""
RETRY = 0.5
"""Seconds between two looks at the latest values that the broker refused."""
NOTICES_MOST = 100
"""Latest values in flight."""

LOG = logging.getLogger("klvrelay.sinks")


class MqttSink:
    """One broker; contract: `Sink`. Each entry is a new connection.

    `{prefix}/{stream}/telemetry` gets good records, `/rejected` damaged ones and, as `publish_bad` says,
    those with a bad checksum, `/raw` on request the KLV bytes of what went to telemetry. LatestValues are
    retained. The last will says offline on `{prefix}/status`.

    A topic that the broker refuses (MQTT 5) is suspended and costs no other: see `suspended.py`. A record counts as
    rejected where its JSON was refused; that its raw bytes were is logged only. With MQTT 3.1.1 a refusal stays
    unseen: mosquitto acknowledges a forbidden message and drops it.
    """

    def __init__(self, settings: MqttSettings, *, boot: str) -> None:
        self._settings = settings
        # Random, since two sinks of one run on one broker would throw each other out again and again.
        client_id = settings.client_id or f"klvrelay-{boot[:8]}-{secrets.token_hex(2)}"
        self._client_id = client_id
        self._messages = Messages(settings, boot, client_id)
        self._protocol = settings.protocol
        self._connection: Connection | None = None
        self._terms = Terms()
        self._last_protocol: int | None = None
        self._fruitless = 0
        self._session = Session() if settings.qos == 2 else None
        self._reported: set[str] = set()
        self._take_over = TakeOver(settings.url, client_id)
        self._online: set[str] = set()
        self._levels: set[str] = set()
        self._refused: dict[str, Notice] = {}
        self._notices: LatestValues | None = None
        self._shown: Sequence[str] = ()
        self.suspended = Suspended(settings.url)
        self._suspects = Suspects()
        self._correction = Correction(settings, boot, self._levels.__contains__, self._status)

    def __repr__(self) -> str:
        return f"MqttSink({self._settings.url})"

    @property
    def protocol(self) -> int:
        """5, or 4 for MQTT 3.1.1: what is spoken now, or will be tried next."""
        return self._connection.protocol if self._connection is not None else self._protocol

    async def __aenter__(self) -> Self:
        """Connect and say online; SinkDown or SinkRefused says what to try."""
        fault: SinkDown | None = None
        once = self._fruitless % WHOLE != 0
        # A broker of 3.1.1 that takes no retained message, or not this QoS, hangs up without saying why.
        for terms in (self._terms,) if once else (self._terms, self._terms, *self._terms.lesser()):
            connection = await self._connected(terms, once)
            try:
                await self._correction.begin(connection)
                await self._greet(connection)
            except SinkDown as down:
                self._ended(connection)
                connection.abort()
                if not (connection.protocol == 4 and connection.hung_up):
                    raise
                fault = down
            except BaseException:
                connection.abort()
                raise
            else:
                self._protocol = 4 if connection.older_only else self._protocol
                self._last_protocol, self._fruitless = connection.protocol, 0
                self._note(connection)
                self._connection = connection
                self._suspects.begin()
                return self
        assert fault is not None
        self._fruitless += 1
        raise fault

    async def _connected(self, terms: Terms, once: bool) -> Connection:
        protocol = self._last_protocol if once and self._last_protocol else self._protocol
        try:
            connection = await connect(
                self._settings,
                client_id=self._client_id,
                will=self._messages.will(),
                protocol=protocol,
                terms=terms,
                session=self._session,
                once=once,
            )
        except NoMqtt:
            self._fruitless += 1
            raise
        self._take_over.begin()
        return connection

    async def _greet(self, connection: Connection) -> None:
        await self._publish_admitted(connection, [self._status()])
        if connection.protocol == 4 and not min(self._settings.qos, connection.terms.qos):
            await connection.settled()

    def _note(self, connection: Connection) -> None:
        """What the broker does not offer is said once."""
        terms, url = connection.terms, self._settings.url
        if connection.protocol == 4:
            self._terms = terms
        if not terms.retain and self._is_first("retain"):
            LOG.warning(
                "%s: the broker retains no messages: state, availability and link are published without that, so"
                " a subscriber sees them at their next change only", url,
            )  # fmt: skip
        if terms.qos < self._settings.qos and self._is_first("qos"):
            risk = ", so messages may be lost" if terms.qos == 0 else ""
            LOG.warning("%s: the broker takes QoS %d at most: messages go out with that%s", url, terms.qos, risk)

    def _is_first(self, what: str) -> bool:
        """Is it reported for the first time?"""
        first = what not in self._reported
        self._reported.add(what)
        return first

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Say offline, for the relay and each stream that is online, and disconnect, within a few seconds."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        self._ended(connection)
        try:
            with contextlib.suppress(SinkError):
                await self._say_goodbye(connection)
        finally:
            await connection.close()

    async def _say_goodbye(self, connection: Connection) -> None:
        """Where it is not confirmed in time, or can not even be sent, since nothing is: once more, unconfirmed."""
        if self._notices is not None and (facts := self._notices.latest("status", None)) is not None:
            self._messages.add_facts(facts.document)  # `keep` may not have come to them
        goodbye = self._admitted(self._messages.goodbye(self._online, self.suspended.document()))
        try:  # `wait_for`, since this task may be cancelled: asyncio.timeout before Python 3.11.3 would end it
            await asyncio.wait_for(self._publish(connection, goodbye, ahead=True), GOODBYE_TIMEOUT)
        except TimeoutError:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(connection.publish_unconfirmed(goodbye), LAST_WORDS)

    def _ended(self, connection: Connection) -> None:
        self._take_over.end(taken_over=connection.taken_over, hung_up=connection.hung_up)
        for topic in self._suspects.end(hung_up=connection.hung_up or connection.blames, suspended=self.suspended):
            self.suspended.refuse(topic, HUNG_UP)

    async def deliver(self, batch: Sequence[Record]) -> Outcome:
        """See `Sink.deliver`: confirmed by PUBACK at QoS 1, by PUBCOMP at QoS 2; in order."""
        connection = self._up()
        await self._suspects.values_first()
        shipment = Shipment(batch, self._messages.of_record, self.suspended.admits)
        try:
            codes: Sequence[int | None] = await self._publish(connection, shipment.messages)
        except Unanswered as fault:
            raise SinkDown(str(fault), answered=shipment.outcome(fault.codes)) from None
        return shipment.outcome(codes)

    async def keep(self, notices: LatestValues) -> None:
        """Publish latest values, retained, until the connection is lost, which raises SinkDown."""
        connection, self._notices = self._up(), notices
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._lost(connection), name="lost")
                await self._suspects.one_at_a_time(notices, partial(self._publish_notice, connection))
                tasks.create_task(self._retry(connection), name="retry")
                await self._keep(connection, notices, tasks)
        except ExceptionGroup as group:
            raise group.exceptions[0] from None

    async def _keep(self, connection: Connection, notices: LatestValues, tasks: asyncio.TaskGroup) -> None:
        """Send each value without waiting for the answer to the one before it, which over a long way takes long.

        A value is done once it is on its way: the broker answers in order, so that the answer to the goodbye is behind
        all of them, and on a new connection every value is offered again.
        """
        room = asyncio.Semaphore(NOTICES_MOST)
        while True:
            await room.acquire()
            notice = await notices.next()
            task = tasks.create_task(self._publish_notice(connection, notice), name="notice")
            task.add_done_callback(lambda _: room.release())
            notices.done(notice)

    async def _publish_notice(self, connection: Connection, notice: Notice) -> None:
        if notice.kind == "status":
            self._messages.add_facts(notice.document)
            await self._publish_admitted(connection, [self._status()])
        else:
            await self._publish_value(connection, notice)

    async def _publish_value(self, connection: Connection, notice: Notice) -> None:
        """A latest value of a stream; one that is refused is kept for another try."""
        message = self._messages.of_notice(notice)
        if notice.stream is not None:  # before it is sent, so that `Correction` does not overwrite it
            self._levels.add(safe_level(notice.stream))
        if notice.kind == "availability" and notice.stream is not None:
            (self._online.add if notice.document == b"online" else self._online.discard)(notice.stream)
        self._refused.pop(message.topic, None)
        with self._suspects.sending(message.topic, qos=min(message.qos, connection.terms.qos)):
            await self._publish_admitted(connection, [message])
        if message.topic in self.suspended:
            self._refused[message.topic] = notice

    async def _retry(self, connection: Connection) -> None:
        """Offer refused values again when their topics' time has come; say in `status` which topics are suspended."""
        while True:
            await asyncio.sleep(RETRY)
            for notice in list(self._refused.values()):
                await self._publish_value(connection, notice)
            if self.suspended.topics != self._shown:
                await self._publish_admitted(connection, [self._status()])

    def _status(self) -> Message:
        self._shown = self.suspended.topics
        return self._messages.status("online", more=self.suspended.document())

    async def _publish_admitted(self, connection: Connection, messages: Sequence[Message]) -> None:
        """Publish those whose topics are not suspended, ahead of records that wait for their turn."""
        await self._publish(connection, self._admitted(messages), ahead=True)

    def _admitted(self, messages: Sequence[Message]) -> list[Message]:
        return [message for message in messages if self.suspended.admits(message.topic)]

    async def _publish(self, connection: Connection, messages: Sequence[Message], *, ahead: bool = False) -> list[int]:
        """The broker's codes; what it refused and what is too large is noted."""
        try:
            codes = await connection.publish(messages, ahead=ahead)
        except Unanswered as fault:
            self._note_codes(connection, messages, fault.codes)
            raise
        if any(codes) or self.suspended:
            self._note_codes(connection, messages, codes)
        return codes

    def _note_codes(self, connection: Connection, messages: Sequence[Message], codes: Sequence[int | None]) -> None:
        for message, code in zip(messages, codes, strict=False):
            if code == TOO_LARGE:
                self._note_too_large(connection, message)
            elif code is not None and code >= REFUSED:
                self.suspended.refuse(message.topic, code)
            elif code is not None:
                self.suspended.accept(message.topic)

    def _note_too_large(self, connection: Connection, message: Message) -> None:
        if self._is_first("too large"):
            LOG.warning(
                "mqtt message larger than the broker takes, left out as others of that size will be url=%s topic=%s"
                " payload=%d broker_limit=%d", self._settings.url, message.topic, len(message.payload),
                connection.largest,
            )  # fmt: skip

    async def _lost(self, connection: Connection) -> None:
        """Correct what earlier runs left on the broker, and wait until the connection is lost."""
        await self._correction.look(connection)
        async for _ in connection.received():
            pass  # nothing is subscribed to any more

    def _up(self) -> Connection:
        if self._connection is None:
            raise SinkDown(f"{self._settings.url}: not connected")
        return self._connection
