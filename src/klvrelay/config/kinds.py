"""The kinds of values that settings have: how each is read, shown, and described in the reference and to editors."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from klvrelay.config.mistyped import file_name, looks_like_url
from klvrelay.config.units import (
    parse_rate,
    parse_size,
    parse_time,
    rate_setting,
    size_setting,
    size_text,
    time_setting,
)
from klvrelay.errors import ConfigError
from klvrelay.json_output import dumps
from klvrelay.text import HIDDEN, Secret, printable

NUMBER_MOST = 1e9
"""Numbers without another limit are less than this."""


def toml_text(value: object) -> str:
    """A value as TOML. Secrets are hidden."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return f"{value:.12g}" if isinstance(value, float) else str(value)
    if isinstance(value, Mapping):
        inner = ", ".join(f"{key} = {toml_text(one)}" for key, one in value.items())
        return f"{{{inner}}}"
    if isinstance(value, list | tuple | frozenset):
        return f"[{', '.join(map(toml_text, value))}]"
    return dumps(printable(HIDDEN if isinstance(value, Secret) else str(value))).decode()


@dataclass(frozen=True, slots=True)
class Kind:
    """How the values of a setting are read and shown.

    read       the typed value of a TOML value; raises ConfigError, which says what is valid
    valid      what is valid, for the reference
    schema     the same as JSON Schema
    from_text  the TOML value of a text in the environment; a text without meaning is returned unchanged
    shown      a typed value as TOML
    is_secret  the value must not be shown
    """

    read: Callable[[Any], Any]
    valid: str
    schema: Mapping[str, Any]
    from_text: Callable[[str], Any] = str
    shown: Callable[[Any], str] = toml_text
    is_secret: bool = False


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ConfigError("must be true or false")
    return value


def _flag_of(text: str) -> Any:
    return {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}.get(text.lower(), text)


FLAG = Kind(_flag, "true or false", {"type": "boolean"}, _flag_of)


def _whole_of(text: str) -> Any:
    return int(text) if re.fullmatch(r"-?\d{1,18}", text, re.ASCII) else text


def whole(least: int, most: int | None = None) -> Kind:
    """A whole number, from `least` to `most`."""

    def read(value: Any) -> int:
        if not isinstance(value, int) or isinstance(value, bool):
            raise ConfigError("must be a whole number")
        if value < least or (most is not None and value > most):
            raise ConfigError(f"must be {_range(least, most)}")
        return value

    limits = {"minimum": least} | ({} if most is None else {"maximum": most})
    return Kind(read, _range(least, most), {"type": "integer", **limits}, _whole_of)


def number(least: float, most: float | None = None) -> Kind:
    """A number, from `least` to `most`, which may have a fraction."""

    def read(value: Any) -> float:
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise ConfigError("must be a number")
        if not value >= least or (most is not None and value > most):
            raise ConfigError(f"must be {_range(least, most)}")
        if value >= NUMBER_MOST:
            raise ConfigError("must be less than 1,000,000,000")
        return float(value)

    limits = {"minimum": least} | ({"exclusiveMaximum": NUMBER_MOST} if most is None else {"maximum": most})
    return Kind(read, _range(least, most), {"type": "number", **limits}, _number_of)


def _number_of(text: str) -> Any:
    return float(text) if re.fullmatch(r"-?\d{1,18}(\.\d{1,18})?", text, re.ASCII) else text


def _range(least: float, most: float | None) -> str:
    return f"at least {least:.12g}" if most is None else f"from {least:.12g} to {most:.12g}"


def text(
    check: Callable[[str], object] | None = None, valid: str = "text", *, wanted: str | None = "something else"
) -> Kind:
    """A text that `check` accepts, and that does not look like a URL unless `wanted` is None."""

    def read(value: Any) -> str:
        if not isinstance(value, str):
            raise ConfigError("must be text in quotes")
        if wanted is not None and looks_like_url(value):
            raise ConfigError(f"give {wanted}; this looks like a URL, which is not shown")
        if check is not None:
            check(value)
        return value

    return Kind(read, valid, {"type": "string"})


def address(parse: Callable[[str], Any], valid: str) -> Kind:
    """A URL."""

    def read(value: Any) -> Any:
        if not isinstance(value, str):
            raise ConfigError(f"must be text in quotes, {valid}")
        return parse(value)

    return Kind(read, valid, {"type": "string"})


def addresses(parse: Callable[[str], Any], valid: str) -> Kind:
    """A URL, or an array of them."""

    def read(value: Any) -> Any:
        if isinstance(value, str):
            return parse(value)
        if not isinstance(value, list) or not value or not all(isinstance(one, str) for one in value):
            raise ConfigError(f"must be text in quotes, {valid}, or an array of such texts")
        return [parse(one) for one in value]

    array = {"type": "array", "items": {"type": "string"}, "minItems": 1}
    schema = {"anyOf": [{"type": "string"}, array]}
    return Kind(read, f"{valid}, or an array", schema, lambda text: _toml_of(text) if text[:1] == "[" else text)


def _folder(value: Any) -> Path:
    if not isinstance(value, str):
        raise ConfigError("must be text in quotes")
    if not value:
        raise ConfigError("must be the path of a folder")
    return Path(file_name(value, ""))


FOLDER = Kind(_folder, "the path of a folder", {"type": "string", "minLength": 1})


def _secret(value: Any) -> Secret:
    if not isinstance(value, str):
        raise ConfigError("must be text in quotes")
    return Secret(value)


SECRET = Kind(_secret, "text", {"type": "string"}, is_secret=True)


def one_of(*values: str | int, cutoff: float = 0.6) -> Kind:
    """One of these values. `cutoff`: how similar a value is at least that a message suggests."""
    valid = ", ".join(map(str, values))

    def read(value: Any) -> Any:
        if isinstance(values[0], int) and (not isinstance(value, int) or isinstance(value, bool)):
            raise ConfigError("must be a whole number")
        if isinstance(values[0], str) and not isinstance(value, str):
            raise ConfigError("must be text in quotes")
        if value not in values:
            hint = did_you_mean(value, values, cutoff) if isinstance(value, str) else ""
            raise ConfigError(f"must be one of {valid}{hint}")
        return value

    return Kind(read, valid, {"enum": list(values)}, _whole_of if isinstance(values[0], int) else str)


def size(least: int) -> Kind:
    """Bytes, with a unit."""

    def read(value: Any) -> int:
        found = parse_size(value) if isinstance(value, str) else None
        if found is None or not least <= found < 1 << 62:
            quotes = "" if isinstance(value, str) else " in quotes"  # a variable of the environment has none
            raise ConfigError(f"must be a size of at least {size_text(least)}{quotes}, such as 512M or 4G")
        return found

    form = r"^\d{1,9}(\.\d{1,9})?[KMGTkmgt]?([iI]?[bB])?$"
    schema = {"type": "string", "pattern": form}
    return Kind(read, f'at least "{size_setting(least)}"', schema, shown=_shown(size_setting))


def duration(least: str, most: str, *, or_zero: bool = False) -> Kind:
    """Seconds, as a time with its unit; 0 too if `or_zero`."""
    low, high = parse_time(least) or 0.0, parse_time(most) or 0.0
    valid = f'from "{least}" to "{most}"' + (", or 0" if or_zero else "")

    def read(value: Any) -> float:
        if or_zero and value in (0, "0") and not isinstance(value, bool):
            return 0.0
        found = parse_time(value) if isinstance(value, str) else None
        if found is None or not low <= found <= high:
            raise ConfigError(f"must be a time {valid}")
        return found

    form: dict[str, Any] = {"type": "string", "pattern": r"^\d{1,9}(\.\d{1,9})?(ms|s|m|h|d)$"}
    schema = {"anyOf": [form, {"enum": [0, "0"]}]} if or_zero else form
    return Kind(read, valid, schema, shown=_shown(time_setting))


def bit_rate(least: str, most: str) -> Kind:
    """Bits per second, with a unit."""
    low, high = parse_rate(least) or 0.0, parse_rate(most) or 0.0

    def read(value: Any) -> float:
        found = parse_rate(value) if isinstance(value, str) else None
        if found is None or not low <= found <= high:
            raise ConfigError(f'must be a bit rate from "{least}" to "{most}", such as "64kbit/s"')
        return found

    schema = {"type": "string", "pattern": r"^\d{1,9}(\.\d{1,9})? ?[kMG]?bit/s$"}
    return Kind(read, f'from "{least}" to "{most}"', schema, shown=_shown(rate_setting))


def _shown(form: Callable[[Any], str]) -> Callable[[Any], str]:
    return lambda value: toml_text(form(value)) if value else "0"


def whole_or_text(parse: Callable[[str | int], int], valid: str, least: int, most: int) -> Kind:
    """A number that may be in quotes, such as a program number."""

    def read(value: Any) -> int:
        return parse(value if isinstance(value, str | int) else repr(value))

    whole_number = {"type": "integer", "minimum": least, "maximum": most}
    return Kind(read, valid, {"anyOf": [whole_number, {"type": "string"}]})


def compound(
    read: Callable[[Any], Any], valid: str, schema: Mapping[str, Any], shown: Callable[[Any], str] = toml_text
) -> Kind:
    """A table or an array. A text in the environment is TOML."""
    return Kind(read, valid, schema, _toml_of, shown)


def _toml_of(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except (ValueError, RecursionError):
        return text


def did_you_mean(name: object, known: Iterable[object], cutoff: float = 0.6) -> str:
    """The hint with the nearest of the known names; "" if none is near."""
    near = nearest(name, known, cutoff)
    return f"; did you mean {near}?" if near else ""


def nearest(name: object, known: Iterable[object], cutoff: float = 0.6) -> str:
    """The nearest of the known names; "" if none is near."""
    import difflib  # here, since only an error needs it

    near = difflib.get_close_matches(str(name)[:40], [str(one) for one in known], n=1, cutoff=cutoff)
    return near[0] if near else ""
