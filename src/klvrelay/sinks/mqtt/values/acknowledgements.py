"""Incidents that subscribers acknowledge: a message is read, passed to the ledger, and answered.

    {prefix}/incidents/acknowledge          {"incident": "3f9c", "by": "operator", "note": "any text", "id": "any text"}
    {prefix}/incidents/acknowledge/result   {"id": "any text", "ok": true, "incident": {...}}
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from typing import Any

from klvrelay.config.mqtt import MqttSettings
from klvrelay.errors import SinkRefused
from klvrelay.json_output import dumps
from klvrelay.sinks.contract import AnswerRequest
from klvrelay.sinks.mqtt.messages import JSON, origin
from klvrelay.sinks.mqtt.outputs.live_changes import ANSWER, BURST, RATE, ChangeRate
from klvrelay.sinks.mqtt.protocol.connection import Connection, Message, Received
from klvrelay.sinks.mqtt.refused.publisher import Publisher

LOG = logging.getLogger("klvrelay.sinks")

LEAF, RESULT = "incidents/acknowledge", "incidents/acknowledge/result"
PAYLOAD_MOST = 8 << 10
"""Maximum bytes of a request that are read; a longer one is refused."""


class Acknowledgements:
    """The requests of one sink at one broker, over all its connections."""

    def __init__(self, settings: MqttSettings, boot: str, publisher: Publisher) -> None:
        self._settings, self._boot, self._publisher = settings, boot, publisher
        self._topic = f"{settings.prefix}/{LEAF}"
        self._allowance = ChangeRate()
        self._waiting: deque[bytes] = deque()
        self._some = asyncio.Event()
        self._logged: set[str] = set()

    async def run(self, connection: Connection, answer: AnswerRequest) -> None:
        """Subscribe, and answer requests until cancelled. Raises SinkDown."""
        self._waiting.clear()
        self._some.clear()
        others = connection.divert
        connection.divert = lambda message: self._take(message) or others(message)
        await self._subscribe(connection)
        while True:
            await self._some.wait()
            payload = self._waiting.popleft()
            if not self._waiting:
                self._some.clear()
            document = await answer(payload)
            await self._publisher.publish_admitted(connection, [self._message(document)])

    async def _subscribe(self, connection: Connection) -> None:
        try:
            async with asyncio.timeout(min(ANSWER, self._settings.timeout / 2)):
                await connection.subscribe([self._topic])
        except SinkRefused:
            self._log("no right to read")
        except TimeoutError:
            self._log("no answer to the subscription")

    def _take(self, message: Received) -> bool:
        """Take a message that was received, unless it is not a request. Most of a flood ends here."""
        if message.topic != self._topic:
            return False
        if message.retained:
            self._log("a retained request is not read: publish it without retain")
        elif len(self._waiting) >= BURST or not self._allowance.take(asyncio.get_running_loop().time()):
            self._log(f"more than {RATE:g} requests a second")
        else:
            self._waiting.append(message.payload[: PAYLOAD_MOST + 1])
            self._some.set()
        return True

    def _log(self, reason: str) -> None:
        """Once for each reason."""
        if reason not in self._logged:
            self._logged.add(reason)
            LOG.warning("%s: incident not acknowledged: reason=%r topic=%s", self._settings.url, reason, self._topic)

    def _message(self, document: dict[str, Any]) -> Message:
        settings, topic = self._settings, f"{self._settings.prefix}/{RESULT}"
        user = origin(None, self._boot)
        return Message(topic, dumps(document), settings.qos, False, JSON, settings.expiry, user)
