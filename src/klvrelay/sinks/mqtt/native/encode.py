"""The packets that the relay sends, except PUBLISH (MQTT 5, chapter 3; the same without properties in 3.1.1)."""

from __future__ import annotations

import struct

from klvrelay.config.mqtt import MqttSettings
from klvrelay.sinks.mqtt.protocol.connection import Message
from klvrelay.sinks.mqtt.protocol.packet_types import ANSWER_MOST, DOCUMENT_MOST
from klvrelay.sinks.mqtt.protocol.packets import length, text
from klvrelay.sinks.mqtt.protocol.session import EXPIRY

_SESSION_EXPIRY, _RECEIVE_MAXIMUM, _MAXIMUM_PACKET_SIZE, _CONTENT_TYPE = b"\x11", b"\x21", b"\x27", b"\x03"
_CLEAN, _WILL, _RETAIN, _PASSWORD, _USERNAME = 0x02, 0x04, 0x20, 0x40, 0x80


def connect_packet(
    settings: MqttSettings, protocol: int, client_id: str, will: Message | None, *, keeps_session: bool
) -> bytes:
    """CONNECT.

        10              1 + n        2 + n      1 + n, 2 + n, 2 + n     2 + n  2 + n
        name, version,  properties,  client id  last will: properties,  user   password
        flags,          MQTT 5 only             topic, payload
        keep-alive

    keeps_session  the broker must keep the session after the connection, and resume an earlier one
    """
    flags = 0 if keeps_session else _CLEAN
    payload = [text(client_id)]
    if will is not None:
        flags |= _WILL | will.qos << 3 | (_RETAIN if will.retain else 0)
        payload += [_will_properties(will, protocol), text(will.topic), _binary(will.payload)]
    if settings.username is not None:
        flags |= _USERNAME
        payload.append(text(settings.username))
    if settings.password is not None:
        flags |= _PASSWORD
        payload.append(text(settings.password.reveal()))
    head = text("MQTT") + struct.pack("!BBH", protocol, flags, settings.keepalive)
    limits = _limits(publishes=will is not None, keeps_session=keeps_session) if protocol == 5 else b""
    return _packet(0x10, head, limits, *payload)


def _limits(*, publishes: bool, keeps_session: bool) -> bytes:
    """CONNECT properties (3.1.2.11): limits for what the broker sends, and the expiry of the session."""
    largest = ANSWER_MOST if publishes else DOCUMENT_MOST
    properties = _SESSION_EXPIRY + struct.pack("!I", EXPIRY) if keeps_session else b""
    properties += _RECEIVE_MAXIMUM + b"\0\1" + _MAXIMUM_PACKET_SIZE + struct.pack("!I", largest)
    return length(len(properties)) + properties


def _will_properties(will: Message, protocol: int) -> bytes:
    if protocol == 4:
        return b""
    properties = b"" if will.content_type is None else _CONTENT_TYPE + text(will.content_type)
    return length(len(properties)) + properties


def puback_packet(number: int) -> bytes:
    return b"\x40\x02" + number.to_bytes(2, "big")


def pubrel_packet(number: int) -> bytes:
    return b"\x62\x02" + number.to_bytes(2, "big")


def subscribe_packet(number: int, topic: str, protocol: int) -> bytes:
    """SUBSCRIBE to one topic at QoS 0."""
    return _packet(0x82, number.to_bytes(2, "big"), _no_properties(protocol), text(topic), b"\0")


def unsubscribe_packet(number: int, topic: str, protocol: int) -> bytes:
    """UNSUBSCRIBE from one topic."""
    return _packet(0xA2, number.to_bytes(2, "big"), _no_properties(protocol), text(topic))


def disconnect_packet(protocol: int, *, ends_session: bool) -> bytes:
    """DISCONNECT. MQTT 3.1.1 cannot end the session with it (MQTT 5, 3.14.2.2.2)."""
    if protocol == 4 or not ends_session:
        return b"\xe0\x00"
    return b"\xe0\x07\x00\x05" + _SESSION_EXPIRY + bytes(4)


def _packet(first: int, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return bytes([first]) + length(len(body)) + body


def _no_properties(protocol: int) -> bytes:
    return b"\0" if protocol == 5 else b""


def _binary(data: bytes) -> bytes:
    return struct.pack("!H", len(data)) + data
