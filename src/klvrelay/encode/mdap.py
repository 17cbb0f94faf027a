"""Encodes multi-dimensional arrays (MISB ST 1303).

An array is a mapping: `dims`, `ebytes`, `apa` (1 natural, 2 IMAPB, 3 boolean, 4 unsigned, 5 run lengths; default
natural), the parameter of that algorithm (`imapb_bounds`, `bias`, `default`), and `values`, flat and row by row. The
default of `ebytes` is the fewest bytes that hold all values, or 4 for IMAPB. Run lengths have `default` and, as in a
record, `runs` with `value`, `start` and `size` each; or all `values`, which are then divided into runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import prod

from klvrelay.encode.ber import Template
from klvrelay.encode.integers import LARGEST, checked_oid, least_octets
from klvrelay.encode.numbers import exact, is_printed_as, represents, unpack, whole
from klvrelay.encode.patches import MOST_ELEMENTS, give_values, patches_of, read_patches, runs_of
from klvrelay.encode.place import ItemPath
from klvrelay.encode.specials import special_of
from klvrelay.encode.values import write_float, write_imapb

_UNIT, _PIXELS, _METRES, _HEIGHT = (-1, 1), (0, 100), (0, 650), (0, 1000)
# Permitted row counts of ST 1601's arrays of deviations and correlations, and the range of each row.
_ROWS = {
    "pixel_sdcc": ((6,), (_PIXELS, _PIXELS, _UNIT, _PIXELS, _PIXELS, _UNIT)),
    "place_sdcc": ((3, 6), (_METRES, _METRES, _UNIT, _HEIGHT, _UNIT, _UNIT)),
}
_KEYS = ("dims", "ebytes", "apa", "values")
_EXTRA = {2: "imapb_bounds", 4: "bias", 5: "default"}


def write_array(value: object, kind: str, template: Template, place: ItemPath) -> bytes:
    """Encode an array of elements of this `kind`: "float", "uint", "int" or the name of rows with ranges."""
    return Array(value, kind, template, place).code()


class Array:
    """Encodes one array."""

    def __init__(self, value: object, kind: str, template: Template, place: ItemPath) -> None:
        form = "runs" if isinstance(value, Mapping) and value.get("apa") == 5 and "runs" in value else "values"
        if not isinstance(value, Mapping) or not isinstance(value.get(form), list | tuple):
            raise place.invalid(value, f"expected a mapping of {', '.join(_KEYS)}")
        self._mapping, self._kind, self._template, self._place = value, kind, template, place
        self._runs = runs_of(value["runs"], place.child("runs")) if form == "runs" else None
        self._values = list(value.get("values", ())) if self._runs is None else self._shared_values()
        self._dims = self._sizes()
        self._apa = self._number("apa", 1, 5) if "apa" in value else 1
        for key in value:
            if key not in (*_KEYS[:3], form, _EXTRA.get(self._apa)):
                raise place.unknown_key(key, [*_KEYS, *_EXTRA.values(), "runs"])
        most = 8 if self._values and self._apa not in (3, 4) else 65535
        self._width = self._number("ebytes", 0, most) if "ebytes" in value else self._least_width()
        self._all = range(len(self._values))
        self._check()

    def _sizes(self) -> list[int]:
        dims, place = self._mapping.get("dims"), self._place.child("dims")
        if not isinstance(dims, list | tuple) or not 1 <= len(dims) <= 8:
            raise place.invalid(dims, "expected 1 to 8 dimensions")
        sizes = [whole(one, place) for one in dims]
        if any(size < 0 for size in sizes):
            raise place.invalid(dims, "sizes must be 0 or more")
        if len(self._values) > MOST_ELEMENTS:
            raise place.invalid(dims, f"expected at most {MOST_ELEMENTS} elements")
        return sizes

    def _shared_values(self) -> list[object]:
        """The default and the values of the runs; if rows have ranges, the first value of each list."""
        return [_first(value) for value in (self._mapping.get("default"), *(run.value for run in self._runs or ()))]

    def _number(self, key: str, low: int, high: int) -> int:
        number = whole(self._mapping[key], self._place.child(key))
        if not low <= number <= high:
            raise self._place.child(key).invalid(number, f"the range is {low} to {high}")
        return number

    def _least_width(self) -> int:
        """The element size if none is given."""
        if not self._values or self._apa in (3, 4):
            return min(1, len(self._values))
        if self._apa == 2 or self._kind in _ROWS:
            return 4
        values = [self._mapping["default"], *self._values] if "default" in self._mapping else self._values
        place = self._place.child("values")
        if self._kind == "float":
            return 4 if all(special_of(one, place) or self._short(one, place) for one in values) else 8
        numbers = [whole(one, place) for one in values]
        return max(least_octets(number, signed=self._kind == "int") for number in numbers)

    @staticmethod
    def _short(value: object, place: ItemPath) -> bool:
        """Whether four bytes represent the value."""
        return (is_printed_as if place.nearest else represents)(exact(value, place), 4)

    def _check(self) -> None:
        """Raise EncodeError if the parts are inconsistent."""
        count = prod(self._dims) if self._width else 0
        if self._runs is not None and not count:
            raise self._place.child("runs").invalid(self._dims, "an empty array takes values: [] instead of runs")
        if self._runs is None and len(self._values) != count:
            raise self._place.child("values").invalid(len(self._values), f"expected {count} values")
        if count and self._kind in _ROWS and self._apa in (1, 5):
            rows = _ROWS[self._kind][0]
            if self._dims[0] not in rows:
                raise self._place.invalid(self._dims, f"expected {' or '.join(map(str, rows))} rows")
        if count and self._kind == "float" and self._apa in (1, 5) and self._width not in (2, 4, 8):
            raise self._place.child("ebytes").invalid(self._width, "floats have 2, 4 or 8 bytes")

    def code(self) -> bytes:
        """Header, parameters of the algorithm, and elements."""
        numbers = [len(self._dims), *self._dims, self._width, self._apa]
        head = b"".join(checked_oid(number, self._template, self._place) for number in numbers)
        if not self._values:
            return head
        runs = self._write_patches if self._runs is None else self._write_runs
        write = {1: self._write_plain, 2: self._write_mapped, 3: self._write_booleans, 4: self._write_biased, 5: runs}
        return head + write[self._apa]()

    def _place_of(self, at: int) -> ItemPath:
        return self._place.child("values").at(at)

    def _earlier(self) -> Template:
        """The element at this position of the earlier array, if it had the same width."""
        return self._template.take(self._width)

    def _write_plain(self) -> bytes:
        return b"".join(self._element_code(at, self._earlier()) for at in self._all)

    def _element_code(self, at: int, earlier: Template) -> bytes:
        return self._natural(at // (len(self._values) // self._dims[0]), self._values[at], earlier, self._place_of(at))

    def _natural(self, row: int, value: object, earlier: Template, place: ItemPath) -> bytes:
        """A float, an integer, or IMAPB over the range of the row."""
        if self._kind in _ROWS:
            return write_imapb(value, *_ROWS[self._kind][1][row], earlier, self._width, place)
        if self._kind == "float":
            return write_float(value, self._width, (2, 8), earlier, place)
        number = whole(value, place)
        try:
            return number.to_bytes(self._width, "big", signed=self._kind == "int")
        except OverflowError as fault:
            raise place.invalid(value, f"it does not fit into an element of {self._width} bytes") from fault

    def _write_mapped(self) -> bytes:
        """IMAPB between two bounds that precede the elements as floats."""
        bounds, place = self._mapping.get("imapb_bounds"), self._place.child("imapb_bounds")
        if not isinstance(bounds, list | tuple) or len(bounds) != 2:
            raise place.invalid(bounds, "expected two bounds")
        earlier = len(self._template) - len(self._values) * self._width
        short = all(self._short(one, place) for one in bounds)
        size = earlier // 2 if earlier in (8, 16) else 4 if short else 8
        codes = [write_float(one, size, (size, size), self._template.take(size), place) for one in bounds]
        low, high = (unpack(code) for code in codes)
        if not 0 < high - low < float("inf"):
            raise place.invalid(bounds, "expected two finite bounds, the lower one first")
        return b"".join(codes) + b"".join(
            write_imapb(value, low, high, self._earlier(), self._width, self._place_of(at))
            for at, value in enumerate(self._values)
        )

    def _write_booleans(self) -> bytes:
        bits = 0
        for at, value in enumerate(self._values):
            if not isinstance(value, bool):
                raise self._place_of(at).invalid(value, "expected true or false")
            bits = bits << 1 | value
        spare = -len(self._values) % 8
        size = (len(self._values) + spare) // 8
        filling = self._template.data[-1] & (1 << spare) - 1 if len(self._template) == size else 0
        return (bits << spare | filling).to_bytes(size, "big")

    def _write_biased(self) -> bytes:
        """BER-OID numbers relative to a bias."""
        place = self._place.child("bias")
        bias = whole(self._mapping.get("bias", 0), place)
        parts = [checked_oid(bias, self._template, place)]
        for at, value in enumerate(self._values):
            number, inside = whole(value, self._place_of(at)), self._place_of(at)
            if number > LARGEST:
                raise inside.invalid(value, f"the maximum is {LARGEST}")
            parts.append(checked_oid(number - bias, self._template, inside))
        return b"".join(parts)

    def _write_runs(self) -> bytes:
        """A default and its runs, as given in a record."""
        place = self._place.child("runs")
        parts = [self._code(0, self._dims[0], self._mapping.get("default"), self._place.child("default"))]
        for at, run in enumerate(self._runs or ()):
            if len(run.start) != len(self._dims) or any(
                first < 0 or size < 0 or first + size > most
                for first, size, most in zip(run.start, run.size, self._dims, strict=True)
            ):
                raise place.at(at).invalid(run.size, f"expected runs within {self._dims}")
            parts.append(self._code(run.start[0], run.size[0], run.value, place.at(at)))
            parts += [checked_oid(number, self._template, place.at(at)) for number in (*run.start, *run.size)]
        return b"".join(parts)

    def _code(self, row: int, rows: int, value: object, place: ItemPath) -> bytes:
        """A value shared by several rows; if each row has a range, it is a list with the value of each row."""
        earlier = self._earlier()
        if self._kind not in _ROWS:
            return self._natural(0, value, earlier, place)
        if not isinstance(value, list | tuple) or len(value) != rows:
            raise place.invalid(value, f"expected a list of {rows} values, one per row")
        if not rows:
            return earlier.data if len(earlier) == self._width else bytes(self._width)
        codes = [self._natural(row + at, one, Template(earlier.data), place) for at, one in enumerate(value)]
        if any(code != codes[0] for code in codes) and not place.received:
            raise place.invalid(value, "all values must have the same code")
        return codes[0]

    def _write_patches(self) -> bytes:
        """A default and patches: the earlier ones if they still describe the values, else one per stretch of a row."""
        default = self._natural(0, self._mapping.get("default"), self._earlier(), self._place.child("default"))
        codes = [self._element_code(at, Template()) for at in self._all]
        earlier = read_patches(self._template, self._width, self._dims)
        patches = earlier if earlier and give_values(earlier, codes, default, self._dims) else None
        if patches is None:
            patches = patches_of(codes, default, self._dims)
        if len(codes) * (len(patches) + 1) > MOST_ELEMENTS:
            raise self._place.invalid(len(patches), f"elements times runs must not exceed {MOST_ELEMENTS}")
        return default + b"".join(codes[patch.visible] + patch.code() for patch in patches)


def _first(value: object) -> object:
    return value[0] if isinstance(value, list | tuple) and value else value
