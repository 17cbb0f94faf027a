"""Changes of outputs by subscribers: a message on `set` changes an output of one stream, and is answered.

    {prefix}/{stream}/set          {"output": "position", "rate": 2, "id": "any text"}
    {prefix}/{stream}/set/result   {"output": "position", "id": "any text", "ok": true, "values": {...}}
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable

from klvrelay.config.mqtt import MqttSettings
from klvrelay.errors import SinkRefused
from klvrelay.json_output import dumps
from klvrelay.shape.shaper import Shaper
from klvrelay.sinks.mqtt.messages import JSON, origin
from klvrelay.sinks.mqtt.outputs.change_requests import PAYLOAD_MOST, answer
from klvrelay.sinks.mqtt.protocol.connection import Connection, Message, Received
from klvrelay.sinks.mqtt.refused.publisher import Publisher
from klvrelay.sinks.mqtt.topics import stream_topic
from klvrelay.text import printable

LEAF, RESULT = "set", "set/result"
RATE, BURST = 2.0, 10
"""Requests that are read: per second, and at once."""
ANSWER = 2.0
"""Maximum seconds for the answer to the subscription."""
LOSSES_MOST, PAUSE = 3, 600.0
"""Connections that may be lost to the subscription, one after the other, and the seconds until it is tried again: some
brokers close the connection at a subscription that is not allowed."""

SHOWN_MOST = 300
"""Maximum characters of values in the log."""

LOG = logging.getLogger("klvrelay.sinks")


class ChangeRate:
    """How many requests may be read now."""

    def __init__(self) -> None:
        self._left, self._at = float(BURST), 0.0

    def take(self, now: float) -> bool:
        """Is there one left? If so, it is used."""
        self._left, self._at = min(BURST, self._left + max(0.0, now - self._at) * RATE), now
        if self._left < 1:
            return False
        self._left -= 1
        return True


class LiveChanges:
    """The changes of one sink at one broker, over all its connections.

    stream_of   the stream with this level in its topics; None: the relay has none
    """

    def __init__(
        self,
        settings: MqttSettings,
        boot: str,
        shaper: Shaper,
        publisher: Publisher,
        stream_of: Callable[[str], str | None],
    ) -> None:
        self._settings, self._boot, self._publisher = settings, boot, publisher
        self._shaper, self._stream_of = shaper, stream_of
        self._topic = f"{settings.prefix}/+/{LEAF}"
        self._allowance = ChangeRate()
        self._waiting: deque[tuple[str, bytes]] = deque()
        self._some = asyncio.Event()
        self._logged: set[str] = set()
        self._losses, self._next_try = 0, 0.0

    async def run(self, connection: Connection) -> None:
        """Subscribe, and answer requests until cancelled. Raises SinkDown."""
        self._waiting.clear()
        self._some.clear()
        connection.divert = self._take
        if self._losses >= LOSSES_MOST and _now() < self._next_try:
            return
        await self._subscribe(connection)
        while True:
            await self._some.wait()
            stream, payload = self._waiting.popleft()
            if not self._waiting:
                self._some.clear()
            await self._publisher.publish_admitted(connection, [self._answer(stream, payload)])

    async def _subscribe(self, connection: Connection) -> None:
        self._losses, self._next_try = self._losses + 1, _now() + PAUSE  # if the connection is lost meanwhile
        if self._losses == LOSSES_MOST:
            self._log("connections were lost at the subscription", self._topic)
        try:
            async with asyncio.timeout(min(ANSWER, self._settings.timeout / 2)):
                await connection.subscribe([self._topic])
            self._logged.discard("no right to read")
        except SinkRefused:
            self._log("no right to read", self._topic)
        except TimeoutError:
            self._log("no answer to the subscription", self._topic)
        self._losses = 0

    def _take(self, message: Received) -> bool:
        """Take a message that was received, unless it is not a request. Most of a flood ends here."""
        begin, _, level = message.topic.removesuffix(f"/{LEAF}").rpartition("/")
        if begin != self._settings.prefix or not message.topic.endswith(f"/{LEAF}"):
            return False
        stream = self._stream_of(level)
        if message.retained:
            self._log("a retained request is not read: publish it without retain", message.topic)
        elif stream is None:
            self._log("no stream of this name", message.topic)
        elif len(self._waiting) >= BURST or not self._allowance.take(_now()):
            self._log(f"more than {RATE:g} requests a second", message.topic)
        else:
            self._waiting.append((stream, message.payload[: PAYLOAD_MOST + 1]))  # a longer one is refused
            self._some.set()
        return True

    def _log(self, reason: str, topic: str) -> None:
        """Once for each reason."""
        if reason not in self._logged:
            self._logged.add(reason)
            shown = printable(topic[:200])
            LOG.warning("%s: outputs not changed: reason=%r topic=%s", self._settings.url, reason, shown)

    def _answer(self, stream: str, payload: bytes) -> Message:
        settings, before = self._settings, self._shaper.changes_of(stream)
        document = answer(self._shaper, stream, payload, _now())
        if self._shaper.changes_of(stream) != before:
            name = document["output"]
            values = printable(dumps(self._shaper.change_of(stream, name)).decode()[:SHOWN_MOST])
            LOG.info("%s: output changed: stream=%s output=%s values=%s", settings.url, stream, name, values)
        topic = stream_topic(settings.prefix, stream, RESULT)
        return Message(
            topic, dumps(document), settings.qos, False, JSON, settings.expiry, origin(stream, self._boot)
        )  # fmt: skip


def _now() -> float:
    return asyncio.get_running_loop().time()
