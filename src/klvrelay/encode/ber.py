"""Encodes BER lengths and BER-OID numbers (SMPTE ST 336).

A `Template` is read in parallel with the value being written, so that the new value gets the same widths and forms. It
provides the form only, never a value.
"""

from __future__ import annotations


def ber_length(count: int, octets: int = 0) -> bytes:
    """A BER length in its shortest form, or in a long form of `octets` if it fits."""
    if count < 0x80 and not octets:
        return bytes([count])
    octets = max(octets, (count.bit_length() + 7) // 8)
    return bytes([0x80 | octets]) + count.to_bytes(octets, "big")


def ber_oid(number: int, octets: int = 0) -> bytes:
    """A BER-OID number in its shortest form, or padded with zeros to `octets` of 7 bits each."""
    groups = [number & 0x7F]
    while number := number >> 7:
        groups.append(number & 0x7F | 0x80)
    groups += [0x80] * (octets - len(groups))
    return bytes(reversed(groups))


def read_length(data: bytes, at: int = 0) -> tuple[int, int] | None:
    """A BER length and the offset after it; None if there is none."""
    first = data[at] if at < len(data) else 0x80
    if first < 0x80:
        return first, at + 1
    end = at + 1 + (first & 0x7F)
    if first == 0x80 or first > 0x88 or end > len(data):
        return None
    return int.from_bytes(data[at + 1 : end], "big"), end


def read_oid(data: bytes, at: int = 0) -> tuple[int, int] | None:
    """A BER-OID number and the offset after it; None if there is none."""
    number = 0
    for end in range(at, min(at + 9, len(data))):
        number = number << 7 | data[end] & 0x7F
        if data[end] < 0x80:
            return number, end + 1
    return None


def spare(form: bytes, shortest: bytes) -> int:
    """The octets of an overlong number, without the lead octet of a length; 0 for the shortest form."""
    if len(form) <= len(shortest):
        return 0
    return form[0] & 0x7F or len(form)


class Template:
    """An earlier value that provides the form; empty if there is none, or after malformed data."""

    __slots__ = ("data",)

    def __init__(self, data: bytes = b"") -> None:
        self.data = data

    def __len__(self) -> int:
        return len(self.data)

    def take(self, count: int) -> Template:
        """The next `count` bytes; empty if there are fewer."""
        if count > len(self.data):
            count, self.data = 0, b""
        taken, self.data = self.data[:count], self.data[count:]
        return Template(taken)

    def oid(self) -> int:
        """Skip a BER-OID number; return its octets if it is overlong, else 0."""
        found = read_oid(self.data)
        if found is None:
            self.data = b""
            return 0
        form, self.data = self.data[: found[1]], self.data[found[1] :]
        return spare(form, ber_oid(found[0]))

    def number(self) -> tuple[int, int]:
        """Skip a BER length; return its octets if it is overlong (else 0), and its value."""
        found = read_length(self.data)
        if found is None:
            self.data = b""
            return 0, 0
        form, self.data = self.data[: found[1]], self.data[found[1] :]
        return spare(form, ber_length(found[0])), found[0]

    def length(self) -> tuple[int, Template]:
        """Skip a BER length and its content; return the octets of an overlong length (else 0), and the content."""
        octets, count = self.number()
        return octets, self.take(count)
