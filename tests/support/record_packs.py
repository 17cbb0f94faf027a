"""Random packs and arrays in the form of a record, by the rows of `spec.PACKS`."""

from __future__ import annotations

import math
from itertools import accumulate
from typing import Any

from hypothesis import strategies as st
from record_scalars import FLOAT_SPECIALS, Drawn, imapb, scalar_of, special, text

from klvrelay.encode.packs import steps_of
from klvrelay.standards.spec import PACKS, Element, Item


def elements(name: str) -> Drawn:
    """The elements of a pack or record; some omitted at the end, some groups unknown."""
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
    """A position or velocity: alone, with its deviations, or with its correlations too."""
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
    """A small array with any of the algorithms."""
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
            runs = st.lists(run(cell, sizes), max_size=3)
            kinds.append(st.fixed_dictionaries({"apa": st.just(5), "default": cell, "runs": runs}))
        return st.one_of(*kinds).map(lambda found: {"dims": sizes, **found})

    return dims.flatmap(filled)


def run(cell: Drawn, sizes: list[int]) -> Drawn:
    """A value over a block within the sizes; the lesser of two corners is the start."""
    corners = st.tuples(*(st.tuples(st.integers(0, size), st.integers(0, size)) for size in sizes))
    return st.tuples(cell, corners).map(
        lambda drawn: {
            "value": drawn[0],
            "start": [min(two) for two in drawn[1]],
            "size": [max(two) - min(two) for two in drawn[1]],
        }
    )


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
