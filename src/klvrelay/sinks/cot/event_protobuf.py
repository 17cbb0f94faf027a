r"""Events as TAK protocol 1: protocol buffers, version 3.

TakMessage   1 takControl, 2 cotEvent
TakControl   1 minProtoVersion, 2 maxProtoVersion
CotEvent     1 type, 2 access, 5 uid, 6 sendTime, 7 startTime, 8 staleTime (ms since 1970), 9 how,
             10 lat, 11 lon, 12 hae, 13 ce, 14 le (doubles), 15 detail
Detail       1 xmlDetail: the elements that have no field, 2 contact, 7 track
Contact      2 callsign
Track        1 speed, 2 course

datagram     bf 01 bf, message              stream       bf, length as a varint, message
"""

from __future__ import annotations

import struct

from klvrelay.sinks.cot.cot_event import CotEvent, Detail
from klvrelay.sinks.cot.event_xml import details_xml

_MAGIC = b"\xbf"
_CONTROL = b"\x0a\x04\x08\x01\x10\x01"
"""takControl: version 1 is the oldest and the newest. Each device in a group must say so once a minute."""


def event_datagram(event: CotEvent) -> bytes:
    """A message to a group or a client."""
    return _MAGIC + b"\x01" + _MAGIC + _CONTROL + _message(event)


def event_frame(event: CotEvent) -> bytes:
    """A message to a server that has agreed to protocol 1."""
    message = _message(event)
    return _MAGIC + varint(len(message)) + message


def _message(event: CotEvent) -> bytes:
    times = event.time_us // 1000, event.time_us // 1000, event.stale_us // 1000
    return _nested(
        2,
        _text(1, event.type) + _text(2, event.access) + _text(5, event.uid)
        + b"".join(_whole(6 + number, time) for number, time in enumerate(times)) + _text(9, event.how)
        + b"".join(_double(10 + number, value) for number, value in enumerate(event.point))
        + _nested(15, _detail(event.details)),
    )  # fmt: skip


def _detail(details: tuple[Detail, ...]) -> bytes:
    typed = {one.name: one.attributes for one in details if one.name in ("contact", "track")}
    found = _text(1, details_xml(tuple(one for one in details if one.name not in typed)))
    if (contact := typed.get("contact")) is not None:
        found += _nested(2, _text(2, contact["callsign"]))
    if (track := typed.get("track")) is not None:
        found += _nested(7, _double(1, float(track["speed"])) + _double(2, float(track["course"])))
    return found


def varint(value: int) -> bytes:
    """7 bits per byte, least significant first; the top bit is set in all but the last byte."""
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    found.append(value)
    return bytes(found)


def _nested(field: int, data: bytes) -> bytes:
    return varint(field << 3 | 2) + varint(len(data)) + data


def _text(field: int, text: str) -> bytes:
    return _nested(field, text.encode(errors="replace")) if text else b""


def _whole(field: int, value: int) -> bytes:
    return varint(field << 3) + varint(value) if value > 0 else b""


def _double(field: int, value: float) -> bytes:
    return varint(field << 3 | 1) + struct.pack("<d", value) if value else b""
