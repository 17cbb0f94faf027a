"""The values of the vectors in the form of a record: keys for tags, labels for codes, null for specials."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from fractions import Fraction
from itertools import product
from typing import Any

from packet_wrapping import decoded
from reference_keys import keyed, plain
from reference_scalars import bits, fields, labels
from reference_sets import TARGETS, table
from reference_values import Real

from native.spec import facts

# Special values: name in the vectors -> name in a record.
SPECIAL = {
    "+inf": "plus_infinity",
    "-inf": "minus_infinity",
    **dict.fromkeys(["+qnan", "-qnan"], "quiet_nan"),
    **dict.fromkeys(["+snan", "-snan"], "signalling_nan"),
}


def special_name(expected: dict[str, str]) -> str:
    return SPECIAL.get(expected["special"], expected["special"])


def set_in_record(name: str, expected: dict[str, Any], *, nested: bool = True) -> dict[str, Any]:
    """A set's items by key; items that stay raw are under "unknown"."""
    items: dict[str, Any] = {}
    unknown: dict[str, str] = {}
    for tag, value in expected.items():
        if isinstance(value, dict) and "unknown" in value:
            unknown[tag] = value["unknown"]
        elif nested or int(tag) not in lifted(name):
            item = table(name)[int(tag)]
            items[item.key] = in_record(item, value)
    if name == "RvtUserDefined":
        items |= user_value(expected)
    for command in items.get("control_command", ()):
        command |= {"command_time": expected["2"]} | command if "2" in expected else {}
    return items | ({"unknown": unknown} if unknown else {})


def user_value(expected: dict[str, Any]) -> dict[str, Any]:
    """User data read as its numeric id says: what a record adds to the vector's hex."""
    kind, data = expected.get("1", 0xC0) >> 6, bytes.fromhex(expected.get("2", ""))
    if not data or kind == 3:
        return {}
    return {"user_value": data.decode() if kind == 0 else int.from_bytes(data, "big", signed=kind == 1)}


def lifted(name: str) -> set[int]:
    """The items of a packet that its record lifts into its head."""
    return {tags[name] for tags in (facts.CHECKSUM, facts.TIME, facts.VERSION) if name in tags}


def universal_set_in_record(name: str, expected: dict[str, Any]) -> dict[str, Any]:
    """A universal set's items: the vectors name them by the field of EG 0104 or by the tag of ST 0102."""
    if name == "ST0102-US":
        return {table("ST0102")[int(tag)].key: value for tag, value in expected.items()}
    keys = {row.field: keyed()[plain(row.key)].key for row in facts.legacy()}
    items = {keys[field]: value for field, value in expected.items()}
    del items["precision_time_stamp"]
    return items | {"event_start_time": event_start(items["event_start_time"])}


def event_start(text: str) -> int:
    """The text of the vectors as microseconds."""
    return int(datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=UTC).timestamp()) * 1_000_000


def in_record(item: facts.Item, expected: Any) -> Any:
    """One item's value; a repeatable item is an array."""
    if item.repeats and not isinstance(expected, list):
        expected = [expected]
    if item.repeats:
        return [one(item, value) for value in expected]
    return one(item, expected)


def one(item: facts.Item, expected: Any) -> Any:
    inner = decoded(item.kind)
    if expected is None or (isinstance(expected, dict) and "special" in expected):
        return None
    if inner and item.kind.removeprefix("series:") in TARGETS:
        packs = [(pack["target_id"], set_in_record(inner, pack["items"])) for pack in expected]
        return [{"target_id": number, **items} for number, items in packs]
    if inner and item.kind.startswith("series:"):
        return [set_in_record(inner, element) for element in expected]
    if inner:
        return set_in_record(inner, expected)
    if item.kind == "enum":
        return labels(item.set, item.tag).get(expected, expected)
    if item.kind == "bitfield" and item.key != "active_payloads":
        return bits(fields(item.set, item.tag), expected)
    return pack_in_record(item, completed(item, expected))


def completed(item: facts.Item, expected: Any) -> Any:
    """A pack with the elements whose default applies where their bytes are left out; the vectors omit them."""
    if item.key == "sensor_frame_rate_pack":
        return {"denominator": 1} | expected
    if item.key == "airbase_locations" and not any(key.startswith("recovery") for key in expected):
        same = {key.replace("takeoff", "recovery"): value for key, value in expected.items()}
        return expected | same
    return expected


def pack_in_record(item: facts.Item, expected: Any, name: str = "") -> Any:
    """Packs, element by element."""
    if isinstance(expected, list):
        return [pack_in_record(item, element, name) for element in expected]
    if isinstance(expected, dict) and "special" in expected:
        return None
    if isinstance(expected, dict):
        return {key: pack_in_record(item, value, key) for key, value in expected.items()}
    of = fields(item.set, item.tag, name) if name else []
    if of:
        return bits(of, expected)
    if isinstance(expected, str) and item.key == "sdcc_flp":
        return expected.removeprefix("raw:")
    if name == "sparse":
        return bool(expected)
    field = "wavelength_id" if item.key == "active_wavelength_list" else name
    coded = field and field != "prosecution_order"  # a number, though one of its codes has a name
    return labels(item.set, item.tag, field).get(expected, expected) if coded else expected


def without_derived(got: Any) -> Any:
    """A record's value without what the vectors omit: the items of a matrix, the text of an identifier."""
    if isinstance(got, list):
        return [without_derived(each) for each in got]
    if not isinstance(got, dict):
        return got
    untold = {"items"} if "matrix_size" in got else {"text"} if "usage" in got else set()
    return {key: without_derived(value) for key, value in got.items() if key not in untold}


def deviations(expected: Any, got: Any, steps: Any, tolerance: Fraction, path: str = "") -> Iterator[str]:
    """Where a record's value differs from a vector; `steps` is the reference's resolution.

    A vector's null may be null or absent in the record; a value absent from a vector may be null in the record.
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


def laid_out(array: dict[str, Any]) -> dict[str, Any]:
    """An array of run lengths (ST 1303) in the form of the vectors: all elements, row by row."""
    if "runs" not in array:
        return array
    dims = array["dims"]
    cells = dict.fromkeys(product(*map(range, dims)), array["default"])
    for run in array["runs"]:
        box = [range(start, start + size) for start, size in zip(run["start"], run["size"], strict=True)]
        cells.update(dict.fromkeys(product(*box), run["value"]))
    return {key: value for key, value in array.items() if key != "runs"} | {"values": list(cells.values())}


def matches(expected: Any, got: Any, step: Any, tolerance: Fraction) -> bool:
    value = got.value if isinstance(got, Real) else got
    if isinstance(expected, float) and type(value) in (Fraction, int):
        room = max(tolerance, step.step if isinstance(step, Real) else Fraction(0), Fraction(1, 10**9))
        return abs(Fraction(expected) - value) <= room
    return type(expected) is type(value) and bool(expected == value)
