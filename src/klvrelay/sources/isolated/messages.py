"""The messages from an isolated source's process to the relay: packets, units, link status, position and end.

    kind     1 byte, then the number of octets that follow: 4 bytes, little endian
    "P"      received_us, pts, pid, program (8 bytes each, -1 for none), flags (1 klv, 2 damaged), listing, the data
    "U"      for each entry: its size, pts, pid, received_us, pcr, program, checksum, transport, listing, the name of
             its set; its bytes
    "S"      JSON: live, fixed, dropped, link
    "M"      how far a playlist was read, for the next process; opaque to the relay
    "E"      why it ended: a letter of `ENDS`, seconds to wait before a retry (4 bytes), and a text
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from klvrelay.core import PACKET_HEAD
from klvrelay.errors import ConfigError, KlvrelayError, NotMedia, SourceDown
from klvrelay.link_stats import LinkStats

MOST = 16 << 20
"""Maximum octets per message; larger data is split."""
LIVE_MOST = 256 << 10
"""The same for a live source, or one KLV packet if larger: a flood must leave other streams their turn."""
SMALL = 64 << 10
"""Maximum octets of messages without data, such as a status or an end; also the size of one read."""
UNITS_MOST = 64 << 10
"""Maximum octets of a message with units, each of which is an object."""
TEXT_MOST = 1000
"""Maximum characters of a fault's text."""

WAIT_MOST = 600
"""Maximum seconds that a fault may ask to wait before a retry."""

HEAD = struct.Struct("<cI")
WAIT = struct.Struct("<I")
PACKET = struct.Struct("<qqqqBB")
ENTRY = struct.Struct("<IqqqqqBBBB")
KLV, DAMAGED = 1, 2

ENDS: dict[bytes, type[KlvrelayError]] = {b"D": SourceDown, b"N": NotMedia, b"C": ConfigError}
CLEAN = b"."


class MalformedMessage(Exception):
    """The received data is not a message, or one that no genuine source sends."""


class Status(NamedTuple):
    """The status of a source, with the meaning of the properties of `Source`."""

    live: bool
    fixed: bool
    dropped: int
    link: LinkStats


class End(NamedTuple):
    """Why the source ended; None: it reached its end."""

    fault: KlvrelayError | None


def most_of(limit: int, *, live: bool) -> int:
    """Maximum octets of a packet message if KLV packets may have `limit` bytes."""
    return max(LIVE_MOST, limit + PACKET_HEAD + PACKET.size) if live else MOST
