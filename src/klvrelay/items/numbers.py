"""Range, resolution and length of an item."""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

from klvrelay.standards import spec

USUAL = (2, 3, 4)
"""The widths shown for an IMAPB item of variable width."""
DIGITS = {2: 3, 4: 7, 8: 16}
"""Decimal digits of an IEEE 754 float by its width in bytes."""
WHOLE = ("uint", "int", "timestamp", "date_time", "ber_oid")


class StepSize(NamedTuple):
    """The step between adjacent values, in units; `bytes` None: the same for any width."""

    bytes: int | None
    size: Fraction


class Range(NamedTuple):
    """Ends of a range, in units."""

    min: Fraction
    max: Fraction

    def __str__(self) -> str:
        return f"{plain(self.min)} to {plain(self.max)}"


def plain(value: Fraction) -> int | float:
    return int(value) if value.denominator == 1 else float(value)


def range_of(of: spec.Item | spec.Element) -> Range | None:
    """The range of a number; None for text, codes and times."""
    if of.min is None or of.max is None or of.kind in ("enum", "bitfield", "timestamp", "date_time"):
        return None
    return Range(Fraction(repr(of.min)), Fraction(repr(of.max)))


def steps(of: spec.Item | spec.Element, widths: tuple[int, ...]) -> tuple[StepSize, ...]:
    """The exact resolution for each of these widths: linear mappings, MISB ST 1201, integers."""
    span = range_of(of)
    if span is not None and of.mapping == "linear_uint":
        return tuple(StepSize(n, (span.max - span.min) / (256**n - 1)) for n in widths)
    if span is not None and of.mapping == "linear_int":
        return tuple(StepSize(n, span.max / (256**n // 2 - 1)) for n in widths)
    if span is not None and of.mapping == "imapb":
        power = power_above(span.max - span.min)
        return tuple(StepSize(n, Fraction(2) ** (power - 8 * n + 1)) for n in widths)
    return (StepSize(None, Fraction(1)),) if of.kind in WHOLE else ()


def power_above(span: Fraction) -> int:
    """ceil(log2(span)), exactly."""
    power = 0
    while Fraction(2) ** power < span:
        power += 1
    while Fraction(2) ** (power - 1) >= span:
        power -= 1
    return power


def widths_of(item: spec.Item) -> tuple[int, ...]:
    """The widths for which to show the resolution: its own, or the usual ones among the permitted."""
    low, high = item.len_min or 1, item.len_max or 8
    widths = tuple(range(low, high + 1)) if low <= high <= 8 else ()
    usual = tuple(n for n in widths if n in USUAL)
    return widths if len(widths) <= len(USUAL) else usual


def digits(item: spec.Item) -> dict[int, int]:
    """Decimal digits of a float by width in bytes."""
    if item.kind != "float":
        return {}
    return {n: held for n, held in DIGITS.items() if item.len_min <= n <= item.len_max}


def length_text(item: spec.Item) -> str:
    """`2 bytes`, `1 to 8 bytes`, `4 or 8 bytes`, `up to 127 bytes`, `2 bytes or more`, `any length`."""
    low, high = item.len_min, item.len_max
    if not high:
        return f"{_bytes(low)} or more" if low else "any length"
    if item.kind == "float" and low < high:
        return " or ".join(str(n) for n in digits(item)) + " bytes"
    if low == high:
        return _bytes(low)
    return f"{low} to {high} bytes" if low else f"up to {high} bytes"


def _bytes(count: int) -> str:
    return f"{count} byte" + "s" * (count != 1)


def step_text(step: StepSize, units: str) -> str:
    """`0.003051851 deg`, `0.5 m in 2 bytes`."""
    size = f"{float(step.size):.7g} {units}".strip()
    return size if step.bytes is None else f"{size} in {_bytes(step.bytes)}"


def resolution_text(item: spec.Item) -> str:
    """One step in units; for floats the number of digits."""
    found = steps(item, widths_of(item))
    if item.kind == "float":
        return ", ".join(f"{held} digits in {n} bytes" for n, held in digits(item).items())
    if len(found) == 1:
        return step_text(found[0]._replace(bytes=None), item.units) if item.units or found[0].bytes else ""
    return ", ".join(step_text(step, item.units) for step in found)
