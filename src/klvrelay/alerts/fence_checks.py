"""The geofences of a stream: whether each holds for its latest record, once a second."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

from klvrelay.config.alerts import GeofenceSettings
from klvrelay.errors import ConfigError
from klvrelay.record import Record
from klvrelay.text import printable

NAMES_MOST = 5
"""Maximum number of names in a text."""

FenceRules = Mapping[str, Any]
"""`geofences.FenceRule` by the name of [[geofence]]."""


def read_fence_rules(settings: Sequence[GeofenceSettings]) -> FenceRules:
    """Read the files of geofences. It blocks: not for the event loop. Raises ConfigError."""
    found = {}
    for one in settings:
        try:
            found[one.name] = read_fence_rule(one)
        except ConfigError as fault:
            raise ConfigError(f"geofence {one.name}: {fault} ({printable(one.file)})") from None
    return found


def read_fence_rule(settings: GeofenceSettings) -> Any:
    """The `geofences.FenceRule` of one geofence. It blocks. Raises ConfigError, which begins with the key."""
    package: Any = import_module("klvrelay.geofences")  # on use: it loads numpy
    return package.FenceRule(
        settings.name, _selected(package.read_fences(settings.file), settings.areas), frozenset(settings.of),
        settings.when, settings.dwell, settings.radius, settings.margin,
    )  # fmt: skip


def _selected(fences: Sequence[Any], names: Sequence[str]) -> tuple[Any, ...]:
    """The fences with these names; all without names."""
    known = [fence.name for fence in fences]
    for name in names:
        if name not in known:
            valid = ", ".join(printable(one) for one in known[:NAMES_MOST])
            more = f" and {len(known) - NAMES_MOST} more" if len(known) > NAMES_MOST else ""
            raise ConfigError(f"areas: the file has no area or point {printable(name)}; it has: {valid}{more}")
    return tuple(fence for fence in fences if not names or fence.name in names)


class FenceChecks:
    """The geofences of one stream.

    rules  those that apply to it
    """

    def __init__(self, rules: FenceRules, before: FenceChecks | None = None) -> None:
        """`before`: its geofences until now. Those that are unchanged continue in their state."""
        package: Any = import_module("klvrelay.geofences") if rules else None
        self._places_of = None if package is None else package.places_of
        self.rules = dict(rules)
        self._watches = {name: package.FenceWatch(rule) for name, rule in rules.items()}
        self._of = frozenset(subject for rule in rules.values() for subject in rule.of)
        self._statuses: dict[str, Any] = {}
        self._record: Record | None = None
        if before is not None:
            for name in [name for name, rule in self.rules.items() if before.rules.get(name) == rule]:
                self._watches[name] = before._watches[name]
                if name in before._statuses:
                    self._statuses[name] = before._statuses[name]

    def take(self, record: Record | None, now: float) -> None:
        """Compare a record, unless it was compared before."""
        if not self._watches or self._places_of is None or record is None or record is self._record:
            return
        self._record = record
        if not record.good:
            return
        places = self._places_of(record.items, self._of)
        for name, watch in self._watches.items():
            self._statuses[name] = watch.update(now, places)

    def value(self, name: str) -> float | None:
        """1 while the geofence holds, else 0; None before the first position."""
        status = self._statuses.get(name)
        return None if status is None else float(status.condition)

    def text(self, name: str) -> str:
        """Where it is, in which area, and in which others."""
        seen = self._statuses[name].seen
        if seen is None:
            return ""
        others = sorted(self.areas(name) - {seen.fence})
        more = f" and {len(others) - NAMES_MOST} more" if len(others) > NAMES_MOST else ""
        also = f"; also {', '.join(printable(one) for one in others[:NAMES_MOST])}{more}" if others else ""
        return f"{seen.describe()}{also}"

    def areas(self, name: str) -> frozenset[str]:
        """The names of the areas and points for which it holds."""
        watch = self._watches.get(name)
        return frozenset() if watch is None else frozenset(one.fence for one in watch.sightings())

    def age(self, name: str, now: float) -> float:
        """Seconds since it began to hold."""
        seen = self._statuses[name].seen
        return 0.0 if seen is None else max(0.0, now - seen.since)
