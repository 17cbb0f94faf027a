"""Multi-dimensional arrays to bytes (MISB ST 1303).

Room: encode. Next door: `packs.py` and `sets.py` know the elements and items that are arrays, and what their
natural elements are.

An array is a mapping: `dims`, `ebytes`, `apa` (1 natural, 2 IMAPB, 3 boolean, 4 unsigned, 5 run lengths), what that
asks for (`imapb_bounds`, `bias`, `default`), and `values`, flat and row by row. Where `ebytes` is left out it is the
least that holds all values, 4 for IMAPB.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import product
from math import prod

from klvrelay.encode.integers import LARGEST
from klvrelay.encode.numbers import UNREAL, exact, holds, imapb_special, special_of, unpacked, whole
from klvrelay.encode.place import Place
from klvrelay.encode.values import imapb_code, write_float
from klvrelay.encode.wire import Trace, ber_oid, read_oid

Ranges = tuple[tuple[float, float], ...]  # of IMAPB elements, a range a row
Natural = str | Ranges  # "float", "uint", "int", or ranges

_EMPTY = ("dims", "ebytes", "apa", "values")
_EXTRA = {2: "imapb_bounds", 4: "bias", 5: "default"}
_MOST_CELLS = 65536


class Array:
    """One array on its way to bytes."""

    def __init__(self, value: object, natural: Natural, trace: Trace, place: Place) -> None:
        if not isinstance(value, Mapping) or not isinstance(value.get("values"), list | tuple):
            raise place.misfit(value, f"a mapping of {', '.join(_EMPTY)} is wanted")
        self.given, self.natural, self.trace, self.place = value, natural, trace, place
        self.values = list(value["values"])
        self.dims = self._dims()
        self.apa = self._small("apa", 1, range(1, 6))
        for key in value:
            if key not in (*_EMPTY, _EXTRA.get(self.apa)):
                raise place.stranger(key, [*_EMPTY, *_EXTRA.values()])
        self.width = self._small("ebytes", None, range(9))
        self._check_rows()

    def _dims(self) -> list[int]:
        dims = self.given.get("dims")
        if not isinstance(dims, list | tuple) or not 1 <= len(dims) <= 8:
            raise self.place.misfit(dims, "1 to 8 dimensions are wanted")
        sizes = [whole(one, self.place.child("dims")) for one in dims]
        if not all(0 <= one <= _MOST_CELLS for one in sizes) or prod(sizes) > _MOST_CELLS:
            raise self.place.misfit(dims, f"at most {_MOST_CELLS} cells, and no less than 0")
        return sizes

    def _small(self, key: str, default: int | None, span: range) -> int:
        if default is None and self.given.get(key) is None:
            return self._least_width()
        number = whole(self.given.get(key, default), self.place.child(key))
        if number not in span:
            raise self.place.misfit(number, f"{span[0]} to {span[-1]} is the range of {key}")
        return number

    def _least_width(self) -> int:
        """The element size where none is given."""
        if not self.values:
            return 0
        if self.apa in (3, 4):
            return 1
        if self.apa == 2 or isinstance(self.natural, tuple):
            return 4
        cells = [*self.values, *([self.given["default"]] if "default" in self.given else [])]
        if self.natural == "float":
            return 4 if all(special_of(v, self.place) or holds(exact(v, self.place), 4) for v in cells) else 8
        numbers = [whole(v, self.place.child("values")) for v in cells]
        signed = self.natural == "int"
        return max(1, *(((n if n >= 0 else ~n).bit_length() + signed + 7) // 8 for n in numbers))

    def _check_rows(self) -> None:
        empty = self.width == 0 or 0 in self.dims
        if len(self.values) != (0 if empty else prod(self.dims)):
            raise self.place.misfit(len(self.values), f"{0 if empty else prod(self.dims)} values are wanted")
        if not empty and isinstance(self.natural, tuple) and self.apa in (1, 5) and self.dims[0] > len(self.natural):
            raise self.place.misfit(self.dims, f"at most {len(self.natural)} rows have a range")

    def bytes(self) -> bytes:
        """Head, what the processing asks for, and elements."""
        numbers = [len(self.dims), *self.dims, self.width, self.apa]
        head = b"".join(ber_oid(number, self.trace.oid()) for number in numbers)
        if not self.values:
            return head
        return head + {1: self.plain, 2: self.mapped, 3: self.booleans, 4: self.biased, 5: self.runs}[self.apa]()

    def cells(self, write: Callable[[int, object], bytes]) -> bytes:
        return b"".join(write(at, value) for at, value in enumerate(self.values))

    def place_of(self, at: int) -> Place:
        return self.place.child("values").index(at)

    def plain(self) -> bytes:
        return self.cells(lambda at, value: self.cell(at, value, self.place_of(at)))

    def cell(self, at: int, value: object, place: Place) -> bytes:
        """A natural element; `at` tells its row."""
        if isinstance(self.natural, tuple):
            return self.by_range(value, self.natural[at // (len(self.values) // self.dims[0])], place)
        if self.natural == "float":
            if self.width not in (2, 4, 8):
                raise place.misfit(value, "floats have 2, 4 or 8 bytes")
            return write_float(value, self.width, (2, 8), place)
        number = whole(value, place)
        try:
            return number.to_bytes(self.width, "big", signed=self.natural == "int")
        except OverflowError as fault:
            raise place.misfit(value, f"an element of {self.width} bytes can't hold it") from fault

    def by_range(self, value: object, span: tuple[float, float], place: Place) -> bytes:
        name = special_of(value, place)
        if name is not None:
            special = imapb_special(name, self.width)
            if special is None:
                raise place.misfit(name, f"one of {', '.join(UNREAL)} is wanted")
            return special
        code = imapb_code(value, *span, self.width, place)
        if code is None:
            raise place.misfit(value, f"{span[0]:g} to {span[1]:g} is the range")
        return code.to_bytes(self.width, "big")

    def mapped(self) -> bytes:
        """IMAPB between two bounds that go before it as floats."""
        bounds, place = self.given.get("imapb_bounds"), self.place.child("imapb_bounds")
        if not isinstance(bounds, list | tuple) or len(bounds) != 2:
            raise place.misfit(bounds, "two bounds are wanted")
        rest = len(self.trace) - len(self.values) * self.width
        short = all(holds(exact(one, place), 4) for one in bounds)
        size = rest // 2 if rest in (8, 16) else 4 if short or place.received else 8
        codes = [write_float(one, size, (size, size), place) for one in bounds]
        low, high = (unpacked(code) for code in codes)
        if not low < high:
            raise place.misfit(bounds, "the lower bound goes first")
        return b"".join(codes) + self.cells(lambda at, value: self.by_range(value, (low, high), self.place_of(at)))

    def booleans(self) -> bytes:
        bits = 0
        for at, value in enumerate(self.values):
            if value not in (True, False):
                raise self.place_of(at).misfit(value, "true or false is wanted")
            bits = bits << 1 | bool(value)
        spare = -len(self.values) % 8
        return (bits << spare).to_bytes((len(self.values) + spare) // 8, "big")

    def biased(self) -> bytes:
        """BER-OID numbers above a bias."""
        bias = self._within(whole(self.given.get("bias", 0), self.place.child("bias")), self.place.child("bias"))
        parts = [ber_oid(bias, self.trace.oid())]
        for at, value in enumerate(self.values):
            above = self._within(whole(value, self.place_of(at)) - bias, self.place_of(at))
            parts.append(ber_oid(above, self.trace.oid()))
        return b"".join(parts)

    @staticmethod
    def _within(number: int, place: Place) -> int:
        if not 0 <= number <= LARGEST:
            raise place.misfit(number, f"0 to {LARGEST} is what an element can say, above the bias")
        return number

    def runs(self) -> bytes:
        """A default, then patches: those of the earlier array where they still tell the values, else stretches."""
        place = self.place.child("default")
        default = self.given.get("default")
        parts = [self.cell(0, default, place)]
        earlier = self._earlier_patches()
        for starts, sizes in earlier if self._told_by(earlier) else self._stretches():
            first = self._first_seen((starts, sizes), earlier)
            parts.append(self.cell(first, self.values[first], self.place_of(first)))
            parts += [ber_oid(number) for number in (*starts, *sizes)]
        return b"".join(parts)

    def _cells_of(self, patch: tuple[tuple[int, ...], tuple[int, ...]]) -> list[int]:
        """The flat indices of a patch."""
        spans = [range(start, start + size) for start, size in zip(*patch, strict=True)]
        found = []
        for where in product(*spans):
            flat = 0
            for index, size in zip(where, self.dims, strict=True):
                flat = flat * size + index
            found.append(flat)
        return found
