"""Reference decoder, number maps and warnings.

Exact throughout: a mapped number is a fraction, never a float.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from fractions import Fraction

from reference_wire import Unreadable


@dataclass(frozen=True)
class Real:
    """A number with the step between two neighbouring codes of its encoding."""

    value: Fraction
    step: Fraction


@dataclass(frozen=True)
class Place:
    """Where a value is: by keys for `quality.special`, by tags for `quality.warnings`."""

    keys: str = ""
    tags: str = ""

    def child(self, key: str, tag: str = "") -> Place:
        return Place(f"{self.keys}.{key}".strip("."), f"{self.tags}.{tag}".strip("."))

    def index(self, number: int) -> Place:
        return Place(f"{self.keys}[{number}]", f"{self.tags}[{number}]")


@dataclass
class Capacity:
    """How many more items by 16-byte key one packet may have."""

    items: int = 1024

    def take(self, *, items: int = 0) -> bool:
        fits = items <= self.items
        if fits:
            self.items -= items
        return fits


@dataclass(frozen=True)
class Context:
    """Warnings so far, and what the enclosing sets say about a value."""

    special: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    room: Capacity = field(default_factory=Capacity)
    old_maps: bool = False
    depth: int = 0
    time: int | None = None

    def warn(self, place: Place, text: str) -> None:
        self.warnings.append(f"item {place.tags}: {text}")

    def warn_packet(self, text: str) -> None:
        self.warnings.append(text)

    def mark(self, place: Place, meaning: str) -> None:
        self.special[place.keys] = meaning

    def with_old_maps(self, old: bool) -> Context:
        return replace(self, old_maps=old)

    def with_time(self, time: int | None) -> Context:
        return replace(self, time=time)

    def deeper(self) -> Context:
        return replace(self, depth=self.depth + 1)

    def trial(self) -> Context:
        return replace(self, special={}, warnings=[])

    def merge(self, trial: Context) -> None:
        self.special.update(trial.special)
        self.warnings.extend(trial.warnings)


def same(reference: Fraction, printed: Fraction, resolution: Fraction) -> bool:
    """Is `reference` the code nearest to the printed number?"""
    return printed == reference or abs(printed - reference) * 2 < resolution


# --- times ---

UNITS = {
    "nanoseconds": (10**9, 1990, 2100),
    "milliseconds": (10**3, 1990, 2100),
    "seconds": (1, 2001, 2040),
}


def unit_of(time: int | None) -> tuple[str, int]:
    """The unit of a time stamp and how many make a second: the unit in which it is a plausible date."""
    for name, (rate, first, end) in UNITS.items():
        if time is not None and datetime(first, 1, 1) <= _moment(time // rate) < datetime(end, 1, 1):
            return name, rate
    return "microseconds", 10**6


def _moment(seconds: int) -> datetime:
    return datetime(1970, 1, 1) + timedelta(seconds=min(seconds, 10**11))


def microseconds(time: int | None) -> int | None:
    return None if time is None else time * 10**6 // unit_of(time)[1]


# --- numbers ---


def integer(data: bytes, signed: bool = False) -> int:
    if len(data) > 8:
        raise Unreadable
    return int.from_bytes(data, "big", signed=signed)


def linear(mapping: str, data: bytes, low: Fraction, high: Fraction) -> Real:
    codes = 2 ** (8 * len(data)) - 1
    if mapping == "linear_uint":
        step = (high - low) / codes
        return Real(low + int.from_bytes(data, "big") * step, step)
    step = high / (codes // 2)
    return Real(int.from_bytes(data, "big", signed=True) * step, step)


def imapb(data: bytes, low: Fraction, high: Fraction) -> Real | str:
    """MISB ST 1201: the number, or the name of a special value.

    The ends of the range and their distance are taken as floats, as every encoder does: this affects 7 and 8 bytes of
    -19.2, and ranges with distant ends. Where a range begins between two multiples of its step, the number has no more
    digits than a float resolves.
    """
    low, span = Fraction(float(low)), float(high) - float(low)
    if not 1 <= len(data) <= 8 or span == float("inf"):
        raise Unreadable
    raw = int.from_bytes(data, "big")
    if raw > 1 << (8 * len(data) - 1):
        return imapb_special(data[0])
    scale = Fraction(2) ** (8 * len(data) - 1 - power_above(Fraction(span)))
    offset = scale * low - (scale * low).__floor__() if low < 0 < high else Fraction(0)
    on_steps = low < 0 < high or (low * scale).denominator == 1
    least = 0 if on_steps else 4 * Fraction(math.ulp(max(abs(low), abs(high))))
    return Real((raw - offset) / scale + low, max(1 / scale, least))


def power_above(span: Fraction) -> int:
    """ceil(log2(span)), exactly."""
    power = 0
    while Fraction(2) ** power < span:
        power += 1
    while Fraction(2) ** (power - 1) >= span:
        power -= 1
    return power


def imapb_special(first: int) -> str:
    """The top five bits of the first byte identify most of them."""
    exact = {0xE0: "below_min", 0xE1: "above_max"}
    family = {0xC8: "plus_infinity", 0xE8: "minus_infinity", 0xC0: "user"}
    family |= {0xD0: "quiet_nan", 0xF0: "quiet_nan", 0xD8: "signalling_nan", 0xF8: "signalling_nan"}
    return exact.get(first) or family.get(first & 0xF8, "reserved")


def ieee(data: bytes, place: Place, context: Context) -> Real | None:
    """IEEE 754 of 2, 4 or 8 bytes; the step is the distance to the next number of that width."""
    fraction_bits, lowest, code = {2: (10, -14, ">e"), 4: (23, -126, ">f"), 8: (52, -1022, ">d")}[len(data)]
    value: float = struct.unpack(code, data)[0]
    if value != value:
        context.mark(place, "quiet_nan")
        return None
    if abs(value) == float("inf"):
        context.mark(place, "plus_infinity" if value > 0 else "minus_infinity")
        return None
    power = max(lowest, math.frexp(value)[1] - 1)
    return Real(Fraction(value), Fraction(2) ** (power - fraction_bits))


def number(value: Real | str, place: Place, context: Context) -> Real | None:
    """A special code is null, and its name is noted."""
    if isinstance(value, str):
        context.mark(place, value)
        return None
    return value
