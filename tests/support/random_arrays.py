"""Random packs and arrays: ST 1303 in all five algorithms, SDCC-FLP, ST 1204, sections of ST 1002."""

from __future__ import annotations

import struct
from math import prod
from random import Random

from packet_wrapping import oid, series
from random_packs import pack
from random_values import code, damaged, known, real, wild

from native.spec import facts


def packed(rng: Random, item: facts.Item) -> bytes:
    """A pack's bytes: valid, from a vector, damaged, nothing, or anything."""
    roll = rng.randrange(10)
    if roll == 0:
        return wild(rng)
    data = sound(rng, item) if roll < 6 else known(rng, item)
    data = sound(rng, item) if data is None else data
    return damaged(rng, data) if rng.randrange(4) == 0 else data


def sound(rng: Random, item: facts.Item) -> bytes:
    if item.kind == "mdap":
        return array(rng)
    if item.key == "sdcc_flp":
        return sdcc(rng)
    if item.key in ("miis_id", "miis_core_identifier"):
        return core_identifier(rng)
    if item.key == "section_data_pack":
        return section(rng)
    return pack(rng, item)


def shape(rng: Random) -> list[int]:
    """Small dimensions, those of ST 1601 among them; sometimes an empty one, none, or very large ones."""
    roll = rng.randrange(40)
    if roll == 0:
        return [rng.choice((0, 1, 255, 65536, 65537, 2**32, 2**63)) for _ in range(rng.randrange(10))]
    if roll < 16:
        return [rng.choice((3, 6)), rng.randrange(4)]
    return [rng.randint(0, 4) if rng.randrange(8) == 0 else rng.randint(1, 4) for _ in range(rng.randint(1, 3))]


def array(rng: Random) -> bytes:
    """An array with any algorithm, mostly with valid parts."""
    dims, apa = shape(rng), rng.randint(1, 5)
    ebytes = rng.choice((1, 2, 3, 4, 4, 4, 8, 8)) if rng.randrange(12) else rng.choice((0, 5, 6, 7, 9, 16))
    if rng.randrange(30) == 0:
        apa = rng.choice((0, 6, 127, 128, 2**40))
    head = b"".join(map(oid, [len(dims), *dims, ebytes, apa]))
    count = min(prod(dims), 100)
    if count and ebytes:
        return head + BODIES.get(apa, natural)(rng, dims, count, ebytes)
    return head


def natural(rng: Random, _dims: list[int], count: int, ebytes: int) -> bytes:
    return b"".join(element(rng, ebytes) for _ in range(count))


def element(rng: Random, ebytes: int) -> bytes:
    return real(rng, ebytes) if ebytes in (2, 4, 8) and rng.randrange(2) else code(rng, ebytes)


def bounded(rng: Random, _dims: list[int], count: int, ebytes: int) -> bytes:
    form = rng.choice((">f", ">d"))
    low = rng.choice((0.0, -1.0, -900.0, 1.0, -19.2, 0.1, -1e9, rng.uniform(-1000, 1000)))
    high = low + rng.choice((1.0, 8.0, 19900.0, 0.3, 1e6, 38.4, 2.0**-8, 2.0**40, 0.0, -1.0, rng.uniform(0, 1000)))
    ends = [struct.pack(form, end) for end in (low, high)]
    if rng.randrange(20) == 0:
        ends[rng.randrange(2)] = real(rng, len(ends[0]))
    return b"".join(ends) + b"".join(code(rng, ebytes) for _ in range(count))


def booleans(rng: Random, _dims: list[int], count: int, _ebytes: int) -> bytes:
    return rng.randbytes(-(-count // 8))


def biased(rng: Random, _dims: list[int], count: int, _ebytes: int) -> bytes:
    top = rng.choice((7, 14, 40, 63, 64))
    return b"".join(oid(rng.getrandbits(top)) for _ in range(count + 1))


def patched(rng: Random, dims: list[int], _count: int, ebytes: int) -> bytes:
    data = element(rng, ebytes)
    for _ in range(rng.randrange(4)):
        starts = [rng.randrange(min(size, 100)) for size in dims]
        runs = [rng.randint(0, size - start) for start, size in zip(starts, dims, strict=True)]
        if runs and rng.randrange(15) == 0:
            runs[-1] += 1
        data += element(rng, ebytes) + b"".join(map(oid, [*starts, *runs]))
    return data


BODIES = {1: natural, 2: bounded, 3: booleans, 4: biased, 5: patched}


def sdcc(rng: Random) -> bytes:
    """A matrix in either mode, sparse or not; sometimes too large for any set."""
    size = rng.randint(1, 4) if rng.randrange(15) else rng.choice((0, 5, 20, 143, 144, 2**40))
    pairs = size * (size - 1) // 2 if size < 30 else 0
    sparse = rng.randrange(2)
    rho, sigma = rng.choice((0, 0, 1, 2, 3, 4, 7)), rng.choice((0, 2, 4, 4, 4, 1, 3))
    form = bytes([sigma << 4 | sparse << 3 | rho])
    if rng.randrange(2):
        rho, sigma = rng.choice((0, 2, 4, 8, 1, 9, 15)), rng.choice((0, 2, 4, 8, 3, 15))
        form = bytes([0x80 | sparse << 5 | rng.randrange(2) << 4 | rho, rng.randrange(2) << 4 | sigma])
    vector = rng.randbytes(-(-pairs // 8)) if sparse else b"\xff" * -(-pairs // 8)
    given = sum(vector[at // 8] >> 7 - at % 8 & 1 for at in range(pairs))
    numbers = [element(rng, sigma) for _ in range(min(size, 30) if sigma else 0)]
    numbers += [element(rng, rho) for _ in range(given if rho else 0)]
    return oid(size) + form + (vector if sparse else b"") + b"".join(numbers)


def core_identifier(rng: Random) -> bytes:
    usage = rng.getrandbits(8)
    many = sum(bool(usage & mask) for mask in (0x60, 0x18, 4, 2))
    return bytes([rng.choice((1, 1, 1, 0, 0x7F, 0x80)), usage]) + rng.randbytes(16 * many)


def section(rng: Random) -> bytes:
    """Coordinates, ranges, uncertainty and plane, truncated after any of them."""
    ranges, uncertainty = array(rng), array(rng) if rng.randrange(2) else b""
    planes = [real(rng, rng.choice((4, 8))) if rng.randrange(6) else wild(rng) for _ in range(3)]
    groups = [oid(rng.randrange(200)), oid(rng.randrange(200)), ranges, uncertainty, *planes]
    groups = [b"" if rng.randrange(20) == 0 else group for group in groups]
    return series(groups[: rng.choice((4, 4, 5, 6, 7, 7, 7, rng.randrange(8)))])
