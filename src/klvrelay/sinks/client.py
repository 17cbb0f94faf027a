"""The port to an MQTT library: connect, publish, close. Another library takes its place by another `link.py`.

A connection is used once: after any SinkDown it is dead, and a new one is made. It keeps nothing for later.
Next door: `mqtt.py` and `verbs/watch.py` use it; `link.py` is the one that runs on aiomqtt.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Protocol

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
class Received:
    """What came in; `retained` says that it was kept by the broker and may be old."""

    topic: str
    payload: bytes
    retained: bool


class Connection(Protocol):
    """One connection to one broker. `older_only`: it said that it speaks 3.1.1 and not 5."""

    older_only: bool

    @property
    def protocol(self) -> int:
        """5, or 4 for MQTT 3.1.1."""

    async def publish(self, messages: Sequence[Message]) -> None:
        """Return once the broker has confirmed all of them (QoS 0: once they are handed to the kernel).

        They go out in order, at most the window unconfirmed. SinkDown when one stays unconfirmed for the
        timeout or the connection breaks; SinkRefused when the broker says no. Cancelled, it sends no more.
        """

    async def subscribe(self, topics: Sequence[str], qos: int = 0) -> None:
        """Ask for the topics; what comes is in `received()`."""

    def received(self) -> AsyncIterator[Received]:
        """What subscriptions bring, until the connection ends, which raises SinkDown."""

    async def close(self) -> None:
        """Say DISCONNECT and close, within two seconds; the last will is not published."""

    def abort(self) -> None:
        """Cut the connection at once; the broker publishes the last will."""


class WrongVersion(Exception):
    """The peer did not answer a CONNECT of this protocol version: it said so, or closed, or stayed silent."""

    def __init__(self, said_so: bool, silent: bool = False) -> None:
        super().__init__("refused" if said_so else "silent" if silent else "closed")
        self.said_so = said_so
        self.silent = silent


async def connect(
    settings: MqttSettings, *, client_id: str, will: Message | None = None, protocol: int | None = None
) -> Connection:
    """A new connection: MQTT 5, then 3.1.1 where the broker wants that, stays silent or hangs up.

    Raises SinkDown (not reachable now), SinkRefused (a no for good) or ConfigError (a certificate file).
    """
    # Here, since the library takes a tenth of a second to load, and `link.py` needs this file's values.
    from klvrelay.sinks.faults import UNSUPPORTED_VERSION, connect_fault, no_mqtt
    from klvrelay.sinks.link import Link

    faults: list[WrongVersion] = []
    for version in (5, 4) if (protocol or settings.protocol) == 5 else (4,):
        try:
            link = await Link.open(settings, version, client_id, will)
        except WrongVersion as fault:
            faults.append(fault)
        else:
            link.older_only = any(fault.said_so for fault in faults)
            _LOG.debug("mqtt connected url=%s protocol=%s", settings.url, version)
            return link
    if any(fault.said_so for fault in faults):
        raise connect_fault(settings, UNSUPPORTED_VERSION, client_id)
    raise no_mqtt(settings, faults[-1].silent)
