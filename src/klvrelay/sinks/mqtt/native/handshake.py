"""CONNECT and CONNACK: the broker's answer, its limits, and the faults to raise."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

from klvrelay.config.mqtt import MqttSettings
from klvrelay.errors import SinkError
from klvrelay.sinks.mqtt import faults
from klvrelay.sinks.mqtt.connection import LesserTerms, Message, Terms, WrongVersion
from klvrelay.sinks.mqtt.incoming_publish import Violation
from klvrelay.sinks.mqtt.native import decode
from klvrelay.sinks.mqtt.native.decode import Connack
from klvrelay.sinks.mqtt.native.encode import connect_packet
from klvrelay.sinks.mqtt.packets import LARGEST_PACKET

WINDOW_MOST = 65_000
"""Maximum unanswered messages: of 65,535 packet identifiers some are for other packets."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What applies to a connection, from our settings and the broker's limits (MQTT 5, 3.2.2.3).

    qos, retain  what the broker supports
    window       maximum unanswered messages
    largest      maximum bytes of a packet
    aliases      maximum number of topic aliases
    keepalive    seconds
    """

    qos: int
    retain: bool
    window: int
    largest: int
    aliases: int
    keepalive: int

    @classmethod
    def of(cls, connack: Connack, settings: MqttSettings, protocol: int) -> Self:
        """Raises Violation."""
        limits = connack.limits
        if 0 in (limits.get(decode.RECEIVE_MAXIMUM), limits.get(decode.MAXIMUM_PACKET_SIZE)):
            raise Violation("a CONNACK with a limit of 0")
        # A broker may request more frequent pings than our settings, not less frequent ones.
        keepalive = limits.get(decode.SERVER_KEEPALIVE) or settings.keepalive
        return cls(
            qos=limits.get(decode.MAXIMUM_QOS, 2),
            retain=bool(limits.get(decode.RETAIN_AVAILABLE, 1)),
            window=min(settings.window_of(protocol), limits.get(decode.RECEIVE_MAXIMUM, WINDOW_MOST), WINDOW_MOST),
            largest=min(limits.get(decode.MAXIMUM_PACKET_SIZE, LARGEST_PACKET), LARGEST_PACKET),
            aliases=limits.get(decode.ALIAS_MAXIMUM, 0),
            keepalive=min(keepalive, settings.keepalive),
        )


class Handshake:
    """Waits for the broker's answer to CONNECT.

    violated  the broker violated the protocol
    """

    def __init__(
        self,
        sock: socket.socket,
        settings: MqttSettings,
        protocol: int,
        client_id: str,
        will: Message | None,
        terms: Terms,
    ) -> None:
        self._sock = sock
        self._settings = settings
        self._protocol = protocol
        self._client_id = client_id
        self._will = will
        self._requested = self._terms = terms
        self._code: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.violated = False

    def connect_packet(self, *, keeps_session: bool) -> bytes:
        """The CONNECT to send."""
        will = None if self._will is None else self._requested.fitted(self._will)
        return connect_packet(self._settings, self._protocol, self._client_id, will, keeps_session=keeps_session)

    def answer(self, code: int, terms: Terms) -> None:
        """CONNACK was received. `terms`: what the broker supports, as it reports."""
        self._terms = terms
        self._code.set_result(code)

    async def complete(self, lost: asyncio.Future[None], fault_of_greeting: Callable[[], SinkError | None]) -> None:
        """Return once the broker has accepted the connection.

        lost               is done once the connection is lost
        fault_of_greeting  what was wrong with the CONNACK

        Raises WrongVersion, LesserTerms, SinkDown or SinkRefused.
        """
        waits: set[asyncio.Future[Any]] = {self._code, lost}
        await asyncio.wait(waits, timeout=self._settings.timeout / 2, return_when=asyncio.FIRST_COMPLETED)
        if self._code.done():
            self._judge(self._code.result())
        elif (alert := getattr(self._sock, "alert", None)) is not None:
            raise faults.tls_fault(self._settings, alert)
        else:
            silent = not lost.done()
            raise WrongVersion(refused=False, silent=silent, invalid=self.violated, fault=fault_of_greeting())

    def _judge(self, code: int) -> None:
        if code == faults.UNSUPPORTED_VERSION:
            raise WrongVersion(refused=True)
        if self._will is not None and (lesser := self._lesser_terms(code)) is not None:
            raise LesserTerms(lesser)
        if code:
            raise faults.connect_fault(self._settings, code, self._client_id)

    def _lesser_terms(self, code: int) -> Terms | None:
        """The terms to try after a refusal of the last will; None if there are none, or for another reason code."""
        qos = min(self._requested.qos, self._settings.qos)
        if code == faults.NOTHING_RETAINED and self._requested.retain:
            return Terms(self._terms.qos, False)
        if code == faults.NO_SUCH_QOS and qos > 0:
            return Terms(min(self._terms.qos, qos - 1), self._terms.retain)
        return None
