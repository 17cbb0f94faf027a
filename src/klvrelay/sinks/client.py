"""The port to an MQTT library: connect, publish, close. Another library takes its place by another `link.py`.

A connection is used once: after any SinkDown it is dead, and a new one is made. It keeps nothing for later.
Next door: `mqtt.py` and `verbs/watch.py` use it; `link.py` is the one that runs on aiomqtt.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from klvrelay.errors import SinkError
from klvrelay.sinks.settings import MqttSettings

_LOG = logging.getLogger(__name__)


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
    terms        what it takes, as far as that is known
    hung_up      it ended the connection and gave no reason
    """

    older_only: bool
    terms: Terms
    hung_up: bool

    @property
    def protocol(self) -> int:
        """5, or 4 for MQTT 3.1.1."""

    async def publish(self, messages: Sequence[Message]) -> None:
        """Return once the broker has confirmed all of them (QoS 0: once they are handed to the kernel).

        They go out in order, at most the window unconfirmed. SinkDown when one stays unconfirmed for the
        timeout or the connection breaks; SinkRefused when the broker says no. Cancelled, it sends no more.
        """

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


class LessWanted(Exception):
    """The broker refuses the last will as it is, and takes less: `terms`."""

    def __init__(self, terms: Terms) -> None:
        super().__init__(str(terms))
        self.terms = terms


async def connect(
    settings: MqttSettings,
    *,
    client_id: str,
    will: Message | None = None,
    protocol: int | None = None,
    terms: Terms | None = None,
) -> Connection:
    """A new connection: MQTT 5, then 3.1.1 where the broker wants that, stays silent or hangs up.

    A broker without retained messages, or without the QoS that is set, gets a last will that it takes; `terms` is what
    an earlier connection found. Raises SinkDown (not reachable now), SinkRefused (a no for good) or ConfigError (a
    certificate file).
    """
    # Here, since the library takes a tenth of a second to load, and `link.py` needs this file's values.
    from klvrelay.sinks.faults import UNSUPPORTED_VERSION, connect_fault, no_mqtt
    from klvrelay.sinks.link import Link

    async def opened(version: int, terms: Terms) -> Link:
        while True:
            try:
                return await Link.open(settings, version, client_id, will, terms)
            except LessWanted as less:
                terms = less.terms

    terms = terms or Terms()
    # One of 3.1.1 has no way to say what it does not take: it hangs up, now or at the second time too.
    lesser = [] if will is None else [(4, less) for less in (terms, *terms.lesser())]
    versions = (5, 4) if (protocol or settings.protocol) == 5 else (4,)
    faults: list[WrongVersion] = []
    for version, taken in [*((version, terms) for version in versions), *lesser]:
        try:
            link = await opened(version, taken)
        except WrongVersion as fault:
            faults.append(fault)
            if version == 4 and (fault.said_so or fault.silent or fault.odd):
                break
        else:
            link.older_only = any(fault.said_so for fault in faults)
            _LOG.debug("mqtt connected url=%s protocol=%s", settings.url, version)
            return link
    if faults[-1].said_so or (faults[0].said_so and faults[-1].odd):
        raise connect_fault(settings, UNSUPPORTED_VERSION, client_id)
    if faults[-1].fault is not None:
        raise faults[-1].fault
    raise no_mqtt(settings, faults[-1].silent)
