"""Reference decoder, framing: lengths, tags, checksums (SMPTE ST 336, MISB ST 0601)."""

from __future__ import annotations

from dataclasses import dataclass

TAG_OCTETS = 5
OID_OCTETS = 9


class Unreadable(Exception):
    """The bytes cannot be read as their kind says, or exceed what is read."""

    reason = "malformed"


class TooDeep(Unreadable):
    reason = "nested too deep"


@dataclass(frozen=True)
class Entry:
    """One item, and where its value begins in the set."""

    tag: int
    value: bytes
    at: int


def ber_length(data: bytes) -> tuple[int, int]:
    """A BER length and the number of its octets: short form, or long form of 1 to 8 octets."""
    if not data:
        raise Unreadable
    if data[0] < 0x80:
        return data[0], 1
    octets = data[0] & 0x7F
    if not 1 <= octets <= 8 or len(data) < 1 + octets:
        raise Unreadable
    return int.from_bytes(data[1 : 1 + octets], "big"), 1 + octets


def ber_oid(data: bytes) -> tuple[int, int]:
    """A BER-OID number of at most 9 octets, and the number of its octets."""
    value = 0
    for used, octet in enumerate(data[:OID_OCTETS], 1):
        value = value << 7 | octet & 0x7F
        if octet < 0x80:
            return value, used
    raise Unreadable


@dataclass
class Cursor:
    """Takes bytes from the front."""

    data: bytes

    def take(self, count: int) -> bytes:
        if count > len(self.data):
            raise Unreadable
        taken, self.data = self.data[:count], self.data[count:]
        return taken

    def ber(self) -> int:
        value, used = ber_length(self.data)
        self.take(used)
        return value

    def oid(self) -> int:
        value, used = ber_oid(self.data)
        self.take(used)
        return value

    def end(self) -> None:
        if self.data:
            raise Unreadable


def walk(data: bytes) -> tuple[list[Entry], int | str | None]:
    """The items of a local set, and where it is truncated: the tag, or "" where that cannot be read."""
    entries: list[Entry] = []
    at = 0
    while at < len(data):
        name: int | str = ""
        try:
            tag, used = ber_oid(data[at : at + TAG_OCTETS])
            name = tag
            length, more = ber_length(data[at + used :])
        except Unreadable:
            return entries, name
        at += used + more
        if length > len(data) - at:
            return entries, name
        entries.append(Entry(tag, data[at : at + length], at))
        at += length
    return entries, None


def split(data: bytes) -> tuple[list[bytes], bool]:
    """A series of elements, each with a BER length; and whether it is truncated."""
    elements: list[bytes] = []
    while data:
        try:
            length, used = ber_length(data)
        except Unreadable:
            return elements, True
        if length > len(data) - used:
            return elements, True
        elements.append(data[used : used + length])
        data = data[used + length :]
    return elements, False


def checksum16(data: bytes) -> int:
    """The running sum of ST 0601: a byte at an even offset counts 256-fold."""
    return ((sum(data[::2]) << 8) + sum(data[1::2])) % 65536


def crc(data: bytes, width: int, polynomial: int, start: int) -> int:
    """Most significant bit first, no reflection, no final xor."""
    value = start
    for octet in data:
        value ^= octet << (width - 8)
        for _ in range(8):
            value = value << 1 ^ (polynomial if value >> (width - 1) else 0)
            value &= (1 << width) - 1
    return value


def crc16(data: bytes) -> int:
    return crc(data, 16, 0x1021, 0x1D0F)


def crc32(data: bytes) -> int:
    return crc(data, 32, 0x04C11DB7, 0xFFFFFFFF)
