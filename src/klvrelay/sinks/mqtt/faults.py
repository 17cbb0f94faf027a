"""Error messages about the broker: one line with the cause and a remedy. They never contain a password."""

from __future__ import annotations

from klvrelay.config.mqtt import MqttSettings
from klvrelay.errors import SinkDown, SinkError, SinkRefused

UNSUPPORTED_VERSION = 0x84
KEEPALIVE_MISSED = 0x8D
TAKEN_OVER = 0x8E
TOO_LARGE = 0x95
NOTHING_RETAINED = 0x9A
NO_SUCH_QOS = 0x9B
OF_A_MESSAGE = frozenset((0x81, 0x82, 0x87, 0x90, 0x95, 0x99, NOTHING_RETAINED, NO_SUCH_QOS))
"""Reasons of a DISCONNECT that are about a message which was sent (MQTT 5, 3.14.2.1)."""


class NoMqtt(SinkDown):
    """The peer accepts connections, but does not answer any CONNECT, or closes the connection."""


def no_mqtt(settings: MqttSettings, silent: bool) -> NoMqtt:
    """The peer accepted the connection and answered neither MQTT 5 nor 3.1.1."""
    where = settings.url
    if silent:
        return NoMqtt(f"{where}: accepted the connection but sent no MQTT answer: is it an MQTT broker?")
    hint = "does it require a client certificate (cert_file)?" if settings.tls else "or a TLS port (mqtts://)?"
    full = "does it allow another client (max_connections)?"
    return NoMqtt(f"{where}: closed the connection without an MQTT answer: is it an MQTT broker, {full} {hint}")


def connect_fault(settings: MqttSettings, code: int, client_id: str) -> SinkError:
    """Why the broker refused a CONNECT, by its reason code (MQTT 5, 3.2.2.2)."""
    where = settings.url
    if reason := _PERMANENT.get(code):
        return SinkRefused(f"{where}: {reason.format(client_id=client_id)}")
    reason = _TEMPORARY.get(code, f"code {code}: see its log")
    return SinkDown(f"{where}: the broker accepts no connection now: {reason}")


_PERMANENT = {
    0x81: "the broker finds the connect packet malformed: does it speak MQTT 5? try protocol=4",
    0x82: "the broker finds a protocol error in the connect packet: does it speak MQTT 5? try protocol=4",
    0x84: "the broker speaks neither MQTT 5 nor 3.1.1",
    0x85: "the broker refuses the client id {client_id!r}: set another client_id",
    0x86: "the broker refuses the user name or password: check both",
    0x87: "the broker refuses this client: check user name, password and its access list",
    0x8A: "the broker has banned this client: ask its operator",
    0x8C: "the broker requires an authentication method that klvrelay does not support",
    0x90: "the broker refuses the topic of the last will: set another prefix",
    0x95: "the broker finds the connect packet too large: shorten the prefix or client_id",
    0x99: "the broker does not accept the payload format of the last will: see its log",
    0x9A: "the broker does not support retained messages, which state and availability need",
    0x9B: "the broker does not support this QoS: set qos=0; records may then be lost",
    0x9C: "the broker has moved: ask its operator for the new address",
    0x9D: "the broker has moved: ask its operator for the new address",
}
_TEMPORARY = {
    0x80: "it gives no reason (code 128): see its log",
    0x83: "implementation specific error: see its log",
    0x88: "it is unavailable",
    0x89: "it is busy",
    0x97: "quota exceeded: too many clients, or this client has used up its quota",
    0x9F: "this client connects too often",
}


def refusal(code: int) -> tuple[str, str]:
    """Why the broker refused a PUBLISH, by its reason code (MQTT 5, 3.4.2.1), and what to do."""
    return _REFUSALS.get(code, (f"code {code}", "see the broker's log"))


_REFUSALS = {
    0x80: ("code 128, no reason", "see the broker's log"),
    0x83: ("implementation specific error", "see the broker's log"),
    0x87: ("no right to publish", "allow this user to write the topic in the broker's access list (ACL)"),
    0x90: ("topic name not accepted", "set another prefix or stream name"),
    0x91: ("packet identifier in use", "see the broker's log"),
    0x97: ("quota exceeded", "raise the broker's limits for this client, or send less"),
    0x99: ("payload format not accepted", "check which format the broker expects on this topic"),
    0x100: ("each connection ends when a message is sent there", "see the broker's log: a size limit, or its ACL"),
}


def lost(settings: MqttSettings, code: int, by_broker: bool, client_id: str) -> SinkError:
    """Why an established connection was lost."""
    where = settings.url
    if code == TAKEN_OVER:
        advice = "give each client a different client_id"
        return SinkDown(f"{where}: another client took over the client id {client_id!r}: {advice}")
    if code == KEEPALIVE_MISSED and not by_broker:
        return SinkDown(f"{where}: the broker no longer answers")
    if by_broker and (reason := _ENDS.get(code)):
        return SinkDown(f"{where}: the broker closed the connection: {reason}")
    return SinkDown(f"{where}: the broker closed the connection" + (f" (code {code})" if by_broker else ""))


_ENDS = {
    0x80: "it gives no reason (code 128): see its log",
    0x81: "it found a packet malformed: does it support MQTT 5? try protocol=4",
    0x82: "it found a protocol error: does it support MQTT 5? try protocol=4",
    0x83: "implementation specific error: see its log",
    0x87: "no right to do that: check the broker's access list",
    0x89: "it is busy",
    0x8B: "it shut down",
    0x8C: "it requires an authentication method that klvrelay does not support",
    0x8D: "it received nothing within the keep-alive",
    0x8F: "it does not accept a topic filter",
    0x90: "it does not accept a topic name: set another prefix or stream name",
    0x93: "more messages in flight than it allows: set a smaller window",
    0x94: "it does not accept a topic alias: see its log",
    0x95: "a message was larger than it allows",
    0x96: "messages arrived too fast",
    0x97: "quota exceeded",
    0x98: "an administrator ended it",
    0x99: "it does not accept the payload format of a message",
    NOTHING_RETAINED: "it does not support retained messages",
    NO_SUCH_QOS: "it does not support the QoS of a message: set a lower qos",
    0x9C: "it has moved: ask its operator for the new address",
    0x9D: "it has moved: ask its operator for the new address",
    0x9E: "it does not support shared subscriptions",
    0x9F: "this client connects too often",
    0xA0: "the maximum time of a connection is over",
    0xA1: "it does not support subscription identifiers",
    0xA2: "it does not support wildcards in subscriptions",
}


def protocol_error(settings: MqttSettings, what: str) -> SinkError:
    """The broker violated MQTT, and the connection was closed."""
    return SinkDown(f"{settings.url}: protocol error: the broker sent {what}: is it an MQTT broker?")
