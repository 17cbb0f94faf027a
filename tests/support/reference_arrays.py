"""Reference decoder, arrays: multi-dimensional packs (MISB ST 1303) and SDCC-FLP (ST 1010)."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from math import prod, ulp
from typing import Any

from reference_scalars import read_float
from reference_values import Context, Place, Real, ieee, imapb, integer, number
from reference_wire import Cursor, Unreadable

ZERO = Real(Fraction(0), Fraction(0))
DIMENSIONS = 8
WIDEST = 65535  # bytes of an element: more than a packet has

# The natural type of an array's elements: for an item (set, tag), or for an element of a pack.
Owner = tuple[str, int]
UINT, FLOAT, INT = "uint", "float", "int"
NATURAL: dict[Owner, str] = {
    ("ST1601", 4): UINT,
    ("ST1601", 5): FLOAT,
    ("ST1601", 8): FLOAT,
    ("ST1206", 22): FLOAT,
    ("ST1002", 20): FLOAT,
    ("ST1303", 0): INT,
}
PERCENT, METRES, KILOMETRE, RHO = (0, 100), (0, 650), (0, 1000), (-1, 1)
ROWS: dict[Owner, list[list[tuple[int, int]]]] = {
    ("ST1601", 9): [[PERCENT, PERCENT, RHO, PERCENT, PERCENT, RHO]],
    ("ST1601", 10): [[METRES, METRES, RHO], [METRES, METRES, RHO, KILOMETRE, RHO, RHO]],
}

Read = Callable[[bytes, int, Place], Any]
"""Reads an element's bytes; its row is the second argument."""


@dataclass(frozen=True)
class Shape:
    """The head of an array."""

    dims: list[int]
    ebytes: int
    apa: int

    @property
    def count(self) -> int:
        return prod(self.dims)

    def row(self, cell: int) -> int:
        return cell // (self.count // self.dims[0])


def read_array(owner: Owner, data: bytes, place: Place, context: Context) -> dict[str, Any]:
    cursor = Cursor(data)
    shape = read_shape(cursor)
    found: dict[str, Any] = {"dims": shape.dims, "ebytes": shape.ebytes, "apa": shape.apa}
    if shape.ebytes == 0 or shape.count == 0:
        found["values"] = []
    else:
        found |= READERS[shape.apa](owner, shape, cursor, place, context)
    cursor.end()
    return found


def read_shape(cursor: Cursor) -> Shape:
    dimensions = cursor.oid()
    if not 1 <= dimensions <= DIMENSIONS:
        raise Unreadable
    dims = [cursor.oid() for _ in range(dimensions)]
    shape = Shape(dims, cursor.oid(), cursor.oid())
    if shape.apa not in READERS or shape.ebytes > WIDEST:
        raise Unreadable
    return shape


def read_natural(owner: Owner, shape: Shape, cursor: Cursor, place: Place, context: Context) -> dict[str, Any]:
    read = natural(owner, shape, context)
    return {"values": read_cells(shape, [cursor.take(shape.ebytes) for _ in range(shape.count)], read, place)}


def read_cells(shape: Shape, cells: list[bytes], read: Read, place: Place) -> list[Any]:
    return [read(cell, shape.row(at), place.child(f"values[{at}]")) for at, cell in enumerate(cells)]


def natural(owner: Owner, shape: Shape, context: Context) -> Read:
    """A function that reads elements whose meaning only their item defines."""
    kind = NATURAL.get(owner)
    if kind == FLOAT:
        return lambda cell, _row, place: read_float(cell, place, context)
    if not 1 <= shape.ebytes <= 8:
        raise Unreadable
    if kind:
        return lambda cell, _row, _place: integer(cell, signed=kind == INT)
    found = [ranges for ranges in ROWS[owner] if len(ranges) == shape.dims[0]]
    if not found:
        raise Unreadable
    rows = [(Fraction(low), Fraction(high)) for low, high in found[0]]
    return lambda cell, row, place: number(imapb(cell, *rows[row]), place, context)


def read_imapb(_owner: Owner, shape: Shape, cursor: Cursor, place: Place, context: Context) -> dict[str, Any]:
    """Two floats give the range; the bytes left for the elements give their width.

    The numbers have no more digits than a float resolves, since the range may be any.
    """
    width, odd = divmod(len(cursor.data) - shape.count * shape.ebytes, 2)
    if odd or width not in (4, 8) or shape.ebytes > 8:
        raise Unreadable
    ends = [ieee(cursor.take(width), place, context) for _ in range(2)]
    low, high = ends
    if low is None or high is None or low.value >= high.value:
        raise Unreadable
    least = 4 * Fraction(ulp(max(abs(low.value), abs(high.value))))

    def read(cell: bytes, _row: int, at: Place) -> Real | None:
        value = imapb(cell, low.value, high.value)
        if isinstance(value, Real):
            past = value.value > sys.float_info.max
            value = "above_max" if past else Real(value.value, max(value.step, least))
        return number(value, at, context)

    cells = [cursor.take(shape.ebytes) for _ in range(shape.count)]
    return {"imapb_bounds": ends, "values": read_cells(shape, cells, read, place)}


def read_booleans(
    _owner: Owner, shape: Shape, cursor: Cursor, _place: Place, _context: Context
) -> dict[str, Any]:
    data = cursor.take(-(-shape.count // 8))
    return {"values": [bool(data[at // 8] >> 7 - at % 8 & 1) for at in range(shape.count)]}


def read_biased(
    _owner: Owner, shape: Shape, cursor: Cursor, _place: Place, _context: Context
) -> dict[str, Any]:
    bias = cursor.oid()
    values = [cursor.oid() + bias for _ in range(shape.count)]
    if max(values) >= 2**64:
        raise Unreadable
    return {"bias": bias, "values": values}


def read_patched(owner: Owner, shape: Shape, cursor: Cursor, place: Place, context: Context) -> dict[str, Any]:
    """A value for every cell, then boxes of other values, later ones over earlier ones."""
    read = natural(owner, shape, context)
    default = cursor.take(shape.ebytes)
    patches = read_patches(shape, cursor)

    def shared(code: bytes, rows: range, at: Place) -> Any:
        if owner not in ROWS:
            return read(code, 0, at)
        return [read(code, row, at) for row in rows]

    return {
        "default": shared(default, range(shape.dims[0]), place.child("default")),
        "runs": [
            {
                "value": shared(patch, box[0], place.child(f"runs[{at}]")),
                "start": [side.start for side in box],
                "size": [len(side) for side in box],
            }
            for at, (patch, box) in enumerate(patches)
        ],
    }


def read_patches(shape: Shape, cursor: Cursor) -> list[tuple[bytes, list[range]]]:
    patches = []
    while cursor.data:
        patches.append((cursor.take(shape.ebytes), read_box(shape, cursor)))
    return patches


def read_box(shape: Shape, cursor: Cursor) -> list[range]:
    starts = [cursor.oid() for _ in shape.dims]
    runs = [cursor.oid() for _ in shape.dims]
    sides = list(zip(starts, runs, shape.dims, strict=True))
    if any(start + run > size for start, run, size in sides):
        raise Unreadable
    return [range(start, start + run) for start, run, _ in sides]


READERS = {1: read_natural, 2: read_imapb, 3: read_booleans, 4: read_biased, 5: read_patched}


# --- SDCC-FLP ---


@dataclass(frozen=True)
class Form:
    """How the numbers of an SDCC-FLP are written (ST 1010 parse control)."""

    mode: int
    sparse: bool
    rho: str
    rho_bytes: int
    sigma: str
    sigma_bytes: int


def read_form(cursor: Cursor) -> Form:
    first = cursor.take(1)[0]
    if not first & 0x80:
        return Form(1, bool(first & 8), "imapb", first & 7, "ieee", first >> 4 & 7)
    second = cursor.take(1)[0]
    rho = "imapb" if first & 0x10 else "ieee"
    return Form(2, bool(first & 0x20), rho, first & 15, "raw" if second & 0x10 else "ieee", second & 15)


def read_sdcc(value: bytes, place: Place, context: Context) -> dict[str, Any]:
    """MISB ST 1010: sigmas, and the upper triangle of correlations, row by row."""
    cursor = Cursor(value)
    size = cursor.oid()
    if not 1 <= size <= 143:
        raise Unreadable
    form = read_form(cursor)
    pairs = size * (size - 1) // 2
    vector = cursor.take(-(-pairs // 8)) if form.sparse else b"\xff" * pairs
    there = [bool(vector[pair // 8] >> (7 - pair % 8) & 1) for pair in range(pairs)]
    sigma = [
        read_sdcc_number(cursor.take(form.sigma_bytes), form.sigma, place.child(f"sigma[{row}]"), context)
        for row in range(size if form.sigma_bytes else 0)
    ]
    rho: list[Any] = []
    for pair, given in enumerate(there if form.rho_bytes else []):
        data = cursor.take(form.rho_bytes) if given else b""
        rho.append(read_sdcc_number(data, form.rho, place.child(f"rho[{pair}]"), context) if given else ZERO)
    cursor.end()
    return {"matrix_size": size, "mode": form.mode, "sparse": form.sparse, "sigma": sigma, "rho": rho}


def read_sdcc_number(data: bytes, form: str, place: Place, context: Context) -> Any:
    if form == "raw":
        return data.hex()
    if form == "imapb" and len(data) <= 8:
        return number(imapb(data, Fraction(-1), Fraction(1)), place, context)
    if len(data) not in (2, 4, 8):
        return data.hex()
    return ieee(data, place, context)
