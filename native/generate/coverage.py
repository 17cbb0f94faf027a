"""Which items the test vectors contain, including items in nested sets.

`items_page.py` shows it; the vectors are in `tests/vectors/vectors.jsonl`.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from native.generate.schema import SAME_TAGS
from native.spec import facts

VECTORS = Path(__file__).parents[2] / "tests" / "vectors" / "vectors.jsonl"
OF_ITEMS = ("item", "set", "packet")

Place = tuple[str, int]
"""Set and tag of an item; for a universal set the number of its row."""


@cache
def vectors() -> tuple[dict[str, Any], ...]:
    return tuple(map(json.loads, VECTORS.read_text(encoding="utf-8").splitlines()))


@cache
def counts() -> Counter[Place]:
    """Item -> number of vectors that contain it."""
    return Counter(place for vector in vectors() if vector["type"] in OF_ITEMS for place in set(held(vector)))


@cache
def of_set(name: str) -> int:
    """Number of vectors that contain an item of this set."""
    found = (vector for vector in vectors() if vector["type"] in OF_ITEMS)
    return sum(any(place[0] == name for place in held(vector)) for vector in found)


def packs() -> Counter[str]:
    """Stand-alone ST 1204 and ST 1303 packs -> number of vectors."""
    return Counter(vector["set"] for vector in vectors() if vector["type"] in ("miis", "mdap"))


def others() -> Counter[str]:
    """Vectors without items: lengths, tags, mappings, checksums -> number."""
    return Counter(v["type"] for v in vectors() if v["type"] not in (*OF_ITEMS, "miis", "mdap"))


def held(vector: dict[str, Any]) -> Iterator[Place]:
    """Every item in one vector."""
    if vector["type"] == "item":
        yield from in_set(vector["set"], {str(vector["tag"]): vector["expected"]})
    elif vector["set"] in universal():
        name, rows = universal()[vector["set"]]
        yield from ((name, rows[key]) for key in vector["expected"])
    else:
        yield from in_set(vector["set"], vector["expected"])


def in_set(name: str, expected: dict[str, Any]) -> Iterator[Place]:
    for tag, value in expected.items():
        item = table(name).get(int(tag))
        if item is not None:
            yield name, item.tag
            yield from inside(item, value)


def inside(item: facts.Item, expected: Any) -> Iterator[Place]:
    """The items of the sets in the value of an item."""
    name = set_inside(item.kind)
    if name is None:
        return
    for one in expected if isinstance(expected, list) else [expected]:
        if isinstance(one, dict):
            yield from in_set(name, one.get("items", one))


@cache
def set_inside(kind: str) -> str | None:
    """The set that `local_set:ST0102`, `series:local_set:VChip` or `series:VTargetPack` holds."""
    if not kind.startswith(("local_set:", "series:")):
        return None
    name = kind.rpartition(":")[2]
    last = facts.packs()[name][-1].kind if name in facts.packs() else ""
    name = last.partition(":")[2] or SAME_TAGS.get(name, name)
    return name if name in facts.DECODED else None


@cache
def table(name: str) -> dict[int, facts.Item]:
    return {item.tag: item for item in facts.items(name)}


@cache
def universal() -> dict[str, tuple[str, dict[str, int]]]:
    """What the vectors call a universal set -> its name, and what they call its items -> row or tag."""
    rows = {row.field: at for at, row in enumerate(facts.legacy())}
    tags = {str(row.tag): row.tag for row in facts.item_keys() if row.set == "ST0102"}
    return {"EG0104": ("ST0104", rows), "ST0102-US": ("ST0102-US", tags)}
