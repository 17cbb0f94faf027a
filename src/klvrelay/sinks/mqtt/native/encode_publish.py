"""PUBLISH packets (MQTT 5, 3.3; `packets.py` has their layout). What the messages of a topic share is encoded once."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

from klvrelay.sinks.mqtt.connection import Message
from klvrelay.sinks.mqtt.native.aliases import Alias, Aliases
from klvrelay.sinks.mqtt.packets import LARGEST_PACKET, USER_PROPERTY, Packed, length, text

HEADS_MOST = 4096
"""Maximum number of kept beginnings: one for each topic, unless properties other than the last one vary."""
REVIEW = 1000
"""Messages between two decisions which topics have an alias."""
_DUP = 0x08
_ALIAS_MOST = 5
"""Maximum bytes by which a topic alias makes a packet longer."""
_NO_TOPIC = b"\0\0"


@dataclass(slots=True)
class _Head:
    """What the PUBLISH packets of a topic share. `properties`: all but the last user property."""

    name: str
    first: int
    topic: bytes
    properties: bytes
    alias: Alias | None
    count: int = 0


class PublishEncoder:
    """Encodes the messages of one connection.

    largest   maximum bytes of a packet that the broker accepts
    """

    def __init__(self, protocol: int) -> None:
        self.largest = LARGEST_PACKET
        self._has_properties = protocol == 5
        self._aliases = Aliases()
        self._heads: dict[tuple[object, ...], _Head] = {}
        self._names: dict[str, bytes] = {}
        self._count = 0

    def allow_aliases(self, most: int) -> None:
        """Use topic aliases from 1 to `most`."""
        self._aliases.most = most

    def forget_alias(self, topic: str) -> None:
        """See `Aliases.forget`."""
        self._aliases.forget(topic)

    def encode(self, message: Message, number: int, *, dup: bool = False) -> bytes | None:
        """The packet; None if it would be too large for the broker, with its topic and without an alias.

        number   packet identifier; not used at QoS 0
        dup      the message was sent on an earlier connection
        """
        head = self._head(message)
        topic, payload = head.topic, message.payload
        identifier = number.to_bytes(2, "big") if message.qos else b""
        size = len(topic) + len(identifier) + len(payload)
        properties = last = alias = b""
        if self._has_properties:
            last = self._last(message.user)
            properties = length(len(head.properties) + len(last))
            size += len(properties) + len(head.properties) + len(last)
        remaining = length(size)
        total = 1 + len(remaining) + size
        if total > self.largest:
            return None
        if head.alias is not None and not dup and total + _ALIAS_MOST <= self.largest:
            alias = head.alias.data
            if head.alias.is_known:
                topic = _NO_TOPIC
            head.alias.is_known = True
            properties = length(len(alias) + len(head.properties) + len(last))
            fixed = len(topic) + len(identifier) + len(properties) + len(alias)
            remaining = length(fixed + len(head.properties) + len(last) + len(payload))
        first = head.first | _DUP if dup else head.first
        return b"".join(
            (first.to_bytes(1, "big"), remaining, topic, identifier, properties, alias, head.properties, last, payload)
        )

    def _head(self, message: Message) -> _Head:
        key = (
            message.topic, message.qos, message.retain, message.content_type, message.expiry, message.user[:-1],
        )  # fmt: skip
        head = self._heads.get(key) or self._new_head(key, message)
        if self._aliases.most:
            head.count += 1
            self._count += 1
            if self._count >= REVIEW:
                self._review()
        return head

    def _new_head(self, key: tuple[object, ...], message: Message) -> _Head:
        if len(self._heads) >= HEADS_MOST:
            self._heads.clear()
        head = self._heads[key] = _Head(
            message.topic,
            0x30 | message.qos << 1 | message.retain,
            text(message.topic),
            Packed(replace(message, user=message.user[:-1])).properties if self._has_properties else b"",
            None if message.retain else self._aliases.of(message.topic),
        )
        return head

    def _last(self, user: tuple[tuple[str, str], ...]) -> bytes:
        """The last user property, which differs from message to message: the number of a record."""
        if not user:
            return b""
        name, value = user[-1]
        if (begin := self._names.get(name)) is None:
            if len(self._names) >= HEADS_MOST:
                self._names.clear()
            begin = self._names[name] = USER_PROPERTY + text(name)
        return begin + text(value)

    def _review(self) -> None:
        """Give the aliases to the busiest topics."""
        counts: Counter[str] = Counter()
        self._count = 0
        records = [head for head in self._heads.values() if not head.first & 1]
        for head in records:
            counts[head.name] += head.count
            head.count = 0
        self._aliases.rank(counts)
        for head in records:
            head.alias = self._aliases.of(head.name)
