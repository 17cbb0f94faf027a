"""MQTT 3.1.1 and 5 wire format, as far as a test broker needs it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace

TOPIC_ALIAS = 0x23
_PROPERTY_SIZES = {0x01: 1, 0x02: 4, 0x11: 4, 0x17: 1, 0x18: 4, 0x19: 1, 0x21: 2, 0x22: 2, 0x23: 2, 0x27: 4}


@dataclass(frozen=True, slots=True)
class Published:
    """One received PUBLISH."""

    client: int
    topic: str
    payload: bytes
    qos: int
    retain: bool
    dup: bool
    properties: dict[int, object]
    user: tuple[tuple[str, str], ...]


@dataclass(slots=True, eq=False)
class Guest:
    """One connection."""

    number: int
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    level: int = 0
    client_id: str = ""
    username: str | None = None
    will: tuple[str, bytes] | None = None
    keepalive: int = 0
    clean: bool = True
    expiry: int = 0
    unacked: int = 0
    gone: bool = False
    filters: list[str] = field(default_factory=list)
    aliases: dict[int, str] = field(default_factory=dict)


async def read_packet(reader: asyncio.StreamReader) -> tuple[int, int, bytes]:
    head = (await reader.readexactly(1))[0]
    length = shift = 0
    while True:
        octet = (await reader.readexactly(1))[0]
        length |= (octet & 0x7F) << shift
        shift += 7
        if octet < 0x80:
            return head >> 4, head & 15, await reader.readexactly(length)


def read_connect(guest: Guest, body: bytes) -> None:
    flags = body[7]
    guest.clean = bool(flags & 0x02)
    guest.keepalive = int.from_bytes(body[8:10], "big")
    at = 10
    if guest.level == 5:
        end = at + 1 + body[at]
        guest.expiry = _number(body[at + 1 : end], 0x11)
        at = end
    else:
        guest.expiry = 0 if guest.clean else 1 << 32
    guest.client_id, at = read_text(body, at)
    if flags & 0x04:
        if guest.level == 5:
            at += 1 + body[at]
        topic, at = read_text(body, at)
        size = int.from_bytes(body[at : at + 2], "big")
        guest.will = (topic, body[at + 2 : at + 2 + size])
        at += 2 + size
    if flags & 0x80:
        guest.username, at = read_text(body, at)


def read_publish(guest: Guest, flags: int, body: bytes) -> tuple[Published, int]:
    qos = flags >> 1 & 3
    topic, at = read_text(body, 0)
    packet_id = 0
    if qos:
        packet_id = int.from_bytes(body[at : at + 2], "big")
        at += 2
    properties: dict[int, object] = {}
    user: list[tuple[str, str]] = []
    if guest.level == 5:
        size, at = _varint(body, at)
        end = at + size
        while at < end:
            key, at = body[at], at + 1
            if key == 0x26:
                name, at = read_text(body, at)
                value, at = read_text(body, at)
                user.append((name, value))
            elif key == 0x03:
                properties[key], at = read_text(body, at)
            else:
                size = _PROPERTY_SIZES[key]
                properties[key], at = int.from_bytes(body[at : at + size], "big"), at + size
    retain, dup = bool(flags & 1), bool(flags & 8)
    return Published(guest.number, topic, body[at:], qos, retain, dup, properties, tuple(user)), packet_id


def resolved(guest: Guest, published: Published, most: int) -> Published | None:
    """The message with the topic of its alias; None if the alias is above `most`, 0 or unknown (MQTT 5, 3.3.2.3.4)."""
    alias = published.properties.get(TOPIC_ALIAS)
    if alias is None:
        return published
    assert isinstance(alias, int)
    if not 0 < alias <= most:
        return None
    if published.topic:
        guest.aliases[alias] = published.topic
    return replace(published, topic=guest.aliases[alias]) if alias in guest.aliases else None


def _number(properties: bytes, wanted: int) -> int:
    """The value of a property; 0 where it is absent."""
    at = 0
    while at < len(properties):
        key, size = properties[at], _PROPERTY_SIZES[properties[at]]
        if key == wanted:
            return int.from_bytes(properties[at + 1 : at + 1 + size], "big")
        at += 1 + size
    return 0


def limit_property(key: int, value: int) -> bytes:
    return bytes([key]) + value.to_bytes(_PROPERTY_SIZES.get(key, 1), "big")


def read_text(body: bytes, at: int) -> tuple[str, int]:
    size = int.from_bytes(body[at : at + 2], "big")
    return body[at + 2 : at + 2 + size].decode(), at + 2 + size


def _varint(body: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        octet, at = body[at], at + 1
        value |= (octet & 0x7F) << shift
        shift += 7
        if octet < 0x80:
            return value, at


def packed_length(n: int) -> bytes:
    out = bytearray()
    while n > 0x7F:
        out.append(n & 0x7F | 0x80)
        n >>= 7
    return bytes([*out, n])
