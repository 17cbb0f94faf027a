"""Makes typed settings of the entries of a file and of the environment. All faults are collected."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from klvrelay.config.alerts_reader import AlertsReader
from klvrelay.config.credentials import SOURCE_PASSWORD, environment, with_password
from klvrelay.config.entries import TableEntry
from klvrelay.config.faults import Faults
from klvrelay.config.incidents import IncidentSettings
from klvrelay.config.log import LogSettings
from klvrelay.config.secret_reader import check_login
from klvrelay.config.settings import RelaySettings, SourceSettings, SpoolSettings
from klvrelay.config.sink_reader import SinkReader, url_key
from klvrelay.config.sinks.far_end import FarEndSettings
from klvrelay.config.table_reader import TableReader
from klvrelay.config.tables import HTTP, INCIDENTS, LOG, RELAY, SINK, SOURCE, SPOOL, Table
from klvrelay.config.uniqueness import check_far_ends, check_sinks, check_sources
from klvrelay.config.url import Url
from klvrelay.config.variables import variable_of
from klvrelay.config.web import WebSettings
from klvrelay.errors import ConfigError
from klvrelay.text import Secret


class Checks(NamedTuple):
    """Further checks of typed settings. They raise ConfigError.

    source   can a source be opened, as far as that is known before it is?
    far_end  can the certificates of a sink be used, and are its libraries installed?
    """

    source: Callable[[SourceSettings], object] = lambda _: None
    far_end: Callable[[FarEndSettings], object] = lambda _: None


NO_CHECKS = Checks()


class SettingsReader:
    """Reads entries.

    source_password   for sources with a user and no password, instead of that of the environment
    checks            see `Checks`
    """

    def __init__(self, faults: Faults, source_password: Secret | None = None, checks: Checks = NO_CHECKS) -> None:
        self._faults = faults
        self._source_password = source_password
        self._checks = checks
        self._tables = TableReader(faults)
        self.sink = SinkReader(self._tables, checks.far_end).sink
        self.alerts = AlertsReader(self._tables).read

    def values(self, entry: TableEntry) -> dict[str, Any]:
        """The values of [relay] and [incidents]."""
        return self._tables.values(entry)

    def log(self, entry: TableEntry) -> LogSettings:
        """The settings of [log]."""
        values = self._tables.values(entry)
        if values.get("format") == "journal" and values.get("file") is not None:
            entry.add_fault(self._faults, "file", 'has no effect with format = "journal"; choose "text" or "json"')
        return LogSettings(**values)

    def spool(self, entry: TableEntry) -> SpoolSettings | None:
        values = self._tables.values(entry)
        if "path" not in entry.values:
            is_variable = entry.origin.is_named
            text = f"has no effect without {variable_of(entry.table, 'path')}" if is_variable else "missing"
            entry.add_fault(self._faults, "path", f"{text}: give the path of a folder")
        return SpoolSettings(**values) if "path" in values else None

    def http(self, entry: TableEntry) -> WebSettings | None:
        values = self._tables.values(entry)
        values["token"] = self._tables.secret(entry, "token")
        if "listen" not in values:
            if "listen" not in entry.values and "listen" not in entry.mistyped:
                entry.add_fault(self._faults, "listen", 'missing: give an address and a port, "127.0.0.1:8080"')
            return None
        settings = WebSettings(**values)
        if (fault := settings.fault()) is not None:
            key, text = fault
            entry.add_fault(self._faults, entry.first_of(entry.table.setting_of(key)[0].keys) or key, text)
        return settings

    def source(self, entry: TableEntry) -> SourceSettings | None:
        """The settings of a source; None if its URL is invalid."""
        url = self._tables.url(entry, 'missing; every source needs one, e.g. url = "udp://0.0.0.0:5000"')
        passphrases = entry.table.setting_of("passphrase")[0].keys
        if isinstance(url, Url) and url.scheme != "srt" and (key := entry.first_of(passphrases)):
            entry.add_fault(self._faults, key, "applies to srt:// only")
        values = self._tables.values(entry)
        values["passphrase"] = self._tables.secret(entry, "passphrase")
        password = self._tables.secret(entry, "password")
        user = values.pop("username", None)
        if not isinstance(url, Url) or (url := self._with_login(entry, url, user, password)) is None:
            return None
        names, only = values.pop("pids", ({}, frozenset()))
        source = SourceSettings(url, pids=names, only=only, **values)
        try:
            self._checks.source(source)
        except ConfigError as fault:
            key = _cause(entry, str(fault))
            entry.add_fault(self._faults, key, str(fault).removeprefix(f"{key} "))
        return source

    def _with_login(self, entry: TableEntry, url: Url, user: str | None, password: Secret | None) -> Url | None:
        """The URL with its user and password; None if they do not fit it."""
        check_login(entry, url, password, self._faults)
        if user is not None and url.user is None:
            url = url._replace(user=user)
        try:
            return with_password(url, password or self._source_password or environment(SOURCE_PASSWORD))
        except ConfigError as fault:
            entry.add_fault(self._faults, url_key(entry), str(fault))
            return None


def _cause(entry: TableEntry, text: str) -> str:
    """The key of an entry that an error is about: one that it names, else that of the URL."""
    words = set(re.findall(r"[a-z_]+", text.lower()))
    named = (key for key in entry.values if entry.table.setting_of(key)[0].name in words - {"url"})
    return next(named, None) or url_key(entry)


def read_relay(reader: SettingsReader, entries: Sequence[TableEntry], faults: Faults) -> RelaySettings:
    """The settings of a relay; those with faults are left out."""
    relay, spool, http, log, incidents, sinks, sources = (
        _of_table(entries, table) for table in (RELAY, SPOOL, HTTP, LOG, INCIDENTS, SINK, SOURCE)
    )
    read = [(entry, source) for entry in sources if (source := reader.source(entry)) is not None]
    check_sources(read, faults)
    read_sinks = [(entry, sink) for entry in sinks if (sink := reader.sink(entry)) is not None]
    check_sinks(sinks, read_sinks, faults)
    check_far_ends(read_sinks, faults)
    return RelaySettings(
        sources=tuple(source for _, source in read),
        sinks=tuple(sink for _, sink in read_sinks),
        spool=reader.spool(spool[0]) if spool else None,
        alerts=reader.alerts(entries),
        http=reader.http(http[0]) if http else None,
        log=reader.log(log[0]) if log else LogSettings(),
        incidents=IncidentSettings(**(reader.values(incidents[0]) if incidents else {})),
        **(reader.values(relay[0]) if relay else {}),
    )


def _of_table(entries: Sequence[TableEntry], table: Table) -> list[TableEntry]:
    return [entry for entry in entries if entry.table is table]
