"""Reads [alerts], [[alert]], [[geofence]] and [[notify]]. All faults are collected."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from klvrelay.config.alert_rules import BY_ID
from klvrelay.config.alerts import AlertEntry, AlertsSettings, GeofenceSettings, NotifySettings, unknown_names
from klvrelay.config.entries import TableEntry
from klvrelay.config.further_checks import NO_CHECKS, Checks, note_fault
from klvrelay.config.sinks.http import HttpSettings
from klvrelay.config.table_reader import TableReader
from klvrelay.config.tables import ALERT, ALERTS, GEOFENCE, NOTIFY
from klvrelay.errors import ConfigError
from klvrelay.text import Secret

T = TypeVar("T", AlertEntry, GeofenceSettings)


class AlertsReader:
    """Reads the entries of these tables."""

    def __init__(self, tables: TableReader, checks: Checks = NO_CHECKS) -> None:
        self._tables, self._faults, self._checks = tables, tables.faults, checks

    def read(self, entries: Sequence[TableEntry]) -> AlertsSettings:
        """The settings; those with faults are left out."""
        of = {table: [one for one in entries if one.table is table] for table in (ALERTS, ALERT, GEOFENCE, NOTIFY)}
        destinations = [one for entry in of[NOTIFY] if (one := self._destination(entry)) is not None]
        names = [str(entry.values.get("name")) for entry in of[NOTIFY]]
        rules = [(entry, rule) for entry in of[ALERT] if (rule := self._rule(entry, names)) is not None]
        fences = [fence for entry in of[GEOFENCE] if (fence := self._geofence(entry, names)) is not None]
        self._check_unique(of[NOTIFY])
        self._check_unique(of[GEOFENCE])
        self._check_fences(rules, fences)
        values = self._tables.values(of[ALERTS][0]) if of[ALERTS] else {}
        return AlertsSettings(
            entries=tuple(one for _, one in rules), geofences=tuple(fences), destinations=tuple(destinations),
            origins=tuple(str(entry.origin) for entry, _ in rules), **values,
        )  # fmt: skip

    def _check_unique(self, entries: Sequence[TableEntry]) -> None:
        seen: set[object] = set()
        for entry in entries:
            name = entry.values.get("name")
            if isinstance(name, str) and name in seen:
                entry.add_fault(self._faults, "name", f"{name}: two {entry.table.header} have this name")
            elif isinstance(name, str):
                seen.add(name)

    def _check_fences(self, rules: Sequence[tuple[TableEntry, AlertEntry]], fences: Sequence[GeofenceSettings]) -> None:
        known = [*BY_ID, *(fence.rule for fence in fences)]
        for entry, rule in rules:
            if rule.rule not in known:
                entry.add_fault(self._faults, "rule", f"no [[geofence]] has the name {rule.rule.partition(':')[2]}")

    def _rule(self, entry: TableEntry, names: Sequence[str]) -> AlertEntry | None:
        values = self._with_needed(entry, ("rule",), names)
        if values is None:
            return None
        rule = AlertEntry(**values)
        self._check_values(entry, rule)
        return rule

    def _check_values(self, entry: TableEntry, rule: AlertEntry) -> None:
        """Add the faults of values that do not fit the rule."""
        defaults = BY_ID.get(rule.rule)
        if defaults is None:
            return
        for key, subject in (("stream", "stream"), ("sink", "sink")):
            if getattr(rule, key) and defaults.subject != subject:
                entry.add_fault(self._faults, key, f"has no effect: {rule.rule} is a rule of {_of(defaults.subject)}")
        for key in ("threshold", "clear"):
            if defaults.unit != "m" and (getattr(rule, key) or 0.0) < 0:
                entry.add_fault(self._faults, key, f"must not be negative: {rule.rule} is measured in {defaults.unit}")
                return
        threshold = defaults.threshold if rule.threshold is None else rule.threshold
        if threshold is None:
            if rule.enabled:
                entry.add_missing(self._faults, "threshold", f"missing: {rule.rule} has no default, in {defaults.unit}")
        elif rule.clear is not None and (rule.clear < threshold if defaults.below else rule.clear > threshold):
            side = "below" if defaults.below else "above"
            entry.add_fault(self._faults, "clear", f"must not be {side} the threshold, {threshold:g} {defaults.unit}")

    def _geofence(self, entry: TableEntry, names: Sequence[str]) -> GeofenceSettings | None:
        values = self._with_needed(entry, ("name", "file"), names)
        if values is None:
            return None
        note_fault(self._checks.geofence, fence := GeofenceSettings(**values), entry, self._faults)
        return fence

    def _with_needed(self, entry: TableEntry, needed: Sequence[str], names: Sequence[str]) -> dict[str, Any] | None:
        """The values of an entry; None without those that it needs."""
        values = self._tables.values(entry)
        for key in needed:
            if key not in entry.values:
                entry.add_missing(self._faults, key, f"missing: every {entry.table.header} needs one")
        if fault := unknown_names(values.get("notify"), names):
            entry.add_fault(self._faults, "notify", fault)
        return values if all(key in values for key in needed) else None

    def _destination(self, entry: TableEntry) -> NotifySettings | None:
        values = self._with_needed(entry, ("name",), ())
        apprise, secret = self._tables.secret(entry, "apprise"), self._tables.secret(entry, "secret")
        url = self._tables.secret(entry, "url")
        given = [key for key in ("url", "apprise", "command") if _has(entry, key)]
        if not given and entry.meant & {"url", "apprise", "command"}:
            return None
        if len(given) != 1:
            text = f"{given[0]} is given too; give only one" if given else "missing: give url, apprise or command"
            entry.add_fault(self._faults, given[1] if given else "url", text)
            return None
        if given != ["url"] and _has(entry, "secret"):
            entry.add_fault(self._faults, _key(entry, "secret"), "applies to url only")
        if values is None:
            return None
        if given == ["url"]:
            values["web"] = self._web(entry, url, secret, values.get("timeout", 10.0))
            if values["web"] is None:
                return None
        note_fault(self._checks.destination, found := NotifySettings(**values, apprise=apprise, secret=secret), entry,
                   self._faults)  # fmt: skip
        return found

    def _web(self, entry: TableEntry, url: Secret | None, secret: Secret | None, timeout: float) -> HttpSettings | None:
        if url is None:
            return None
        try:
            return HttpSettings.from_url(url.reveal(), {"timeout": timeout, "sign_key": secret})
        except ConfigError as fault:
            entry.add_fault(self._faults, _key(entry, "url"), str(fault).removeprefix("url: "))
            return None


def _has(entry: TableEntry, name: str) -> bool:
    key = entry.first_of(entry.table.setting_of(name)[0].keys)
    return key is not None and entry.values[key] != []


def _key(entry: TableEntry, name: str) -> str:
    return entry.first_of(entry.table.setting_of(name)[0].keys) or name


def _of(subject: str) -> str:
    return {"stream": "streams", "sink": "sinks", "relay": "the relay"}[subject]
