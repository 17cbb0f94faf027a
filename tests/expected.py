"""What the vectors expect, in the shape of a record: keys for tags, labels for codes, null for specials.

Next door, `test_vectors.py` holds it against what the decoders say.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from reference_sets import table
from reference_values import Real, bits, flags, labels
from wrapping import decoded

from native.spec import facts

# The names of the vectors for what is not a number -> those of a record.
SPECIAL = {
    "+inf": "plus_infinity",
    "-inf": "minus_infinity",
    **dict.fromkeys(["+qnan", "-qnan"], "quiet_nan"),
    **dict.fromkeys(["+snan", "-snan"], "signalling_nan"),
}


def special_name(expected: dict[str, str]) -> str:
    return SPECIAL.get(expected["special"], expected["special"])


def set_in_record(name: str, expected: dict[str, Any], *, nested: bool = True) -> dict[str, Any]:
    """A set's items by key; what is to stay raw stands under "unknown"."""
    items: dict[str, Any] = {}
    unknown: dict[str, str] = {}
    for tag, value in expected.items():
        if isinstance(value, dict) and "unknown" in value:
            unknown[tag] = value["unknown"]
        elif nested or name not in ("ST0601", "ST0903") or tag not in ("1", "2", "65"):
            item = table(name)[int(tag)]
            items[item.key] = in_record(item, value)
    return items | ({"unknown": unknown} if unknown else {})


def in_record(item: facts.Item, expected: Any) -> Any:
    """One item's value; an item that may repeat is an array."""
    if item.repeats and not isinstance(expected, list):
        expected = [expected]
    if item.repeats:
        return [one(item, value) for value in expected]
    return one(item, expected)


def one(item: facts.Item, expected: Any) -> Any:
    inner = decoded(item.kind)
    if expected is None or (isinstance(expected, dict) and "special" in expected):
        return None
    if item.kind == "series:VTargetPack":
        packs = [(pack["target_id"], set_in_record("VTarget", pack["items"])) for pack in expected]
        return [{"target_id": number, **items} for number, items in packs]
    if inner and item.kind.startswith("series:"):
        return [set_in_record(inner, element) for element in expected]
    if inner:
        return set_in_record(inner, expected)
    if item.kind == "enum":
        return labels(item.set, item.tag).get(expected, expected)
    if item.kind == "bitfield" and item.key != "active_payloads":
        return flags(expected, bits(item.set, item.tag))
    return pack_in_record(item, expected)


def pack_in_record(item: facts.Item, expected: Any, name: str = "") -> Any:
    """Packs, element by element."""
    if isinstance(expected, list):
        return [pack_in_record(item, element, name) for element in expected]
    if isinstance(expected, dict) and "special" in expected:
        return None
    if isinstance(expected, dict):
        return {key: pack_in_record(item, value, key) for key, value in expected.items()}
    if (item.set, item.tag, name) == ("ST0601", 140, "status"):
        general = labels("ST0601", 140, "weapon_general_status")[expected & 0x7F]
        return {"general_status": general, **flags(expected, bits("ST0601", 140))}
    if (item.set, item.tag, name) == ("ST0601", 141, "info"):
        return flags(expected, bits("ST0601", 141))
    if name == "sparse":
        return bool(expected)
    field = "wavelength_id" if item.key == "active_wavelength_list" else name
    coded = field and field != "prosecution_order"  # a number, though one of its codes has a name
    return labels(item.set, item.tag, field).get(expected, expected) if coded else expected


def deviations(expected: Any, got: Any, steps: Any, tolerance: Fraction, path: str = "") -> Iterator[str]:
    """Where a record's value is not what a vector expects; `steps` is the reference's, for the resolution.

    A vector's null may be a null or nothing in the record, and nothing in a vector may be a null.
    """
    if isinstance(expected, dict) and isinstance(got, dict):
        for key in sorted({*expected, *got}):
            inner = steps.get(key) if isinstance(steps, dict) else None
            yield from deviations(expected.get(key), got.get(key), inner, tolerance, f"{path}.{key}")
    elif isinstance(expected, list) and isinstance(got, list) and len(expected) == len(got):
        for at, (one, other) in enumerate(zip(expected, got, strict=True)):
            inner = steps[at] if isinstance(steps, list) else None
            yield from deviations(one, other, inner, tolerance, f"{path}[{at}]")
    elif not matches(expected, got, steps, tolerance):
        yield f"{path}: expected {expected!r}, got {got!r}"


def matches(expected: Any, got: Any, step: Any, tolerance: Fraction) -> bool:
    value = got.value if isinstance(got, Real) else got
    if isinstance(expected, float) and type(value) in (Fraction, int):
        room = max(tolerance, step.step if isinstance(step, Real) else Fraction(0), Fraction(1, 10**9))
        return abs(Fraction(expected) - value) <= room
    return type(expected) is type(value) and bool(expected == value)
