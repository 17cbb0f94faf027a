"""Reads the settings of a relay from a TOML file. Errors name the key and the line.

`samples/relay.toml` documents every setting.
"""

from __future__ import annotations

import dataclasses
import logging
import os
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from klvrelay.config.credentials import is_secret, readable_by_others
from klvrelay.config.login_reader import SECRET_KEYS, LoginReader
from klvrelay.config.mistyped import file_name, no_url
from klvrelay.config.mqtt import MqttSettings, mqtt_settings
from klvrelay.config.names import checked_name, pid_number, program_number
from klvrelay.config.settings import RelaySettings, SourceSettings, SpoolSettings, coalesce_seconds
from klvrelay.config.small_file import read_small
from klvrelay.config.toml_reader import tables_of
from klvrelay.config.units import parse_size, parse_time
from klvrelay.config.url import Url
from klvrelay.core import LIMIT, checked_limit
from klvrelay.errors import ConfigError
from klvrelay.text import Secret, printable

LOG = logging.getLogger("klvrelay.config")

SPOOL_LEAST = 1 << 20
"""Least bytes of a spool."""
CONFIG_MOST = 1 << 20
"""Maximum bytes of a settings file."""


def load(path: str | os.PathLike[str], source_password: Secret | None = None) -> RelaySettings:
    """The settings of a TOML file. Raises ConfigError, which names the key, its line and what is valid.

    `source_password` is used for every source with a user but no password, in preference to that of the environment.
    Warns if the file contains passwords and other users can read it.
    """
    path = file_name(os.fspath(path), "configuration")
    data, mode = read_small(path, printable(path), CONFIG_MOST)
    table = tables_of(data, path)
    reader = _SettingsReader(path, data.decode("utf-8-sig"), source_password)
    reader.known(table, ("mqtt", "source", "relay", "spool"), "")
    relay = reader.table(table.get("relay", {}), "relay")
    reader.at("relay")
    reader.known(relay, ("waiting", "waiting_size", "coalesce", "watch"), "relay")
    settings = RelaySettings(
        sources=tuple(reader.source(*entry) for entry in enumerate(reader.tables(table.get("source", []), "source"))),
        mqtt=reader.mqtt(reader.table(table["mqtt"], "mqtt")) if "mqtt" in table else None,
        waiting=reader.typed(relay, "waiting", int, "relay", 10_000, least=1),
        waiting_size=reader.typed(relay, "waiting_size", int, "relay", 64 << 20, least=1),
        coalesce=reader.coalesce(relay),
        watch=reader.typed(relay, "watch", bool, "relay", False),
        spool=reader.spool(reader.table(table["spool"], "spool")) if "spool" in table else None,
    )
    reader.named_once(settings.sources)
    if reader.has_secrets and readable_by_others(path, mode):
        LOG.warning("%s: contains passwords, and other users can read it; run: chmod 600 %s", *[printable(path)] * 2)
    return settings


class _SettingsReader(LoginReader):
    """Reads the tables of a relay's settings."""

    def coalesce(self, table: dict[str, Any]) -> float:
        """A quoted time with a unit, or 0."""
        value = table.get("coalesce", "8ms")
        if value is False or not isinstance(value, str | int):
            value = repr(value)
        try:
            return coalesce_seconds(str(value))
        except ConfigError as fault:
            raise self.wrong("relay.coalesce", str(fault).partition(": ")[2]) from None

    def spool(self, table: dict[str, Any]) -> SpoolSettings:
        """The settings of the spool."""
        self.at("spool")
        self.known(table, ("path", "size", "commit"), "spool")
        if not (path := self.typed(table, "path", str, "spool", "")):
            raise self.wrong("spool.path", "must be the path of a folder")
        size = parse_size(self.typed(table, "size", str, "spool", "1G"))
        if size is None or size < SPOOL_LEAST:
            raise self.wrong("spool.size", 'must be a size of at least 1 MiB in quotes, as in "512M" or "4G"')
        commit = parse_time(self.typed(table, "commit", str, "spool", "50ms"))
        if commit is None or not 0.01 <= commit <= 10:
            raise self.wrong("spool.commit", 'must be a time from "10ms" to "10s"')
        return SpoolSettings(Path(file_name(path, "spool.path")), size, commit)

    def source(self, number: int, table: dict[str, Any]) -> SourceSettings:
        """The settings of the `number`th source."""
        self.at("source", number)
        names = (*(f.name for f in dataclasses.fields(SourceSettings) if f.name != "only"), *SECRET_KEYS)
        self.known(table, names, "source")
        url = self.login(table, self.url(table))
        passphrases = ("passphrase", "passphrase_file", "passphrase_env")
        if url.scheme != "srt" and (key := next((k for k in passphrases if k in table), None)):
            raise self.wrong(f"source.{key}", "applies to srt:// only")
        pids, only = self.pids(table)
        texts = {
            key: self.typed(table, key, str, "source", None) for key in ("stream", "interface", "sender", "ca_file")
        }
        for name, text in texts.items():
            self.checked(f"source.{name}", no_url, text or "", "", "something else")
        if texts["stream"] is not None:
            self.checked("source.stream", checked_name, texts["stream"], "")
        return SourceSettings(
            url,
            **texts,
            timeout=self.typed(table, "timeout", float, "source", 5.0, least=0.1),
            speed=self.typed(table, "speed", float, "source", None, least=0.001),
            loop=self.typed(table, "loop", bool, "source", False),
            follow=self.typed(table, "follow", bool, "source", False),
            stall=self.typed(table, "stall", float, "source", 5.0, least=0.1),
            demux=self.one_of(table, "demux", ("native", "libav"), "source"),
            isolate=self.typed(table, "isolate", bool, "source", None),
            passphrase=self.secret(table, "passphrase"),
            packet_limit=self.packet_limit(table),
            pids=pids,
            only=only,
            program=self.number(table, "program", program_number),
        )

    def named_once(self, sources: Iterable[SourceSettings]) -> None:
        """Raise ConfigError if an earlier source has the same name."""
        seen: set[str] = set()
        for number, source in enumerate(sources):
            if source.stream in seen:
                self.at("source", number)
                raise self.wrong("source.stream", f"{source.stream} is used by two sources; names must be unique")
            seen |= {source.stream} - {None}  # type: ignore[arg-type]

    def packet_limit(self, table: dict[str, Any]) -> int:
        """Maximum bytes of a packet's value."""
        try:
            return checked_limit(self.typed(table, "packet_limit", int, "source", LIMIT))
        except ConfigError as fault:
            if str(fault).startswith(self.path):
                raise
            raise self.wrong("source.packet_limit", str(fault).partition(": ")[2]) from None

    def pids(self, table: dict[str, Any]) -> tuple[dict[int, str], frozenset[int]]:
        """Names by PID (a table), or selected PIDs (a list)."""
        pids = table.get("pids", {})
        if not isinstance(pids, dict | list):
            raise self.wrong("source.pids", 'must be a table of names, {0x101 = "uav1"}, or a list of PIDs, [0x101]')
        try:
            if isinstance(pids, list):
                return {}, frozenset(pid_number(_whole(pid)) for pid in pids)
            names = {pid_number(pid): name for pid, name in pids.items()}
        except ConfigError as fault:
            raise self.wrong("source.pids", str(fault)) from None
        if not all(isinstance(name, str) and name for name in names.values()):
            raise self.wrong("source.pids", 'each PID needs a name in quotes, such as 0x101 = "uav1"')
        if len(names) < len(pids):
            raise self.wrong("source.pids", "a PID occurs twice")
        for name in names.values():
            self.checked("source.pids", checked_name, name, "")
        return names, frozenset()

    def number(self, table: dict[str, Any], key: str, read: Callable[[str | int], int]) -> int | None:
        """A number, possibly quoted; None if the table has none."""
        if key not in table:
            return None
        try:
            return read(_whole(table[key]))
        except ConfigError as fault:
            raise self.wrong(f"source.{key}", str(fault)) from None

    def mqtt(self, table: dict[str, Any]) -> MqttSettings:
        """The settings of the broker."""
        self.at("mqtt")
        kinds = {f.name: _kind(str(f.type)) for f in dataclasses.fields(MqttSettings)}
        names = ("url", "password_file", "password_env", *kinds)
        self.known(table, names, "mqtt")
        url = self.typed(table, "url", str, "mqtt", None)
        options = {key: self.typed(table, key, kinds[key], "mqtt", None) for key in table if key in kinds}
        if (password := self.secret(table, "password", "mqtt")) is not None:
            options["password"] = password
        self.has_secrets |= url is not None and self.checked("mqtt.url", lambda: is_secret(Url.parse(url)))
        try:
            return mqtt_settings(url, options)
        except ConfigError as fault:
            found = re.match(r"(?:mqtt (\w+)[^:]*|MQTT URL): ", str(fault))
            key, text = (found[1] or "url", str(fault)[found.end() :]) if found else ("url", str(fault))
            raise self.wrong(f"mqtt.{key}", text) from None


def _whole(value: object) -> str | int:
    """An integer, or text that may be one. Any other value becomes text that is not a number."""
    return value if isinstance(value, str | int) else repr(value)


def _kind(annotation: str) -> type:
    for name, kind in (("bool", bool), ("int", int), ("float", float)):
        if annotation.startswith(name):
            return kind
    return str
