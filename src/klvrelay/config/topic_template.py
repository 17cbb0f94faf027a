"""Templates of topics, such as `{prefix}/{stream}/position`: validated, and compared with each other."""

from __future__ import annotations

import re
from collections.abc import Mapping

from klvrelay.config.kinds import did_you_mean
from klvrelay.errors import ConfigError

NAMES = ("prefix", "stream", "item", "output", "set")
TEMPLATE_MOST = 1000
"""Maximum characters of a template."""
RESERVED = ("rejected", "gap", "availability", "link", "health", "alert", "dictionary", "later", "set", "set/result")
"""What the relay itself publishes or reads below `{prefix}/{stream}`."""
RESERVED_OF_RELAY = ("status", "uplink", "health", "alert")
DISCOVERY = ("homeassistant", "device", "+", "config")
"""What announces streams to Home Assistant, as levels."""

_FIELD = re.compile(r"\{([^{}]*)\}")
_ONE = "+"
"""A level that contains a name that is not known before the start."""


def check_template(template: str) -> None:
    """Raise ConfigError unless it is a template of valid topics."""
    if len(template) > TEMPLATE_MOST:
        raise ConfigError(f"must have at most {TEMPLATE_MOST} characters")
    for name in _FIELD.findall(template):
        if name not in NAMES:
            hint = did_you_mean(name, NAMES) or f"; valid names: {', '.join(NAMES)}"
            raise ConfigError(f"{{{name}}} is unknown{hint}")
    fixed = _FIELD.sub("x", template)
    if set("{}") & set(fixed):
        raise ConfigError("has a { or } that is not part of a name such as {stream}")
    if set("+#") & set(fixed) or not fixed.isprintable():
        raise ConfigError("must be printable, without + and #")
    if not all(fixed.split("/")):
        raise ConfigError("must not have an empty level, nor begin or end with /")
    if fixed.startswith("$"):
        raise ConfigError("must not begin with $: such topics are those of the broker")
    if "{stream}" not in template:
        raise ConfigError("must contain {stream}, since each stream needs its own topic")


def filled(template: str, values: Mapping[str, str]) -> str:
    """The template with these values in place of their names."""
    return _FIELD.sub(lambda found: values.get(found[1], found[0]), template)


def pattern_of(template: str, prefix: str, output: str) -> tuple[str, ...]:
    """The levels of the topics of a template: + for those that depend on the record."""
    levels = filled(template, {"prefix": prefix, "output": output}).split("/")
    return tuple(_ONE if _FIELD.search(level) else level for level in levels)


def reserved(prefix: str) -> dict[tuple[str, ...], str]:
    """The topics of the relay itself, and their last levels."""
    levels = tuple(prefix.split("/"))
    of_streams = {(*levels, _ONE, *leaf.split("/")): leaf for leaf in RESERVED}
    return of_streams | {(*levels, leaf): leaf for leaf in RESERVED_OF_RELAY}


def overlap(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """May a topic be one of both?"""
    pairs = zip(one, other, strict=False)
    return len(one) == len(other) and all(_ONE in (a, b) or a == b for a, b in pairs)
