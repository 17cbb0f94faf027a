"""The MQTT sink: publishes records to `telemetry`, `rejected` and `raw`, and latest values to the other topics."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from collections.abc import Callable, Sequence
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Self

from klvrelay.config.mqtt import MqttSettings
from klvrelay.config.names import safe_level
from klvrelay.errors import SinkDown, SinkError
from klvrelay.gap import Replay
from klvrelay.outcome import Outcome
from klvrelay.shape.marking import Limit
from klvrelay.shape.output import Output
from klvrelay.shape.shaper import Shaper
from klvrelay.sinks.contract import LatestValues, Notice
from klvrelay.sinks.mqtt.batch_messages import BatchMessages
from klvrelay.sinks.mqtt.budget_outputs import BudgetOutputs
from klvrelay.sinks.mqtt.connect import connect
from klvrelay.sinks.mqtt.connection import Connection, Message, Terms, Unanswered
from klvrelay.sinks.mqtt.faults import NoMqtt
from klvrelay.sinks.mqtt.joined_messages import JoinedMessages, Joining
from klvrelay.sinks.mqtt.messages import Messages
from klvrelay.sinks.mqtt.outputs import Outputs
from klvrelay.sinks.mqtt.publisher import Publisher
from klvrelay.sinks.mqtt.retained import Correction
from klvrelay.sinks.mqtt.session import Session
from klvrelay.sinks.mqtt.takeover import TakeOver

if TYPE_CHECKING:
    from klvrelay.gap import Item

GOODBYE_TIMEOUT, LAST_WORDS = 1.0, 0.3
"""Seconds for the broker to confirm the last messages, and then for sending them at QoS 0."""
WHOLE = 8
"""If a broker closes every connection, all terms are tried at one of so many attempts, and a single one at each of the
others, so that the broker's log and table of connections do not fill."""
RETRY = 0.5
"""Seconds between two checks of the latest values that the broker refused."""
NOTICES_MOST = 100
"""Maximum number of latest values in flight."""

LOG = logging.getLogger("klvrelay.sinks")


class MqttSink:
    """One broker. Its contract is `Sink`; each entry makes a new connection.

        {prefix}/{stream}/telemetry                   good records
        {prefix}/{stream}/rejected                    damaged records, and those with a bad checksum (`publish_bad`)
        {prefix}/{stream}/raw                         on request, the KLV bytes of the records in telemetry
        {prefix}/{stream}/gap                         the numbers of records that are not published
        {prefix}/{stream}/availability, state, link   latest values of the stream, retained
        {prefix}/status                               latest values of the relay, retained; also the last will

    A topic that the broker refuses (MQTT 5) is suspended; other topics are not affected: see `suspended.py`. A record
    counts as rejected if its JSON is refused; a refusal of its raw bytes is only logged. MQTT 3.1.1 does not report
    refusals: mosquitto acknowledges a forbidden message and discards it.

    shaper         what is published of the records, and how; None: the topics above
    budget         bits per second of the uplink, with a shaper; None: not limited
    batch          seconds in which records are gathered into messages of several; None: each record has its own
    names_broker   the status names the broker
    """

    def __init__(
        self,
        settings: MqttSettings,
        *,
        boot: str,
        batch: float | None = None,
        shaper: Shaper | None = None,
        budget: float | None = None,
        client_id: str | None = None,
        names_broker: bool = False,
    ) -> None:
        self._settings = settings
        # Random: two sinks of one run with the same client id would displace each other repeatedly.
        client_id = client_id or settings.client_id or f"klvrelay-{boot[:8]}-{secrets.token_hex(2)}"
        self._client_id = client_id
        self._messages = Messages(settings, boot, client_id)
        self._protocol = settings.protocol
        self._connection: Connection | None = None
        self._terms = Terms()
        self._last_protocol: int | None = None
        self._failures = 0  # consecutive attempts that the broker ended by closing the connection
        self._session = Session() if settings.qos == 2 else None
        self._reported: set[str] = set()
        self.hold = batch or 0.0
        self._joining = Joining()
        self._named: dict[str, object] = {"broker": settings.url} if names_broker else {}
        self._take_over = TakeOver(settings.url, client_id)
        self._online: set[str] = set()
        self._levels: set[str] = set()
        self._refused: dict[str, Notice] = {}
        self._notices: LatestValues | None = None
        self._shown: Sequence[str] = ()
        self._owes_status = False
        self._publisher = Publisher(settings.url)
        self.suspended, self._breaking = self._publisher.suspended, self._publisher.breaking
        self.takes_all = budget is not None
        self._outputs: Outputs | BudgetOutputs | None = None
        if shaper is not None and budget is not None:
            self._outputs = BudgetOutputs(shaper, settings, self._messages, self._publisher, budget)
        elif shaper is not None:
            self._outputs = Outputs(shaper, settings, self._messages, self._publisher, self.hold)
        self._correction = Correction(settings, boot, self._levels.__contains__, self._status)

    def __repr__(self) -> str:
        return f"MqttSink({self._settings.url})"

    @property
    def url(self) -> str:
        """The broker, for messages."""
        return self._settings.url

    @property
    def budget_outputs(self) -> BudgetOutputs:
        """The outputs, of a sink with a budget."""
        assert isinstance(self._outputs, BudgetOutputs)
        return self._outputs

    def hurry(self) -> None:
        """With a budget: no more records follow."""
        if isinstance(self._outputs, BudgetOutputs):
            self._outputs.hurry()

    def send_later(self, output: Output, limit: Limit) -> None:
        """See `BudgetOutputs.send_later`."""
        self.budget_outputs.send_later(output, limit)

    @property
    def timeout(self) -> float:
        """Seconds to wait for each response of the broker."""
        return self._settings.timeout

    def forget_session(self) -> None:
        """Do not complete messages of earlier connections (QoS 2): another broker gets them."""
        if self._session is not None:
            self._session = Session()

    @property
    def protocol(self) -> int:
        """5, or 4 for MQTT 3.1.1: the version in use, or the one to try next."""
        return self._connection.protocol if self._connection is not None else self._protocol

    async def __aenter__(self) -> Self:
        """Connect, and publish that the relay is online. Raises SinkDown or SinkRefused, with a remedy."""
        fault: SinkDown | None = None
        broke: Message | None = None
        once = self._failures % WHOLE != 0
        # A broker of MQTT 3.1.1 without retained messages, or without this QoS, closes the connection without a reason.
        for terms in (self._terms,) if once else (self._terms, self._terms, *self._terms.lesser()):
            connection = await self._connect(terms, once)
            try:
                await self._correction.begin(connection)
                await self._publish_online(connection)
            except SinkDown as down:
                self._note_end(connection)
                connection.abort()
                if not (connection.protocol == 4 and connection.hung_up):
                    self._breaking.lost(connection.broke)
                    raise
                fault, broke = down, connection.broke
            except BaseException:
                connection.abort()
                raise
            else:
                self._protocol = 4 if connection.older_only else self._protocol
                self._last_protocol, self._failures = connection.protocol, 0
                self._note_terms(connection)
                self._connection = connection
                if self._outputs is not None:
                    self._outputs.begin(connection)
                return self
        assert fault is not None
        self._breaking.lost(broke)
        self._failures += 1
        raise fault

    async def _connect(self, terms: Terms, once: bool) -> Connection:
        protocol = self._last_protocol if once and self._last_protocol else self._protocol
        self._breaking.begin()
        if self._session is not None:
            self._session.drop(self._breaking.exceeds)
            self._session.keep_back(self._breaking.control.withholds)
        try:
            connection = await connect(
                self._settings,
                client_id=self._client_id,
                will=self._messages.will(),
                protocol=protocol,
                terms=terms,
                session=self._session,
                once=once,
                one_by_one=self._breaking.one_by_one,
            )
        except NoMqtt:
            self._failures += 1
            raise
        except Unanswered as fault:  # a message of the resumed session
            self._breaking.lost(fault.broke)
            raise
        self._take_over.begin()
        self._breaking.begin()
        return connection

    async def _publish_online(self, connection: Connection) -> None:
        """Publish the status; a brief one, or none yet, if it is withheld."""
        withholds = self._breaking.control.withholds
        choice = self._status(), self._messages.brief_status("online")
        status = next((each for each in choice if not withholds(each)), None)
        self._owes_status = status is None
        if status is not None:
            await self._publisher.publish_admitted(connection, [status])
        if connection.protocol == 4 and not min(self._settings.qos, connection.terms.qos):
            await connection.flush()

    def _note_terms(self, connection: Connection) -> None:
        """Log once what the broker does not support."""
        terms, url = connection.terms, self._settings.url
        if connection.protocol == 4:
            self._terms = terms
        if not terms.retain and self._is_first("retain"):
            LOG.warning(
                "%s: the broker does not retain messages: a subscriber gets state, availability and link only at their"
                " next change", url,
            )  # fmt: skip
        if terms.qos < self._settings.qos and self._is_first("qos"):
            risk = ", so messages may be lost" if terms.qos == 0 else ""
            LOG.warning("%s: QoS reduced to what the broker supports%s: qos=%d", url, risk, terms.qos)

    def _is_first(self, what: str) -> bool:
        """Is this reported for the first time?"""
        first = what not in self._reported
        self._reported.add(what)
        return first

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Publish that the relay and its streams are offline, and disconnect, within a few seconds."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        self._note_end(connection)
        self._breaking.lost(connection.broke)
        self._joining.lost(connection.broke)
        try:
            with contextlib.suppress(SinkError):
                await self._publish_offline(connection)
        finally:
            await connection.close()
            if self._outputs is not None:
                self._outputs.end()

    async def _publish_offline(self, connection: Connection) -> None:
        """Publish the last messages. If they are not confirmed in time, e.g. in a full window, repeat them at QoS 0."""
        if self._notices is not None and (facts := self._notices.latest("status", None)) is not None:
            self._messages.add_facts(facts.document)  # `keep` may not have published them yet
        last = self._messages.goodbye(self._online, self._facts())
        if not self._breaking.fits(last[-1]):
            last[-1] = self._messages.brief_status("offline", "stopped")
        goodbye = self._publisher.admitted(last)
        if self._outputs is not None:
            with contextlib.suppress(SinkError, TimeoutError):
                await asyncio.wait_for(self._outputs.finish(connection), LAST_WORDS)
        try:  # `wait_for`: before Python 3.11.3, asyncio.timeout in a cancelled task raises CancelledError
            await asyncio.wait_for(self._publisher.publish(connection, goodbye, ahead=True), GOODBYE_TIMEOUT)
        except TimeoutError:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(connection.publish_unconfirmed(goodbye), LAST_WORDS)

    def _note_end(self, connection: Connection) -> None:
        hung_up = connection.hung_up and not self._breaking.explains(connection.broke)
        self._take_over.end(taken_over=connection.taken_over, hung_up=hung_up)

    async def deliver(self, batch: Sequence[Item]) -> Outcome:
        """Publish a batch, and return once the broker has confirmed it: at QoS 1 by PUBACK, at QoS 2 by PUBCOMP."""
        connection = self._connected()
        if self._outputs is not None:
            return await self._outputs.deliver(batch, connection)
        to_send = self._to_send(batch, connection)
        try:
            codes = await self._publisher.publish(connection, to_send.messages)
        except Unanswered as fault:
            raise self._down(to_send, fault) from None
        if self.hold:
            self._joining.accept(to_send.messages, codes)
            self._forget_members(to_send.messages, codes)
        return to_send.outcome(codes)

    def _to_send(self, batch: Sequence[Item], connection: Connection) -> BatchMessages | JoinedMessages:
        admits, session = self.suspended.admits, self._session
        of_item: Callable[[Item], list[Message]] = self._messages.of_item
        if isinstance(batch, Replay):
            of_item = partial(self._messages.of_item, replayed=True)
        if not self.hold:
            return BatchMessages(batch, of_item, admits)
        most = self._joining.most(min(connection.largest, self._breaking.joined_most))
        if session is None:
            return JoinedMessages(batch, of_item, admits, most)
        joined = JoinedMessages(batch, of_item, admits, most, session.answer)
        session.members |= joined.members()
        return joined

    def _forget_members(self, messages: Sequence[Message], codes: Sequence[int | None]) -> None:
        """The session needs the members of messages without an answer only."""
        if self._session is not None and self._session.members:
            for message, code in zip(messages, codes, strict=False):
                if code is not None:
                    self._session.members.pop(message, None)

    def _down(self, sent: BatchMessages | JoinedMessages, fault: Unanswered) -> SinkDown:
        """The fault with the outcome of the leading records. At QoS 2, keep the other answers for the next offer."""
        outcome = sent.outcome(fault.codes)
        if self._session is not None:
            self._session.settle(sent.answers_after(outcome, fault.codes))
            self._forget_members(sent.messages, fault.codes)
        traced = fault.broke is not None or self._breaking.control.is_running
        return SinkDown(str(fault), answered=outcome, traced=traced)

    async def keep(self, notices: LatestValues) -> None:
        """Publish latest values until the connection is lost. Raises SinkDown."""
        connection, self._notices = self._connected(), notices
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._watch(connection), name="watch")
                tasks.create_task(self._retry(connection), name="retry")
                if self._outputs is not None:
                    tasks.create_task(self._outputs.run(connection), name="outputs")
                await self._publish_values(connection, notices, tasks)
        except ExceptionGroup as group:
            raise group.exceptions[0] from None

    async def _publish_values(self, connection: Connection, notices: LatestValues, tasks: asyncio.TaskGroup) -> None:
        """Send each value without waiting for the answer to the one before it, since the round trip may be long.

        A value is done once it is sent: the broker answers in order, so the last messages are answered after it, and a
        new connection publishes every value again.
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
            await self._publisher.publish_admitted(connection, [self._status()])
        elif notice.kind != "state" or self._outputs is None:  # outputs publish their own state
            await self._publish_value(connection, notice)

    async def _publish_value(self, connection: Connection, notice: Notice) -> None:
        """Publish a latest value of a stream. If it is refused, keep it for another try."""
        message = self._messages.of_notice(notice)
        if notice.stream is not None:  # before it is sent, so that `Correction` does not overwrite it
            self._levels.add(safe_level(notice.stream))
        if notice.kind == "availability" and notice.stream is not None:
            (self._online.add if notice.document == b"online" else self._online.discard)(notice.stream)
        self._refused.pop(message.topic, None)
        await self._publisher.publish_admitted(connection, [message])
        if message.topic in self.suspended:
            self._refused[message.topic] = notice

    async def _retry(self, connection: Connection) -> None:
        """Publish refused values again when their topics are due, and `status` when the suspended topics changed, or a
        control needs another message.
        """
        while True:
            await asyncio.sleep(RETRY)
            for notice in list(self._refused.values()):
                await self._publish_value(connection, notice)
            is_due = self._owes_status or self._breaking.control.lacks_answers
            if is_due or self.suspended.topics != self._shown:
                self._owes_status = False
                await self._publisher.publish_admitted(connection, [self._status()])

    def _status(self) -> Message:
        self._shown = self.suspended.topics
        status = self._messages.status("online", more=self._facts())
        return status if self._breaking.fits(status) else self._messages.brief_status("online")

    def _facts(self) -> dict[str, object]:
        uplink = self._outputs.document() if isinstance(self._outputs, BudgetOutputs) else None
        return {**self._named, **self.suspended.document(), **({"uplink": uplink} if uplink else {})}

    async def _watch(self, connection: Connection) -> None:
        """Correct retained topics of earlier runs, then wait until the connection is lost, which raises SinkDown."""
        await self._correction.run(connection)
        async for _ in connection.received():
            pass  # there is no subscription any more

    def _connected(self) -> Connection:
        if self._connection is None:
            raise SinkDown(f"{self._settings.url}: not connected")
        return self._connection
