"""Deviations and correlations of the items before them to bytes (MISB ST 1010, SDCC-FLP).

Room: encode. Next door: `sets.py` sees to it that they stand behind the items they name.

A mapping: `sigma`, one number an item, `rho`, the upper triangle row by row (either may be empty), `matrix_size`
(else the length of `sigma`), `mode` (else 2), `sparse`, and `items`, the keys of the items before. Hex in `sigma` or
`rho` is written as it is. Where no earlier value has a form: sigma by IEEE 754, in 8 bytes if 4 do not hold them
(mode 1 has but 4), rho by IMAPB in 4 bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from klvrelay.encode.numbers import exact, holds, is_number, tells, whole
from klvrelay.encode.place import Place
from klvrelay.encode.specials import special_of
from klvrelay.encode.texts import octets
from klvrelay.encode.values import write_float, write_imapb
from klvrelay.encode.wire import Trace, ber_oid

_KEYS = ("matrix_size", "mode", "sparse", "sigma", "rho", "items")
_MOST = 143


class Form(NamedTuple):
    """What the parse control says: bytes of each number, by IMAPB or else IEEE 754, and the bit vector."""

    mode: int = 0  # 0 = no form is known
    sparse: bool = False
    sigma: int = 0
    sigma_imapb: bool = False
    rho: int = 0
    rho_imapb: bool = True
    bits: bytes = b""

    def control(self) -> bytes:
        """The parse control itself."""
        if self.mode == 1:
            return bytes([self.sigma << 4 | self.sparse << 3 | self.rho])
        return bytes([0x80 | self.sparse << 5 | self.rho_imapb << 4 | self.rho, self.sigma_imapb << 4 | self.sigma])


def _earlier(trace: Trace, pairs: int) -> Form:
    first = trace.take(1).data
    if not first:
        return Form()
    head = first[0]
    if head < 0x80:
        form = Form(1, bool(head & 8), head >> 4, False, head & 7)
    else:
        second = (trace.take(1).data or b"\0")[0]
        form = Form(2, bool(head & 0x20), second & 15, bool(second & 0x10), head & 15, bool(head & 0x10))
    return form._replace(bits=trace.take(-(-pairs // 8)).data) if form.sparse else form


def write_sdcc(value: object, trace: Trace, place: Place) -> bytes:
    """The pack from its mapping."""
    if not isinstance(value, Mapping):
        raise place.misfit(value, f"a mapping of {', '.join(_KEYS)} is wanted")
    for key in value:
        if key not in _KEYS:
            raise place.stranger(key, _KEYS)
    sigma, rho = _numbers("sigma", value, place), _numbers("rho", value, place)
    size = whole(value.get("matrix_size", len(sigma)), place.child("matrix_size"))
    if not 1 <= size <= _MOST:
        raise place.child("matrix_size").misfit(size, f"1 to {_MOST} is the range")
    pairs = size * (size - 1) // 2
    for name, given, wanted in (("sigma", sigma, size), ("rho", rho, pairs)):
        if given and len(given) != wanted:
            raise place.child(name).misfit(len(given), f"{wanted} of them, or none, are wanted")
    head = ber_oid(size, trace.oid())
    earlier = _earlier(trace, pairs)
    form = _form(value, sigma, rho, pairs, earlier, place)
    there = _present(rho, form, earlier, pairs, place)
    vector = int("".join(map(str, map(int, there))) or "0", 2) << -pairs % 8
    bits = vector.to_bytes(-(-pairs // 8), "big") if form.sparse else b""
    parts = [head, form.control(), bits]
    for at, one in enumerate(sigma):
        inside = place.child(f"sigma[{at}]")
        if form.sigma_imapb and not isinstance(one, str | bytes):
            raise inside.misfit(one, "no range of it is known, hex is wanted")
        parts.append(_coefficient(one, form.sigma, False, trace.take(earlier.sigma), inside))
    for at, one in enumerate(rho):
        if there[at]:
            inside = place.child(f"rho[{at}]")
            parts.append(_coefficient(one, form.rho, form.rho_imapb, trace.take(earlier.rho), inside))
    return b"".join(parts)


def _numbers(name: str, value: Mapping[str, object], place: Place) -> list[object]:
    given = value.get(name, [])
    if not isinstance(given, list | tuple):
        raise place.child(name).misfit(given, "a list is wanted")
    return list(given)


def _form(
    value: Mapping[str, object], sigma: list[object], rho: list[object], pairs: int, earlier: Form, place: Place
) -> Form:
    """The form of the earlier one as far as the numbers go into it."""
    mode = whole(value.get("mode", earlier.mode or 2), place.child("mode"))
    if mode not in (1, 2):
        raise place.child("mode").misfit(mode, "1 or 2 is wanted")
    sparse = value.get("sparse", False)
    if not isinstance(sparse, bool):
        raise place.child("sparse").misfit(sparse, "true or false is wanted")
    known = earlier.mode == 2 == mode
    # A sigma by IMAPB is told in hex, and so is a rho by IEEE 754 of a width that has no such form.
    sigma_imapb = mode == 2 and (_is_raw(sigma) or not sigma) and (earlier.sigma_imapb if known else bool(sigma))
    rho_imapb = mode == 1 or (earlier.rho_imapb if known else not _is_raw(rho))
    form = Form(mode, sparse, 0, sigma_imapb, 0, rho_imapb)
    form = form._replace(
        sigma=_width("sigma", sigma, earlier.sigma, form.sigma_imapb, mode, place),
        # Where there is no pair at all, the parse control may name any width.
        rho=_width("rho", rho, earlier.rho, form.rho_imapb, mode, place) if pairs else earlier.rho,
    )
    most = 7 if mode == 1 else 15
    if max(form.sigma, form.rho) > most:
        raise place.misfit(max(form.sigma, form.rho), f"numbers of at most {most} bytes are possible in mode {mode}")
    return form


def _is_raw(given: list[object]) -> bool:
    return any(isinstance(one, str | bytes) for one in given)


def _width(name: str, given: list[object], earlier: int, imapb: bool, mode: int, place: Place) -> int:
    """Bytes of each number: as hex has it, as it was, or enough."""
    if not given:
        return 0
    raw = next((one for one in given if isinstance(one, str | bytes)), None)
    if raw is not None:
        return len(octets(raw, place.child(name)))
    if earlier in (range(1, 9) if imapb else (2, 4, 8)):
        return earlier
    wide = not imapb and any(is_number(one) and not _short(one, place.child(name)) for one in given)
    return 8 if wide and mode == 2 else 4


def _short(value: object, place: Place) -> bool:
    enough = tells if place.nearest else holds
    return special_of(value, place) is not None or enough(exact(value, place), 4)


def _present(rho: list[object], form: Form, earlier: Form, pairs: int, place: Place) -> list[bool]:
    """Which correlations are sent: all, or where sparse those that are not 0, or were sent before."""
    if not form.sparse:
        return [True] * pairs
    whole_bits = int.from_bytes(earlier.bits, "big") >> -pairs % 8 if earlier.bits else 0
    before = [bool(whole_bits >> (pairs - 1 - at) & 1) for at in range(pairs)]
    if not rho:
        return before
    return [was or not (is_number(one) and one == 0) for was, one in zip(before, rho, strict=True)]


def _coefficient(value: object, width: int, imapb: bool, earlier: Trace, place: Place) -> bytes:
    if isinstance(value, str | bytes):
        code = octets(value, place)
        if len(code) != width:
            raise place.misfit(value, f"{width} bytes, as the others have, are wanted")
        return code
    if imapb and width <= 8:
        return write_imapb(value, -1.0, 1.0, earlier, width, place)
    if width not in (2, 4, 8):
        raise place.misfit(value, f"hex of {width} bytes, as the others are, is wanted")
    return write_float(value, width, (width, width), earlier, place)
