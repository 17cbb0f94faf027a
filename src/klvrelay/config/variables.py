"""Settings from the environment: KLVRELAY_RELAY_WAITING, KLVRELAY_SINK_MQTT_URL, KLVRELAY_SOURCE_UAV1_TIMEOUT, ...

A variable replaces the setting of the file. KLVRELAY_SINK_<NAME>_URL and KLVRELAY_SOURCE_<NAME>_URL add a sink or a
source if the file has none of this name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from klvrelay.config.credentials import VARIABLES
from klvrelay.config.entries import TableEntry
from klvrelay.config.faults import Faults, SettingOrigin
from klvrelay.config.kinds import did_you_mean
from klvrelay.config.sinks.known import kind_of_url
from klvrelay.config.tables import NOTIFY, SINK, SOURCE, TABLES, Table
from klvrelay.errors import ConfigError
from klvrelay.text import Secret, is_utf8, printable

PREFIX = "KLVRELAY_"
_BROKER = ("url", "url_file", "url_env", "url_credential", "host")
"""Keys of a broker: one of them in the environment replaces the address in the file."""
_NAMED = [
    (table, key) for table in TABLES if table is not SOURCE and (table.id or not table.is_array) for key in table.keys
]
"""Settings whose variables are known without a file."""


def variable_of(table: Table, key: str, name: str = "<NAME>") -> str:
    """The variable of a setting; `name` is that of a sink or a source."""
    of_entry = f"{name}_" if table.is_array else ""
    return f"{PREFIX}{table.name.upper()}_{of_entry}{key.upper()}"


def in_variables(name: str) -> str:
    """The name of a sink or a source as it is in names of variables."""
    return re.sub(r"[^A-Z0-9]", "_", name.upper())


def apply_variables(
    entries: list[TableEntry], environment: Mapping[str, Secret], default_name: str, faults: Faults
) -> list[str]:
    """Put the values of the environment into the entries. Returns warnings of variables without effect.

    default_name   name of a sink that has no other
    """
    ours = {name: value for name, value in environment.items() if name.startswith(PREFIX) and name not in VARIABLES}
    for named in {value for entry in entries for key, value in entry.values.items() if key.endswith("_env")}:
        if isinstance(named, str):
            ours.pop(named, None)  # another variable that the settings name
    _add_entries(entries, ours, default_name)
    targets = _targets(entries, default_name)
    known = {*targets, *VARIABLES, *(variable_of(table, key, in_variables(default_name)) for table, key in _NAMED)}
    warnings = []
    for name, value in sorted(ours.items()):
        if len(targets.get(name, ())) > 1:
            faults.add(SettingOrigin(name, is_named=True), "", "is that of several tables: give them other names")
        elif name in targets:
            _put(*targets[name][0], value, name, faults)
        elif warning := _warning(name, sorted(known)):
            warnings.append(warning)
    return warnings


def _name_of(entry: TableEntry, default_name: str) -> str | None:
    """The name of a sink or source in variables; None if it has no name."""
    name = entry.values.get(entry.table.id, _kind_of(entry, default_name) if entry.table is SINK else None)
    return in_variables(name) if isinstance(name, str) else None


def _kind_of(entry: TableEntry, default_name: str) -> str:
    """The name of a sink without one: its kind."""
    urls = entry.values.get("url")
    first = urls[0] if isinstance(urls, list) and urls else urls
    try:
        return kind_of_url(first).name if isinstance(first, str) else default_name
    except ConfigError:  # reported when the sink is read
        return default_name


def _targets(entries: list[TableEntry], default_name: str) -> dict[str, list[tuple[TableEntry, str]]]:
    """The entry and the key of each variable: several if their names are the same in variables."""
    found: dict[str, list[tuple[TableEntry, str]]] = {}
    for entry in entries:
        name = _name_of(entry, default_name) if entry.table.is_array else ""
        if name is not None:
            for key in entry.table.keys:
                found.setdefault(variable_of(entry.table, key, name), []).append((entry, key))
    return found


def _add_entries(entries: list[TableEntry], ours: Iterable[str], default_name: str) -> None:
    """Add the sinks, sources and tables that only the environment has."""
    for table in TABLES:
        if not table.is_array and not any(entry.table is table for entry in entries):
            known = {variable_of(table, key) for key in table.keys}
            if name := next((name for name in ours if name in known), None):
                entries.append(TableEntry(table, table.name, 0, SettingOrigin(name, is_named=True)))
    for table in (SINK, SOURCE):
        names = {_name_of(entry, default_name) for entry in entries if entry.table is table}
        form = re.compile(rf"{variable_of(table, '', '([A-Z0-9_]{1,80}?)')}URL(?:_FILE|_ENV|_CREDENTIAL)?")
        for name in sorted(ours):
            if (found := form.fullmatch(name)) and found[1] not in names:
                entry = TableEntry(table, table.name, _count(entries, table), SettingOrigin(name, is_named=True))
                entry.put(table.id, found[1].lower(), entry.origin)
                entries.append(entry)
                names.add(found[1])


def _count(entries: list[TableEntry], table: Table) -> int:
    return sum(entry.table is table for entry in entries)


def _put(entry: TableEntry, key: str, value: Secret, name: str, faults: Faults) -> None:
    """Put one value, in place of the same setting of the file, wherever that has it."""
    setting, place = entry.table.setting_of(key)
    from_file = [one for one, origin in entry.origins.items() if not origin.is_named]
    replaced = (*_BROKER, "port", "tls") if entry.table is SINK and key in _BROKER else setting.keys
    entry.remove(one for one in replaced if one in from_file)
    text = value.reveal()
    if not is_utf8(text):
        faults.add(SettingOrigin(name, is_named=True), "", "is not UTF-8 text")
        return
    entry.put(key, text if place else setting.kind.from_text(text), SettingOrigin(name, is_named=True))


def _warning(name: str, known: Sequence[str]) -> str:
    """The warning of a variable without effect; "" for one that may be for another program."""
    if name in known:
        return f"{name}: has no effect: neither the settings file nor the environment has this sink"
    if re.fullmatch(rf"{variable_of(NOTIFY, '', '[A-Z0-9_]+')}(?:{'|'.join(NOTIFY.keys).upper()})", name):
        return f"{printable(name)}: has no effect: the settings file has no {NOTIFY.header} with such a name; add one"
    hint = did_you_mean(name, known, cutoff=0.8)
    is_ours = any(name.startswith(f"{PREFIX}{table.name.upper()}_") for table in TABLES)
    return f"{printable(name)}: unknown variable{hint}" if hint or is_ours else ""
