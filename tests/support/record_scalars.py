"""Random single values in the form of a record: numbers, labels, bits, text; special values by name."""

from __future__ import annotations

import math
from typing import Any

from hypothesis import strategies as st
from number_steps import Stepped

from klvrelay.standards.spec import Bits, Element, Item

Drawn = st.SearchStrategy[Any]
IMAPB_SPECIALS = ("plus_infinity", "minus_infinity", "quiet_nan", "signalling_nan", "below_min", "above_max", "user",
                  "reserved")  # fmt: skip
FLOAT_SPECIALS = ("plus_infinity", "minus_infinity", "quiet_nan")
LETTERS = 'abc"\\/\x01\x1f\x7fé€😀 \ufffd'
MOST_OID = (1 << 63) - 1


def special(*names: str) -> Drawn:
    """A code that is not a number."""
    return st.sampled_from(names).map(lambda name: {"special": name})


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
    """A label, or a code without one."""
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
    return st.text(letters, max_size=most // 4 if most else 20).filter(lambda value: not value.endswith("\0"))


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
