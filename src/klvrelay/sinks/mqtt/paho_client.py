"""Sets up paho: its client, the last will, properties of CONNECT and DISCONNECT, messages of a resumed session."""

from __future__ import annotations

from typing import cast

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from klvrelay.config.mqtt import MqttSettings
from klvrelay.sinks.mqtt.connection import Message
from klvrelay.sinks.mqtt.incoming import ANSWER_MOST, DOCUMENT_MOST
from klvrelay.sinks.mqtt.packets import Packed
from klvrelay.sinks.mqtt.session import EXPIRY

_VERSIONS = {5: MQTTProtocolVersion.MQTTv5, 4: MQTTProtocolVersion.MQTTv311}


def new_client(
    settings: MqttSettings, protocol: int, client_id: str, will: Message | None, *, keeps_session: bool
) -> Client:
    """A client for one connection, without a logger: faults reach the caller as SinkDown."""
    client = Client(
        callback_api_version=CallbackAPIVersion.VERSION2,
        client_id=client_id,
        protocol=_VERSIONS[protocol],
        clean_session=not keeps_session if protocol == 4 else None,
        reconnect_on_failure=False,
    )
    client.max_inflight_messages_set(0)  # we keep the window: paho's examines every message at each answer
    if settings.username is not None:
        client.username_pw_set(settings.username, settings.password.reveal() if settings.password is not None else None)
    if will is not None:
        client.will_set(will.topic, will.payload, will.qos, will.retain, _will_properties(will, protocol))
    return client


def connect_properties(*, publishes: bool, keeps_session: bool) -> Properties:
    """CONNECT properties (MQTT 5, 3.1.2.11): limits for what the broker sends, and the expiry of the session."""
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    properties.MaximumPacketSize = ANSWER_MOST if publishes else DOCUMENT_MOST
    properties.ReceiveMaximum = 1
    if keeps_session:
        properties.SessionExpiryInterval = EXPIRY
    return properties


def end_of_session(protocol: int) -> Properties | None:
    """DISCONNECT properties that end the session (MQTT 5, 3.14.2.2.2)."""
    if protocol == 4:
        return None
    properties = Properties(PacketTypes.DISCONNECT)  # type: ignore[no-untyped-call]
    properties.SessionExpiryInterval = 0
    return properties


def _will_properties(will: Message, protocol: int) -> Properties | None:
    if protocol == 4 or will.content_type is None:
        return None
    properties = Properties(PacketTypes.WILLMESSAGE)  # type: ignore[no-untyped-call]
    properties.ContentType = will.content_type
    return properties


def resume_message(client: Client, number: int, message: Message, taken: bool) -> None:
    """Continue the QoS 2 exchange of an earlier connection, with the same packet identifier (MQTT 5, 4.4)."""
    topic = message.topic.encode()
    waiting = MQTTMessage(number, topic)
    waiting.qos, waiting.payload = message.qos, message.payload
    client._out_messages[number] = waiting
    client._inflight_messages += 1
    if taken:
        client._send_pubrel(number)
        return
    more = cast(Properties, Packed(message)) if client._protocol == MQTTProtocolVersion.MQTTv5 else None
    client._send_publish(number, topic, message.payload, message.qos, message.retain, True, properties=more)
