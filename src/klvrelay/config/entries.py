"""The tables of a settings file as entries: the values by key, and where each comes from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from klvrelay.config.faults import Faults, SettingOrigin, shown_key
from klvrelay.config.kinds import did_you_mean, nearest
from klvrelay.config.tables import OLD, TABLES, Table
from klvrelay.config.toml_lines import Place, inner_name

_BY_NAME = {table.name: table for table in TABLES}


@dataclass(slots=True)
class TableEntry:
    """One table of the file, or what the environment has in place of it.

    label    its name in messages
    number   among the entries of its table
    origin   of the table itself
    values   TOML values by key
    origins  of the values
    inner    the entries of the tables inside it
    meant    keys that an unknown key of the table resembles
    """

    table: Table
    label: str
    number: int
    origin: SettingOrigin
    values: dict[str, Any] = field(default_factory=dict)
    origins: dict[str, SettingOrigin] = field(default_factory=dict)
    inner: list[TableEntry] = field(default_factory=list)
    meant: set[str] = field(default_factory=set)

    def put(self, key: str, value: Any, origin: SettingOrigin) -> None:
        self.values[key], self.origins[key] = value, origin

    def remove(self, keys: Iterable[str]) -> None:
        for key in keys:
            self.values.pop(key, None)
            self.origins.pop(key, None)

    def first_of(self, keys: Iterable[str]) -> str | None:
        """The first of the keys that has a value."""
        return next((key for key in keys if key in self.values), None)

    def origin_of(self, key: str) -> SettingOrigin:
        return self.origins.get(key, self.origin)

    def add_fault(self, faults: Faults, key: str, text: str) -> None:
        faults.add(self.origin_of(key), f"{self.label}.{key}", text)

    def add_missing(self, faults: Faults, key: str, text: str) -> None:
        """Add the fault that a key is missing, unless it is there with a spelling mistake, which is a fault already."""
        if key not in self.meant:
            self.add_fault(faults, key, text)


def entries_of(tables: Mapping[str, Any], lines: Mapping[Place, int], path: str, faults: Faults) -> list[TableEntry]:
    """The entries of a file, in its order. Unknown settings, and tables of a wrong form, are faults."""
    found: list[TableEntry] = []
    for name, value in tables.items():
        origin = SettingOrigin(path, lines.get((name, 0, None)))
        table = _BY_NAME.get(name) or OLD.get(name)
        if table is None:
            faults.add(origin, shown_key(name), _unknown(name, _BY_NAME, None, faults))
        elif table.is_array and name not in OLD:
            found += _of_array(table, name, value, lines, path, faults)
        elif isinstance(value, dict):
            found.append(_entry(table, name, 0, value, lines, path, faults))
        else:
            one = _BY_NAME.get(name.removesuffix("s"))
            hint = f"; for one of several: {one.header}" if one is not None and one.is_array else ""
            faults.add(origin, name, f"must be a table: [{name}]{hint}")
    return found


def _of_array(
    table: Table, name: str, value: Any, lines: Mapping[Place, int], path: str, faults: Faults, line: int | None = None
) -> list[TableEntry]:
    """The entries of an array of tables. `name`: in `lines`. `line`: of the array, if its tables have none."""
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        origin = SettingOrigin(path, lines.get((name, 0, None), line))
        text = f"must be one table per {table.key}: {table.header}{_missing_above(table, value)}"
        faults.add(origin, table.name, text)
        return []
    return [_entry(table, name, number, one, lines, path, faults, line) for number, one in enumerate(value)]


def _missing_above(table: Table, value: Any) -> str:
    """What is wrong if the value has only tables inside it: `[[sink.output]]` without `[[sink]]` makes a table."""
    inner = {one.key: one for one in table.inner}
    if not isinstance(value, dict) or not value or value.keys() - inner:
        return ""
    return f"; {inner[next(iter(value))].header} needs a {table.header} with its settings above it"


def _entry(
    table: Table, label: str, number: int, values: Mapping[str, Any], lines: Mapping[Place, int], path: str,
    faults: Faults, line: int | None = None,
) -> TableEntry:  # fmt: skip
    header = lines.get((label, number, None), lines.get((label, 0, None), line))
    shown = table.name if "." in label else label
    entry = TableEntry(table, shown, number, SettingOrigin(path, header))
    inner = {one.key: one for one in table.inner}
    for key, value in values.items():
        origin = SettingOrigin(path, lines.get((label, number, key), header))
        if key in inner:
            name = inner_name(label, number, key)
            entry.inner += _of_array(inner[key], name, value, lines, path, faults, origin.line)
        elif key in table.keys:
            entry.put(key, value, origin)
        else:
            known = (*table.keys, *inner)
            if not faults.is_full and (near := nearest(key, known)) is not None:
                entry.meant.add(near)
            faults.add(origin, f"{shown}.{shown_key(key)}", _unknown(key, known, table, faults))
    return entry


def _unknown(key: str, known: Iterable[str], table: Table | None, faults: Faults) -> str:
    """What is wrong with an unknown key, and the nearest valid one."""
    if faults.is_full:
        return "unknown setting"
    tables = [one for each in TABLES for one in (each, *each.inner)]
    if owners := [one.header for one in tables if one is not table and key in one.keys]:
        return f"unknown setting here; it belongs in {' or '.join(owners)}"
    if hint := did_you_mean(key, known):
        return f"unknown setting{hint}"
    return f"unknown setting; valid settings: {', '.join(known)}"
