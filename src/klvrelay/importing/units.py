"""Units of measurement that a column may have, and their conversion to the unit of an item."""

from __future__ import annotations

import math
import re
from difflib import get_close_matches
from typing import NamedTuple

from klvrelay.errors import ConfigError
from klvrelay.text import printable


class Scale(NamedTuple):
    """A quantity in the unit is `factor` times the number plus `offset` in the quantity's first unit."""

    quantity: str
    factor: float
    offset: float = 0.0


_DEGREE = math.pi / 180
_UNITS = {
    "deg": Scale("angle", 1), "rad": Scale("angle", 1 / _DEGREE), "mrad": Scale("angle", 1e-3 / _DEGREE),
    "mil": Scale("angle", 360 / 6400), "degE7": Scale("angle", 1e-7),
    "m": Scale("length", 1), "cm": Scale("length", 0.01), "mm": Scale("length", 1e-3), "km": Scale("length", 1000),
    "ft": Scale("length", 0.3048), "yd": Scale("length", 0.9144), "mi": Scale("length", 1609.344),
    "nmi": Scale("length", 1852),
    "m/s": Scale("speed", 1), "km/h": Scale("speed", 1 / 3.6), "kn": Scale("speed", 1852 / 3600),
    "mph": Scale("speed", 0.44704), "ft/s": Scale("speed", 0.3048), "ft/min": Scale("speed", 0.3048 / 60),
    "deg/s": Scale("angular speed", 1), "rad/s": Scale("angular speed", 1 / _DEGREE),
    "s": Scale("time", 1), "ms": Scale("time", 1e-3), "us": Scale("time", 1e-6), "ns": Scale("time", 1e-9),
    "min": Scale("time", 60), "h": Scale("time", 3600),
    "degC": Scale("temperature", 1), "degF": Scale("temperature", 5 / 9, -160 / 9),
    "K": Scale("temperature", 1, -273.15),
    "mbar": Scale("pressure", 1),
    "hPa": Scale("pressure", 1), "Pa": Scale("pressure", 0.01), "kPa": Scale("pressure", 10),
    "inHg": Scale("pressure", 33.86389), "psi": Scale("pressure", 68.94757),
    "kg": Scale("mass", 1), "g": Scale("mass", 1e-3), "lb": Scale("mass", 0.45359237),
    "percent": Scale("share", 1), "ratio": Scale("share", 100),
}  # fmt: skip
_OTHER_NAMES = {
    "degree": "deg", "degrees": "deg", "°": "deg", "radian": "rad", "radians": "rad", "dege7": "degE7",
    "meter": "m", "meters": "m", "metre": "m", "metres": "m", "feet": "ft", "foot": "ft", "miles": "mi", "nm": "nmi",
    "mps": "m/s", "kmh": "km/h", "kph": "km/h", "kt": "kn", "kts": "kn", "knot": "kn", "knots": "kn", "fps": "ft/s",
    "fpm": "ft/min", "sec": "s", "second": "s", "seconds": "s", "millisecond": "ms", "milliseconds": "ms",
    "microsecond": "us", "microseconds": "us", "µs": "us", "nanoseconds": "ns", "c": "degC", "°c": "degC",
    "celsius": "degC", "f": "degF", "°f": "degF", "fahrenheit": "degF", "%": "percent",
}  # fmt: skip
_BY_NAME = {name.lower(): name for name in _UNITS} | _OTHER_NAMES
_SUFFIX = re.compile(r"(.+?)\s*[\[(]\s*([^\])]{1,20})\s*[\])]\s*$")


def unit_name(text: str) -> str | None:
    """The usual name of a unit; None if it is unknown."""
    return text if text in _UNITS else _BY_NAME.get(text.strip().lower())


def checked_unit(text: str, wanted: str, place: str) -> str:
    """The name of a unit of the same quantity as `wanted`. Raises ConfigError with the valid ones, naming the place."""
    name = unit_name(text)
    valid = [each for each, unit in _UNITS.items() if wanted in _UNITS and unit.quantity == _UNITS[wanted].quantity]
    if name in valid:
        return str(name)
    if not valid:
        raise ConfigError(f"{place}: unit {printable(text)}: this item has {wanted or 'no unit'}; leave the unit out")
    near = get_close_matches(text, valid, n=1)
    hint = f"; did you mean {near[0]}?" if near else ""
    raise ConfigError(f"{place}: unit {printable(text)}: give one of {', '.join(valid)}{hint}")


def convert(value: float, given: str, wanted: str) -> float:
    """A number in another unit of the same quantity."""
    source, target = _UNITS[given], _UNITS[wanted]
    return (value * source.factor + source.offset - target.offset) / target.factor


def split_header(text: str) -> tuple[str, str | None]:
    """A column's name without its unit, and the unit: `height (ft)`, `speed [m/s]`; None without a known unit."""
    found = _SUFFIX.fullmatch(text.strip())
    name = unit_name(found[2]) if found else None
    return (found[1], name) if found and name else (text.strip(), None)
