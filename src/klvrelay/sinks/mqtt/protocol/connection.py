"""The interface to an MQTT client: the contract of a connection, and its values and exceptions.

A connection is used once: after any SinkDown it is lost, and a new one must be made.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from klvrelay.errors import SinkDown, SinkError
from klvrelay.transports.tcp_info import TcpInfo

TOO_LARGE = 0x95
"""The code of a message that was not sent, because it exceeds the packet size that the broker announced."""
REFUSED = 0x80
"""Reason codes from here on are failures (MQTT 5, 2.4)."""


SESSION_LOST = 0x100
"""The code of a message of QoS 2 with PUBREC and without PUBCOMP, after the broker lost the session. MQTT has no such
code."""


class Message(NamedTuple):  # creating a frozen dataclass takes three times as long
    """A message to publish. The last three fields need MQTT 5; `expiry` is in seconds."""

    topic: str
    payload: bytes
    qos: int = 1
    retain: bool = False
    content_type: str | None = None
    expiry: int | None = None
    user: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Terms:
    """What a broker supports: the maximum QoS, and retained messages."""

    qos: int = 2
    retain: bool = True

    def fitted(self, message: Message) -> Message:
        """The message, reduced to what this broker supports."""
        if message.qos <= self.qos and (self.retain or not message.retain):
            return message
        return message._replace(qos=min(message.qos, self.qos), retain=message.retain and self.retain)

    def lesser(self) -> list[Terms]:
        """Lesser terms to try, the best first, with a broker that does not report what it supports (MQTT 3.1.1)."""
        return [less for less in (Terms(2, False), Terms(0, True), Terms(0, False))
                if less != self and less.qos <= self.qos and less.retain <= self.retain]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Received:
    """A received message. `retained`: the broker had retained it, so it may be old.

    properties  of a retained message, as received (MQTT 5, 2.2.2); empty if they are too long
    """

    topic: str
    payload: bytes
    retained: bool
    properties: bytes = b""


class Connection(Protocol):
    """One connection to one broker.

    older_only   the broker reported that it supports 3.1.1 and not 5
    hung_up      the broker closed the connection without a reason
    taken_over   the broker closed the connection because another client has connected with the same client id
    broke        the oldest unanswered message, if the broker closed the connection without a reason, or because of a
                 message, according to its reason code
    broke_alone  it was the only unanswered message; otherwise a later one may have ended the connection
    divert       is called with each message that `received` would return, and takes it if it returns true
    """

    broke: Message | None
    broke_alone: bool
    divert: Callable[[Received], bool]
    older_only: bool
    hung_up: bool
    taken_over: bool

    @property
    def terms(self) -> Terms:
        """What the broker supports, as far as known."""

    @property
    def largest(self) -> int:
        """Maximum bytes of a packet that the broker accepts."""

    @property
    def protocol(self) -> int:
        """5, or 4 for MQTT 3.1.1."""

    async def publish(self, messages: Sequence[Message], *, ahead: bool = False) -> list[int]:
        """The broker's reason code for each message, once it has answered for all. Below 0x80 the message is accepted.

        At QoS 0 a message counts as accepted once it is passed to the kernel. MQTT 3.1.1 cannot refuse a message:
        mosquitto acknowledges a forbidden one and discards it. A message that is too large for the broker is not sent,
        and has the code TOO_LARGE. Calls may overlap: messages are sent in their order, as many unanswered ones as the
        settings and the broker allow. Raises Unanswered if the oldest message is not answered within the timeout, or
        the connection is lost. After a cancellation no more messages are sent. At QoS 2, if the same messages are then
        published again, none is sent twice.

        ahead   send these messages before those of other calls that still wait
        """

    async def publish_unconfirmed(self, messages: Sequence[Message]) -> None:
        """Send messages at QoS 0, without regard to unanswered ones. Return once they are passed to the kernel."""

    @property
    def has_room(self) -> bool:
        """Would another message be sent at once, without waiting for answers to earlier ones?"""

    def traffic(self) -> TcpInfo | None:
        """What was sent, and what waits to be. None: not known."""

    def keep_short(self, size: int) -> None:
        """Let about so many bytes wait in the kernel at most that were not sent yet, if it can be limited."""

    async def flush(self) -> None:
        """Return once the broker has read all messages, also those of QoS 0. Raises SinkDown."""

    async def subscribe(self, topics: Sequence[str]) -> None:
        """Subscribe to topics at QoS 0; see `received()`."""

    async def unsubscribe(self, topics: Sequence[str]) -> None:
        """Unsubscribe; messages that still arrive are discarded."""

    def received(self) -> AsyncGenerator[Received, None]:
        """The messages of the subscriptions. Raises SinkDown when the connection is lost."""

    async def close(self) -> None:
        """Send DISCONNECT and close, within two seconds. The last will is not published."""

    def narrow(self) -> None:
        """Allow one unanswered message, until `grow` or `widen`, if the connection began with one."""

    def grow(self) -> None:
        """Let the number of unanswered messages grow, as it does on a connection that began with one."""

    def note_answers(self, note: Callable[[Message, int], object] | None) -> None:
        """Call `note` with each message that the broker answers, and its reason code; None: do not."""

    def widen(self) -> None:
        """Allow as many unanswered messages as the settings and the broker do, if the connection began with one."""

    def abort(self) -> None:
        """Close the connection at once. The broker publishes the last will."""


class Unanswered(SinkDown):
    """The connection ended before all messages were answered: `codes` has None for those without an answer.

    At QoS 2 the answer is PUBCOMP, or a PUBREC that refuses. `broke` and `alone`: see `Connection`.
    """

    def __init__(
        self, text: str, codes: Sequence[int | None] = (), broke: Message | None = None, *, alone: bool = True
    ) -> None:
        super().__init__(text)
        self.codes = codes
        self.broke, self.alone = broke, alone


class WrongVersion(Exception):
    """The peer did not accept a CONNECT of this protocol version: it refused, closed the connection, or did not answer.

    refused   it refused the version with a CONNACK
    silent    it did not answer
    invalid   its answer violates the protocol
    fault     what was wrong with its CONNACK, if it sent one
    """

    def __init__(
        self, refused: bool, silent: bool = False, invalid: bool = False, fault: SinkError | None = None
    ) -> None:
        super().__init__("refused" if refused else "silent" if silent else "closed")
        self.refused = refused
        self.silent = silent
        self.invalid = invalid
        self.fault = fault


class StaleSession(Exception):
    """The broker resumed the session of another run: its packet identifiers would conflict with ours."""


class LesserTerms(Exception):
    """The broker does not support the QoS or the retention of the last will; `terms` may be supported."""

    def __init__(self, terms: Terms) -> None:
        super().__init__(str(terms))
        self.terms = terms
