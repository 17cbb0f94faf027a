"""The MQTT sink: publishes records to `telemetry`, `rejected` and `raw`; `published_values.py` has the other topics."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Self

from klvrelay.config.mqtt import MqttSettings
from klvrelay.errors import SinkDown, SinkError
from klvrelay.gap import Replay
from klvrelay.outcome import Outcome
from klvrelay.shape.marking import Limit
from klvrelay.shape.output import Output
from klvrelay.shape.shaper import Shaper
from klvrelay.sinks.contract import AnswerRequest, LatestValues
from klvrelay.sinks.mqtt.batch_messages import BatchMessages
from klvrelay.sinks.mqtt.budget.budget_outputs import BudgetOutputs
from klvrelay.sinks.mqtt.faults import NoMqtt
from klvrelay.sinks.mqtt.joined_messages import JoinedMessages, Joining
from klvrelay.sinks.mqtt.messages import Messages
from klvrelay.sinks.mqtt.outputs.outputs import Outputs
from klvrelay.sinks.mqtt.protocol.connect import connect
from klvrelay.sinks.mqtt.protocol.connection import Connection, Message, Terms, Unanswered
from klvrelay.sinks.mqtt.protocol.session import Session
from klvrelay.sinks.mqtt.refused.publisher import Publisher
from klvrelay.sinks.mqtt.takeover import TakeOver, client_id_of
from klvrelay.sinks.mqtt.values.published_values import PublishedValues

if TYPE_CHECKING:
    from klvrelay.gap import Item

WHOLE = 8
"""If a broker closes every connection, all terms are tried at one of so many attempts, and a single one at each of the
others, so that the broker's log and table of connections do not fill."""
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
        self._client_id = client_id = client_id or client_id_of(settings, boot)
        self._messages = Messages(settings, boot, client_id)
        self._protocol = settings.protocol
        self._connection: Connection | None = None
        self._last_protocol: int | None = None
        self._failures = 0  # consecutive attempts that the broker ended by closing the connection
        self._session = Session() if settings.qos == 2 else None
        self._reported: set[str] = set()
        self.hold = batch or 0.0
        self._terms, self._joining = Terms(), Joining()
        self._take_over = TakeOver(settings.url, client_id)
        self._publisher = Publisher(settings.url, self._settle, by_topic=budget is not None)
        self.suspended, self._breaking = self._publisher.suspended, self._publisher.breaking
        named: dict[str, object] = {"broker": settings.url} if names_broker else {}
        self.shaper, self.takes_all = shaper, budget is not None
        self._outputs: Outputs | BudgetOutputs | None = None
        if shaper is not None and budget is not None:
            self._outputs = BudgetOutputs(shaper, settings, self._messages, self._publisher, budget)
        elif shaper is not None:
            self._outputs = Outputs(shaper, settings, self._messages, self._publisher, self.hold)
        self._values = PublishedValues(settings, boot, self._messages, self._publisher, named, self._outputs, shaper)

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

    def answer_requests(self, answer: AnswerRequest) -> None:
        """Let subscribers acknowledge incidents, from the next connection on."""
        self._values.answer_request = answer

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
                await self._values.begin(connection)
            except SinkDown as down:
                self._note_end(connection)
                connection.abort()
                if not (connection.protocol == 4 and connection.hung_up):
                    self._breaking.lost(connection.broke, alone=connection.broke_alone)
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
        except SinkError as fault:
            self._take_over.fail()
            self._failures += isinstance(fault, NoMqtt)
            if isinstance(fault, Unanswered):  # a message of the resumed session
                self._breaking.lost(fault.broke, alone=fault.alone)
            raise
        self._take_over.begin()
        self._breaking.begin()
        self._publisher.begin(connection)
        return connection

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
        if isinstance(self._outputs, BudgetOutputs):
            self._outputs.blame(connection)
        self._breaking.lost(connection.broke, alone=connection.broke_alone)
        self._joining.lost(connection.broke)
        try:
            with contextlib.suppress(SinkError):
                await self._values.end(connection)
        finally:
            await connection.close()
            if self._outputs is not None:
                self._outputs.end()

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
            if self._session is not None:
                self._session.forget_members(to_send.messages, codes)
        return to_send.outcome(codes)

    def _settle(self, answers: Iterable[tuple[Message, int]]) -> None:
        """Keep answers to messages that will be offered again (QoS 2)."""
        if self._session is not None:
            self._session.settle(answers)

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

    def _down(self, sent: BatchMessages | JoinedMessages, fault: Unanswered) -> SinkDown:
        """The fault with the outcome of the leading records. At QoS 2, keep the other answers for the next offer."""
        outcome = sent.outcome(fault.codes)
        if self._session is not None:
            self._session.settle(sent.answers_after(outcome, fault.codes))
            self._session.forget_members(sent.messages, fault.codes)
        traced = fault.broke is not None or self._breaking.control.is_running
        return SinkDown(str(fault), answered=outcome, traced=traced)

    def restore(self) -> None:
        """End the changes of outputs that subscribers made."""
        if self.shaper is not None:
            self.shaper.restore(asyncio.get_running_loop().time())

    async def keep(self, notices: LatestValues) -> None:
        """Publish latest values until the connection is lost. Raises SinkDown."""
        await self._values.keep(self._connected(), notices)

    def _connected(self) -> Connection:
        if self._connection is None:
            raise SinkDown(f"{self._settings.url}: not connected")
        return self._connection
