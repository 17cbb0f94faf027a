"""Divides arrays into run lengths: patches of equal value over a default (MISB ST 1303, algorithm 5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from math import prod
from typing import NamedTuple

from klvrelay.encode.ber import Template, ber_oid, read_oid, spare
from klvrelay.encode.numbers import whole
from klvrelay.encode.place import ItemPath

MOST_ELEMENTS = 65536
"""Maximum number of elements of an array that is divided into runs, and of elements times runs."""


class ElementRun(NamedTuple):
    """A value and the block of elements that it covers, as in a record."""

    value: object
    start: list[int]
    size: list[int]


def runs_of(value: object, place: ItemPath) -> list[ElementRun]:
    """The runs of a document."""
    if not isinstance(value, list | tuple):
        raise place.invalid(value, "expected a list")
    return [_run(one, place.at(at)) for at, one in enumerate(value)]


def _run(value: object, place: ItemPath) -> ElementRun:
    if not isinstance(value, Mapping) or value.keys() != {"value", "start", "size"}:
        raise place.invalid(value, "expected a mapping of value, start, size")
    start, size = (_numbers(value[key], place.child(key)) for key in ("start", "size"))
    if len(start) != len(size):
        raise place.invalid(value, "expected a start and a size for each dimension")
    return ElementRun(value["value"], start, size)


def _numbers(value: object, place: ItemPath) -> list[int]:
    if not isinstance(value, list | tuple):
        raise place.invalid(value, "expected a list")
    return [whole(one, place) for one in value]


class Patch(NamedTuple):
    """A block of elements: its start and its extent in each dimension.

    visible  an element of the block that no later patch covers
    octets   octets of each overlong number (else 0)
    """

    start: tuple[int, ...]
    run: tuple[int, ...]
    visible: int
    octets: tuple[int, ...]

    def code(self) -> bytes:
        """The encoded numbers that follow the value."""
        return b"".join(ber_oid(*number) for number in zip((*self.start, *self.run), self.octets, strict=True))


def elements_of(start: Sequence[int], run: Sequence[int], dims: Sequence[int]) -> list[int]:
    """Indices of the block's elements in the flat list."""
    found = []
    for where in product(*(range(first, first + size) for first, size in zip(start, run, strict=True))):
        flat = 0
        for index, size in zip(where, dims, strict=True):
            flat = flat * size + index
        found.append(flat)
    return found


def read_patches(template: Template, width: int, dims: Sequence[int]) -> list[Patch]:
    """The blocks of an earlier array; empty if they are malformed or do not fit into this array."""
    blocks = []
    data, at = template.data, width
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
    return _add_visible(blocks, dims) if len(blocks) * prod(dims) <= MOST_ELEMENTS else []


def _add_visible(
    blocks: list[tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]], dims: Sequence[int]
) -> list[Patch]:
    """Add a visible element to each block; empty if one block is covered completely and its value is unknown."""
    patches: list[Patch] = []
    covered: set[int] = set()
    for start, run, octets in reversed(blocks):
        elements = elements_of(start, run, dims)
        visible = next((element for element in elements if element not in covered), None)
        if visible is None:
            return []
        covered.update(elements)
        patches.append(Patch(start, run, visible, octets))
    return patches[::-1]


def give_values(patches: list[Patch], values: list[bytes], default: bytes, dims: Sequence[int]) -> bool:
    """Whether these patches over the default give the values."""
    shown = [default] * len(values)
    for patch in patches:
        for element in elements_of(patch.start, patch.run, dims):
            shown[element] = values[patch.visible]
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


def _index(element: int, dims: Sequence[int]) -> tuple[int, ...]:
    """The indices of an element of the flat list."""
    found = []
    for size in reversed(dims):
        element, index = divmod(element, size)
        found.append(index)
    return tuple(reversed(found))
