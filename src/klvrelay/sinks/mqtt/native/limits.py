"""What applies to a connection, from our settings and the broker's limits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from klvrelay.config.mqtt import MqttSettings
from klvrelay.sinks.mqtt.native import decode
from klvrelay.sinks.mqtt.native.decode import Connack
from klvrelay.sinks.mqtt.protocol.incoming_publish import Violation
from klvrelay.sinks.mqtt.protocol.packets import LARGEST_PACKET

WINDOW_MOST = 65_000
"""Maximum unanswered messages: of 65,535 packet identifiers some are for other packets."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of a connection (MQTT 5, 3.2.2.3).

    qos, retain  what the broker supports
    window       maximum unanswered messages
    largest      maximum bytes of a packet
    aliases      maximum number of topic aliases
    keepalive    seconds
    """

    qos: int
    retain: bool
    window: int
    largest: int
    aliases: int
    keepalive: int

    @classmethod
    def of(cls, connack: Connack, settings: MqttSettings, protocol: int) -> Self:
        """Raises Violation."""
        limits = connack.limits
        if 0 in (limits.get(decode.RECEIVE_MAXIMUM), limits.get(decode.MAXIMUM_PACKET_SIZE)):
            raise Violation("a CONNACK with a limit of 0")
        # A broker may request more frequent pings than our settings, not less frequent ones.
        keepalive = limits.get(decode.SERVER_KEEPALIVE) or settings.keepalive
        return cls(
            qos=limits.get(decode.MAXIMUM_QOS, 2),
            retain=bool(limits.get(decode.RETAIN_AVAILABLE, 1)),
            window=min(settings.window_of(protocol), limits.get(decode.RECEIVE_MAXIMUM, WINDOW_MOST), WINDOW_MOST),
            largest=min(limits.get(decode.MAXIMUM_PACKET_SIZE, LARGEST_PACKET), LARGEST_PACKET),
            aliases=limits.get(decode.ALIAS_MAXIMUM, 0),
            keepalive=min(keepalive, settings.keepalive),
        )
