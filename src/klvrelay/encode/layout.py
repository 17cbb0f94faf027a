"""Orders the items of a set by the rules of the standard, or as in an earlier packet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from klvrelay.encode.ber import Template, ber_length, ber_oid, read_length, read_oid, spare
from klvrelay.encode.place import ItemPath
from klvrelay.standards.spec import Item

Name = int | bytes
"""Identifies an item: its tag, or its 16-byte key without octet 8, the registry version."""


class EarlierItem(NamedTuple):
    """An item of an earlier set: its name, the encoded name, the octets of an overlong length (else 0), its value."""

    name: Name
    head: bytes
    length_octets: int
    value: bytes


class LayoutEntry(NamedTuple):
    """An item to write; `item` is None if unknown."""

    name: Name
    head: bytes
    item: Item | None
    value: object
    place: ItemPath


def tagged_entry(tag: int, item: Item | None, value: object, place: ItemPath) -> LayoutEntry:
    """An entry of a local set."""
    return LayoutEntry(tag, ber_oid(tag), item, value, place)


def key_name(key: bytes) -> bytes:
    """A 16-byte key in the form used for comparison: without octet 8."""
    return key[:7] + key[8:]


def items_by_tag(data: bytes) -> Iterator[EarlierItem]:
    """The items of an earlier local set, up to the first malformed one."""
    at = 0
    while (tag := read_oid(data, at)) is not None:
        seen, at = _read_item(tag[0], data, at, tag[1])
        if seen is None:
            return
        yield seen


def items_by_key(data: bytes) -> Iterator[EarlierItem]:
    """The items of an earlier universal set, up to the first malformed one."""
    at = 0
    while at + 16 < len(data):
        seen, at = _read_item(key_name(data[at : at + 16]), data, at, at + 16)
        if seen is None:
            return
        yield seen


def _read_item(name: Name, data: bytes, at: int, after: int) -> tuple[EarlierItem | None, int]:
    length = read_length(data, after)
    if length is None or length[0] > len(data) - length[1]:
        return None, len(data)
    end = length[1] + length[0]
    octets = spare(data[after : length[1]], ber_length(length[0]))
    return EarlierItem(name, data[at:after], octets, data[length[1] : end]), end


def arrange(
    entries: Sequence[LayoutEntry], seen: Sequence[EarlierItem], last: Name | None = None
) -> list[tuple[LayoutEntry, EarlierItem | None]]:
    """Entries in the order of an earlier set, each with its counterpart there; new ones follow in the given order.

    An entry named `last` stays last if it was last. If a non-repeatable item occurred twice, the later one is used.
    """
    waiting: dict[Name, list[LayoutEntry]] = {}
    for entry in entries:
        waiting.setdefault(entry.name, []).append(entry)
    to_come: dict[Name, int] = {}
    for one in seen:
        to_come[one.name] = to_come.get(one.name, 0) + 1
    found: list[tuple[LayoutEntry, EarlierItem | None]] = []
    for one in seen:
        to_come[one.name] -= 1
        queue = waiting.get(one.name, [])
        if len(queue) > to_come[one.name]:
            found.append((queue.pop(0), one))
    left = {id(entry) for queue in waiting.values() for entry in queue}
    new: list[tuple[LayoutEntry, EarlierItem | None]] = [(entry, None) for entry in entries if id(entry) in left]
    if found and found[-1][0].name == last:
        return [*found[:-1], *new, found[-1]]
    return found + new


def place_matrices(pairs: list[tuple[LayoutEntry, EarlierItem | None]]) -> list[tuple[LayoutEntry, EarlierItem | None]]:
    """Move each SDCC-FLP directly after the items it names, in their order (ST 0601 receiver rule 8).

    The order of a received packet is kept.
    """
    if all(seen and entry.place.received for entry, seen in pairs if _names(entry)):
        return pairs
    for matrix in [pair for pair in pairs if _names(pair[0])]:
        names = _names(matrix[0])
        at = _index(pairs, matrix)
        if _precede(pairs[:at], names):
            continue
        block = _block(pairs, names, matrix)
        where = _index(pairs, block[0]) if block else at
        before = [pair for pair in pairs[:where] if not any(pair is one for one in (*block, matrix))]
        after = [pair for pair in pairs[where:] if not any(pair is one for one in (*block, matrix))]
        pairs = [*before, *block, matrix, *after]
    for matrix in [pair for pair in pairs if _names(pair[0])]:
        names, place = _names(matrix[0]), matrix[0].place
        if not place.received and not _precede(pairs[: _index(pairs, matrix)], names):
            raise place.child("items").invalid(names, "these items can't all precede it directly")
    return pairs


def _index(pairs: list[tuple[LayoutEntry, EarlierItem | None]], wanted: tuple[LayoutEntry, EarlierItem | None]) -> int:
    return next(at for at, pair in enumerate(pairs) if pair is wanted)


def _names(entry: LayoutEntry) -> list[object]:
    """The keys of the items that a matrix covers; empty for other entries."""
    if entry.item is None or entry.item.pack != "SDCC-FLP" or not isinstance(entry.value, Mapping):
        return []
    names = entry.value.get("items")
    return list(names) if isinstance(names, list | tuple) else []


def _precede(before: list[tuple[LayoutEntry, EarlierItem | None]], names: list[object]) -> bool:
    return [_key(entry) for entry, _ in before[-len(names) :]] == names


def _key(entry: LayoutEntry) -> str:
    return entry.item.key if entry.item else str(entry.name)


def _block(
    pairs: list[tuple[LayoutEntry, EarlierItem | None]],
    names: list[object],
    matrix: tuple[LayoutEntry, EarlierItem | None],
) -> list[tuple[LayoutEntry, EarlierItem | None]]:
    """The items that a matrix names, as far as they are present."""
    block: list[tuple[LayoutEntry, EarlierItem | None]] = []
    for name in names:
        free = (pair for pair in pairs if pair is not matrix and not any(pair is one for one in block))
        named = next((pair for pair in free if _key(pair[0]) == name), None)
        block += [named] if named else []
    return block


def write_entries(
    pairs: Sequence[tuple[LayoutEntry, EarlierItem | None]], values: Sequence[bytes]
) -> tuple[list[bytes], list[int]]:
    """Encode name, length and value of each item in the form of its counterpart. Also returns the value offsets."""
    parts, starts, at = [], [], 0
    for (entry, seen), value in zip(pairs, values, strict=True):
        head = (seen.head if seen else entry.head) + ber_length(len(value), seen.length_octets if seen else 0)
        parts.append(head + value)
        starts.append(at + len(head))
        at += len(parts[-1])
    return parts, starts


def template_of(seen: EarlierItem | None) -> Template:
    """The earlier value as a source of widths and forms."""
    return Template(seen.value if seen else b"")
