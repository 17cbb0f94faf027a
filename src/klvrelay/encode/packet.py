"""Encodes complete packets: key, length, items in order, checksum (SMPTE ST 336, ST 0601)."""

from __future__ import annotations

from typing import NamedTuple

from klvrelay.core import checksum16, crc16, crc32
from klvrelay.encode.ber import ber_length, read_length, spare
from klvrelay.encode.document import Document
from klvrelay.encode.keyed import TIME as KEYED_TIME
from klvrelay.encode.keyed import keyed_entries
from klvrelay.encode.layout import (
    EarlierItem,
    LayoutEntry,
    arrange,
    items_by_key,
    items_by_tag,
    key_name,
    place_matrices,
    tagged_entry,
    template_of,
)
from klvrelay.encode.place import ItemPath
from klvrelay.encode.sets import entries_of, write_entry, write_pairs
from klvrelay.encode.vmti import reveals_maps
from klvrelay.errors import EncodeError
from klvrelay.standards.spec import CHECKSUM, KEY_TYPES, SETS, TIME, UNIVERSAL_KEYS, VERSION

_SUMS = {"sum16": (checksum16, 2), "crc16": (crc16, 2), "crc32": (crc32, 4)}

KEY = b"\x06\x0e\x2b\x34"
"""The first bytes of each key (SMPTE ST 336)."""


class EarlierPacket(NamedTuple):
    """A packet that provides the layout: its key, the octets of an overlong length (else 0), its value."""

    key: bytes
    length_octets: int
    value: bytes


def parse_earlier(data: bytes) -> EarlierPacket:
    """Parse a packet that provides the layout. Raises EncodeError if it is no packet."""
    length = read_length(data, 16)
    if not data.startswith(KEY) or length is None:
        raise EncodeError("like", data, "expected a KLV packet or its record")
    octets = spare(data[16 : length[1]], ber_length(length[0]))
    return EarlierPacket(data[:16], octets, data[length[1] : length[1] + length[0]])


def write_packet(document: Document, like: EarlierPacket | None, checksum: bool | None) -> bytes:
    """Encode the packet of a document, in the layout of an earlier packet of the same set, if given."""
    received = document.received
    place = ItemPath(document.set, special=document.special, received=received, time=document.time_us)
    place = place._replace(nearest=received or like is not None, has_layout=like is not None)
    kind = KEY_TYPES.get(document.set, "item")
    if document.set not in UNIVERSAL_KEYS and document.set != "unknown":
        raise place.invalid(document.set, "it has no universal key and occurs only inside other sets")
    if kind not in ("local_set", "universal_set"):
        return _single(document, like, place)
    if like is not None and key_name(like.key) != key_name(UNIVERSAL_KEYS[document.set]):
        raise EncodeError("like", like.key, f"expected a packet of {document.set}")
    if kind == "universal_set":
        seen = list(items_by_key(like.value)) if like else []
        return _frame(document.set, like, place_matrices(arrange(_keyed_entries(document, seen, place), seen)), None)
    return _local_set(document, like, checksum, place)


def _local_set(document: Document, like: EarlierPacket | None, checksum: bool | None, place: ItemPath) -> bytes:
    """Encode a local set. A VMTI set keeps the mappings of the earlier packet if decoders can detect them."""
    earlier_value = like.value if like else b""
    seen = list(items_by_tag(earlier_value))
    checksum_tag = _checksum(document, seen if like else None, checksum)
    for maps in (earlier_value, b""):
        entries = _add_checksum(_tagged_entries(document, seen, maps, place), document.set, checksum_tag, place)
        pairs = place_matrices(arrange(entries, seen, checksum_tag))
        if document.set != "ST0903" or reveals_maps(entries, b"".join(write_pairs(pairs)[0])):
            break
    return _frame(document.set, like, pairs, checksum_tag)


def _tagged_entries(
    document: Document, seen: list[EarlierItem], earlier_value: bytes, place: ItemPath
) -> list[LayoutEntry]:
    """The items of a local set: time stamp first, then the version of a document; empty where the earlier ones were."""
    name = document.set
    entries = entries_of(name, document.items, earlier_value, place)
    empty = {one.name for one in seen if not one.value} if document.received else set()
    for tag, value in ((VERSION.get(name), document.version), (TIME.get(name), document.time_us)):
        here = value is not None or tag in empty
        if tag is not None and here and not any(entry.name == tag for entry in entries):
            item = SETS[name][tag]
            entries.insert(0, tagged_entry(tag, item, value, place.child(item.key)))
    return sorted(entries, key=lambda entry: entry.name != TIME.get(name, -1))


def _keyed_entries(document: Document, seen: list[EarlierItem], place: ItemPath) -> list[LayoutEntry]:
    """The items of a universal set, time stamp first; empty where the earlier one was."""
    entries = keyed_entries(document.items, place)
    (time,) = keyed_entries({KEYED_TIME: document.time_us}, place)
    if not any(entry.name == time.name for entry in entries):
        empty = document.received and any(one.name == time.name and not one.value for one in seen)
        entries += [time] if document.time_us is not None or empty else []
    return sorted(entries, key=lambda entry: entry.name != time.name)


def _single(document: Document, like: EarlierPacket | None, place: ItemPath) -> bytes:
    """Encode a packet that is one item with its 16-byte key."""
    entries = keyed_entries(document.items, place)
    if len(entries) != 1:
        raise place.invalid(document.items, "expected one item")
    entry = entries[0]
    known = UNIVERSAL_KEYS.get(document.set)
    if known is not None and entry.name != key_name(known):
        raise entry.place.invalid(document.items, f"expected the item of {document.set}")
    seen = None
    if like is not None and key_name(like.key) == entry.name:
        seen = EarlierItem(entry.name, like.key, like.length_octets, like.value)
    return write_pairs([(entry, seen)])[0][0]


def _checksum(document: Document, seen: list[EarlierItem] | None, wanted: bool | None) -> int | None:
    """The tag of the checksum item, or None. Default: as in the earlier packet or the document."""
    if document.set not in CHECKSUM:
        return None
    tag = CHECKSUM[document.set][0]
    if wanted is None:
        wanted = any(one.name == tag for one in seen) if seen is not None else document.checksum
    return tag if wanted else None


def _add_checksum(entries: list[LayoutEntry], name: str, tag: int | None, place: ItemPath) -> list[LayoutEntry]:
    """Append the checksum item with a placeholder value."""
    if tag is None:
        return entries
    for entry in entries:
        if entry.name == tag and not place.received:
            raise entry.place.invalid(entry.value, "the encoder computes the checksum; checksum=False omits it")
    item = SETS[name][tag]
    width = _SUMS[CHECKSUM[name][1]][1]
    kept = [entry for entry in entries if entry.name != tag]
    return [*kept, tagged_entry(tag, item, bytes(width), place.child(item.key))]


def _frame(
    name: str,
    like: EarlierPacket | None,
    pairs: list[tuple[LayoutEntry, EarlierItem | None]],
    checksum_tag: int | None,
) -> bytes:
    """Key, length and items; the checksum covers everything before its value."""
    parts, starts = write_pairs(pairs)
    body = b"".join(parts)
    head = (like.key if like else UNIVERSAL_KEYS[name]) + ber_length(len(body), like.length_octets if like else 0)
    packet = head + body
    if checksum_tag is None:
        return packet
    total, width = _SUMS[CHECKSUM[name][1]]
    start = len(head) + starts[next(at for at, (entry, _) in enumerate(pairs) if entry.name == checksum_tag)]
    return packet[:start] + total(packet[:start]).to_bytes(width, "big") + packet[start + width :]


def item_bytes(name: str, key: str | int, value: object, like: bytes) -> bytes:
    """The encoded value of one item of a set."""
    entries = entries_of(name, [(key, value)], b"", ItemPath(name, nearest=bool(like)))
    (entry,) = entries
    return write_entry(entry, template_of(EarlierItem(entry.name, b"", 0, like)))
