"""The topics to which one connection subscribes, and the messages that no subscription requested."""

from __future__ import annotations

from klvrelay.sinks.mqtt.connection import Received
from klvrelay.sinks.mqtt.incoming_publish import Violation
from klvrelay.sinks.mqtt.packet_types import RETAINED
from klvrelay.sinks.mqtt.topics import matches

UNASKED_MOST, UNASKED_BYTES = 10_000, 8 << 20
"""Maximum discarded messages, and their bytes: amqtt and old versions of aedes send retained ones to every client."""


class Subscriptions:
    """Which messages are wanted."""

    def __init__(self) -> None:
        self._wanted: list[list[str]] = []
        self._has_ended_one = False
        self._unasked = self._unasked_bytes = 0

    def add(self, topic: str) -> None:
        self._wanted.append(topic.split("/"))

    def end(self, topic: str) -> None:
        """Messages of the topic may still arrive."""
        self._wanted = [wanted for wanted in self._wanted if wanted != topic.split("/")]
        self._has_ended_one = True

    def wants(self, message: Received, first: int, size: int) -> bool:
        """Is it wanted, or to be discarded? Raises Violation if the broker must not send it.

        first  first byte of the packet
        size   bytes of the packet after its header
        """
        if any(matches(message.topic, wanted) for wanted in self._wanted):
            return True
        if first != RETAINED and not self._has_ended_one:
            raise Violation("a PUBLISH that was not requested")
        self._unasked, self._unasked_bytes = self._unasked + 1, self._unasked_bytes + size
        if self._unasked > UNASKED_MOST or self._unasked_bytes > UNASKED_BYTES:
            raise Violation("too many messages that were not requested")
        return False
