"""Random values of single items, valid, invalid and at the limits; `random_arrays.py` makes arrays and packs.

A `Random` decides everything, so that hypothesis can drive it as well as a seed.
"""

from __future__ import annotations

import json
import struct
from functools import cache
from pathlib import Path
from random import Random

from packet_wrapping import oid

from native.spec import facts

FOLDER = Path(__file__).parents[1] / "vectors"
TEXT = 'abc"\\/\x00\x01\x1f\x7fé€😀 \ufffd'
EDGES = (0x00, 0x01, 0x7F, 0x80, 0xFF, 0xC0, 0xC8, 0xD0, 0xD8, 0xE0, 0xE1, 0xE8, 0xF0, 0xF8)
MOMENTS = (
    "20050331075051",
    "20050331T075051",
    "20050331T075051.123456Z",
    "20240229T235959.9Z",
    "20230229000000",
    "19691231235959.999999",
    "00010101000000",
    "00000101000000",
    "99991231235959Z",
    "20050331075060",
    "20050331240000",
    "20050331075051.1234567",
    "20050331075051.",
    "20050331t075051",
    "2005033107505",
    " 20050331075051",
    "20050331075051\x00",
)
FLOATS = {2: "e", 4: "f", 8: "d"}
NUMBERS = (0.0, -0.0, 1.0, -1.5, 0.1, 38.123456789, 65504.0, 1e-7, 1e9, 3.4e38, -2.5e-40, 1.8e308 / 1.0001, 5e-324)


def damaged(rng: Random, data: bytes) -> bytes:
    """One bit flipped, the end truncated, or bytes added."""
    how = rng.randrange(3)
    if how == 0 or not data:
        return data + rng.randbytes(rng.randint(1, 4))
    if how == 1:
        return data[: rng.randrange(len(data))]
    at, bit = rng.randrange(len(data)), rng.randrange(8)
    return data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1 :]


def code(rng: Random, size: int) -> bytes:
    """Any bytes, or codes at limits: zero, all ones, the sign, special values."""
    if rng.randrange(2) or size == 0:
        return rng.randbytes(size)
    fill = rng.choice(b"\x00\xff")
    data = bytes([rng.choice(EDGES)]) + bytes([fill]) * size
    return (data[: size - 1] + bytes([rng.choice(b"\x00\x01\xfe\xff")]))[-size:]


def text(rng: Random) -> str:
    return "".join(rng.choice(TEXT) for _ in range(rng.randrange(12)))


def real(rng: Random, size: int) -> bytes:
    """A float of 2, 4 or 8 bytes: ordinary, at the limits of its format, or NaN."""
    if rng.randrange(2):
        return code(rng, size)
    value = rng.choice(NUMBERS) if rng.randrange(2) else rng.uniform(-1000, 1000)
    try:
        return struct.pack(f">{FLOATS[size]}", value)
    except OverflowError:
        return struct.pack(f">{FLOATS[size]}", float("inf"))


def odd_width(rng: Random, item: facts.Item) -> bytes:
    """A number in more or fewer bytes than its width, often one that still fits."""
    size = rng.randint(1, 9)
    own = item.len_max or 4
    data = code(rng, min(own, size))
    fill = b"\xff" if data[0] & 0x80 and rng.randrange(2) else b"\x00"
    return data.rjust(size, fill)


def scalar(rng: Random, item: facts.Item) -> bytes:
    """A scalar, mostly in a width that the item may have."""
    if item.kind == "float":
        return real(rng, rng.choice((2, 4, 4, 8, 8)))
    if item.kind == "date_time":
        return rng.choice(MOMENTS).encode()
    if item.mapping == "ber_oid":
        return oid(rng.getrandbits(rng.choice((7, 8, 14, 32, 63, 64, 70))))
    if item.kind in ("utf8", "ascii", "utf16") and rng.randrange(2):
        return text(rng).encode("utf-16-be" if item.kind == "utf16" else "utf-8")
    low = max(1, item.len_min)
    return code(rng, rng.randint(low, min(item.len_max or low + 12, low + 12)))


@cache
def known_values() -> dict[tuple[str, int], list[bytes]]:
    """The bytes of the vectors and seeds, by set and tag: valid packs."""
    found: dict[tuple[str, int], list[bytes]] = {}
    for name in ("vectors.jsonl", "seeds.jsonl"):
        for vector in map(json.loads, (FOLDER / name).read_text(encoding="utf-8").splitlines()):
            if "tag" in vector:
                found.setdefault((vector["set"], vector["tag"]), []).append(bytes.fromhex(vector["hex"]))
    return found


def known(rng: Random, item: facts.Item) -> bytes | None:
    """A vector's bytes, unchanged or slightly damaged; None where no vector has the item."""
    values = known_values().get((item.set, item.tag))
    if values is None:
        return None
    data = rng.choice(values)
    return damaged(rng, data) if rng.randrange(3) == 0 else data


def plain(rng: Random, item: facts.Item) -> bytes:
    """A scalar item's bytes: valid, from a vector, of another width, nothing, or anything."""
    roll = rng.randrange(20)
    if roll < 4:
        return known(rng, item) or scalar(rng, item)
    if roll < 6:
        return odd_width(rng, item)
    return wild(rng) if roll < 8 else scalar(rng, item)


def wild(rng: Random) -> bytes:
    return b"" if rng.randrange(2) else rng.randbytes(rng.randrange(24))
