"""What goes into aiomqtt and paho: the client object, the last will, the properties of a PUBLISH.

Next door: `link.py` drives the client; no other file knows these libraries.
"""

from __future__ import annotations

import logging
import struct

import aiomqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from klvrelay.sinks.client import Message
from klvrelay.sinks.incoming import ANSWER_MOST, DOCUMENT_MOST
from klvrelay.sinks.settings import MqttSettings

_VERSIONS = {5: aiomqtt.ProtocolVersion.V5, 4: aiomqtt.ProtocolVersion.V311}
_EXPIRY, _CONTENT_TYPE, _USER = b"\x02", b"\x03", b"\x26"

# paho logs connection trouble as errors; all of it reaches the caller as SinkDown.
_QUIET = logging.getLogger(__name__)
_QUIET.setLevel(logging.CRITICAL)


def new_client(settings: MqttSettings, protocol: int, client_id: str, will: Message | None) -> aiomqtt.Client:
    return aiomqtt.Client(
        settings.host,
        settings.port,
        username=settings.username,
        password=settings.password.reveal() if settings.password is not None else None,
        logger=_QUIET,
        identifier=client_id,
        protocol=_VERSIONS[protocol],
        clean_session=True if protocol == 4 else None,
        will=_will(will, protocol),
        properties=None if protocol == 4 else _bounds(ANSWER_MOST if will is not None else DOCUMENT_MOST),
        timeout=settings.timeout,
        keepalive=settings.keepalive,
        max_inflight_messages=settings.window,
    )


def _bounds(most: int) -> Properties:
    """Limits for what a broker sends (MQTT 5, 3.1.2.11): bytes of a packet, and PUBLISH in flight."""
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    properties.MaximumPacketSize = most
    properties.ReceiveMaximum = 1
    return properties


def _will(will: Message | None, protocol: int) -> aiomqtt.Will | None:
    if will is None:
        return None
    properties = None
    if protocol == 5 and will.content_type is not None:
        properties = Properties(PacketTypes.WILLMESSAGE)  # type: ignore[no-untyped-call]
        properties.ContentType = will.content_type
    return aiomqtt.Will(will.topic, will.payload, will.qos, will.retain, properties)


class Packed:
    """Content type, expiry and user properties of one PUBLISH (MQTT 5, 2.2.2 and 3.3.2.3).

    paho asks nothing of its own class but `pack()`, and that class takes 40 us a message.
    """

    __slots__ = ("_message",)

    def __init__(self, message: Message) -> None:
        self._message = message

    def pack(self) -> bytes:
        """The property length, then the properties."""
        message, parts = self._message, []
        if message.expiry:
            parts.append(_EXPIRY + struct.pack("!I", message.expiry))
        if message.content_type is not None:
            parts.append(_CONTENT_TYPE + _text(message.content_type))
        parts += [_USER + _text(name) + _text(value) for name, value in message.user]
        body = b"".join(parts)
        return _length(len(body)) + body


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
