"""PUBLISH packets (MQTT 5, 3.3; `packets.py` has their layout). What the messages of a topic share is encoded once."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from klvrelay.sinks.mqtt.native.aliases import Alias, Aliases
from klvrelay.sinks.mqtt.protocol.connection import Message
from klvrelay.sinks.mqtt.protocol.packets import LARGEST_PACKET, USER_PROPERTY, Packed, length, text

HEADS_MOST = 4096
"""Maximum number of kept beginnings and names."""
SHARED = 2
"""Number of user properties that the messages of a topic share: stream and run of a record. Later ones vary."""
FIELDS = slice(2, 6)
"""The fields of a message between payload and user properties."""
REVIEW = 1000
"""Messages between two decisions which topics have an alias."""
_DUP = 0x08
_NO_TOPIC = b"\0\0"


class _Form:
    """The constant parts of a packet. `size`: their bytes and those of the identifier."""

    __slots__ = ("properties", "properties_size", "size", "topic")

    def __init__(self, topic: bytes, properties: bytes, qos: int) -> None:
        self.topic = topic
        self.properties = properties
        self.properties_size = len(properties)
        self.size = len(topic) + len(properties) + (2 if qos else 0)


@dataclass(slots=True)
class _Head:
    """What the PUBLISH packets of a topic share, while these fields of their messages do not change.

    whole    with the topic, without an alias
    naming   with both, so that the broker learns the alias
    short    with the alias in place of the topic
    """

    name: str
    fields: tuple[object, ...]
    user: tuple[tuple[str, str], ...]
    qos: int
    first: bytes
    whole: _Form
    alias: Alias | None = None
    naming: _Form | None = None
    short: _Form | None = None
    count: int = 0

    def use(self, alias: Alias | None) -> None:
        """Use this alias from now on, or none."""
        is_new, self.alias = alias is not self.alias, alias
        if alias is not None and is_new:
            properties = alias.data + self.whole.properties
            self.naming = _Form(self.whole.topic, properties, self.qos)
            self.short = _Form(_NO_TOPIC, properties, self.qos)


class PublishEncoder:
    """Encodes the messages of one connection.

    largest   maximum bytes of a packet that the broker accepts
    """

    def __init__(self, protocol: int) -> None:
        self.largest = LARGEST_PACKET
        self._has_properties = protocol == 5
        self._aliases = Aliases()
        self._heads: dict[str, _Head] = {}
        self._names: dict[str, bytes] = {}
        self._count = 0

    def allow_aliases(self, most: int) -> None:
        """Use topic aliases from 1 to `most`."""
        self._aliases.most = most

    def forget_alias(self, topic: str) -> None:
        """See `Aliases.forget`."""
        self._aliases.forget(topic)

    def encode(self, message: Message, number: int, *, dup: bool = False) -> bytes | None:
        """The packet; None if it would be too large for the broker.

        number   packet identifier; not used at QoS 0
        dup      the message was sent on an earlier connection
        """
        head = self._heads.get(message.topic)
        if head is None or head.fields != message[FIELDS] or head.user != message.user[:SHARED]:
            head = self._new_head(message)
        if dup:
            return self._packet(bytes([head.first[0] | _DUP]), head.whole, message, number)
        if self._aliases.most:
            self._note_use(head)
        alias = head.alias
        if alias is None:
            return self._packet(head.first, head.whole, message, number)
        if alias.is_known and head.short is not None:
            return self._packet(head.first, head.short, message, number)
        if head.naming is not None and (packet := self._packet(head.first, head.naming, message, number)) is not None:
            alias.is_known = True
            return packet
        return self._packet(head.first, head.whole, message, number)

    def _packet(self, first: bytes, form: _Form, message: Message, number: int) -> bytes | None:
        _, payload, qos, _, _, _, user = message  # faster than by name
        size, varying, properties = form.size + len(payload), b"", b""
        if self._has_properties:
            for name, value in user[SHARED:]:
                data = value.encode()
                varying += (self._names.get(name) or self._name(name)) + len(data).to_bytes(2, "big") + data
            properties = length(form.properties_size + len(varying))
            size += len(properties) + len(varying)
        remaining = length(size)
        if 1 + len(remaining) + size > self.largest:
            return None
        identifier = number.to_bytes(2, "big") if qos else b""
        return b"".join((first, remaining, form.topic, identifier, properties, form.properties, varying, payload))

    def _new_head(self, message: Message) -> _Head:
        if len(self._heads) >= HEADS_MOST:
            self._heads.clear()
        properties = Packed(message._replace(user=message.user[:SHARED])).properties if self._has_properties else b""
        first = bytes([0x30 | message.qos << 1 | message.retain])
        fields: tuple[object, ...] = (message.qos, message.retain, message.content_type, message.expiry)
        form = _Form(text(message.topic), properties, message.qos)
        head = _Head(message.topic, fields, message.user[:SHARED], message.qos, first, form)
        if not message.retain:
            head.use(self._aliases.of(message.topic))
        self._heads[message.topic] = head
        return head

    def _name(self, name: str) -> bytes:
        """The bytes of a user property before its value."""
        if len(self._names) >= HEADS_MOST:
            self._names.clear()
        begin = self._names[name] = USER_PROPERTY + text(name)
        return begin

    def _note_use(self, head: _Head) -> None:
        head.count += 1
        self._count += 1
        if self._count >= REVIEW:
            self._review()

    def _review(self) -> None:
        """Give the aliases to the busiest topics."""
        counts: Counter[str] = Counter()
        self._count = 0
        records = [head for head in self._heads.values() if not head.first[0] & 1]
        for head in records:
            counts[head.name] += head.count
            head.count = 0
        self._aliases.rank(counts)
        for head in records:
            head.use(self._aliases.of(head.name))
