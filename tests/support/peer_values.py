"""The values of an ST 0601 item as klvdata, tstrans and stanag4609 return them, as a flat list."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from fractions import Fraction
from typing import Any
from uuid import UUID

from klvdata.streamparser import StreamParser
from number_steps import Stepped
from tstrans import klv as tstrans

from klvrelay.encode import encode
from klvrelay.standards.spec import Item

HEAD = {"precision_time_stamp": 1_700_000_000_000_000, "uas_datalink_ls_version_number": 19}


def leaves(value: Any) -> list[Any]:
    """Every number, text and hex in a value of any type, without names."""
    if value is None or isinstance(value, bool):
        return []
    if isinstance(value, enum.Enum):
        return leaves(value.value)
    if isinstance(value, Stepped | str):
        return [value]
    if isinstance(value, int | float | Fraction):
        return [float(value)]
    if isinstance(value, bytes | bytearray):
        return [bytes(value).hex()]
    if isinstance(value, datetime):
        return [float(round(value.timestamp() * 1e6))]
    if isinstance(value, date):
        return [value.isoformat(), value.strftime("%Y%m%d")]
    return [str(value)] if isinstance(value, UUID) else [leaf for part in parts(value) for leaf in leaves(part)]


def parts(value: Any) -> Iterator[Any]:
    """The parts of a structure; of klvrelay's mappings, only what the others return under separate names."""
    if isinstance(value, Mapping):
        yield from (part for key, part in value.items() if key not in ("usage", "items", "status", "info"))
    elif isinstance(value, list | tuple | set | frozenset):
        yield from value
        if isinstance(value, tuple) and all(isinstance(one, int) and 0 <= one < 256 for one in value):
            yield bytes(value)  # some return bytes so; klvrelay's lists are lists
    elif dataclasses.is_dataclass(value):
        yield from (getattr(value, field.name) for field in dataclasses.fields(value))
    elif type(value).__module__.startswith(("tstrans", "builtins")):
        yield from (shown for shown in properties(value).values() if not callable(shown))
        if hasattr(value, "__int__"):
            yield int(value)
    else:
        yield from vars(value).values() if hasattr(value, "__dict__") else ()


def properties(value: Any) -> dict[str, Any]:
    return {name: getattr(value, name, None) for name in dir(value) if not name.startswith("_")}


def alike(wanted: Any, got: Any) -> bool:
    if isinstance(wanted, float) and isinstance(got, float):
        return abs(wanted - got) <= (wanted.step * 1.01 if isinstance(wanted, Stepped) else abs(wanted) * 1e-6)
    return bool(wanted == got or (isinstance(got, str) and wanted == got.encode().hex()))


def klvdata_leaves(raw: bytes, item: Item) -> list[Any]:
    """klvdata returns an item as an object with a value, or as bytes."""
    parsed = next(iter(StreamParser(raw)))
    found = parsed.items.get(bytes([item.tag]) if item.tag < 128 else b"\x81" + bytes([item.tag - 128]))
    if found is None:
        return []
    if hasattr(found, "items"):
        return [leaf for one in found.items.values() for leaf in leaves(getattr(one.value, "value", one.value))]
    return leaves(getattr(found.value, "value", found.value))


def tstrans_leaves(raw: bytes, item: Item) -> list[Any]:
    """tstrans returns an item as an attribute; nested sets are decoded by separate calls."""
    found = tstrans.decode_uas_datalink(raw, strict=True, compliance=True)
    assert found.field_errors == ()
    before = properties(tstrans.decode_uas_datalink(encode(HEAD)))
    new = {name: value for name, value in properties(found).items() if repr(value) != repr(before[name])}
    within: dict[str, Callable[[Any], Any]] = {
        "vmti": lambda body: tstrans.decode_vmti(body, strict=True),
        "rvt": tstrans.decode_rvt,
        "security_local_set": lambda body: tstrans.decode_security(body, strict=True),
        "sdcc_flps": lambda packs: [tstrans.decode_sdcc_flp(pack.bytes) for pack in packs],
    }
    return [leaf for name, value in new.items() for leaf in leaves(within.get(name, lambda same: same)(value))]


def stanag4609_leaves(raw: bytes, item: Item) -> list[Any]:
    """stanag4609 returns an item as typed fields, complete or not at all."""
    from stanag4609.st0601 import decode_uas_local_set  # half a second, and every worker imports this module

    found = decode_uas_local_set(raw)
    return [leaf for field in found.getall(item.tag) for leaf in leaves(field.value)]


PEERS: dict[str, Callable[[bytes, Item], list[Any]]] = {
    "klvdata": klvdata_leaves,
    "tstrans": tstrans_leaves,
    "stanag4609": stanag4609_leaves,
}
