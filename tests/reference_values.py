"""Number maps, text and scalar items of the second opinion; next door, `reference_packs.py` reads packs.

Exact throughout: a mapped number is a fraction, never a float.
"""

from __future__ import annotations

import codecs
import struct
import uuid
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cache
from typing import Any

from reference_wire import Unreadable

from native.spec import facts


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


@dataclass(frozen=True)
class Context:
    """What is noted on the way, and what the sets around a value say of it."""

    special: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    old_maps: bool = False
    depth: int = 0

    def warn(self, place: Place, text: str) -> None:
        self.warnings.append(f"item {place.tags}: {text}")

    def warn_packet(self, text: str) -> None:
        self.warnings.append(text)

    def mark(self, place: Place, meaning: str) -> None:
        self.special[place.keys] = meaning

    def with_old_maps(self, old: bool) -> Context:
        return replace(self, old_maps=old)

    def deeper(self) -> Context:
        return replace(self, depth=self.depth + 1)

    def trial(self) -> Context:
        return replace(self, special={}, warnings=[])

    def merge(self, trial: Context) -> None:
        self.special.update(trial.special)
        self.warnings.extend(trial.warnings)


def same(reference: Fraction, printed: Fraction, resolution: Fraction) -> bool:
    """Is `reference` the code that lies nearest to the printed number?"""
    return printed == reference or abs(printed - reference) * 2 < resolution


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
    """MISB ST 1201: the number, or the name of what stands in its place.

    The ends of the range are taken as floats, as every encoder does: it matters to 7 and 8 bytes of -19.2.
    """
    low, high = Fraction(float(low)), Fraction(float(high))
    if not 1 <= len(data) <= 8:
        raise Unreadable
    raw = int.from_bytes(data, "big")
    if raw > 1 << (8 * len(data) - 1):
        return imapb_special(data[0])
    scale = Fraction(2) ** (8 * len(data) - 1 - power_above(high - low))
    offset = scale * low - (scale * low).__floor__() if low < 0 < high else Fraction(0)
    return Real((raw - offset) / scale + low, 1 / scale)


def power_above(span: Fraction) -> int:
    """ceil(log2(span)), exactly."""
    power = 0
    while Fraction(2) ** power < span:
        power += 1
    while Fraction(2) ** (power - 1) >= span:
        power -= 1
    return power


def imapb_special(first: int) -> str:
    """Most are told by the top five bits of the first byte."""
    exact = {0xE0: "below_min", 0xE1: "above_max"}
    family = {0xC8: "plus_infinity", 0xE8: "minus_infinity", 0xC0: "user"}
    family |= {0xD0: "quiet_nan", 0xF0: "quiet_nan", 0xD8: "signalling_nan", 0xF8: "signalling_nan"}
    return exact.get(first) or family.get(first & 0xF8, "reserved")


def ieee(data: bytes, place: Place, context: Context) -> Real | None:
    """IEEE 754 of 2, 4 or 8 bytes; the step is the one to the next number of that width."""
    fraction_bits, lowest, code = {2: (10, -14, ">e"), 4: (23, -126, ">f"), 8: (52, -1022, ">d")}[len(data)]
    value: float = struct.unpack(code, data)[0]
    if value != value:
        quiet = int.from_bytes(data, "big") >> (fraction_bits - 1) & 1
        context.mark(place, "quiet_nan" if quiet else "signalling_nan")
        return None
    if abs(value) == float("inf"):
        context.mark(place, "plus_infinity" if value > 0 else "minus_infinity")
        return None
    exact = Fraction(value)
    power = lowest
    while exact and Fraction(2) ** (power + 1) <= abs(exact):
        power += 1
    return Real(exact, Fraction(2) ** (power - fraction_bits))


def number(value: Real | str, place: Place, context: Context) -> Real | None:
    """A special code is null, and its name is noted."""
    if isinstance(value, str):
        context.mark(place, value)
        return None
    return value


# --- text ---


def _each_byte(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    return "\ufffd" * (error.end - error.start), error.end


codecs.register_error("each-byte", _each_byte)


def text(data: bytes, kind: str, place: Place, context: Context) -> str:
    if data == b"\0":
        return ""
    wide = kind == "utf16" and len(data) % 2 == 0 and 0 in data
    coding = "utf-16-be" if wide else "utf-8"
    try:
        return data.decode(coding)
    except UnicodeDecodeError:
        context.warn(place, "text is not valid, replaced in part")
    return data.decode(coding, "replace" if wide else "each-byte")


# --- scalar items ---


@cache
def codes() -> list[facts.Code]:
    return facts.codes()


@cache
def labels(set_: str, tag: int, name: str | None = None) -> dict[int, str]:
    return {
        code.code: code.label
        for code in codes()
        if (code.set, code.tag) == (set_, tag) and name in (None, code.field) and code.code_type == "value"
    }


@cache
def bits(set_: str, tag: int) -> dict[str, int]:
    return {
        facts.snake(code.label): code.code
        for code in codes()
        if (code.set, code.tag) == (set_, tag) and code.code_type == "bit"
    }


def flags(value: int, of: dict[str, int]) -> dict[str, bool]:
    return {name: bool(value >> bit & 1) for name, bit in of.items()}


def mapping_of(item: facts.Item, context: Context) -> str:
    """VMTI before version 4 had linear maps where ST 1201 came in."""
    if not context.old_maps or item.mapping != "imapb" or item.set not in ("ST0903", "VTarget"):
        return item.mapping
    return "linear_int" if item.set == "VTarget" and item.tag != 12 else "linear_uint"


def read_scalar(item: facts.Item, data: bytes, place: Place, context: Context) -> Any:
    mapping = mapping_of(item, context)
    if mapping == "imapb":
        assert item.min is not None
        assert item.max is not None
        return number(imapb(data, item.min, item.max), place, context)
    if mapping.startswith("linear"):
        return read_linear(item, mapping, data, place, context)
    if item.kind in ("utf8", "ascii", "utf16"):
        return text(data, item.kind, place, context)
    if item.kind == "bytes":
        return data.hex()
    if item.kind == "uuid":
        return identifier(data)
    return read_integer(item, data)


def read_integer(item: facts.Item, data: bytes) -> Any:
    if item.key == "active_payloads":
        whole = int.from_bytes(data, "big")
        return [bit for bit in range(8 * len(data)) if whole >> bit & 1]
    value = integer(data, signed=item.kind == "int")
    if item.kind == "bitfield":
        return flags(value, bits(item.set, item.tag))
    return labels(item.set, item.tag).get(value, value) if item.kind == "enum" else value


def read_linear(item: facts.Item, mapping: str, data: bytes, place: Place, context: Context) -> Real | None:
    assert item.min is not None
    assert item.max is not None
    special = item.special
    if mapping != item.mapping and mapping == "linear_int":
        special = {0x800000: "error"}
        if len(data) < 3:
            data = int.from_bytes(data, "big", signed=True).to_bytes(3, "big", signed=True)
    if len(data) != item.len_max:
        raise Unreadable
    raw = int.from_bytes(data, "big")
    return number(special.get(raw) or linear(mapping, data, item.min, item.max), place, context)


def identifier(data: bytes) -> str:
    if len(data) != 16:
        raise Unreadable
    return str(uuid.UUID(bytes=data))
