"""Binding to the C core. No other package imports the compiled module.

    packet     one packet: set, checksum, times and JSON
    lane       extracts packets from a stream and checks the transport
    columns    items of many packets as numpy arrays
    carriage   detects MPEG-TS or bare KLV
    document   writes JSON documents as CBOR and MessagePack
    memory     memory for what C writes, one per thread
    receiver   receives datagrams of a socket; receiver_set: of many sockets in one call
    selection  selects the items that the JSON of a record contains
    thinning   thins packets to what an output publishes
    compact    writes thinned packets as records of a compact message
    shaping    thins and writes a record as an output publishes it, in one call
    marking    security markings of packets
    counters   counters of a lane and of its transport checks
    checks     checksums, lengths and IMAPB values
"""

from __future__ import annotations

from klvrelay.core.checks import (
    ber_length,
    ber_oid,
    checksum16,
    crc16,
    crc32,
    imapb,
)
from klvrelay.core.columns import (
    columns,
    is_numeric,
)
from klvrelay.core.counters import (
    MEASURES,
    Counters,
)
from klvrelay.core.lane import (
    ALONE,
    LOWER,
    LOWER_HERE,
    Entry,
    Lane,
    Names,
    PacketInfo,
    entries_of,
    entry_octets,
    entry_rows,
    listing_of,
)
from klvrelay.core.packet import (
    CHECKSUMS,
    EVERYTHING,
    LIMIT,
    LIMIT_LEAST,
    LIMIT_MOST,
    PACKET_HEAD,
    SET_NAMES,
    STAMPED_CODECS,
    TRANSPORTS,
    Checksum,
    Transport,
    checked_limit,
    clock_us,
    head,
    items_json,
    micros,
    new_selection,
    record_json,
    select,
    stamp,
    tags,
    time_unit,
    time_us,
    unknown_items,
    whole,
)

__all__ = [
    "ALONE",
    "CHECKSUMS",
    "EVERYTHING",
    "LIMIT",
    "LIMIT_LEAST",
    "LIMIT_MOST",
    "LOWER",
    "LOWER_HERE",
    "MEASURES",
    "PACKET_HEAD",
    "SET_NAMES",
    "STAMPED_CODECS",
    "TRANSPORTS",
    "Checksum",
    "Counters",
    "Entry",
    "Lane",
    "Names",
    "PacketInfo",
    "Transport",
    "ber_length",
    "ber_oid",
    "checked_limit",
    "checksum16",
    "clock_us",
    "columns",
    "crc16",
    "crc32",
    "entries_of",
    "entry_octets",
    "entry_rows",
    "head",
    "imapb",
    "is_numeric",
    "items_json",
    "listing_of",
    "micros",
    "new_selection",
    "record_json",
    "select",
    "stamp",
    "tags",
    "time_unit",
    "time_us",
    "unknown_items",
    "whole",
]
