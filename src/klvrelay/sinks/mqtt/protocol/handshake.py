"""The broker's answer to CONNECT, and the faults to raise."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Any

from klvrelay.config.mqtt import MqttSettings
from klvrelay.errors import SinkError
from klvrelay.sinks.dialing.faults import tls_fault
from klvrelay.sinks.mqtt import faults
from klvrelay.sinks.mqtt.protocol.connection import LesserTerms, Message, Terms, WrongVersion


class Handshake:
    """Waits for the broker's answer to CONNECT.

    terms     what is requested of the broker
    will      the last will, reduced to these terms
    violated  the broker violated the protocol
    """

    def __init__(
        self,
        sock: socket.socket,
        settings: MqttSettings,
        client_id: str,
        will: Message | None,
        terms: Terms,
    ) -> None:
        self._sock = sock
        self._settings = settings
        self._client_id = client_id
        self.will = None if will is None else terms.fitted(will)
        self._requested = self._terms = terms
        self._code: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.violated = False

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
            raise tls_fault(self._settings, alert)
        else:
            silent = not lost.done()
            raise WrongVersion(refused=False, silent=silent, invalid=self.violated, fault=fault_of_greeting())

    def _judge(self, code: int) -> None:
        if code == faults.UNSUPPORTED_VERSION:
            raise WrongVersion(refused=True)
        if self.will is not None and (lesser := self._lesser_terms(code)) is not None:
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
