"""How numbers, lengths and tags stand on the wire (SMPTE ST 336).

Room: encode. Next door: `values.py` and `packs.py` write values with these; `sets.py` and `packet.py` frame them.

A `Trace` walks an earlier value in step with what is being written, so that the new one gets the same widths and
forms. Form is all that is ever taken from it: a value comes from its record.
"""

from __future__ import annotations


def ber_length(count: int, octets: int = 0) -> bytes:
    """A BER length in its shortest form, or in a long form of `octets` where it fits that."""
    if count < 0x80 and not octets:
        return bytes([count])
    octets = max(octets, (count.bit_length() + 7) // 8)
    return bytes([0x80 | octets]) + count.to_bytes(octets, "big")


def ber_oid(number: int, octets: int = 0) -> bytes:
    """A BER-OID number in its shortest form, or filled up with zeros to `octets`: 7 bits an octet."""
    groups = [number & 0x7F]
    while number := number >> 7:
        groups.append(number & 0x7F | 0x80)
    groups += [0x80] * (octets - len(groups))
    return bytes(reversed(groups))


def read_length(data: bytes, at: int = 0) -> tuple[int, int] | None:
    """A BER length and where it ends; None where there is none."""
    first = data[at] if at < len(data) else 0x80
    if first < 0x80:
        return first, at + 1
    end = at + 1 + (first & 0x7F)
    if first == 0x80 or first > 0x88 or end > len(data):
        return None
    return int.from_bytes(data[at + 1 : end], "big"), end


def read_oid(data: bytes, at: int = 0) -> tuple[int, int] | None:
    """A BER-OID number and where it ends; None where there is none."""
    number = 0
    for end in range(at, min(at + 9, len(data))):
        number = number << 7 | data[end] & 0x7F
        if data[end] < 0x80:
            return number, end + 1
    return None


def spare(form: bytes, shortest: bytes) -> int:
    """The octets of a number that is written longer than it need be, without the lead octet of a length; else 0."""
    if len(form) <= len(shortest):
        return 0
    return form[0] & 0x7F or len(form)


class Trace:
    """An earlier value, for its form; empty where there is none, and from where it can't be followed."""

    __slots__ = ("data",)

    def __init__(self, data: bytes = b"") -> None:
        self.data = data

    def __len__(self) -> int:
        return len(self.data)

    def take(self, count: int) -> Trace:
        """The next bytes; none if there are not that many."""
        if count > len(self.data):
            count, self.data = 0, b""
        taken, self.data = self.data[:count], self.data[count:]
        return Trace(taken)

    def oid(self) -> int:
        """The octets of the BER-OID number here, where more than needed."""
        found = read_oid(self.data)
        if found is None:
            self.data = b""
            return 0
        form, self.data = self.data[: found[1]], self.data[found[1] :]
        return spare(form, ber_oid(found[0]))

    def number(self) -> tuple[int, int]:
        """The octets of the BER length here, where more than needed, and what it says."""
        found = read_length(self.data)
        if found is None:
            self.data = b""
            return 0, 0
        form, self.data = self.data[: found[1]], self.data[found[1] :]
        return spare(form, ber_length(found[0])), found[0]

    def length(self) -> tuple[int, Trace]:
        """The octets of the BER length here, where more than needed, and what stands behind it."""
        octets, count = self.number()
        return octets, self.take(count)
