"""Changes of outputs at run time: what the settings allow, and how a change is read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any

from klvrelay.config import kinds
from klvrelay.config.outputs import OUTPUT_SETTINGS, OutputFault, check_output, setting_field
from klvrelay.config.units import time_setting
from klvrelay.errors import ConfigError
from klvrelay.shape.output import Output
from klvrelay.text import printable

CHANGEABLE = ("items", "exclude", "rate", "on_change", "dead_band", "snapshot")
"""Settings of an output that may change. Neither topic, markings nor the grid of positions are among them."""
TEXTS_MOST, TEXT_MOST = 100, 80
"""Maximum number of expressions in a change, and of characters of each: a wildcard is compared with every key."""
PATTERNS_MOST = 1000
_KINDS = {setting.name: setting.kind for setting in OUTPUT_SETTINGS if setting.name in CHANGEABLE}


def _patterns(value: Any) -> tuple[str, ...]:
    found = [value] if isinstance(value, str) else value
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise ConfigError('must be an array of texts, such as ["position.rate", "*.items"]')
    if len(found) > PATTERNS_MOST:
        raise ConfigError(f"must have at most {PATTERNS_MOST} texts")
    for pattern in found:
        output, _, name = pattern.rpartition(".")
        if output and set("*?[") & set(name):
            shown = printable(f"{output[:40]}.{name[:40]}")
            example = printable(f"{output[:40]}.rate")
            text = f"{shown}: wildcards are for the output only: name each setting, such as {example}; settings:"
            raise ConfigError(f"{text} {', '.join(CHANGEABLE)}")
        if not output or name not in CHANGEABLE:
            hint = kinds.did_you_mean(name, CHANGEABLE)
            text = f"{printable(pattern[:80])}: must be an output, a dot, and one of {', '.join(CHANGEABLE)}{hint}"
            raise ConfigError(text)
    return tuple(found)


PATTERNS = kinds.compound(
    _patterns, 'an array of OUTPUT.SETTING, such as ["position.rate", "*.items"]',
    {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "maxItems": PATTERNS_MOST}]},
)  # fmt: skip


def unmatched(patterns: Sequence[str], outputs: Sequence[Output]) -> str | None:
    """The first pattern that names no output, if there is one."""
    names = [output.name for output in outputs]
    return next((one for one in patterns if not any(fnmatchcase(name, one.rpartition(".")[0]) for name in names)), None)


def allowed(patterns: Sequence[str], output: str) -> tuple[str, ...]:
    """The settings of an output that the patterns allow to change."""
    pairs = [pattern.rpartition(".")[::2] for pattern in patterns]
    names = {name for of, name in pairs if fnmatchcase(output, of)}
    return tuple(name for name in CHANGEABLE if name in names)


def read_change(given: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """The typed values of a change, of which these settings are allowed. Raises ConfigError.

    A rate may be null: every record.
    """
    values = {}
    for name, value in given.items():
        if name not in names:
            hint = f"; allowed: {', '.join(names)}" if names else ": nothing of this output can"
            raise ConfigError(f"{printable(name[:80])} cannot be changed{hint}")
        try:
            values[name] = None if name == "rate" and value is None else _read(name, value)
        except ConfigError as fault:
            raise ConfigError(f"{name}: {fault}") from None
    return values


def _read(name: str, value: Any) -> Any:
    if isinstance(value, list | dict) and len(value) > TEXTS_MOST:
        raise ConfigError(f"must have at most {TEXTS_MOST} entries")
    texts = value if isinstance(value, list) else [value]
    if any(isinstance(text, str) and len(text) > TEXT_MOST for text in texts):
        raise ConfigError(f"a text has at most {TEXT_MOST} characters")
    if value == [] and name in ("items", "exclude"):
        return ()  # all items, or no exclusions
    return _KINDS[name].read(value)


def changed(output: Output, values: Mapping[str, Any], latest: Mapping[str, Any]) -> Output:
    """An output of the settings, with these values replaced. Raises ConfigError if they contradict it.

    The exclusions of the settings stay unless `exclude` replaces them: a change of `items` alone cannot lift them.

    latest   the values among them that are new
    """
    others = {setting_field(name): value for name, value in values.items() if name not in ("items", "exclude")}
    included, excluded = _split(output.items)
    items = values.get("items", included)
    found = replace(output, items=(*items, *(f"!{one}" for one in values.get("exclude", excluded))), **others)
    try:
        check_output(found, latest)
    except OutputFault as fault:
        raise ConfigError(f"{fault.key}: {fault}") from None
    return found


def _split(items: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The expressions that include, and those that exclude, without `!`."""
    included = tuple(one for one in items if not one.startswith("!"))
    return included, tuple(one[1:] for one in items if one.startswith("!"))


def values_of(output: Output) -> dict[str, Any]:
    """The settings of an output that may change, as in a change."""
    included, excluded = _split(output.items)
    bands = output.dead_bands
    return {
        "items": list(included),
        "exclude": list(excluded),
        "rate": output.rate,
        "on_change": output.on_change,
        "dead_band": dict(bands) if isinstance(bands, Mapping) else bands,
        "snapshot": time_setting(output.snapshot),
    }
