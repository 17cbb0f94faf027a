"""Reads a received PUBLISH: topic, properties and payload.

    2 + n   2             1 to 4 + n          n
    topic   packet id,    properties,         payload
            QoS 1 and 2   MQTT 5 only                                           (MQTT 5, 3.3)
"""

from __future__ import annotations

from klvrelay.sinks.mqtt.protocol.connection import Received

PROPERTIES_MOST = 4 << 10
"""Maximum bytes of the properties of a retained message that are kept; most of them are the stream name."""


class Violation(Exception):
    """How the broker violated the protocol: "a PUBLISH that was not requested"."""


def read_publish(first: int, body: bytes, protocol: int) -> tuple[Received, bytes]:
    """The message, and its packet identifier if it has one. Raises Violation.

    first      first byte of the packet
    protocol   5, or 4 for MQTT 3.1.1
    """
    at = 2 + int.from_bytes(body[:2], "big")
    try:
        topic = body[2:at].decode()
    except UnicodeDecodeError:
        raise Violation("a PUBLISH whose topic is not UTF-8") from None
    number = bytes(body[at : at + 2]) if first & 2 else b""
    begin = at = at + (2 if first & 2 else 0)
    if protocol == 5:
        begin, at = _properties(body, at)
    if at > len(body) or len(body) < 2:
        raise Violation("a PUBLISH that ends too early")
    kept = first & 1 and at - begin <= PROPERTIES_MOST
    return Received(topic, bytes(body[at:]), bool(first & 1), bytes(body[begin:at]) if kept else b""), number


def _properties(body: bytes, at: int) -> tuple[int, int]:
    """Where the properties begin and end; the end is beyond the body if their length is malformed."""
    size = 0
    for n, octet in enumerate(body[at : at + 4]):
        size |= (octet & 0x7F) << 7 * n
        if octet < 0x80:
            return at + n + 1, at + n + 1 + size
    return at, len(body) + 1
