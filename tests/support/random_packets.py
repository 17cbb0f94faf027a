"""Random packets made from the csv tables, valid, invalid and at the limits: of every set, pack and item.

Each is made by a `Random`: seeded for the bulk, or driven by hypothesis (`packets`, `sets`).
"""

from __future__ import annotations

from functools import cache
from random import Random

from hypothesis import strategies as st
from packet_wrapping import ber, decoded, keyed_set, local_set, oid, packet, series, universal_key
from random_arrays import packed
from random_packs import PACKS
from random_values import FOLDER, damaged, plain, wild

from native.spec import facts

__all__ = ["FOLDER", "packets", "random_packet", "random_set", "sets"]

DEPTH = 4
UNKNOWN_TAGS = (0, 144, 150, 191, 192, 255, 300, 16383, 16384, 99999, 2**35 - 1)
RAW_SETS = ("ST0808", "ST1902")
RICH = ("ST0601", "ST0601", "ST0903", "VTrack", "ST1002", "ST1601", "ST1107", "ST0806")


@cache
def items(name: str) -> list[facts.Item]:
    return facts.items(name)


@cache
def composed(name: str) -> list[facts.Item]:
    """The items of a set that hold others, or all where no item does."""
    found = [item for item in items(name) if item.mapping == "special" or item.kind in PACKS]
    return found or items(name)


@cache
def keyed() -> list[tuple[bytes, facts.Item]]:
    return facts.keyed()


@cache
def top_sets() -> list[str]:
    return [name for name in facts.DECODED if universal_key(name)]


def value(rng: Random, item: facts.Item, depth: int) -> bytes:
    """Mostly a valid value of the item, sometimes nothing, sometimes anything."""
    name = decoded(item.kind)
    if name:
        return nested(rng, item, name, depth) if depth < DEPTH and rng.randrange(12) else wild(rng)
    if (item.set, item.tag) == ("ST0903", 4) and rng.randrange(2):
        return bytes([rng.randrange(8)])  # the maps of this set depend on its version
    if item.kind in PACKS or item.kind.startswith("series:"):
        return packed(rng, item)
    return plain(rng, item)


def nested(rng: Random, item: facts.Item, name: str, depth: int) -> bytes:
    if item.kind.startswith("local_set:"):
        return random_set(rng, name, depth + 1)
    inside = [random_set(rng, name, depth + 1) for _ in range(rng.randrange(4))]
    if item.kind.endswith("Pack"):
        inside = [oid(rng.randrange(300)) + value if rng.randrange(20) else value for value in inside]
    whole = series(inside)
    return damaged(rng, whole) if rng.randrange(8) == 0 else whole


def random_set(rng: Random, name: str, depth: int = 0) -> bytes:
    """The value of a set: any of its items in any order, some repeated, some unknown; sometimes damaged."""
    chosen: list[tuple[int, bytes]] = []
    for _ in range(rng.randrange(16 if depth == 0 else 7)):
        roll = rng.randrange(10)
        item = rng.choice(items(name) if rng.randrange(3) else composed(name))
        if roll == 0:
            chosen.append((rng.choice(UNKNOWN_TAGS), rng.randbytes(rng.randrange(7))))
        elif roll == 1 and chosen:
            chosen.append((rng.choice(chosen)[0], value(rng, item, depth)))
        else:
            chosen.append((item.tag, value(rng, item, depth)))
    whole = local_set(chosen)
    return damaged(rng, whole) if rng.randrange(8) == 0 else whole


def random_key(rng: Random) -> tuple[bytes, facts.Item | None]:
    """The key of an item, mostly as registered, or another key."""
    roll = rng.randrange(12)
    if roll == 0:
        return rng.choice(facts_keys()), None
    if roll == 1:
        return b"\x06\x0e\x2b\x34" + rng.randbytes(12), None
    key, item = rng.choice(keyed())
    return (key[:7] + bytes([rng.randrange(256)]) + key[8:] if roll == 2 else key), item


@cache
def facts_keys() -> list[bytes]:
    return [key.key for key in facts.universal_keys()]


@cache
def alone() -> list[tuple[bytes, facts.Item]]:
    return [(key, item) for key, item in keyed() if key in map(universal_key, facts.ALONE)]


def of_key(rng: Random, item: facts.Item | None) -> bytes:
    return value(rng, item, 1) if item else rng.randbytes(rng.randrange(9))


def random_universal_set(rng: Random) -> bytes:
    found = [random_key(rng) for _ in range(rng.randrange(8))]
    if found and rng.randrange(4) == 0:
        found.append(rng.choice(found))
    whole = keyed_set([(key, of_key(rng, item)) for key, item in found])
    return damaged(rng, whole) if rng.randrange(8) == 0 else whole


def random_item_packet(rng: Random) -> bytes:
    key, item = random_key(rng) if rng.randrange(3) else rng.choice(alone())
    data = of_key(rng, item)
    return key + ber(len(data)) + data


def deep(rng: Random) -> bytes:
    """Sets within sets, near the depth limit and a little beyond."""
    inside = random_set(rng, "ST0601", DEPTH)
    for _ in range(rng.randint(5, 9)):
        inside = local_set([(rng.choice((100, 101)), inside)])
    return packet("ST0601", inside, checksum=True)


def random_packet(rng: Random) -> bytes:
    """A whole packet of any kind, with a correct checksum, none, or a wrong one."""
    roll = rng.randrange(16)
    if roll < 10:
        name = rng.choice(top_sets() if rng.randrange(3) else RICH)
        whole = packet(name, random_set(rng, name), checksum=bool(rng.randrange(2)))
        return whole[:-1] + rng.randbytes(1) if roll == 0 and len(whole) > 17 else whole
    if roll < 12:
        return packet(rng.choice([*facts.UNIVERSAL]), random_universal_set(rng))
    if roll < 14:
        return random_item_packet(rng)
    return deep(rng) if roll == 14 else packet(rng.choice(RAW_SETS), random_set(rng, "ST0102"))


def randoms() -> st.SearchStrategy[Random]:
    return st.randoms(use_true_random=False)


def packets() -> st.SearchStrategy[bytes]:
    """Whole packets of every kind, with a correct checksum, none, or a wrong one."""
    return randoms().map(random_packet)


def sets(name: str) -> st.SearchStrategy[bytes]:
    """The value of a set: any of its items, unknown ones among them; sometimes damaged."""
    return randoms().map(lambda rng: random_set(rng, name))
