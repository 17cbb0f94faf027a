"""PUBLISH packets: their properties as bytes, and their size (MQTT 5, 2.1.4 and 3.3). Forms that all packets share.

bytes   1        1 to 4            2 + n   2             1 to 4 + n     n
        fixed    remaining         topic   packet id,    properties,    payload
        header   length, 7 bits            QoS 1 and 2   MQTT 5 only
                 per byte
"""

from __future__ import annotations

import struct
from functools import lru_cache

from klvrelay.sinks.mqtt.protocol.connection import Message

LARGEST_PACKET = 268_435_460
"""Maximum bytes of a packet: the largest remaining length, plus the fixed header and the length field."""
EXPIRY, CONTENT_TYPE, USER_PROPERTY = b"\x02", b"\x03", b"\x26"


class Packed:
    """Content type, expiry and user properties of one PUBLISH (MQTT 5, 2.2.2 and 3.3.2.3).

    `data`: the property length and the properties; `properties`: without the length.
    """

    __slots__ = ("data", "properties")

    def __init__(self, message: Message) -> None:
        parts = []
        if message.expiry:
            parts.append(EXPIRY + struct.pack("!I", message.expiry))
        if message.content_type is not None:
            parts.append(CONTENT_TYPE + text(message.content_type))
        parts += [USER_PROPERTY + text(name) + text(value) for name, value in message.user]
        self.properties = b"".join(parts)
        self.data = length(len(self.properties)) + self.properties

    def pack(self) -> bytes:
        """`data`; the only method of its properties that paho calls."""
        return self.data


def publish_size(message: Message, properties: Packed | None) -> int:
    """Bytes of the whole packet. `properties`: None for MQTT 3.1.1."""
    size = 2 + len(message.topic.encode()) + len(message.payload) + (2 if message.qos else 0)
    if properties is not None:
        size += len(properties.data)
    return 1 + len(length(size)) + size


def text(words: str) -> bytes:
    """A UTF-8 text after its length, which has two bytes (MQTT 5, 1.5.4)."""
    data = words.encode()
    return struct.pack("!H", len(data)) + data


@lru_cache(1024)
def length(n: int) -> bytes:
    """A number of 1 to 4 bytes, 7 bits each, least significant first (MQTT 5, 1.5.5)."""
    out = bytearray()
    while n > 0x7F:
        out.append(n & 0x7F | 0x80)
        n >>= 7
    out.append(n)
    return bytes(out)
