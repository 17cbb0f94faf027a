"""The two ST 0601 packets of the comparisons, and buffers of them with increasing time stamps."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from klvrelay import core
from klvrelay.decoder import decode
from klvrelay.encode import encode
from klvrelay.standards.spec import SETS, Item

_VECTORS = Path(__file__).parent.parent / "tests" / "vectors" / "vectors.jsonl"
_WELL_KNOWN = 1336  # id of the vector
_TEXTS = {
    "mission_id": "Survey, north bank",
    "platform_designation": "Kestrel 7 mk II",
    "image_source_sensor": "EO Turret",
}
_ITEMS = range(2, 66)
_STEP = 33_333  # us from one packet to the next


@dataclass(frozen=True, slots=True)
class Subject:
    """A packet and its name in tables; `numeric`: keys of the items that can be columns."""

    name: str
    raw: bytes
    numeric: tuple[str, ...]

    def several(self, count: int) -> list[bytes]:
        """`count` packets, 1/30 s apart."""
        return [with_time(self.raw, 1_780_306_200_000_000 + number * _STEP) for number in range(count)]


@cache
def subjects() -> tuple[Subject, ...]:
    """The packet of 228 bytes that many projects use in tests, and one of 314 bytes with 61 items."""
    return _subject(well_known()), _subject(full())


def _subject(raw: bytes) -> Subject:
    items = decode(raw)[0].items
    numeric = tuple(item.key for tag, item in SETS["ST0601"].items() if item.key in items and core.is_numeric(tag))
    return Subject(f"{len(raw)} bytes, {len(items) + 3} items", raw, numeric)


def well_known() -> bytes:
    """The widely used packet. Its checksum is wrong, and two libraries would reject it, so it is corrected here."""
    for line in _VECTORS.read_text(encoding="utf-8").splitlines():
        vector = json.loads(line)
        if vector["id"] == _WELL_KNOWN:
            return with_checksum(bytes.fromhex(vector["hex"]))
    raise LookupError(f"vector {_WELL_KNOWN} not found in {_VECTORS}")


def full() -> bytes:
    """All items up to 65 that are scalars of one length, and three texts."""
    chance = random.Random(601)
    items = (SETS["ST0601"][tag] for tag in _ITEMS)
    values = {item.key: _value(item, chance) for item in items if 0 < item.len_min == item.len_max}
    return encode({**values, **_TEXTS})


def _value(item: Item, chance: random.Random) -> object:
    if item.mapping.startswith("linear") and item.min is not None and item.max is not None:
        return chance.uniform(item.min, item.max)
    if item.kind in ("enum", "bitfield"):
        return 1
    number = chance.randrange(20, 120)
    return max(number, int(item.min or 0))


def with_time(raw: bytes, time_us: int) -> bytes:
    """The packet with another time stamp (item 2, which is its first item) and a matching checksum."""
    at = raw.index(b"\x02\x08", 16) + 2
    return with_checksum(raw[:at] + time_us.to_bytes(8, "big") + raw[at + 8 :])


def with_checksum(raw: bytes) -> bytes:
    """The packet with a correct checksum."""
    return raw[:-2] + core.checksum16(raw[:-2]).to_bytes(2, "big")
