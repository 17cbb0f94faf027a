"""The port to an MQTT library: what a connection takes and gives, and its contract.

A connection is used once: after any SinkDown it is dead, and a new one is made.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from klvrelay.errors import SinkDown, SinkError

TOO_LARGE = 0x95
"""The code of a message that was not sent, since the broker announced that it takes no packet of that size."""
REFUSED = 0x80
"""Reason codes from here on are a no (MQTT 5, 2.4)."""


@dataclass(frozen=True, slots=True)
class Message:
    """What goes out. The last three travel with MQTT 5 only; `expiry` is in seconds."""

    topic: str
    payload: bytes
    qos: int = 1
    retain: bool = False
    content_type: str | None = None
    expiry: int | None = None
    user: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Terms:
    """What a broker takes: messages up to a QoS, and whether it retains any."""

    qos: int = 2
    retain: bool = True

    def fitted(self, message: Message) -> Message:
        """The message as this broker takes it."""
        if message.qos <= self.qos and (self.retain or not message.retain):
            return message
        return replace(message, qos=min(message.qos, self.qos), retain=message.retain and self.retain)

    def lesser(self) -> list[Terms]:
        """What else to try with a broker that does not say what it takes, the best first (MQTT 3.1.1)."""
        return [less for less in (Terms(2, False), Terms(0, True), Terms(0, False))
                if less != self and less.qos <= self.qos and less.retain <= self.retain]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Received:
    """What came in; `retained` says that it was kept by the broker and may be old.

    properties  of a retained message, as they are on the wire (MQTT 5, 2.2.2), where they are few
    """

    topic: str
    payload: bytes
    retained: bool
    properties: bytes = b""


class Connection(Protocol):
    """One connection to one broker.

    older_only   it said that it speaks 3.1.1 and not 5
    hung_up      it ended the connection and gave no reason
    blames       it ended the connection because of a message, as its reason says
    taken_over   it ended the connection since another client has connected with the same client id
    """

    older_only: bool
    hung_up: bool
    blames: bool
    taken_over: bool

    @property
    def terms(self) -> Terms:
        """What it takes, as far as that is known."""

    @property
    def largest(self) -> int:
        """Bytes of a packet that it takes."""

    @property
    def protocol(self) -> int:
        """5, or 4 for MQTT 3.1.1."""

    async def publish(self, messages: Sequence[Message], *, ahead: bool = False) -> list[int]:
        """The broker's reason code for each message, once it has answered for all of them; below 0x80 it took it.

        At QoS 0 a message counts as taken when it is handed to the kernel, and a broker of MQTT 3.1.1 has no way to
        refuse one: mosquitto acknowledges a forbidden message and drops it. What is larger than it takes is not
        sent, and has the code TOO_LARGE. Messages go out in the order of the calls, which may overlap, as many
        unanswered as the settings and the broker allow. Unanswered when the oldest stays without an answer for the
        timeout, or the connection breaks. Cancelled, it sends no more.

        Messages that are to go `ahead` wait for none that does not: the next that may be sent is theirs.
        """

    async def publish_unconfirmed(self, messages: Sequence[Message]) -> None:
        """Send them at QoS 0, whatever has no answer yet; return once they are handed to the kernel."""

    async def settled(self) -> None:
        """Return once the broker has taken all that was sent, QoS 0 too; SinkDown where it ends the connection."""

    async def subscribe(self, topics: Sequence[str]) -> None:
        """Ask for the topics at QoS 0; what comes is in `received()`."""

    async def unsubscribe(self, topics: Sequence[str]) -> None:
        """Want no more of these; what is on its way is dropped."""

    def received(self) -> AsyncGenerator[Received, None]:
        """What subscriptions bring, until the connection ends, which raises SinkDown."""

    async def close(self) -> None:
        """Say DISCONNECT and close, within two seconds; the last will is not published."""

    def abort(self) -> None:
        """Cut the connection at once; the broker publishes the last will."""


class Unanswered(SinkDown):
    """The connection ended before all messages were answered: `codes` has those that came, and None for the rest.

    At QoS 2 a message that the broker has taken (PUBREC) has its code, whether or not it was released.
    """

    def __init__(self, text: str, codes: Sequence[int | None] = ()) -> None:
        super().__init__(text)
        self.codes = codes


class WrongVersion(Exception):
    """The peer did not answer a CONNECT of this protocol version: it said so, or closed, or stayed silent.

    odd    it answered with what is not allowed there; by 3.1.1, with a no to that version too
    fault  what was wrong with its CONNACK, where it sent one
    """

    def __init__(self, said_so: bool, silent: bool = False, odd: bool = False, fault: SinkError | None = None) -> None:
        super().__init__("refused" if said_so else "silent" if silent else "closed")
        self.said_so = said_so
        self.silent = silent
        self.odd = odd
        self.fault = fault


class StaleSession(Exception):
    """A broker of MQTT 3.1.1 goes on with a session of another run: its packet identifiers would be mixed with ours."""


class LessWanted(Exception):
    """The broker refuses the last will as it is, and takes less: `terms`."""

    def __init__(self, terms: Terms) -> None:
        super().__init__(str(terms))
        self.terms = terms
