"""PUBLISH packets: their properties as bytes, and their size (MQTT 5, 2.1.4 and 3.3).

bytes   1        1 to 4            2 + n   2             1 to 4 + n     n
        fixed    remaining         topic   packet id,    properties,    payload
        header   length, 7 bits            QoS 1 and 2   MQTT 5 only
                 per byte
"""

from __future__ import annotations

import struct

from klvrelay.sinks.mqtt.connection import Message

LARGEST_PACKET = 268_435_460
"""Maximum bytes of a packet: the largest remaining length, plus the fixed header and the length field."""
_EXPIRY, _CONTENT_TYPE, _USER = b"\x02", b"\x03", b"\x26"


class Packed:
    """Content type, expiry and user properties of one PUBLISH (MQTT 5, 2.2.2 and 3.3.2.3).

    It replaces paho's class, which takes 40 us per message and of which paho calls only `pack()`.
    """

    __slots__ = ("data",)

    def __init__(self, message: Message) -> None:
        parts = []
        if message.expiry:
            parts.append(_EXPIRY + struct.pack("!I", message.expiry))
        if message.content_type is not None:
            parts.append(_CONTENT_TYPE + _text(message.content_type))
        parts += [_USER + _text(name) + _text(value) for name, value in message.user]
        body = b"".join(parts)
        self.data = _length(len(body)) + body

    def pack(self) -> bytes:
        """The property length and the properties."""
        return self.data


def publish_size(message: Message, properties: Packed | None) -> int:
    """Bytes of the whole packet. `properties`: None for MQTT 3.1.1."""
    size = 2 + len(message.topic.encode()) + len(message.payload) + (2 if message.qos else 0)
    if properties is not None:
        size += len(properties.data)
    return 1 + len(_length(size)) + size


def _text(text: str) -> bytes:
    data = text.encode()
    return struct.pack("!H", len(data)) + data


def _length(n: int) -> bytes:
    out = bytearray()
    while n > 0x7F:
        out.append(n & 0x7F | 0x80)
        n >>= 7
    out.append(n)
    return bytes(out)
