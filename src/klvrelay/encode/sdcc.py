"""Encodes deviations and correlations of the preceding items (MISB ST 1010, SDCC-FLP).

The input is a mapping: `sigma`, one number per item; `rho`, the upper triangle row by row (either may be empty);
`matrix_size` (default: the length of `sigma`); `mode` (default 2); `sparse`; and `items`, the keys of the preceding
items. Hex in `sigma` or `rho` is written unchanged. Without an earlier value, sigma is IEEE 754 in 8 bytes if 4 do
not hold the values (mode 1: always 4), and rho is IMAPB in 4 bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from klvrelay.encode.ber import Template, ber_oid
from klvrelay.encode.numbers import exact, is_number, is_printed_as, represents, whole
from klvrelay.encode.place import ItemPath
from klvrelay.encode.specials import special_of
from klvrelay.encode.texts import octets
from klvrelay.encode.values import write_float, write_imapb

_KEYS = ("matrix_size", "mode", "sparse", "sigma", "rho", "items")
_MOST = 143


class Form(NamedTuple):
    """Content of the parse control: bytes per number, IMAPB or IEEE 754, and the bit vector."""

    mode: int = 0  # 0: unknown form
    sparse: bool = False
    sigma: int = 0
    sigma_imapb: bool = False
    rho: int = 0
    rho_imapb: bool = True
    bits: bytes = b""
    spare: tuple[int, int] = (0, 0)  # content of the unused bits of the parse control

    def control(self) -> bytes:
        """The encoded parse control."""
        if self.mode == 1:
            return bytes([self.sigma << 4 | self.sparse << 3 | self.rho])
        first = 0x80 | self.sparse << 5 | self.rho_imapb << 4 | self.rho
        return bytes([first | self.spare[0], self.sigma_imapb << 4 | self.sigma | self.spare[1]])


def _earlier(template: Template, pairs: int) -> Form:
    first = template.take(1).data
    if not first:
        return Form()
    head = first[0]
    if head < 0x80:
        form = Form(1, bool(head & 8), head >> 4, False, head & 7)
    else:
        second = (template.take(1).data or b"\0")[0]
        form = Form(2, bool(head & 0x20), second & 15, bool(second & 0x10), head & 15, bool(head & 0x10))
        form = form._replace(spare=(head & 0x40, second & 0xE0))
    return form._replace(bits=template.take(-(-pairs // 8)).data) if form.sparse else form


def write_sdcc(value: object, template: Template, place: ItemPath) -> bytes:
    """Encode the pack from its mapping."""
    return Matrix(value, template, place).code()


class Matrix:
    """Encodes one pack."""

    def __init__(self, value: object, template: Template, place: ItemPath) -> None:
        if not isinstance(value, Mapping):
            raise place.invalid(value, f"expected a mapping of {', '.join(_KEYS)}")
        for key in value:
            if key not in _KEYS:
                raise place.unknown_key(key, _KEYS)
        self._mapping, self._template, self._place = value, template, place
        self._sigma, self._rho = self._list("sigma"), self._list("rho")
        self._size = self._number("matrix_size", len(self._sigma), _MOST)
        self._pairs = self._size * (self._size - 1) // 2
        for name, values, wanted in (("sigma", self._sigma, self._size), ("rho", self._rho, self._pairs)):
            if values and len(values) != wanted:
                raise place.child(name).invalid(len(values), f"expected {wanted} values or none")

    def _list(self, name: str) -> list[object]:
        values = self._mapping.get(name, [])
        if not isinstance(values, list | tuple):
            raise self._place.child(name).invalid(values, "expected a list")
        return list(values)

    def _number(self, name: str, default: int, most: int) -> int:
        number = whole(self._mapping.get(name, default), self._place.child(name))
        if not 1 <= number <= most:
            raise self._place.child(name).invalid(number, f"the range is 1 to {most}")
        return number

    def code(self) -> bytes:
        """Size, parse control, bit vector of the correlations, and the numbers."""
        head = ber_oid(self._size, self._template.oid())
        earlier = _earlier(self._template, self._pairs)
        sparse = self._mapping.get("sparse", False)
        if not isinstance(sparse, bool):
            raise self._place.child("sparse").invalid(sparse, "expected true or false")
        there = _present(self._rho, sparse, earlier, self._pairs)
        sent = [(at, one) for at, one in enumerate(self._rho) if there[at]]
        form = self._form(sparse, [one for _, one in sent], earlier)
        parts = [head, form.control(), _vector(there, earlier.bits) if sparse else b""]
        for at, one in enumerate(self._sigma):
            inside = self._place.child(f"sigma[{at}]")
            if form.sigma_imapb and not isinstance(one, str | bytes):
                raise inside.invalid(one, "its range is unknown; expected hex")
            parts.append(_coefficient(one, form.sigma, False, self._template.take(earlier.sigma), inside))
        for at, one in sent:
            inside = self._place.child(f"rho[{at}]")
            parts.append(_coefficient(one, form.rho, form.rho_imapb, self._template.take(earlier.rho), inside))
        return b"".join(parts)

    def _form(self, sparse: bool, sent: list[object], earlier: Form) -> Form:
        """The form of the earlier pack, as far as the numbers fit it."""
        mode = self._number("mode", earlier.mode or 2, 2)
        known = earlier.mode == 2 == mode
        # IMAPB sigmas are represented as hex, and so are IEEE 754 rhos of a width without such a form.
        raw_sigma = _is_raw(self._sigma) or not self._sigma
        sigma_imapb = mode == 2 and raw_sigma and (earlier.sigma_imapb if known else bool(self._sigma))
        rho_imapb = mode == 1 or (earlier.rho_imapb if known else not _is_raw(sent))
        sigma = self._width("sigma", self._sigma, earlier.sigma, sigma_imapb, mode)
        rho = self._width("rho", sent, earlier.rho, rho_imapb, mode)
        if not sent and (self._rho or not self._pairs):  # none is sent, but the parse control states a width
            rho = earlier.rho or (4 if self._rho else 0)
        most = 7 if mode == 1 else 15
        if max(sigma, rho) > most:
            raise self._place.invalid(max(sigma, rho), f"mode {mode} has at most {most} bytes per number")
        spare = earlier.spare if known else (0, 0)
        return Form(mode, sparse, sigma, sigma_imapb, rho, rho_imapb, spare=spare)

    def _width(self, name: str, values: list[object], earlier: int, imapb: bool, mode: int) -> int:
        """Bytes per number: as given in hex, as before, or as many as needed."""
        if not values:
            return 0
        raw = next((one for one in values if isinstance(one, str | bytes)), None)
        if raw is not None:
            return len(octets(raw, self._place.child(name)))
        if earlier in (range(1, 9) if imapb else (2, 4, 8)):
            return earlier
        wide = not imapb and any(is_number(one) and not _short(one, self._place.child(name)) for one in values)
        return 8 if wide and mode == 2 else 4


def _vector(there: list[bool], earlier: bytes) -> bytes:
    """One bit per pair; the unused bits of the last byte are kept."""
    spare = -len(there) % 8
    filling = earlier[-1] & (1 << spare) - 1 if earlier else 0
    number = sum(1 << at for at, one in enumerate(reversed(there)) if one)
    return (number << spare | filling).to_bytes((len(there) + spare) // 8, "big")


def _is_raw(values: list[object]) -> bool:
    return any(isinstance(one, str | bytes) for one in values)


def _short(value: object, place: ItemPath) -> bool:
    enough = is_printed_as if place.nearest else represents
    return special_of(value, place) is not None or enough(exact(value, place), 4)


def _present(rho: list[object], sparse: bool, earlier: Form, pairs: int) -> list[bool]:
    """Which correlations are sent: all, or if sparse those that are not 0 or were sent before."""
    if not sparse:
        return [True] * pairs
    bits = int.from_bytes(earlier.bits, "big") >> -pairs % 8
    before = [bool(bits >> (pairs - 1 - at) & 1) for at in range(pairs)]
    if not rho:
        return before
    return [was or not (is_number(one) and one == 0) for was, one in zip(before, rho, strict=True)]


def _coefficient(value: object, width: int, imapb: bool, earlier: Template, place: ItemPath) -> bytes:
    if isinstance(value, str | bytes):
        code = octets(value, place)
        if len(code) != width:
            raise place.invalid(value, f"expected {width} bytes, like the other values")
        return code
    if imapb and width <= 8:
        return write_imapb(value, -1.0, 1.0, earlier, width, place)
    if width not in (2, 4, 8):
        raise place.invalid(value, f"expected hex of {width} bytes, like the other values")
    return write_float(value, width, (width, width), earlier, place)
