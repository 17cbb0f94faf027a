"""What both implementations of a connection share: its beginning, its calls, and its end."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Any, Protocol, Self

from klvrelay.config.mqtt import MqttSettings
from klvrelay.errors import SinkDown, SinkError
from klvrelay.sinks.dialing.dial import dial
from klvrelay.sinks.mqtt import faults
from klvrelay.sinks.mqtt.protocol.connection import Message, Received, Terms, Unanswered
from klvrelay.sinks.mqtt.protocol.handshake import Handshake
from klvrelay.sinks.mqtt.protocol.inflight import InFlight, PublishAnswers
from klvrelay.sinks.mqtt.protocol.received import ReceivedMessages
from klvrelay.sinks.mqtt.protocol.session import Session
from klvrelay.transports.tcp_info import TcpInfo


class Outgoing(Protocol):
    """Sends the messages of one connection, and keeps those in flight.

    terms       what the broker supports
    one_by_one  send a message only once the one before it is answered, or read at QoS 0
    """

    terms: Terms
    one_by_one: bool
    flight: InFlight

    @property
    def largest(self) -> int:
        """Maximum bytes of a packet that the broker accepts."""

    async def publish(self, messages: Sequence[Message], *, ahead: bool = False) -> PublishAnswers:
        """Send messages, after those of earlier calls. Return once all are answered, or no more answers will arrive."""

    async def publish_unconfirmed(self, messages: Sequence[Message]) -> PublishAnswers:
        """Send messages at QoS 0, at once. Return once they are written, or the connection is lost."""

    def oldest(self) -> Message | None:
        """The message that the broker must answer next, or read next at QoS 0."""

    @property
    def unanswered(self) -> int:
        """Number of messages that the broker must answer, without those that it has taken (QoS 2)."""

    def end(self) -> None:
        """No more messages are sent, and no more answers will arrive."""


class BaseConnection(ABC):
    """A connection made by `connect`. Its contract is `Connection`; the abstract methods are added.

    An implementation sets `_outgoing` and `_received`, and uses the session if it supports QoS 2.
    """

    _outgoing: Outgoing
    _received: ReceivedMessages

    def __init__(
        self,
        sock: socket.socket,
        settings: MqttSettings,
        protocol: int,
        client_id: str,
        will: Message | None,
        terms: Terms,
        session: Session | None,
    ) -> None:
        self._settings = settings
        self._protocol = protocol
        self._client_id = client_id
        self.older_only = self.hung_up = self.taken_over = False
        self.broke: Message | None = None
        self.broke_alone = True
        self.divert: Callable[[Received], bool] = lambda message: False
        self._closing = False
        self._lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._fault: SinkError | None = None
        self._handshake = Handshake(sock, settings, client_id, will, terms)

    @classmethod
    async def open(
        cls,
        settings: MqttSettings,
        protocol: int,
        client_id: str,
        will: Message | None,
        terms: Terms,
        session: Session | None = None,
        *,
        one_by_one: bool = False,
    ) -> Self:
        """A new connection. Raises WrongVersion if the peer does not accept this protocol version."""
        connection = cls(await dial(settings), settings, protocol, client_id, will, terms, session)
        connection._outgoing.one_by_one = one_by_one
        try:
            await connection._begin()
        except BaseException:
            connection.abort()
            raise
        return connection

    @property
    def protocol(self) -> int:
        """5, or 4 for MQTT 3.1.1."""
        return self._protocol

    @property
    def terms(self) -> Terms:
        """What the broker supports, as far as known."""
        return self._outgoing.terms

    @property
    def largest(self) -> int:
        """Maximum bytes of a packet that the broker accepts."""
        return self._outgoing.largest

    async def publish(self, messages: Sequence[Message], *, ahead: bool = False) -> list[int]:
        """See `Connection.publish`."""
        return self._answers(await self._outgoing.publish(messages, ahead=ahead))

    async def publish_unconfirmed(self, messages: Sequence[Message]) -> None:
        """See `Connection.publish_unconfirmed`."""
        self._answers(await self._outgoing.publish_unconfirmed(messages))

    def _answers(self, publication: PublishAnswers) -> list[int]:
        codes: list[Any] = publication.codes
        if None in codes or (self._fault is not None and not codes):
            raise Unanswered(str(self._down()), codes, self.broke, alone=self.broke_alone)
        return codes

    @property
    def has_room(self) -> bool:
        """See `Connection.has_room`. An implementation that cannot tell queues messages."""
        return True

    def traffic(self) -> TcpInfo | None:
        """See `Connection.traffic`."""
        return None

    @abstractmethod
    def keep_short(self, size: int) -> None:
        """See `Connection.keep_short`."""

    @abstractmethod
    async def flush(self) -> None:
        """See `Connection.flush`."""

    async def _flush_if_up(self) -> None:
        with contextlib.suppress(SinkError):  # the caller finds that the connection has ended
            await self.flush()

    @abstractmethod
    async def subscribe(self, topics: Sequence[str]) -> None:
        """See `Connection.subscribe`. Raises SinkRefused for a topic without the right to read it."""

    @abstractmethod
    async def unsubscribe(self, topics: Sequence[str]) -> None:
        """See `Connection.unsubscribe`."""

    async def received(self) -> AsyncGenerator[Received, None]:
        """See `Connection.received`."""
        while (message := await self._received.get()) is not None:
            if not self.divert(message):
                yield message
        raise self._down()

    @abstractmethod
    async def close(self) -> None:
        """See `Connection.close`."""

    def narrow(self) -> None:
        """See `Connection.narrow`."""
        self._outgoing.flight.narrow()

    def grow(self) -> None:
        """See `Connection.grow`."""
        self._outgoing.flight.grow()

    def widen(self) -> None:
        """See `Connection.widen`."""
        self._outgoing.one_by_one = False
        self._outgoing.flight.widen()

    def note_answers(self, note: Callable[[Message, int], object] | None) -> None:
        """See `Connection.note_answers`."""
        self._outgoing.flight.on_answer = note

    def abort(self) -> None:
        """See `Connection.abort`."""
        self._end(SinkDown(f"{self._settings.url}: the connection was closed"))

    # ---- for the implementation ----

    @abstractmethod
    async def _begin(self) -> None:
        """Send CONNECT, and return once the broker has accepted the connection."""

    @property
    @abstractmethod
    def _greeted(self) -> bool:
        """Has a CONNACK begun?"""

    @abstractmethod
    def _shut(self) -> None:
        """Close the socket at once."""

    def _fault_of_greeting(self) -> SinkError | None:
        """What was wrong with the CONNACK, if there was one."""
        return self._fault if self._greeted else None

    def _note_connack(self, code: int, terms: Terms, window: int) -> None:
        """CONNACK: its code, what the broker supports, and the maximum number of unanswered messages."""
        out = self._outgoing
        out.terms = Terms(min(out.terms.qos, terms.qos), out.terms.retain and terms.retain)
        out.flight.begin(window, one_by_one=out.one_by_one)
        self._handshake.answer(code, out.terms)

    # ---- the end ----

    def _end_by_broker(self, code: int) -> None:
        """The broker has sent DISCONNECT."""
        self.taken_over = self.taken_over or code == faults.TAKEN_OVER
        if code in faults.OF_A_MESSAGE:
            self._note_breaking()
        self._end(faults.lost(self._settings, code, True, self._client_id))

    def _end_hung_up(self) -> None:
        """The broker has closed the connection without DISCONNECT, or it broke."""
        self.hung_up = self._fault is None
        if self.hung_up:
            self._note_breaking()
        self._end_lost()

    def _note_breaking(self) -> None:
        self.broke, self.broke_alone = self._outgoing.oldest(), self._outgoing.unanswered <= 1

    def _end_lost(self) -> SinkError:
        return self._end(faults.lost(self._settings, 0, False, self._client_id))

    def _end_silent(self) -> SinkError:
        return self._end(faults.lost(self._settings, faults.KEEPALIVE_MISSED, False, self._client_id))

    def _end_late(self) -> None:
        self._end(SinkDown(f"{self._settings.url}: no confirmation within {self._settings.timeout:g} s"))

    def _end_violated(self, what: str) -> None:
        """The broker has violated the protocol: with `what` it sent."""
        self._handshake.violated = True
        self._end(faults.protocol_error(self._settings, what))

    def _end(self, fault: SinkError) -> SinkError:
        """End the connection, and wake all waiting calls. Returns the fault to raise: that of the first call."""
        if self._fault is None:
            self._fault = fault
            self._lost.set_result(None)
            self._outgoing.end()
            self._received.end()
        if not self._closing:
            self._shut()
        return self._down()

    def _down(self) -> SinkError:
        fault = self._fault or SinkDown(f"{self._settings.url}: the connection was closed")
        return type(fault)(*fault.args)
