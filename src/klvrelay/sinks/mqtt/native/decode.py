"""Reads the bodies of a broker's answers (MQTT 5, 3.2 to 3.14).

A body that is not exactly as the standard has it raises Malformed. Properties are checked and mostly not used.

    id 1 | value; its form follows from the id                                                  (MQTT 5, 2.2.2)
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from klvrelay.sinks.mqtt.faults import UNSUPPORTED_VERSION
from klvrelay.sinks.mqtt.protocol.connection import REFUSED

RECEIVE_MAXIMUM, ALIAS_MAXIMUM, MAXIMUM_QOS, RETAIN_AVAILABLE = 0x21, 0x22, 0x24, 0x25
MAXIMUM_PACKET_SIZE, SERVER_KEEPALIVE = 0x27, 0x13
_USER, _REASON = 0x26, 0x1F
_NUMBERS = {0x11: 4, 0x13: 2, 0x21: 2, 0x22: 2, 0x24: 1, 0x25: 1, 0x27: 4, 0x28: 1, 0x29: 1, 0x2A: 1}
"""Bytes of the numeric properties that a broker may send, except those of PUBLISH. Those of 1 byte are 0 or 1."""
_BINARY = 0x16
_OF_CONNACK = frozenset((*_NUMBERS, 0x12, 0x15, _BINARY, 0x1A, 0x1C, _REASON, _USER))
_OF_DISCONNECT = frozenset((0x11, 0x1C, _REASON, _USER))
_OF_ANSWER = frozenset((_REASON, _USER))
_OLD_CODES = {0: 0, 1: UNSUPPORTED_VERSION, 2: 0x85, 3: 0x88, 4: 0x86, 5: 0x87}
"""The return codes of a CONNACK of MQTT 3.1.1 as reason codes of MQTT 5."""


class Malformed(Exception):
    """The body of a packet violates the standard."""


@dataclass(frozen=True, slots=True)
class Connack:
    """`code`: a reason code of MQTT 5, also with 3.1.1. `limits`: the numeric properties."""

    code: int
    session_present: bool = False
    limits: dict[int, int] = field(default_factory=dict)


def read_connack(body: bytes, protocol: int) -> Connack:
    """CONNACK: flags 1, code 1, and properties with MQTT 5."""
    if len(body) < 2 or body[0] > 1:
        raise Malformed
    present, code = bool(body[0]), body[1]
    if protocol == 4:
        if len(body) != 2:
            raise Malformed
        return Connack(_OLD_CODES.get(code, REFUSED), present)
    if code == 1:  # a broker of 3.1.1 only
        return Connack(UNSUPPORTED_VERSION)
    if 0 < code < REFUSED:
        raise Malformed
    return Connack(code, present, _properties(body, 2, _OF_CONNACK))


def read_answer(body: bytes, protocol: int) -> tuple[int, int]:
    """PUBACK, PUBREC and PUBCOMP: packet identifier 2; with MQTT 5 perhaps code 1, and perhaps properties."""
    if len(body) < 2 or (protocol == 4 and len(body) > 2):
        raise Malformed
    if len(body) > 3:
        _properties(body, 3, _OF_ANSWER)
    return body[0] << 8 | body[1], body[2] if len(body) > 2 else 0


def read_suback(body: bytes, protocol: int) -> tuple[int, int]:
    """SUBACK for one topic: packet identifier 2, properties with MQTT 5, code 1."""
    number, codes = _subscription_answer(body, protocol)
    if len(codes) != 1:
        raise Malformed
    return number, codes[0]


def read_unsuback(body: bytes, protocol: int) -> int:
    """UNSUBACK for one topic: packet identifier 2; with MQTT 5 properties and code 1."""
    number, codes = _subscription_answer(body, protocol)
    if len(codes) != (1 if protocol == 5 else 0):
        raise Malformed
    return number


def _subscription_answer(body: bytes, protocol: int) -> tuple[int, bytes]:
    if len(body) < 2:
        raise Malformed
    at = 2
    if protocol == 5:
        size, begin = read_length(body, 2)
        at = begin + size
        _properties(body[:at], 2, _OF_ANSWER)
    return body[0] << 8 | body[1], body[at:]


def read_disconnect(body: bytes) -> int:
    """DISCONNECT with MQTT 5: perhaps a code 1, and perhaps properties."""
    if len(body) > 1:
        _properties(body, 1, _OF_DISCONNECT)
    return body[0] if body else 0


def read_length(data: bytes, at: int) -> tuple[int, int]:
    """A number of 1 to 4 bytes, 7 bits each, least significant first, and where it ends (MQTT 5, 1.5.5)."""
    size = 0
    for n, octet in enumerate(data[at : at + 4]):
        size |= (octet & 0x7F) << 7 * n
        if octet < 0x80:
            return size, at + n + 1
    raise Malformed


def _properties(body: bytes, at: int, allowed: Collection[int]) -> dict[int, int]:
    """The numeric properties of a body that ends with its properties. Each but a user property may be there once."""
    size, at = read_length(body, at)
    if at + size != len(body):
        raise Malformed
    numbers: dict[int, int] = {}
    seen: set[int] = set()
    while at < len(body):
        kind, at = body[at], at + 1
        if kind not in allowed or kind in seen:
            raise Malformed
        if kind in _NUMBERS:
            numbers[kind], at = _number(body, at, _NUMBERS[kind])
        elif kind == _USER:
            at = _text(body, _text(body, at))
            continue
        else:
            at = _binary(body, at) if kind == _BINARY else _text(body, at)
        seen.add(kind)
    return numbers


def _number(body: bytes, at: int, size: int) -> tuple[int, int]:
    value = int.from_bytes(body[at : at + size], "big")
    if at + size > len(body) or (size == 1 and value > 1):
        raise Malformed
    return value, at + size


def _text(body: bytes, at: int) -> int:
    """Where a text ends. It is valid UTF-8 without U+0000 (MQTT 5, 1.5.4)."""
    end = _binary(body, at)
    try:
        if "\0" in body[at + 2 : end].decode():
            raise Malformed
    except UnicodeDecodeError:
        raise Malformed from None
    return end


def _binary(body: bytes, at: int) -> int:
    end = at + 2 + int.from_bytes(body[at : at + 2], "big")
    if at + 2 > len(body) or end > len(body):
        raise Malformed
    return end
