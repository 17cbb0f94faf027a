"""Reads the settings of a relay from a TOML file and from the environment.

`samples/relay.toml` documents every setting.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count

from klvrelay.config.advice import advice
from klvrelay.config.alert_advice import alerts_without_effect
from klvrelay.config.credentials import readable_by_others, variables
from klvrelay.config.entries import TableEntry, entries_of
from klvrelay.config.faults import Faults, SettingOrigin
from klvrelay.config.further_checks import NO_CHECKS, Checks
from klvrelay.config.log import LogSettings
from klvrelay.config.mistyped import file_name
from klvrelay.config.secret_reader import has_secret
from klvrelay.config.settings import DEFAULT_SINK, RelaySettings, SinkSettings
from klvrelay.config.settings_reader import SettingsReader, read_relay
from klvrelay.config.small_file import read_small
from klvrelay.config.tables import LOG as LOG_TABLE
from klvrelay.config.tables import OLD, SINK, TABLES, Table
from klvrelay.config.toml_lines import lines_of
from klvrelay.config.toml_reader import tables_of
from klvrelay.config.uniqueness import streams_without_effect
from klvrelay.config.variables import apply_variables, variable_of
from klvrelay.text import Secret, printable

LOG = logging.getLogger("klvrelay.config")

CONFIG_MOST = 1 << 20
"""Maximum bytes of a settings file."""

Options = Mapping[tuple[str, str], tuple[object, str]]
"""TOML values by table and key, each with the name of its option."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read.

    entries   the tables of the file and of the environment, with the origins of their values
    warnings  what the user should change, each on a line
    """

    settings: RelaySettings
    entries: tuple[TableEntry, ...] = ()
    warnings: tuple[str, ...] = field(default=())

    def entries_of(self, table: Table) -> list[TableEntry]:
        return [entry for entry in self.entries if entry.table is table]


def load(path: str | os.PathLike[str], source_password: Secret | None = None) -> RelaySettings:
    """The settings of a TOML file and of the environment, after logging the warnings.

    See `read_settings`.
    """
    reading = read_settings(path, source_password)
    for warning in reading.warnings:
        LOG.warning("%s", warning)
    return reading.settings


def read_settings(
    path: str | os.PathLike[str] | None,
    source_password: Secret | None = None,
    *,
    options: Options | None = None,
    checks: Checks = NO_CHECKS,
) -> Reading:
    """The settings of a TOML file; the environment overrides them, and `options` both. No file if `path` is None.

    source_password   for every source with a user but no password, in preference to that of the environment
    checks            further checks, whose faults are reported with the others

    Raises InvalidSettings, which has all faults: each with its key and line, and what is valid.
    """
    faults, warnings = Faults(), list[str]()
    entries = [] if path is None else _entries(file_name(os.fspath(path), "configuration"), faults, warnings)
    warnings += apply_variables(entries, variables(), DEFAULT_SINK, faults)
    _apply_options(entries, options or {})
    settings = read_relay(SettingsReader(faults, source_password, checks), entries, faults)
    faults.check()
    warnings += streams_without_effect(settings)
    warnings += alerts_without_effect(settings, entries)
    warnings += advice(settings, "environment" if path is None else printable(os.fspath(path)))
    return Reading(settings, tuple(entries), tuple(warnings))


def read_log(options: Options) -> LogSettings:
    """The settings of the log in the environment and in options. Raises InvalidSettings."""
    faults = Faults()
    entries = [TableEntry(LOG_TABLE, LOG_TABLE.name, 0, SettingOrigin("the environment", is_named=True))]
    known = {variable_of(LOG_TABLE, key) for key in LOG_TABLE.keys}
    ours = {name: value for name, value in variables().items() if name in known}
    apply_variables(entries, ours, DEFAULT_SINK, faults)
    _apply_options(entries, options)
    settings = SettingsReader(faults).log(entries[0])
    faults.check()
    return settings


def sinks_of_urls(urls: Sequence[str], taken: Iterable[str], *, checks: Checks = NO_CHECKS) -> tuple[SinkSettings, ...]:
    """The sinks of these URLs, each named after its kind; with a number if a name is taken. Raises InvalidSettings."""
    faults, names = Faults(), set(taken)
    reader = SettingsReader(faults, None, checks)
    found = []
    for number, url in enumerate(urls):
        entry = TableEntry(SINK, SINK.name, number, SettingOrigin("--sink", is_named=True))
        entry.put("url", url, entry.origin)
        if (sink := reader.sink(entry)) is not None:
            name = next(name for name in _numbered(sink.name) if name not in names)
            names.add(name)
            found.append(replace(sink, name=name))
    faults.check()
    return tuple(found)


def _numbered(name: str) -> Iterator[str]:
    yield name
    yield from (f"{name}-{number}" for number in count(2))


def _entries(path: str, faults: Faults, warnings: list[str]) -> list[TableEntry]:
    """The entries of a file."""
    shown = printable(path)
    data, mode = read_small(path, shown, CONFIG_MOST)
    tables, text = tables_of(data, shown)
    lines = lines_of(text)
    entries = entries_of(tables, lines, shown, faults)
    if any(map(has_secret, entries)) and readable_by_others(path, mode):
        warnings.append(f"{shown}: contains passwords, and other users can read it; run: chmod 600 {shown}")
    for entry in entries.copy():
        if entry.label in OLD:
            new = entry.table.header
            warnings.append(
                f"{shown}: line {entry.origin.line}: [{entry.label}] is deprecated, and the next release refuses it:"
                f" write {new} instead; the keys are the same"
            )
            if any(other.table is entry.table and other is not entry for other in entries):
                faults.add(entry.origin, entry.label, f"there is {new} too; write {new} only")
                entries.remove(entry)
    return entries


def _apply_options(entries: list[TableEntry], options: Options) -> None:
    """Put the values of options of the command line into the entries."""
    for (name, key), (value, option) in options.items():
        table = next(table for table in TABLES if table.name == name)
        entry = next((entry for entry in entries if entry.table is table), None)
        if entry is None:
            entry = TableEntry(table, name, 0, SettingOrigin(option, is_named=True))
            entries.append(entry)
        entry.put(key, value, SettingOrigin(option, is_named=True))
