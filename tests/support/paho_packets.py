"""The packets that paho would send: a second opinion on each byte."""

from __future__ import annotations

import socket
from typing import Any

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from klvrelay.sinks.mqtt.protocol.connection import Message

PUBACK, PUBREL = 0x40, 0x62


class PahoPackets:
    """Each method returns the bytes of one packet. `protocol`: 5, or 4 for MQTT 3.1.1."""

    def __init__(self, protocol: int, client_id: str = "kr", *, clean: bool = True) -> None:
        self._is_5 = protocol == 5
        self._client = _Unplugged(protocol, client_id, None if self._is_5 else clean)
        self._clean = clean

    def publish(self, message: Message, number: int, *, dup: bool = False) -> bytes:
        topic, properties = message.topic.encode(), self._properties(message, PacketTypes.PUBLISH)
        return self._client.packet(
            "_send_publish", number, topic, message.payload, message.qos, message.retain, dup, properties=properties
        )

    def connect(
        self, keepalive: int, will: Message | None, user: str | None, password: str | None, **limits: int
    ) -> bytes:
        """`limits`: CONNECT properties by paho's names; not with 3.1.1."""
        client = self._client
        if user is not None:
            client.username_pw_set(user, password)
        if will is not None:
            properties = self._properties(will, PacketTypes.WILLMESSAGE)
            client.will_set(will.topic, will.payload, will.qos, will.retain, properties)
        if self._is_5:
            client._clean_start = self._clean
            client._connect_properties = _properties(PacketTypes.CONNECT, **limits)
        return client.packet("_send_connect", keepalive)

    def subscribe(self, number: int, topic: str) -> bytes:
        self._client._last_mid = number - 1
        options = SubscribeOptions() if self._is_5 else 0
        return self._client.packet("_send_subscribe", False, [(topic.encode(), options)])

    def unsubscribe(self, number: int, topic: str) -> bytes:
        self._client._last_mid = number - 1
        return self._client.packet("_send_unsubscribe", False, [topic.encode()])

    def disconnect(self, **properties: int) -> bytes:
        all_of_them = _properties(PacketTypes.DISCONNECT, **properties) if properties else None
        return self._client.packet("_send_disconnect", None, all_of_them)

    def acknowledgement(self, kind: int, number: int) -> bytes:
        """PUBACK or PUBREL."""
        return self._client.packet("_send_command_with_mid", kind, number, False)

    def ping(self) -> bytes:
        return self._client.packet("_send_pingreq")

    def _properties(self, message: Message, kind: int) -> Properties | None:
        if not self._is_5:
            return None
        named: dict[str, Any] = {"ContentType": message.content_type, "MessageExpiryInterval": message.expiry or None}
        properties = _properties(kind, **{name: value for name, value in named.items() if value is not None})
        if message.user:
            properties.UserProperty = list(message.user)
        return properties


def _properties(kind: int, **values: Any) -> Properties:
    properties = Properties(kind)  # type: ignore[no-untyped-call]
    for name, value in values.items():
        setattr(properties, name, value)
    return properties


class _Unplugged(Client):
    """paho with a captured output queue."""

    def __init__(self, protocol: int, client_id: str, clean: bool | None) -> None:
        version = MQTTProtocolVersion.MQTTv5 if protocol == 5 else MQTTProtocolVersion.MQTTv311
        super().__init__(CallbackAPIVersion.VERSION2, client_id, clean_session=clean, protocol=version)
        self._written: list[bytes] = []

    def packet(self, method: str, *args: Any, **more: Any) -> bytes:
        with socket.socket() as self._sock:
            getattr(self, method)(*args, **more)
        self._sock = None
        (packet,) = self._written
        self._written.clear()
        return packet

    def _packet_queue(self, command: int, packet: Any, *args: Any, **more: Any) -> Any:
        self._written.append(bytes(packet))
        return 0
