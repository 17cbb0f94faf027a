"""Accounts for each byte of a packet: an item of its record, an unknown item, or a reported fault.

It knows the framing and the names of items, not what values mean.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from core_and_reference import LEFT_OUT
from packet_wrapping import decoded
from reference import names
from reference_keys import keyed, plain
from reference_sets import TARGETS, table
from reference_values import Place
from reference_wire import Unreadable, ber_length, ber_oid, split, walk

from native.spec import facts

Values = dict[str, list[bytes]]
"""The values of each tag or key, in the order of the packet."""

Lifts = dict[str, str]
"""Item key -> where in the head of a record it is."""


class Lost(AssertionError):
    """Bytes that are neither in the record nor reported as missing."""


@dataclass
class Ledger:
    """The bytes of one packet by their use; `framing` counts keys, tags and lengths."""

    record: dict[str, Any]
    framing: int = 0
    items: int = 0
    unknown: int = 0
    faults: int = 0

    @property
    def total(self) -> int:
        return self.framing + self.items + self.unknown + self.faults

    @property
    def warnings(self) -> list[str]:
        return self.record["quality"].get("warnings", [])  # type: ignore[no-any-return]

    @property
    def silent(self) -> bool:
        """Was the record too small to report everything?"""
        return any(re.fullmatch(LEFT_OUT, text) for text in self.warnings)

    def fault(self, count: int, *beginnings: str) -> None:
        """Count bytes left out; a warning that begins so must report them."""
        if count and not self.silent and not any(text.startswith(beginnings) for text in self.warnings):
            raise Lost(f"{count} bytes are missing, and no warning begins with {beginnings}")
        self.faults += count

    def is_special(self, place: Place) -> bool:
        return self.silent or place.keys in self.record["quality"].get("special", ())


def settle(raw: bytes, record: dict[str, Any]) -> Ledger:
    """The ledger of a packet and its record; raises Lost for a byte that is not accounted for."""
    length, used = ber_length(raw[16:])
    value = raw[16 + used : 16 + used + length]
    ledger = Ledger(record, framing=len(raw) - len(value))
    known = names().get(plain(raw[:16]))
    if known is not None and known.type == "local_set":
        settle_set(known.set, value, record["items"], Place(), ledger, lifted(known.set))
    elif known is not None and known.type == "universal_set":
        settle_keys(value, record["items"], ledger, lifted(known.set))
    else:
        settle_values({raw[:16].hex(): [value]}, item_of_key, record["items"], Place(), ledger, {})
    return ledger


def lifted(name: str) -> Lifts:
    """The items of this set that are in the head of a record."""
    if name in facts.UNIVERSAL:
        return {"precision_time_stamp": "time_us"} if name == "ST0104" else {}
    heads = (("time_us", facts.TIME), ("version", facts.VERSION), ("quality", facts.CHECKSUM))
    return {table(name)[tags[name]].key: where for where, tags in heads if name in tags}


def settle_set(
    name: str, data: bytes, shown: dict[str, Any], place: Place, ledger: Ledger, lifts: Lifts, *extra: str
) -> None:
    entries, _ = walk(data)
    values: Values = {}
    for entry in entries:
        values.setdefault(str(entry.tag), []).append(entry.value)
    end = entries[-1].at + len(entries[-1].value) if entries else 0
    ledger.framing += end - sum(len(entry.value) for entry in entries)
    ledger.fault(len(data) - end, "a tag is malformed", f"item {place.child('', '').tags}")
    items = table(name) if name in facts.DECODED else {}
    more = (*extra, "user_value") if name == "RvtUserDefined" else extra
    settle_values(values, lambda tag: items.get(int(tag)), shown, place, ledger, lifts, *more)


def settle_keys(data: bytes, shown: dict[str, Any], ledger: Ledger, lifts: Lifts) -> None:
    values: Values = {}
    last: dict[bytes, str] = {}
    while len(data) > 16:
        try:
            length, used = ber_length(data[16:])
        except Unreadable:
            break
        if length > len(data) - 16 - used:
            break
        key, value = data[:16], data[16 + used : 16 + used + length]
        values[key.hex()] = [*values.pop(last.get(plain(key), ""), []), value]
        last[plain(key)] = key.hex()
        ledger.framing += 16 + used
        data = data[16 + used + length :]
    ledger.fault(len(data), "an item is malformed")
    settle_values(values, item_of_key, shown, Place(), ledger, lifts)


def item_of_key(key: str) -> facts.Item | None:
    """The item of a 16-byte key; never an array."""
    return keyed().get(plain(bytes.fromhex(key)))


def settle_values(
    values: Values,
    item_of: Callable[[str], facts.Item | None],
    shown: dict[str, Any],
    place: Place,
    ledger: Ledger,
    lifts: Lifts,
    *extra: str,
) -> None:
    """Every item of a set is in the record once, and the record has no other items."""
    unknown = shown.get("unknown", {})
    seen = {"unknown", *extra}
    for name, found in values.items():
        item = item_of(name)
        inside = place.child(item.key if item else name, name)
        if item is not None and item.repeats and len(name) < 32:
            seen.add(item.key)
            settle_repeats(item, found, shown[item.key], inside, ledger)
            continue
        ledger.fault(sum(map(len, found[:-1])), f"item {inside.tags}: repeated")
        if name in unknown:
            seen.add(name)
            ledger.unknown += len(found[-1])
            same(unknown[name], found[-1].hex(), inside)
        elif item is not None and item.key in lifts:
            settle_lifted(found[-1], lifts[item.key], inside, ledger)
        elif item is not None and item.key in shown:
            seen.add(item.key)
            settle_value(item, found[-1], shown[item.key], inside, ledger)
        else:
            raise Lost(f"item {inside.tags} of {len(found[-1])} bytes is not in the record")
    if invented := {*shown, *unknown} - seen:
        raise Lost(f"in the record, but not in the packet: {sorted(invented)}")


def same(shown: Any, expected: Any, place: Place) -> None:
    if shown != expected:
        raise Lost(f"item {place.tags}: {expected} in the packet, {shown} in the record")


def settle_lifted(value: bytes, where: str, place: Place, ledger: Ledger) -> None:
    head = ledger.record[where]
    if where == "quality":
        if head["checksum"] == "absent":
            raise Lost("a checksum of which the record says nothing")
    else:
        same(head, int.from_bytes(value, "big") if value else None, place)
    ledger.items += len(value)


def settle_repeats(item: facts.Item, values: list[bytes], shown: list[Any], place: Place, ledger: Ledger) -> None:
    same(len(shown), len(values), place)
    for at, value in enumerate(values):
        if value and shown[at] is None:
            ledger.fault(len(value), f"item {place.index(at).tags}: ")
        else:
            settle_value(item, value, shown[at], place.index(at), ledger)


def settle_value(item: facts.Item, value: bytes, shown: Any, place: Place, ledger: Ledger) -> None:
    """One item: sets are checked inside, any other item must have a value."""
    inner = decoded(item.kind)
    if not value:
        same(shown, None, place)
    elif inner and item.kind.startswith("series:"):
        settle_series(item.kind.removeprefix("series:"), inner, value, shown, place, ledger)
    elif inner:
        settle_set(inner, value, shown, place, ledger, {})
    elif shown is None and not ledger.is_special(place):
        raise Lost(f"item {place.tags}: {len(value)} bytes became null without a reason")
    else:
        ledger.items += len(value)


def settle_series(kind: str, inner: str, value: bytes, shown: list[Any], place: Place, ledger: Ledger) -> None:
    elements, _ = split(value)
    same(len(shown), len(elements), place)
    for at, element in enumerate(elements):
        used = ber_length(value)[1]
        ledger.framing += used
        settle_element(kind, inner, element, shown[at], place.index(at), ledger)
        value = value[used + len(element) :]
    ledger.fault(len(value), f"item {place.index(len(elements)).tags}: series is malformed")


def settle_element(kind: str, inner: str, element: bytes, shown: Any, place: Place, ledger: Ledger) -> None:
    if kind not in TARGETS:
        settle_set(inner, element, shown, place, ledger, {})
    elif shown is None:
        ledger.fault(len(element), f"item {place.tags}: target without id")
    else:
        number, used = ber_oid(element)
        same(shown["target_id"], number, place)
        ledger.items += used
        settle_set(inner, element[used:], shown, place, ledger, {}, "target_id")
