"""Takes the items of a local set apart, and makes a packet of items: key, length, items in order, checksum."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import NamedTuple

from klvrelay.core import checksum16, crc16, crc32
from klvrelay.encode.ber import ber_length, ber_oid, read_length, read_oid
from klvrelay.errors import DecodeError
from klvrelay.standards.spec import CHECKSUM, KEY_TYPES, TIME, UNIVERSAL_KEYS, VERSION

KEY_SIZE = 16
KEY_BEGIN = b"\x06\x0e\x2b\x34"
"""The first bytes of each key (SMPTE ST 336)."""

TAG_MOST = (1 << 35) - 1
"""The highest tag: five octets, the maximum that the core reads."""

ItemCodes = tuple[bytes, ...]
"""The values of all items with one tag, in order."""

_SUMS = {"sum16": (checksum16, 2), "crc16": (crc16, 2), "crc32": (crc32, 4)}


class SetFacts(NamedTuple):
    """What is known of a local set: its name, and the tags of its time stamp, version and checksum (None: it has none).

    kind   of the checksum: "sum16", "crc16", "crc32" or ""
    """

    name: str
    time: int | None
    version: int | None
    checksum: int | None
    kind: str


ST0601 = UNIVERSAL_KEYS["ST0601"]


def facts_of(key: bytes) -> SetFacts | None:
    """The facts of a local set by its key; None for any other key. Octet 8, the registry version, may differ."""
    return _facts().get(key[:7] + key[8:])


@cache
def _facts() -> dict[bytes, SetFacts]:
    found = {}
    for name, key in UNIVERSAL_KEYS.items():
        if KEY_TYPES[name] == "local_set":
            checksum, kind = CHECKSUM.get(name, (None, ""))
            found[key[:7] + key[8:]] = SetFacts(name, TIME.get(name), VERSION.get(name), checksum, kind)
    return found


def packets_of(data: bytes) -> Iterator[bytes]:
    """The packets of a buffer, one after the other. Raises DecodeError if it has anything else."""
    at = 0
    while at < len(data):
        length = read_length(data, at + KEY_SIZE)
        if not data.startswith(KEY_BEGIN, at) or length is None or length[0] > len(data) - length[1]:
            raise DecodeError(f"not a sequence of KLV packets at byte {at}")
        end = length[1] + length[0]
        yield data[at:end]
        at = end


def codes_of(raw: bytes) -> dict[int, ItemCodes] | None:
    """The items of a local set by tag, in order; None if it is malformed."""
    length = read_length(raw, KEY_SIZE)
    if length is None:
        return None
    found: dict[int, list[bytes]] = {}
    at, end = length[1], len(raw)
    while at < end:
        tag = read_oid(raw, at)
        size = None if tag is None else read_length(raw, tag[1])
        if tag is None or size is None or size[0] > end - size[1]:
            return None
        at = size[1] + size[0]
        found.setdefault(tag[0], []).append(raw[size[1] : at])
    return {tag: tuple(code) for tag, code in found.items()}


def packet_of(key: bytes, codes: Mapping[int, ItemCodes]) -> bytes:
    """The packet of these items: the time stamp first, then the others in order, and a new checksum if the set has one.

    An earlier checksum among the items is ignored.
    """
    facts = facts_of(key)
    time, checksum = (facts.time, facts.checksum) if facts else (None, None)
    order = sorted((tag for tag in codes if tag != checksum), key=lambda tag: tag != time)
    body = b"".join(ber_oid(tag) + ber_length(len(code)) + code for tag in order for code in codes[tag])
    if facts is None or checksum is None:
        return key + ber_length(len(body)) + body
    total, width = _SUMS[facts.kind]
    body += ber_oid(checksum) + ber_length(width)
    covered = key + ber_length(len(body) + width) + body
    return covered + total(covered).to_bytes(width, "big")
