"""aiomqtt's client over a connected socket.

What is private to aiomqtt (2.5) and paho (2.2) is used in this file only: aiomqtt's callbacks for paho, its
`_client`, `_client_connect`, `_misc_loop` and futures; paho's `_create_socket_connection`, `_handle_publish`,
`_in_packet`, `_keepalive`, `_loop_rc_handle` and `_send_puback`. aiomqtt's own callbacks are not enough: they drop the
reason codes, and act one turn of the loop late, when another connection may use the same file descriptor.
"""

from __future__ import annotations

import contextlib
import logging
import math
from typing import Any, Protocol, cast

import aiomqtt
from paho.mqtt.client import (
    MQTT_CLEAN_START_FIRST_ONLY,
    MQTT_ERR_PROTOCOL,
    MQTT_ERR_SUCCESS,
    ConnectFlags,
    DisconnectFlags,
)
from paho.mqtt.client import Client as Paho
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from klvrelay.config.mqtt import MqttSettings
from klvrelay.sinks.mqtt.aiomqtt.checked_socket import CheckedSocket
from klvrelay.sinks.mqtt.protocol.connection import Message, Received
from klvrelay.sinks.mqtt.protocol.incoming_publish import Violation, read_publish
from klvrelay.sinks.mqtt.protocol.packet_types import ANSWER_MOST, DOCUMENT_MOST
from klvrelay.sinks.mqtt.protocol.packets import Packed

PING = 0.7
"""Part of the keep-alive after which paho sends a ping, and again of the time for its answer."""
ACKS_MOST = 16 << 10
"""Maximum number of acknowledgements that wait for the broker to read."""

_VERSIONS = {5: aiomqtt.ProtocolVersion.V5, 4: aiomqtt.ProtocolVersion.V311}

LOG = logging.getLogger("klvrelay.sinks")
_SILENT = logging.Logger("aiomqtt")  # faults reach the caller as SinkDown
_SILENT.disabled = True


class Events(Protocol):
    """What the client calls.

    limits  properties of CONNACK, by paho's names
    first   first byte of the PUBLISH; `size`: its bytes after the header. `on_message` may raise Violation
    """

    def on_connack(self, code: int, limits: dict[str, Any]) -> None: ...

    def on_end(self, code: int, *, by_broker: bool) -> None: ...

    def on_answer(self, number: int, code: int) -> None: ...

    def on_message(self, message: Received, first: int, size: int) -> None: ...


class Client(aiomqtt.Client):
    """A client for one connection. Everything runs in the event loop, without a thread."""

    def __init__(
        self,
        settings: MqttSettings,
        protocol: int,
        client_id: str,
        will: Message | None,
        checked: CheckedSocket,
        events: Events,
    ) -> None:
        super().__init__(
            settings.host,
            settings.port,
            username=settings.username,
            password=None if settings.password is None else settings.password.reveal(),
            logger=_SILENT,
            identifier=client_id,
            protocol=_VERSIONS[protocol],
            will=None if will is None else _will(will, protocol),
            clean_session=True if protocol == 4 else None,
            clean_start=True if protocol == 5 else MQTT_CLEAN_START_FIRST_ONLY,
            timeout=math.inf,  # `AiomqttConnection` limits each wait, and waits for the end of the connection too
            keepalive=settings.keepalive,
            properties=_limits(is_publisher=will is not None) if protocol == 5 else None,
        )
        self._client.max_inflight_messages_set(0)  # `Outgoing` keeps the window: paho's examines all messages each time
        self._client._handle_publish = self._on_publish_packet  # type: ignore[method-assign]
        self._events = events
        self._protocol = protocol
        self._keepalive_most = settings.keepalive
        self._checked = checked
        self._fd = -1
        self._reading = self._writes_later = False
        self._acks = 0  # those that may wait for the broker to read

    # ---- for the connection ----

    def begin(self) -> None:
        """Send CONNECT. `Events.on_connack` or `on_end` follows."""
        self._client._create_socket_connection = lambda: self._checked  # type: ignore[method-assign, assignment, return-value]
        self._client_connect()  # it does not block, since the socket is connected

    def send(self, message: Message, properties: Packed | None) -> int | None:
        """Send a message, and return its packet identifier for `Events.on_answer`; None if the connection is lost."""
        info = self._client.publish(
            message.topic, message.payload, message.qos, message.retain, cast("Properties | None", properties)
        )
        return None if info.rc else info.mid

    def pause(self) -> None:
        """Stop reading."""
        if self._fd >= 0:
            self._loop.remove_reader(self._fd)

    def resume(self) -> None:
        """Continue reading."""
        if self._fd >= 0:
            self._loop.add_reader(self._fd, self._read)

    def drop(self) -> None:
        """End all reads, writes and pings. No event follows."""
        if self._fd >= 0:
            self._loop.remove_reader(self._fd)
            self._loop.remove_writer(self._fd)
            self._fd = -1
        if self._misc_task is not None:
            self._misc_task.cancel()

    @property
    def malformed(self) -> bool:
        """Does paho end the connection because of a packet that it has just read?"""
        return self._reading and not self._checked.over

    # ---- the socket, called by paho ----

    def _on_socket_open(self, client: Paho, userdata: Any, sock: Any) -> None:
        self._fd = sock.fileno()
        self.resume()
        self._misc_task = self._loop.create_task(self._misc_loop(), name="aiomqtt pings")

    def _on_socket_close(self, client: Paho, userdata: Any, sock: Any) -> None:
        self.drop()

    def _on_socket_register_write(self, client: Paho, userdata: Any, sock: Any) -> None:
        """Write at the end of this turn of the loop, together with what follows."""
        self._loop.call_soon(self._write)

    def _on_socket_unregister_write(self, client: Paho, userdata: Any, sock: Any) -> None:
        if self._fd >= 0 and self._writes_later:
            self._loop.remove_writer(self._fd)
        self._writes_later = False

    def _write(self) -> None:
        if self._fd < 0:
            return
        with contextlib.suppress(OSError):  # reported by `_on_disconnect`
            self._client.loop_write()
        if not self._client.want_write():
            self._acks = 0
        elif self._fd >= 0 and not self._writes_later:
            self._writes_later = True
            self._loop.add_writer(self._fd, self._write)

    def _read(self) -> None:
        """Read once from the socket, and let paho process all packets."""
        self._checked.allow_read()
        self._reading = True
        try:
            while self._fd >= 0 and self._client.loop_read() == MQTT_ERR_SUCCESS and self._checked.pending():
                pass
        except Exception as fault:  # noqa: BLE001 (paho raises errors of many kinds for a malformed packet)
            LOG.debug("mqtt malformed packet fault=%s", type(fault).__name__)
            self._client._loop_rc_handle(MQTT_ERR_PROTOCOL)
        finally:
            self._reading = False

    # ---- packets, called by paho ----

    def _on_connect(
        self, client: Paho, userdata: Any, flags: ConnectFlags, reason_code: ReasonCode, properties: Any = None
    ) -> None:
        super()._on_connect(client, userdata, flags, reason_code, properties)
        self._connected.exception()  # asyncio would log it as never retrieved
        # A broker may request more frequent pings than our settings, not less frequent ones.
        interval = min(client._keepalive or self._keepalive_most, self._keepalive_most)
        client._keepalive = max(1, int(interval * PING))
        self._events.on_connack(reason_code.value, {} if properties is None else vars(properties))

    def _on_disconnect(
        self, client: Paho, userdata: Any, flags: DisconnectFlags, reason_code: ReasonCode, properties: Any = None
    ) -> None:
        super()._on_disconnect(client, userdata, flags, reason_code, properties)
        if self._disconnected.done() and not self._disconnected.cancelled():
            self._disconnected.exception()
        self._events.on_end(reason_code.value, by_broker=flags.is_disconnect_packet_from_server)

    def _on_publish(self, client: Paho, userdata: Any, mid: int, reason_code: ReasonCode, properties: Any) -> None:
        self._events.on_answer(mid, reason_code.value)

    def _on_publish_packet(self) -> MQTTErrorCode:
        """PUBLISH. paho would parse all properties: a MiB of them takes seconds."""
        packet: Any = self._client._in_packet
        first, body = packet["command"], packet["packet"]
        try:
            message, number = read_publish(first, bytes(body), self._protocol)
            self._events.on_message(message, first, len(body))
        except Violation as fault:
            self._checked.violate(str(fault))
        if not number:
            return MQTT_ERR_SUCCESS
        self._acks += 1
        if self._acks > ACKS_MOST:
            self._checked.violate("messages of QoS 1, and it reads no acknowledgements")
        return self._client._send_puback(int.from_bytes(number, "big"))


def _limits(*, is_publisher: bool) -> Properties:
    """CONNECT properties (MQTT 5, 3.1.2.11): limits for what the broker sends."""
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    properties.MaximumPacketSize = ANSWER_MOST if is_publisher else DOCUMENT_MOST
    properties.ReceiveMaximum = 1
    return properties


def _will(will: Message, protocol: int) -> aiomqtt.Will:
    properties = None
    if protocol == 5 and will.content_type is not None:
        properties = Properties(PacketTypes.WILLMESSAGE)  # type: ignore[no-untyped-call]
        properties.ContentType = will.content_type
    return aiomqtt.Will(will.topic, will.payload, will.qos, will.retain, properties)
