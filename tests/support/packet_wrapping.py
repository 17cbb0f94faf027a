"""Put values into items, items into sets and sets into packets, as input for a decoder."""

from __future__ import annotations

from functools import cache

from reference import SUMS
from reference_sets import SEGMENTS, TARGETS

from native.spec import facts

Items = list[tuple[int, bytes]]


@cache
def universal_key(name: str) -> bytes | None:
    return {key.set: key.key for key in facts.universal_keys()}.get(name)


def ber(length: int) -> bytes:
    if length < 0x80:
        return bytes([length])
    octets = (length.bit_length() + 7) // 8
    return bytes([0x80 | octets]) + length.to_bytes(octets, "big")


def oid(value: int) -> bytes:
    groups = [value & 0x7F]
    while value := value >> 7:
        groups.insert(0, value & 0x7F | 0x80)
    return bytes(groups)


def item(tag: int, value: bytes) -> bytes:
    return oid(tag) + ber(len(value)) + value


def local_set(items: Items) -> bytes:
    return b"".join(item(tag, value) for tag, value in items)


def series(elements: list[bytes]) -> bytes:
    return b"".join(ber(len(element)) + element for element in elements)


def keyed_set(items: list[tuple[bytes, bytes]]) -> bytes:
    """The value of a universal set."""
    return b"".join(key + ber(len(value)) + value for key, value in items)


def packet(name: str, value: bytes, *, checksum: bool = False) -> bytes:
    """A packet of one set; with `checksum`, the set gets its kind of checksum as the last item, if it has one."""
    key = universal_key(name)
    assert key is not None
    if not checksum or name not in SUMS:
        return key + ber(len(value)) + value
    size, total = SUMS[name]
    value += oid(facts.CHECKSUM[name]) + bytes([size])
    head = key + ber(len(value) + size) + value
    return head + total(head).to_bytes(size, "big")


@cache
def host(name: str) -> facts.Item:
    """The first item of a decoded set that holds this one."""
    kinds = (f"local_set:{name}", f"series:local_set:{name}", f"series:{name}Pack")
    found = [item for owner in facts.DECODED for item in facts.items(owner) if item.kind in kinds]
    return found[0]


def wrapped(name: str, value: bytes) -> tuple[bytes, list[str | int]]:
    """A packet that holds a set of this name with this value, and its path in the record's items."""
    if universal_key(name):
        return packet(name, value, checksum=name == "ST0601"), []
    outer = host(name)
    way: list[str | int] = [outer.key]
    if outer.kind.startswith("series:"):
        value = series([oid(1) + value if outer.kind.endswith("Pack") else value])
        way.append(0)
    elif outer.repeats:
        way.append(0)
    raw, before = wrapped(outer.set, item(outer.tag, value))
    return raw, [*before, *way]


def decoded(kind: str) -> str | None:
    """The decoded set of a kind such as `series:local_set:VChip`, if any."""
    name = kind.rpartition(":")[2]
    name = SEGMENTS.get(name, name)
    name = TARGETS.get(name, name)
    return name if name in facts.DECODED else None
