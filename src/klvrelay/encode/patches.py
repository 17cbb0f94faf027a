"""Divides arrays into run lengths: patches of equal value over a default (MISB ST 1303, algorithm 5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from math import prod
from typing import NamedTuple

from klvrelay.encode.numbers import whole
from klvrelay.encode.place import ItemPath
from klvrelay.encode.wire import Trace, ber_oid, read_oid, spare

MOST_CELLS = 65536
"""Maximum number of cells of an array that is divided into runs, and of cells times runs."""


class CellBlock(NamedTuple):
    """A value and the block of cells that it covers, as in a record."""

    value: object
    start: list[int]
    size: list[int]


def runs_of(given: object, place: ItemPath) -> list[CellBlock]:
    """The runs of a document."""
    if not isinstance(given, list | tuple):
        raise place.misfit(given, "expected a list")
    return [_run(one, place.at(at)) for at, one in enumerate(given)]


def _run(given: object, place: ItemPath) -> CellBlock:
    if not isinstance(given, Mapping) or given.keys() != {"value", "start", "size"}:
        raise place.misfit(given, "expected a mapping of value, start, size")
    start, size = (_numbers(given[key], place.child(key)) for key in ("start", "size"))
    if len(start) != len(size):
        raise place.misfit(given, "expected a start and a size for each dimension")
    return CellBlock(given["value"], start, size)


def _numbers(given: object, place: ItemPath) -> list[int]:
    if not isinstance(given, list | tuple):
        raise place.misfit(given, "expected a list")
    return [whole(one, place) for one in given]


class Patch(NamedTuple):
    """A block of cells: its start and its extent in each dimension.

    seen     a cell of the block that no later patch covers
    octets   octets of each overlong number (else 0)
    """

    start: tuple[int, ...]
    run: tuple[int, ...]
    seen: int
    octets: tuple[int, ...]

    def code(self) -> bytes:
        """The encoded numbers that follow the value."""
        return b"".join(ber_oid(*number) for number in zip((*self.start, *self.run), self.octets, strict=True))


def cells_of(start: Sequence[int], run: Sequence[int], dims: Sequence[int]) -> list[int]:
    """Indices of the block's cells in the flat list."""
    found = []
    for where in product(*(range(first, first + size) for first, size in zip(start, run, strict=True))):
        flat = 0
        for index, size in zip(where, dims, strict=True):
            flat = flat * size + index
        found.append(flat)
    return found


def read_patches(trace: Trace, width: int, dims: Sequence[int]) -> list[Patch]:
    """The blocks of an earlier array; empty if they are malformed or do not fit into this array."""
    blocks = []
    data, at = trace.data, width
    while at < len(data):
        numbers, octets = [], []
        for _ in range(2 * len(dims)):
            found = read_oid(data, at)
            if found is None:
                return []
            numbers.append(found[0])
            octets.append(spare(data[at : found[1]], ber_oid(found[0])))
            at = found[1]
        start, run = tuple(numbers[: len(dims)]), tuple(numbers[len(dims) :])
        if any(first + size > limit for first, size, limit in zip(start, run, dims, strict=True)):
            return []
        blocks.append((start, run, tuple(octets)))
        at += width
    return _seen(blocks, dims) if len(blocks) * prod(dims) <= MOST_CELLS else []


def _seen(blocks: list[tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]], dims: Sequence[int]) -> list[Patch]:
    """Add a visible cell to each block; empty if one block is covered completely and its value is unknown."""
    patches: list[Patch] = []
    covered: set[int] = set()
    for start, run, octets in reversed(blocks):
        cells = cells_of(start, run, dims)
        bare = next((cell for cell in cells if cell not in covered), None)
        if bare is None:
            return []
        covered.update(cells)
        patches.append(Patch(start, run, bare, octets))
    return patches[::-1]


def tell(patches: list[Patch], values: list[bytes], default: bytes, dims: Sequence[int]) -> bool:
    """Whether these patches over the default give the values."""
    shown = [default] * len(values)
    for patch in patches:
        for cell in cells_of(patch.start, patch.run, dims):
            shown[cell] = values[patch.seen]
    return shown == values


def patches_of(values: list[bytes], default: bytes, dims: Sequence[int]) -> list[Patch]:
    """One patch per stretch of equal values within a row, except for the default."""
    patches = []
    at = 0
    while at < len(values):
        end, row = at + 1, at // dims[-1]
        while end < len(values) and end // dims[-1] == row and values[end] == values[at]:
            end += 1
        if values[at] != default:
            patches.append(Patch(_index(at, dims), (*(1,) * (len(dims) - 1), end - at), at, (0,) * 2 * len(dims)))
        at = end
    return patches


def _index(cell: int, dims: Sequence[int]) -> tuple[int, ...]:
    """The indices of a cell of the flat list."""
    found = []
    for size in reversed(dims):
        cell, index = divmod(cell, size)
        found.append(index)
    return tuple(reversed(found))
