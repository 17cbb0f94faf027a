"""Writes KLV: item values, local sets and whole packets, as `klvrelay.spec` describes them (SMPTE ST 336).

Room: the sample recording. Next door: `metadata.py` says what is worth writing, `mux.py` carries it; tests
make the bytes they need with `packet`.

An item is named by its key ("sensor_latitude") or, also for tags that no table has, by its tag. Its value is
what the record's JSON shows: a number in the item's unit, text, an enumeration's label or code, a mapping for
a nested set, a list for a series. `None` is an item of length zero, and bytes are taken as they are.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from uuid import UUID

from klvrelay.errors import ConfigError
from klvrelay.spec import CODES, SETS, UNIVERSAL_KEYS, Item

Key = str | int
Items = Mapping[Key, object] | Mapping[str, object] | Iterable[tuple[Key, object]]

_CHECKSUM = "checksum"
_TIME = "precision_time_stamp"
_IMAPB_BYTES = 4  # where the table leaves the length open


def packet(set_name: str, items: Items, *, checksum: bool = True) -> bytes:
    """One KLV packet: universal key, BER length, items; the time stamp first, the checksum item last.

    The other items keep the order given, and pairs instead of a mapping may repeat one. `checksum=False`
    leaves item 1 out of a set that has one (ST 0601 and ST 0903, clause "running 16-bit sum").
    """
    table = _table(set_name)
    first = (_TIME, table[_TIME].tag) if _TIME in table else ()
    body = encode_set(set_name, sorted(_pairs(items), key=lambda pair: pair[0] not in first))
    universal = UNIVERSAL_KEYS.get(set_name)
    if universal is None:
        raise ConfigError(f"{set_name} has no universal key: it is only found inside other sets")
    if not checksum or _CHECKSUM not in table:
        return universal + ber_length(len(body)) + body
    last = table[_CHECKSUM]
    head = bytes([last.tag, last.len_max])
    summed = universal + ber_length(len(body) + len(head) + last.len_max) + body + head
    return summed + sum16(summed).to_bytes(last.len_max, "big")


def encode_set(set_name: str, items: Items) -> bytes:
    """The value of a local set: tag, length, value of each item, in the order given."""
    parts: list[bytes] = []
    for key, value in _pairs(items):
        encoded = encode_item(set_name, key, value)
        parts += (ber_oid(_tag(set_name, key)), ber_length(len(encoded)), encoded)
    return b"".join(parts)


def encode_item(set_name: str, key: Key, value: object) -> bytes:
    """The value bytes of one item; ConfigError where the item can't hold the value."""
    if value is None:
        return b""
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    item = _item(set_name, key)
    try:
        encoded = _writer(item)(set_name, item, value)
    except (TypeError, ValueError, OverflowError, AttributeError) as fault:
        raise ConfigError(f"{set_name} {item.key}: can't be written from {value!r} ({fault})") from fault
    if item.len_max and not item.len_min <= len(encoded) <= item.len_max:
        allowed = f"{item.len_min} to {item.len_max}" if item.len_min < item.len_max else f"{item.len_max}"
        raise ConfigError(f"{set_name} {item.key}: {value!r} takes {len(encoded)} bytes, {allowed} allowed")
    return encoded


def ber_length(count: int) -> bytes:
    """A BER length in its shortest form."""
    if count < 0x80:
        return bytes([count])
    body = count.to_bytes((count.bit_length() + 7) // 8, "big")
    return bytes([0x80 | len(body)]) + body


def ber_oid(number: int) -> bytes:
    """A BER-OID number: 7 bits a byte, most significant first, the top bit set on all but the last."""
    groups = [number & 0x7F]
    while number := number >> 7:
        groups.append(number & 0x7F | 0x80)
    return bytes(reversed(groups))


def sum16(data: bytes) -> int:
    """The running 16-bit sum: bytes at even offsets count 256-fold, modulo 65536."""
    return (sum(data[0::2]) * 256 + sum(data[1::2])) & 0xFFFF


def imapb(value: float, low: float, high: float, length: int) -> bytes:
    """A number by IMAPB (ST 1201): `length` bytes over `low`..`high`; infinities and NaN as their codes."""
    special = _special(value)
    if special is not None:
        return bytes([special]) + bytes(length - 1)
    if not low <= value <= high:
        raise ConfigError(f"IMAPB: {value!r} is outside {low}..{high}")
    scale = 2.0 ** (8 * length - 1 - math.ceil(math.log2(high - low)))
    offset = scale * low % 1.0 if low < 0 < high else 0.0
    return int(scale * (value - low) + offset).to_bytes(length, "big")


def _special(value: float) -> int | None:
    if math.isnan(value):
        return 0xD0
    if math.isinf(value):
        return 0xC8 if value > 0 else 0xE8
    return None


# ---- finding an item --------------------------------------------------------------------------------------


def _pairs(items: Items) -> list[tuple[Key, object]]:
    return list(items.items() if isinstance(items, Mapping) else items)


@cache
def _table(set_name: str) -> dict[str, Item]:
    if set_name not in SETS:
        raise ConfigError(f"no such set: {set_name} (there are {', '.join(sorted(SETS))})")
    return {item.key: item for item in SETS[set_name].values()}


def _item(set_name: str, key: Key) -> Item:
    item = SETS[set_name].get(key) if isinstance(key, int) else _table(set_name).get(key)
    if item is None:
        raise ConfigError(f"{set_name} has no item {key!r} (a tag that no table has takes bytes)")
    return item


def _tag(set_name: str, key: Key) -> int:
    return key if isinstance(key, int) else _item(set_name, key).tag


# ---- writing a value --------------------------------------------------------------------------------------

_Writer = Callable[[str, Item, object], bytes]


def _writer(item: Item) -> _Writer:
    for name in (item.mapping, item.kind, item.kind.partition(":")[0]):
        if name in _WRITERS:
            return _WRITERS[name]
    raise ValueError(f"items of kind {item.kind} take bytes only")


def _linear(set_name: str, item: Item, value: object) -> bytes:
    number, (low, high) = _inside(item, value), _bounds(item)
    bits = 8 * item.len_max
    if item.mapping == "linear_uint":
        raw = round((number - low) / (high - low) * ((1 << bits) - 1))
    else:
        raw = round(number / high * ((1 << bits - 1) - 1))
    return raw.to_bytes(item.len_max, "big", signed=item.mapping == "linear_int")


def _imapb(set_name: str, item: Item, value: object) -> bytes:
    number = _float(value)
    low, high = _bounds(item)
    if _special(number) is None:
        _inside(item, number)
    return imapb(number, low, high, max(item.len_min, min(_IMAPB_BYTES, item.len_max)))


def _bounds(item: Item) -> tuple[float, float]:
    if item.min is None or item.max is None:
        raise ValueError("no range is known")
    return item.min, item.max


def _inside(item: Item, value: object) -> float:
    number, (low, high) = _float(value), _bounds(item)
    if not low <= number <= high:
        raise ValueError(f"outside {low:g}..{high:g} {item.units}".rstrip())
    return number


def _float(value: object) -> float:
    if isinstance(value, int | float):
        return float(value)
    raise TypeError("not a number")


def _integer(set_name: str, item: Item, value: object) -> bytes:
    if not isinstance(value, int):
        raise TypeError("not an integer")
    signed = item.kind == "int"
    least = ((value if value >= 0 else ~value).bit_length() + signed + 7) // 8
    return value.to_bytes(max(item.len_min, least, 1), "big", signed=signed)


def _enum(set_name: str, item: Item, value: object) -> bytes:
    if isinstance(value, str):
        codes = CODES[set_name, item.tag, item.key]
        found = [code for code, label in codes.items() if label == value]
        if not found:
            raise ValueError(f"one of {', '.join(codes.values())}")
        value = found[0]
    return _integer(set_name, item, value)


def _flags(set_name: str, item: Item, value: object) -> bytes:
    if isinstance(value, list | tuple):
        value = sum(1 << int(bit) for bit in value)
    return _integer(set_name, item, value)


def _text(set_name: str, item: Item, value: object) -> bytes:
    if not isinstance(value, str):
        raise TypeError("not text")
    codec = {"utf16be": "utf-16-be", "ascii": "ascii"}.get(item.mapping, "utf-8")
    return value.encode(codec) or b"\0"


def _hex(set_name: str, item: Item, value: object) -> bytes:
    return value.bytes if isinstance(value, UUID) else bytes.fromhex(str(value).replace("-", ""))


def _nested(set_name: str, item: Item, value: object) -> bytes:
    return encode_set(item.kind.partition(":")[2], value)  # type: ignore[arg-type]


def _series(set_name: str, item: Item, value: object) -> bytes:
    if not isinstance(value, list | tuple):
        raise TypeError("not a list")
    elements = [_element(item.kind.partition(":")[2], one) for one in value]
    return b"".join(ber_length(len(one)) + one for one in elements)


def _element(kind: str, value: object) -> bytes:
    if isinstance(value, bytes):
        return value
    if kind == "VTargetPack" and isinstance(value, Mapping):
        items = {key: one for key, one in value.items() if key != "target_id"}
        return ber_oid(value["target_id"]) + encode_set("VTarget", items)
    if kind.startswith("local_set:"):
        return encode_set(kind.partition(":")[2], value)  # type: ignore[arg-type]
    if kind == "uint" and isinstance(value, int):
        return value.to_bytes(max(1, (value.bit_length() + 7) // 8), "big")
    raise ValueError(f"elements of kind {kind} take bytes only")


_WRITERS: dict[str, _Writer] = {
    "linear_uint": _linear,
    "linear_int": _linear,
    "imapb": _imapb,
    "utf8": _text,
    "ascii": _text,
    "utf16be": _text,
    "uint": _integer,
    "int": _integer,
    "timestamp": _integer,
    "enum": _enum,
    "bitfield": _flags,
    "bytes": _hex,
    "uuid": _hex,
    "local_set": _nested,
    "series": _series,
}
