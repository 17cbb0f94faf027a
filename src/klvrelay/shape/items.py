"""Item expressions: keys, groups, wildcards and exclusions.

    sensor_latitude      a key
    position             a group of items, see ITEMS.md
    sensor_*             a wildcard
    unknown              items without a definition
    !slant_range         an exclusion, of any of these
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from fnmatch import filter as matching
from functools import cache, lru_cache

from klvrelay.core.selection import Selection, select
from klvrelay.errors import ConfigError

UNKNOWN = "unknown"


@cache
def sets() -> Mapping[str, frozenset[str]]:
    """The keys of the items of each set that may be a packet."""
    from klvrelay.standards.spec import SETS, UNIVERSAL_KEYS  # here, since only settings with items need the tables

    return {name: frozenset(item.key for item in SETS[name].values()) for name in UNIVERSAL_KEYS if name in SETS}


@cache
def keys() -> frozenset[str]:
    """The keys of all items that can be selected."""
    from klvrelay.standards.spec import KEYED

    return frozenset().union(*sets().values(), (item.key for item in KEYED.values()), {UNKNOWN})


@cache
def groups() -> Mapping[str, frozenset[str]]:
    """The keys of each group of items."""
    from klvrelay.standards.spec import KEYED, SETS

    found: dict[str, set[str]] = {}
    for item in (*KEYED.values(), *(item for name in sets() for item in SETS[name].values())):
        for group in item.groups:
            found.setdefault(group, set()).add(item.key)
    return {name: frozenset(members) for name, members in found.items()}


@lru_cache(1024)  # an output expands its expressions several times
def expanded(expression: str) -> frozenset[str]:
    """The keys that one expression without `!` names. Raises ConfigError if there are none, with the nearest name."""
    if set("*?[") & set(expression):
        found = frozenset(matching(sorted(keys()), expression))
        if not found:
            raise ConfigError(f"no item matches {expression!r}")
        return found
    if expression in groups():
        return groups()[expression]
    if expression in keys():
        return frozenset({expression})
    raise ConfigError(f"no item or group is named {expression[:80]!r}{_hint(expression[:80])}")


def _hint(expression: str) -> str:
    """What may be meant by an expression that names nothing."""
    from klvrelay.shape.presets import PRESETS  # here, since only an error needs them
    from klvrelay.standards.spec import SETS

    number = int(expression) if expression.isascii() and expression.isdecimal() else None
    item = None if number is None else SETS["ST0601"].get(number)
    if item is not None:
        return f"; item {number} of ST 0601 is {item.key}"
    if expression in PRESETS:
        return f'; it is a preset: preset = "{expression}"'
    close = get_close_matches(expression, [*groups(), *sorted(keys())], n=1, cutoff=0.6)
    return f"; did you mean {close[0]}?" if close else f"; groups are {', '.join(sorted(groups()))}"


def chosen_keys(expressions: Iterable[str]) -> frozenset[str]:
    """The keys that the expressions select: with exclusions only, all others. Raises ConfigError."""
    given = list(expressions)
    excluded = [expanded(each[1:]) for each in given if each.startswith("!")]
    included = [expanded(each) for each in given if not each.startswith("!")]
    return (frozenset().union(*included) if included else keys()).difference(*excluded)


def selection_of(expressions: Sequence[str]) -> Selection | None:
    """The selection of the expressions; None for all items. Raises ConfigError, also if nothing remains."""
    if not expressions:
        return None
    chosen = chosen_keys(expressions)
    if not chosen:
        raise ConfigError("select no item: the exclusions contain all of them")
    return None if chosen == keys() else select(*sorted(chosen))


def sets_with(selection: Selection) -> frozenset[str]:
    """The sets that have a selected item. Others, such as single items with a key of their own, are not named."""
    if UNKNOWN in selection.keys:
        return frozenset(sets())
    return frozenset(name for name, members in sets().items() if members & selection.keys)


@cache
def _numeric() -> frozenset[str]:
    from klvrelay.standards.spec import SETS

    return frozenset(item.key for name in sets() for item in SETS[name].values() if item.min is not None)


def check_dead_band(key: str) -> None:
    """Raise ConfigError unless an item with this key has a number."""
    if key not in keys():
        close = get_close_matches(key[:80], sorted(_numeric()), n=1, cutoff=0.6)
        raise ConfigError(f"no item is named {key[:80]!r}" + (f"; did you mean {close[0]}?" if close else ""))
    if key not in _numeric():
        raise ConfigError(f"{key} is not a number")


@cache
def dead_bands() -> Mapping[str, float]:
    """The dead bands of the tables, by key."""
    from klvrelay.standards.spec import SETS

    items = (item for name in sets() for item in SETS[name].values())
    return {item.key: item.dead_band for item in items if item.dead_band is not None}
