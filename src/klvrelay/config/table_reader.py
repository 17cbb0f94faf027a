"""Reads the values of a table: typed, with secrets from wherever they are. All faults are collected."""

from __future__ import annotations

from typing import Any

from klvrelay.config.entries import TableEntry
from klvrelay.config.faults import Faults
from klvrelay.config.secret_reader import secret_of
from klvrelay.config.setting import Setting
from klvrelay.config.url import Url
from klvrelay.errors import ConfigError
from klvrelay.text import Secret


class TableReader:
    """Reads entries, and adds their faults."""

    def __init__(self, faults: Faults) -> None:
        self.faults = faults

    def values(self, entry: TableEntry) -> dict[str, Any]:
        """The typed values of an entry by key, without those that are absent or invalid."""
        found = {}
        for setting in entry.table.settings:
            if setting.name in entry.values and not setting.elsewhere:
                try:
                    found[setting.name] = setting.kind.read(entry.values[setting.name])
                except ConfigError as fault:
                    entry.add_fault(self.faults, setting.name, str(fault))
        return found

    def secret(self, entry: TableEntry, name: str) -> Secret | None:
        return secret_of(entry, entry.table.setting_of(name)[0], self.faults)

    def url(self, entry: TableEntry, missing: str) -> Url | str | list[str] | None:
        """The URL of an entry, typed; None if there is none, or if it is invalid."""
        setting = entry.table.setting_of("url")[0]
        key = entry.first_of(setting.keys)
        if key is None:
            entry.add_missing(self.faults, "url", missing)
            return None
        secret = None if key == "url" else self.secret(entry, "url")
        if key != "url" and secret is None:
            return None
        self._check_single(entry, setting)
        try:
            found: Url | str | list[str] = setting.kind.read(entry.values["url"] if secret is None else secret.reveal())
        except ConfigError as fault:
            entry.add_fault(self.faults, key, str(fault))
            return None
        return found

    def _check_single(self, entry: TableEntry, setting: Setting) -> None:
        first, *others = [key for key in setting.keys if key in entry.values]
        if others:
            entry.add_fault(self.faults, others[0], f"{first} is given too; give only one")
