"""Random items in the form of a record, for every item of every set: input for `klvrelay.encode`."""

from __future__ import annotations

from functools import cache

from hypothesis import strategies as st
from record_packs import array, merged, pack, pack_named
from record_scalars import Drawn, scalar_of, text

from klvrelay.standards.spec import KEYED, SETS, UNIVERSAL_KEYS, Item

DEPTH = 3


def value_of(item: Item, depth: int = 0) -> Drawn:
    """A value that an item can hold: not null."""
    kind, _, inner = item.kind.partition(":")
    if (item.set, item.key) == ("ST0903", "vmti_ls_version"):
        return st.integers(4, 65535)  # before version 4 the other items use other maps
    if kind == "local_set":
        return items_of({"ST1607-segment": "ST0601", "ST1607-amend": "ST0601"}.get(inner, inner), depth + 1)
    if kind == "series":
        return series(inner, depth)
    if item.pack:
        return pack(item)
    return array(item.cells) if kind == "mdap" else scalar_of(item)


def series(kind: str, depth: int) -> Drawn:
    inner = {"VTargetPack": "VTarget", "VTrackItemPack": "VTrackItem"}.get(kind)
    if inner:
        number = st.fixed_dictionaries({"target_id": st.integers(0, 1 << 40)})
        one = st.tuples(number, items_of(inner, depth + 1)).map(merged)
    elif kind.startswith("local_set:"):
        one = items_of(kind.partition(":")[2], depth + 1)
    elif kind == "uint":
        one = st.integers(0, (1 << 64) - 1)
    else:
        one = pack_named(kind)
    return st.lists(one, min_size=1, max_size=3)


def repeated(item: Item, depth: int) -> Drawn:
    value = value_of(item, depth)
    if item.repeats:
        return st.lists(value, min_size=1, max_size=2)
    return value | value | value | st.none() if item.zero_len else value


@cache
def items_of(name: str, depth: int = 0) -> Drawn:
    """Some items of a set, at least one, in any order, unknown tags included."""
    if name == "RvtUserDefined":
        return user_defined()
    known = some_of(name, depth).flatmap(lambda few: st.fixed_dictionaries({i.key: repeated(i, depth) for i in few}))
    odd = st.dictionaries(st.sampled_from(["150", "300", "99999"]), st.binary(max_size=5).map(bytes.hex), max_size=2)
    return st.tuples(known, odd).map(lambda both: both[0] | ({"unknown": both[1]} if both[1] else {}))


def some_of(name: str, depth: int) -> Drawn:
    fit = [item for item in SETS[name].values() if depth < DEPTH or not nests(item)]
    return st.lists(st.sampled_from(fit), min_size=1, max_size=6 if depth == 0 else 2, unique_by=lambda item: item.tag)


@cache
def two_of(name: str) -> Drawn:
    """Two packets' items of a set: the same keys, other values."""
    if name == "RvtUserDefined":
        return st.tuples(user_defined(), user_defined())

    def both(few: list[Item]) -> Drawn:
        one = st.fixed_dictionaries({item.key: repeated(item, DEPTH - 1) for item in few})
        return st.tuples(one, one)

    return some_of(name, DEPTH - 1).flatmap(both)


def nests(item: Item) -> bool:
    return "local_set:" in item.kind or item.kind in ("series:VTargetPack", "series:VTrackItemPack")


def user_defined() -> Drawn:
    identity = st.fixed_dictionaries({"id": st.integers(0, 63)})
    values = {
        "String": text(20),
        "Signed Integer": st.integers(-(1 << 63), (1 << 63) - 1),
        "Unsigned Integer": st.integers(0, (1 << 64) - 1),
    }
    typed = [
        st.tuples(identity, value).map(
            lambda both, kind=kind: {"numeric_id": {"data_type": kind, **both[0]}, "user_value": both[1]}
        )
        for kind, value in values.items()
    ]
    raw = st.binary(min_size=1, max_size=9).map(bytes.hex)
    plain = st.tuples(identity, raw).map(
        lambda both: {"numeric_id": {"data_type": "Experimental", **both[0]}, "user_data": both[1]}
    )
    return st.one_of(*typed, plain)


def keyed_items() -> Drawn:
    """Some items of a universal set."""
    by_key = {item.key: item for item in KEYED.values()}
    some = st.lists(st.sampled_from(sorted(by_key)), min_size=1, max_size=6, unique=True)
    return some.flatmap(lambda few: st.fixed_dictionaries({key: value_of(by_key[key], 1) for key in few}))


def tops() -> list[str]:
    """The top-level sets."""
    return [name for name in SETS if name in UNIVERSAL_KEYS]
