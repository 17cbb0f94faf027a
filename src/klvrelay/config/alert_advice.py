"""Valid settings of alerts that have no effect."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatchcase

from klvrelay.config.alerts import AlertEntry, AlertsSettings, GeofenceSettings
from klvrelay.config.entries import TableEntry
from klvrelay.config.settings import RelaySettings
from klvrelay.config.tables import ALERT, ALERTS, GEOFENCE
from klvrelay.errors import ConfigError
from klvrelay.text import printable

_ONLY = {"radius": "looks_at", "dwell": "dwell"}
"""Settings of [[geofence]] that apply to one `when`."""


def alerts_without_effect(settings: RelaySettings, entries: Sequence[TableEntry]) -> list[str]:
    """A warning for each, with its place. `entries`: of the settings, without faults."""
    alerts = settings.alerts
    of = {table: [one for one in entries if one.table is table] for table in (ALERTS, ALERT, GEOFENCE)}
    found = [_line(one, "zone", "no quiet hours are set") for one in of[ALERTS] if alerts.zone and not alerts.quiet]
    for number, (entry, rule) in enumerate(zip(of[ALERT], alerts.entries, strict=False)):
        if any(_covers(earlier, rule) for earlier in alerts.entries[:number]):
            found.append(_line(entry, "rule", f"an [[alert]] of {rule.rule} above it applies first"))
    for entry, fence in zip(of[GEOFENCE], alerts.geofences, strict=False):
        found += [_line(entry, key, text) for key, text in _of_fence(entry, fence)]
    return [*found, *_patterns_without_effect(settings, [*of[ALERT], *of[GEOFENCE]], alerts)]


def _of_fence(entry: TableEntry, fence: GeofenceSettings) -> Iterator[tuple[str, str]]:
    for key, when in _ONLY.items():
        if key in entry.values and fence.when != when:
            yield key, f'it applies to when = "{when}" only'


def _covers(earlier: AlertEntry, later: AlertEntry) -> bool:
    """Does the earlier entry apply wherever the later one does?"""
    is_for_all = not earlier.stream and not earlier.sink
    is_for_same = (earlier.stream, earlier.sink) == (later.stream, later.sink)
    return earlier.rule == later.rule and (is_for_all or is_for_same)


def _patterns_without_effect(
    settings: RelaySettings, entries: Sequence[TableEntry], alerts: AlertsSettings
) -> Iterator[str]:
    try:
        names = {name for name, _ in settings.named()}
    except ConfigError:
        return
    names |= {name for source in settings.sources for name in source.pids.values()}
    patterns = [one.stream for one in alerts.entries] + [one.stream for one in alerts.geofences]
    for entry, wanted in zip(entries, patterns, strict=False):
        if names and wanted and not _match_any(wanted, names):
            yield _line(entry, "stream", f"it matches no stream; streams: {', '.join(sorted(names))}")


def _match_any(patterns: Iterable[str], names: Iterable[str]) -> bool:
    """Does a pattern match a stream, or may it match one of further PIDs, whose name is longer?"""
    begins = [(pattern, re.split(r"[*?[]", pattern, maxsplit=1)[0]) for pattern in patterns]
    return any(
        fnmatchcase(name, pattern) or begin.startswith(f"{name}-") for name in names for pattern, begin in begins
    )


def _line(entry: TableEntry, key: str, text: str) -> str:
    origin = entry.origin_of(key)
    line = "" if origin.line is None else f" line {origin.line}:"
    name = "" if origin.is_named else f" {entry.label}.{key}:"
    return printable(f"{origin.place}:{line}{name} has no effect: {text}")
