"""The topics to which one connection subscribes, and the messages that no subscription requested."""

from __future__ import annotations

from klvrelay.sinks.mqtt.protocol.connection import Received
from klvrelay.sinks.mqtt.protocol.incoming_publish import Violation
from klvrelay.sinks.mqtt.protocol.packet_types import RETAINED
from klvrelay.sinks.mqtt.topics import matches

UNASKED_MOST, UNASKED_BYTES = 10_000, 8 << 20
"""Maximum discarded messages, and their bytes: amqtt and old versions of aedes send retained ones to every client."""


class Subscriptions:
    """Which messages are wanted.

    filters       the subscriptions, as levels
    unsubscribed  messages of ended subscriptions may arrive; they are discarded
    """

    def __init__(self) -> None:
        self.filters: list[list[str]] = []
        self.unsubscribed = False
        self._unasked = self._unasked_bytes = 0

    @property
    def permit_messages(self) -> bool:
        """May the broker send a message?"""
        return bool(self.filters) or self.unsubscribed

    def add(self, topic: str) -> None:
        self.filters.append(topic.split("/"))

    def end(self, topic: str) -> None:
        """Messages of the topic may still arrive."""
        self.filters = [wanted for wanted in self.filters if wanted != topic.split("/")]
        self.unsubscribed = True

    def wants(self, message: Received, first: int, size: int) -> bool:
        """Is it wanted, or to be discarded? Raises Violation if the broker must not send it.

        first  first byte of the packet
        size   bytes of the packet after its header
        """
        if any(matches(message.topic, wanted) for wanted in self.filters):
            return True
        if first != RETAINED and not self.unsubscribed:
            raise Violation("a PUBLISH that was not requested")
        self.discard(size)
        return False

    def discard(self, size: int) -> None:
        """Count a message that is discarded. Raises Violation if there are too many."""
        self._unasked, self._unasked_bytes = self._unasked + 1, self._unasked_bytes + size
        if self._unasked > UNASKED_MOST or self._unasked_bytes > UNASKED_BYTES:
            raise Violation("too many messages that were not requested")
