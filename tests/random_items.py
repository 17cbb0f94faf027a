"""Random items as a record shows them, for every item of every set: what `klvrelay.encode` is to write.

Next door: `test_encode_random.py` writes them, reads them back and compares by `apart`. A number that an encoding
has only in steps is a `Stepped`, which knows the step; what has a code of its own is `{"special": name}`.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from functools import cache
from itertools import accumulate
from typing import Any

from hypothesis import strategies as st

from klvrelay.encode.numbers import unpacked
from klvrelay.encode.packs import steps_of
from klvrelay.spec import KEYED, PACKS, SETS, UNIVERSAL_KEYS, Bits, Element, Item

Drawn = st.SearchStrategy[Any]
DEPTH = 3
IMAPB_SPECIALS = ("plus_infinity", "minus_infinity", "quiet_nan", "signalling_nan", "below_min", "above_max", "user",
                  "reserved")  # fmt: skip
FLOAT_SPECIALS = ("plus_infinity", "minus_infinity", "quiet_nan")
LETTERS = 'abc"\\/\x01\x1f\x7fé€😀 \ufffd'
MOST_OID = (1 << 63) - 1
# What a record adds to what is written.
ADDED = {"text", "items", "user_value", "matrix_size", "mode", "sparse", "ebytes"}


class Stepped(float):
    """A number, and the step between two codes of its encoding."""

    step: float

    @classmethod
    def of(cls, value: float, step: float) -> Stepped:
        made = cls(value)
        made.step = step
        return made


def special(*names: str) -> Drawn:
    return st.sampled_from(names).map(lambda name: {"special": name})


# ---- scalars ----------------------------------------------------------------------------------------------


def imapb(low: float, high: float, width: int) -> Drawn:
    step = 2.0 ** -(8 * width - 1 - math.ceil(math.log2(high - low)))
    number = st.floats(low, high).map(lambda value: Stepped.of(value, step))
    return number | number | number | special(*IMAPB_SPECIALS)


def linear(scalar: Item | Element) -> Drawn:
    assert scalar.min is not None
    assert scalar.max is not None
    step = (scalar.max - scalar.min) / (256**scalar.len_min - 2)
    number = st.floats(scalar.min, scalar.max).map(lambda value: Stepped.of(value, step))
    return number | number | special(*scalar.special.values()) if scalar.special else number


def floats(scalar: Item | Element) -> Drawn:
    width = 64 if (scalar.len_max or 8) == 8 else 32
    return st.floats(allow_nan=False, allow_infinity=False, width=width) | special(*FLOAT_SPECIALS)


def integers(scalar: Item | Element) -> Drawn:
    bits = 8 * min(scalar.len_max or 8, 8)
    signed = scalar.kind == "int"
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    if scalar.min is not None and scalar.max is not None:
        low, high = max(low, int(scalar.min)), min(high, int(scalar.max))
    return st.integers(low, high) | st.sampled_from([low, high])


def codes(labels: dict[int, str], most: int) -> Drawn:
    """A label, or a code that has none."""
    plain = st.integers(0, most).filter(lambda code: code not in labels)
    return st.sampled_from(sorted(set(labels.values()))) | plain if labels else plain


def bits(fields: tuple[Bits, ...]) -> Drawn:
    one = {
        field.key: codes(field.codes, (1 << field.width) - 1) if field.codes else st.integers(0, (1 << field.width) - 1)
        if field.width > 1 else st.booleans()
        for field in fields
    }  # fmt: skip
    return st.fixed_dictionaries(one)


def text(most: int, letters: str = LETTERS) -> Drawn:
    return st.text(letters, max_size=most // 4 if most else 20).filter(lambda value: value != "\0")


def scalar_of(scalar: Item | Element) -> Drawn:
    if isinstance(scalar, Item) and scalar.key == "active_payloads":
        return st.lists(st.integers(0, 4095), max_size=8, unique=True).map(sorted)
    if isinstance(scalar, Item) and scalar.kind == "bytes":
        size = st.integers(scalar.len_min or 1, scalar.len_max or 12)
        return size.flatmap(lambda count: st.binary(min_size=count, max_size=count)).map(bytes.hex)
    if scalar.mapping == "imapb":
        assert scalar.min is not None
        assert scalar.max is not None
        return imapb(scalar.min, scalar.max, max(scalar.len_min, min(4, scalar.len_max or 8)))
    if scalar.mapping.startswith("linear"):
        return linear(scalar)
    if scalar.bits:
        return bits(scalar.bits)
    if scalar.mapping == "ber_oid":
        return codes(scalar.codes, MOST_OID) if scalar.codes else st.integers(0, MOST_OID) | st.integers(0, 200)
    if scalar.kind == "enum":
        return codes(scalar.codes, 255)
    if scalar.kind == "date_time":
        return st.integers(0, 253402300799_999999)
    if scalar.kind in ("utf8", "ascii", "utf16"):
        exact = scalar.len_max if isinstance(scalar, Item) and scalar.len_min == scalar.len_max else 0
        if exact:
            return st.text("ABC123-", min_size=exact, max_size=exact)
        return text(scalar.len_max, "abc /;" if scalar.kind == "ascii" else LETTERS)
    kinds = {"float": floats, "uint": integers, "int": integers, "timestamp": integers}
    return st.uuids().map(str) if scalar.kind == "uuid" else kinds[scalar.kind](scalar)


# ---- packs ------------------------------------------------------------------------------------------------


def elements(name: str) -> Drawn:
    """The elements of a pack or record; some left out at the end, some groups unknown."""
    steps = steps_of(name)
    first = next((at for at, step in enumerate(steps) if step.optional), len(steps))

    def some(count: int) -> Drawn:
        return st.tuples(*(step_of(step) for step in steps[:count])).map(merged)

    return st.integers(first, len(steps)).flatmap(some)


def step_of(step: Any) -> Drawn:
    whole = st.fixed_dictionaries({e.name: element(e) for e in step.elements})
    if not step.grouped:
        return whole
    unknown = st.just({e.name: None for e in step.elements})
    short = [at for at, e in enumerate(step.elements) if at and e.optional and e.length != "half"]
    cut = [st.fixed_dictionaries({e.name: element(e) for e in step.elements[:at]}) for at in short]
    return st.one_of(whole, whole, unknown, *cut)


def element(one: Element) -> Drawn:
    if one.kind == "mdap":
        return array("float")
    if one.kind == "ber":
        return st.integers(0, 1 << 40)
    if one.kind == "utf8":
        return text(60)
    return scalar_of(one)


def merged(parts: tuple[dict[str, Any], ...]) -> dict[str, Any]:
    return {key: value for part in parts for key, value in part.items()}


def covariance(name: str) -> Drawn:
    """A position or velocity, alone, with its deviations, or with its correlations as well."""
    cuts = accumulate(sum(e.group == group for e in PACKS[name]) for group in (0, 2, 3))
    return st.sampled_from([*cuts]).flatmap(
        lambda count: st.fixed_dictionaries({e.name: element(e) for e in PACKS[name][:count]})
    )


def pack(item: Item) -> Drawn:
    name = item.pack
    if name == "CoreIdentifier":
        return core_identifier((item.len_max - 2) // 16)
    if name == "SDCC-FLP":
        return matrix()
    return pack_named(name)


def pack_named(name: str) -> Drawn:
    first = PACKS[name][0]
    if name in ("Location", "Velocity", "Acceleration"):
        return covariance(name)
    if name == "MetadataSubstreamId":
        return substream()
    if name == "PayloadRecord":
        records = st.lists(elements(name), min_size=1, max_size=3)
        return st.fixed_dictionaries({"payload_count": st.integers(0, 300), "records": records})
    if first.name == "record_length":
        return st.lists(elements(name), min_size=1, max_size=3)
    if first.repeat:
        return st.lists(element(first), min_size=1, max_size=4)
    return elements(name)


def core_identifier(most: int) -> Drawn:
    masks = {"sensor_id": 0x60, "platform_id": 0x18, "window_id": 4, "minor_id": 2}

    def parts(usage: int) -> Drawn:
        there = {key: st.uuids().map(str) for key, mask in masks.items() if usage & mask}
        return st.fixed_dictionaries({"version": st.integers(0, 127), "usage": st.just(usage), **there})

    def count(usage: int) -> int:
        return sum(bool(usage & mask) for mask in masks.values())

    usages = [usage for usage in range(0, 128, 2) if 1 <= count(usage) <= most]
    return st.sampled_from(usages).flatmap(parts)


def matrix() -> Drawn:
    def sized(size: int) -> Drawn:
        pairs = size * (size - 1) // 2
        sigma = st.floats(allow_nan=False, allow_infinity=False, width=32) | special(*FLOAT_SPECIALS)
        rho = imapb(-1.0, 1.0, 4) | st.just(0.0)
        either = st.lists(sigma, min_size=size, max_size=size) | st.just([])
        return st.fixed_dictionaries(
            {
                "matrix_size": st.just(size),
                "mode": st.sampled_from([1, 2]),
                "sparse": st.booleans(),
                "sigma": either,
                "rho": st.lists(rho, min_size=pairs, max_size=pairs) | st.just([]),
            }
        )

    return st.integers(1, 5).flatmap(sized)


def array(cells: str) -> Drawn:
    """A small array by any of the algorithms."""
    rows = {"pixel_sdcc": (6,), "place_sdcc": (3, 6)}.get(cells)
    first = st.sampled_from(rows) if rows else st.integers(1, 4)
    dims = st.tuples(first, st.lists(st.integers(1, 3), max_size=2)).map(lambda found: [found[0], *found[1]])

    def filled(sizes: list[int]) -> Drawn:
        count = math.prod(sizes)
        kinds = [booleans(count), biased(count), mapped(count)]
        if rows:
            kinds.append(ranged(cells, sizes[0], count))
        else:
            cell = natural(cells)
            kinds.append(st.fixed_dictionaries({"values": st.lists(cell, min_size=count, max_size=count)}))
            few = st.tuples(cell, cell).flatmap(
                lambda two: st.lists(st.sampled_from(two), min_size=count, max_size=count)
            )
            kinds.append(st.fixed_dictionaries({"apa": st.just(5), "default": cell, "values": few}))
        return st.one_of(*kinds).map(lambda found: {"dims": sizes, **found})

    return dims.flatmap(filled)


def natural(cells: str) -> Drawn:
    if cells == "float":
        return st.floats(allow_nan=False, allow_infinity=False)
    return st.integers(0, (1 << 64) - 1) if cells == "uint" else st.integers(-(1 << 63), (1 << 63) - 1)


def booleans(count: int) -> Drawn:
    return st.fixed_dictionaries({"apa": st.just(3), "values": st.lists(st.booleans(), min_size=count, max_size=count)})


def biased(count: int) -> Drawn:
    values = st.lists(st.integers(1000, 1 << 60), min_size=count, max_size=count)
    return st.fixed_dictionaries({"apa": st.just(4), "bias": st.integers(0, 1000), "values": values})


def mapped(count: int) -> Drawn:
    values = st.lists(imapb(-100.0, 50.0, 4), min_size=count, max_size=count)
    return st.fixed_dictionaries({"apa": st.just(2), "imapb_bounds": st.just([-100.0, 50.0]), "values": values})


def ranged(cells: str, rows: int, count: int) -> Drawn:
    tops = {"pixel_sdcc": (100, 100, 0, 100, 100, 0), "place_sdcc": (650, 650, 0, 1000, 0, 0)}[cells][:rows]
    spans = [(0.0, float(top)) if top else (-1.0, 1.0) for top in tops]
    values = [imapb(*spans[at // (count // rows)], 4) for at in range(count)]
    return st.fixed_dictionaries({"values": st.tuples(*values).map(list)})


def substream() -> Drawn:
    own = st.fixed_dictionaries({"local_id": st.integers(1, 127)})
    return own | st.fixed_dictionaries({"local_id": st.just(0), "universal_id": st.uuids().map(str)})


# ---- items and sets ---------------------------------------------------------------------------------------


def value_of(item: Item, depth: int = 0) -> Drawn:
    """A value that an item can hold: not null."""
    kind, _, inner = item.kind.partition(":")
    if (item.set, item.key) == ("ST0903", "vmti_ls_version"):
        return st.integers(4, 65535)  # before version 4 the other items have other maps
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
    """Some items of a set, at least one, in any order; unknown tags among them."""
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
    told = [
        st.tuples(identity, value).map(
            lambda both, kind=kind: {"numeric_id": {"data_type": kind, **both[0]}, "user_value": both[1]}
        )
        for kind, value in values.items()
    ]
    raw = st.binary(min_size=1, max_size=9).map(bytes.hex)
    plain = st.tuples(identity, raw).map(
        lambda both: {"numeric_id": {"data_type": "Experimental", **both[0]}, "user_data": both[1]}
    )
    return st.one_of(*told, plain)


def keyed_items() -> Drawn:
    """Some items of a universal set."""
    by_key = {item.key: item for item in KEYED.values()}
    some = st.lists(st.sampled_from(sorted(by_key)), min_size=1, max_size=6, unique=True)
    return some.flatmap(lambda few: st.fixed_dictionaries({key: value_of(by_key[key], 1) for key in few}))


def tops() -> list[str]:
    """The sets that are packets of their own."""
    return [name for name in SETS if name in UNIVERSAL_KEYS]


# ---- comparing --------------------------------------------------------------------------------------------


def single(value: float) -> bytes:
    """The code of four bytes, in which a record's text has the fewest digits."""
    try:
        return struct.pack(">f", value)
    except OverflowError:
        return struct.pack(">d", value)


def apart(given: Any, got: Any, path: str = "", *, short: bool = False) -> Iterator[str]:
    """Where what was read is not what was written, to one step of its encoding; `short`: floats of 4 bytes."""
    if isinstance(given, dict) and given.keys() == {"special"}:
        given = None
    if isinstance(given, dict) and isinstance(got, dict):
        for key in given:
            if key not in got:
                yield f"{path}.{key}: lost"
            else:
                yield from apart(given[key], got[key], f"{path}.{key}", short=short)
        yield from (f"{path}.{key}: from nowhere" for key in got.keys() - given.keys() - ADDED - {"user_data", "apa"})
    elif isinstance(given, list | tuple) and isinstance(got, list) and len(given) == len(got):
        for at, (one, other) in enumerate(zip(given, got, strict=True)):
            yield from apart(one, other, f"{path}[{at}]", short=short)
    elif isinstance(given, Stepped) and isinstance(got, float | int):
        # IMAPB is rounded down to less than a step off, and the text is half a step off that at most.
        if not abs(given - got) <= given.step * 1.5001:
            yield f"{path}: {given!r} came back as {got!r}, the step is {given.step!r}"
    elif isinstance(given, float) and isinstance(got, float):
        narrow = short or unpacked(single(given)) == given
        if given != got and not (narrow and single(given) == single(got)):
            yield f"{path}: {given!r} came back as {got!r}"
    elif given != got:
        yield f"{path}: {given!r} came back as {got!r}"
