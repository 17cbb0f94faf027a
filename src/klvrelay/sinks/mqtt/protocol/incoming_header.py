"""Checks the header of a packet of the broker, before memory is allocated for the rest.

    bits 7 to 4   packet type
    bits 3 to 0   flags
    1 to 4 bytes  remaining length, 7 bits each, least significant first                        (MQTT 5, 2.1)
"""

from __future__ import annotations

from collections.abc import Callable

from klvrelay.sinks.mqtt.protocol.incoming_publish import Violation
from klvrelay.sinks.mqtt.protocol.packet_types import (
    ANSWER_MOST,
    CONNACK,
    DISCONNECT,
    DOCUMENT_MOST,
    NAMES,
    PUBACK,
    PUBCOMP,
    PUBLISH,
    PUBREC,
    PUBREL,
    RETAINED,
)

ACKS = (PUBACK, PUBREC, PUBCOMP)
"""The answers to messages; their message is known only once their body is read."""


class HeaderCheck:
    """What the broker of one connection may send.

    protocol      5, or 4 for MQTT 3.1.1
    is_requested  may a packet of this type arrive? For PUBLISH, SUBACK, UNSUBACK and PINGRESP

    greeted       a CONNACK has begun
    is_connected  other packets may follow
    """

    def __init__(self, protocol: int, is_requested: Callable[[int], bool]) -> None:
        self._protocol = protocol
        self._is_requested = is_requested
        self.greeted = self.is_connected = False

    def check_first(self, first: int) -> None:
        """Raise Violation unless a packet may begin with this byte now."""
        kind, flags = first >> 4, first & 15
        name = NAMES.get(kind)
        if name is None or (kind != PUBLISH and flags != (2 if kind == PUBREL else 0)):
            raise Violation(f"a packet with an invalid type or flags (0x{first:02x})")
        self.greeted = self.greeted or kind == CONNACK
        if not self.is_connected and kind != CONNACK:
            raise Violation(f"{name} before its CONNACK")
        if not self._may_arrive(kind) and first != RETAINED:
            raise Violation(f"{name} that was not requested")
        if kind == PUBLISH and flags & 4:  # QoS 1 is allowed: amqtt sends retained messages with it
            raise Violation(f"a PUBLISH of QoS {flags >> 1 & 3}, though QoS 0 was requested")

    def _may_arrive(self, kind: int) -> bool:
        if kind == CONNACK:
            return not self.is_connected
        return kind in ACKS or (kind == DISCONNECT and self._protocol == 5) or self._is_requested(kind)

    def check_size(self, kind: int, size: int) -> None:
        """Raise Violation if a packet of this type must not have so many bytes after its header."""
        most = DOCUMENT_MOST if kind == PUBLISH else ANSWER_MOST
        if size > most:
            raise Violation(f"{NAMES[kind]} of {size} bytes; the limit is {most}")
