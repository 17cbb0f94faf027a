"""Random packs by the rows of `packs.csv`, each element with its width, truncated where that is allowed."""

from __future__ import annotations

from random import Random

from packet_wrapping import ber, oid, series
from random_values import code, text
from reference_packs import packs
from reference_sets import pack_of

from native.spec import facts

PACKS = ("dlp", "flp", "vlp", "mdap")
LISTS = ("CommandVerification", "ActiveWavelengths")


def pack(rng: Random, item: facts.Item) -> bytes:
    """A valid pack of an item, or a series of them."""
    kind = item.kind.removeprefix("series:")
    if item.kind not in PACKS:
        return series([one(rng, kind) for _ in range(rng.randrange(4))])
    name = pack_of(item)
    if name in LISTS:
        return b"".join(number(rng) for _ in range(rng.randint(1, 5)))
    return one(rng, name)


def one(rng: Random, name: str) -> bytes:
    if name == "uint":
        return code(rng, rng.randint(1, 6))
    rows = packs()[name]
    if name == "PayloadRecord":
        return number(rng) + records(rng, rows[2:])
    return records(rng, rows[1:]) if rows[0].repeat else elements(rng, rows)


def records(rng: Random, rows: list[facts.Element]) -> bytes:
    return series([elements(rng, rows) for _ in range(rng.randrange(4))])


def elements(rng: Random, rows: list[facts.Element]) -> bytes:
    data, rest = b"", list(rows)
    while rest and not (rest[0].optional and rng.randrange(6) == 0):
        row = rest.pop(0)
        if row.kind != "ber" or not row.name.endswith("_length"):
            data += element(rng, row, 0)
            continue
        half = rng.randint(1, 4)
        group = [element(rng, rest.pop(0), half)]
        while rest and rest[0].kind != "ber" and row.name.split("_")[0] == rest[0].name.split("_")[0]:
            group.append(element(rng, rest.pop(0), half))
        data += series([b"".join(group) if rng.randrange(6) else b""])
    return data


def element(rng: Random, row: facts.Element, half: int) -> bytes:
    if row.kind == "ber":
        return ber(rng.getrandbits(rng.choice((3, 7, 20))))
    if row.kind == "ber_oid":
        return number(rng)
    if row.kind == "utf8":
        return text(rng).encode()
    sizes = {"half": half, "rest": 3} | ({} if row.length.isdigit() else {row.length: half})
    return code(rng, sizes.get(row.length) or int(row.length))


def number(rng: Random) -> bytes:
    return oid(rng.getrandbits(rng.choice((2, 4, 7, 12, 30))))
