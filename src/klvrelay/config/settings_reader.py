"""Makes typed settings of the entries of a file and of the environment. All faults are collected."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from klvrelay.config.credentials import SOURCE_PASSWORD, environment, with_password
from klvrelay.config.entries import TableEntry
from klvrelay.config.faults import Faults
from klvrelay.config.kinds import did_you_mean
from klvrelay.config.mqtt import MqttSettings, mqtt_brokers, mqtt_settings
from klvrelay.config.output_changes import unmatched
from klvrelay.config.outputs import LIMIT_KEYS, OutputFault, limit_of, output_of
from klvrelay.config.secret_reader import check_login, secret_of
from klvrelay.config.setting import Setting, settings_of
from klvrelay.config.settings import DEFAULT_SINK, RelaySettings, SinkSettings, SourceSettings, SpoolSettings
from klvrelay.config.tables import TABLES
from klvrelay.config.uniqueness import check_brokers, check_budget, check_outputs, check_sinks, check_sources
from klvrelay.config.url import Url
from klvrelay.config.variables import variable_of
from klvrelay.errors import ConfigError
from klvrelay.shape.output import Output
from klvrelay.text import Secret, printable

_OF_BROKER = {setting.name for setting in settings_of(MqttSettings)}
_FAULT_OF_BROKER = re.compile(r"(?:mqtt (\w+(?:, \w+)*)( [^:]*)?|MQTT URL): ")


class Checks(NamedTuple):
    """Further checks of typed settings. They raise ConfigError.

    source  can a source be opened, as far as that is known before it is?
    broker  can the certificates of a broker be used?
    """

    source: Callable[[SourceSettings], object] = lambda _: None
    broker: Callable[[MqttSettings], object] = lambda _: None


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

    def _values(self, entry: TableEntry) -> dict[str, Any]:
        """The typed values of an entry by key, without those that are absent or invalid."""
        found = {}
        for setting in entry.table.settings:
            if setting.name in entry.values and not setting.elsewhere:
                try:
                    found[setting.name] = setting.kind.read(entry.values[setting.name])
                except ConfigError as fault:
                    entry.add_fault(self._faults, setting.name, str(fault))
        return found

    def _secret(self, entry: TableEntry, name: str) -> Secret | None:
        return secret_of(entry, entry.table.setting_of(name)[0], self._faults)

    def _url(self, entry: TableEntry, missing: str) -> Url | str | list[str] | None:
        """The URL of an entry, typed; None if there is none, or if it is invalid."""
        setting = entry.table.setting_of("url")[0]
        key = entry.first_of(setting.keys)
        if key is None:
            entry.add_fault(self._faults, "url", missing)
            return None
        secret = None if key == "url" else self._secret(entry, "url")
        if key != "url" and secret is None:
            return None
        self._check_single(entry, setting)
        try:
            found: Url | str | list[str] = setting.kind.read(entry.values["url"] if secret is None else secret.reveal())
        except ConfigError as fault:
            entry.add_fault(self._faults, key, str(fault))
            return None
        return found

    def _check_single(self, entry: TableEntry, setting: Setting) -> None:
        first, *others = [key for key in setting.keys if key in entry.values]
        if others:
            entry.add_fault(self._faults, others[0], f"{first} is given too; give only one")

    def relay(self, entry: TableEntry) -> dict[str, Any]:
        """The values of [relay]."""
        return self._values(entry)

    def spool(self, entry: TableEntry) -> SpoolSettings | None:
        values = self._values(entry)
        if "path" not in entry.values:
            is_variable = entry.origin.is_named
            text = f"has no effect without {variable_of(entry.table, 'path')}" if is_variable else "missing"
            entry.add_fault(self._faults, "path", f"{text}: give the path of a folder")
        return SpoolSettings(**values) if "path" in values else None

    def source(self, entry: TableEntry) -> SourceSettings | None:
        """The settings of a source; None if its URL is invalid."""
        url = self._url(entry, 'missing; every source needs one, e.g. url = "udp://0.0.0.0:5000"')
        passphrases = entry.table.setting_of("passphrase")[0].keys
        if isinstance(url, Url) and url.scheme != "srt" and (key := entry.first_of(passphrases)):
            entry.add_fault(self._faults, key, "applies to srt:// only")
        values = self._values(entry)
        values["passphrase"] = self._secret(entry, "passphrase")
        password = self._secret(entry, "password")
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
            entry.add_fault(self._faults, _url_key(entry), str(fault))
            return None

    def sink(self, entry: TableEntry) -> SinkSettings | None:
        """The settings of a sink; None if its broker is invalid."""
        before = self._faults.count
        url = None
        if "host" not in entry.values:
            url = self._url(entry, 'missing; give the broker, e.g. url = "mqtt://127.0.0.1:1883"')
        elif (key := entry.first_of(entry.table.setting_of("url")[0].keys)) is not None:
            entry.add_fault(self._faults, key, "host is given too; give only one")
        urls = [str(one) for one in (url if isinstance(url, list) else [url]) if one is not None]
        if urls:
            self._prefer_login_of(urls, entry)
        outputs = self._outputs(entry)
        values = self._values(entry)
        limit = limit_of({key: values.pop(key, None) for key in LIMIT_KEYS if key in values})
        broker = {key: values.pop(key) for key in list(values) if key in _OF_BROKER}
        if (password := self._secret(entry, "password")) is not None:
            broker["password"] = password
        if self._faults.count > before:  # the settings without the invalid ones may contradict each other
            self._check_broker_urls(entry, urls)
            return None
        try:
            brokers = mqtt_brokers(urls, broker) if urls else (mqtt_settings(None, broker),)
            for each in brokers:
                self._checks.broker(each)
        except ConfigError as fault:
            self._add_fault_of_broker(entry, str(fault))
            return None
        if not self._fits(entry, outputs, brokers[0]):
            return None
        if values.get("budget") is None and (idle := [inner for inner in entry.inner if "class" in inner.values]):
            idle[0].add_fault(self._faults, "class", "has no effect without budget in [[sink]]")
            return None
        if (found := check_budget(values, outputs, brokers)) is not None:
            entry.add_fault(self._faults, *found)
            return None
        named = {"name": DEFAULT_SINK, **values}
        try:
            sink = SinkSettings(**named, mqtt=brokers[0], fallbacks=brokers[1:], outputs=outputs, limit=limit)
        except ConfigError as fault:
            self._add_fault_of_broker(entry, str(fault))
            return None
        if (pattern := unmatched(sink.set, sink.published)) is not None:
            names = [output.name for output in sink.published]
            hint = did_you_mean(pattern.rpartition(".")[0], names)
            text = f"{printable(pattern)} matches no output{hint}; outputs: {', '.join(names)}"
            entry.add_fault(self._faults, "set", text)
            return None
        return sink

    def _outputs(self, entry: TableEntry) -> tuple[Output, ...]:
        """The outputs of a sink; those with faults are left out."""
        found = []
        for inner in entry.inner:
            before, values = self._faults.count, self._values(inner)
            try:
                output = output_of(values)
            except OutputFault as fault:
                if self._faults.count == before:  # the values without the invalid ones may contradict each other
                    inner.add_fault(self._faults, fault.key, str(fault))
            else:
                found.append(output)
        return tuple(found)

    def _fits(self, entry: TableEntry, outputs: Sequence[Output], broker: MqttSettings) -> bool:
        """Do the outputs fit the broker and each other?"""
        found = check_outputs(outputs, broker)
        for number, key, text in found:
            entry.inner[number].add_fault(self._faults, key, text)
        return not found

    def _check_broker_urls(self, entry: TableEntry, urls: Sequence[str]) -> None:
        """Add the fault of the URLs alone."""
        try:
            for url in urls:
                MqttSettings.from_url(url, allow_plaintext=True)
        except ConfigError as fault:
            self._add_fault_of_broker(entry, str(fault))

    def _prefer_login_of(self, urls: Sequence[str], entry: TableEntry) -> None:
        """A user in the URLs of the environment replaces the user and the password of the file."""
        if not entry.origin_of(_url_key(entry)).is_named:
            return
        try:
            has_user = any(Url.parse(url).user is not None for url in urls)
        except ConfigError:
            return
        keys = (*entry.table.setting_of("username")[0].keys, *entry.table.setting_of("password")[0].keys)
        entry.remove([key for key in keys if has_user and not entry.origin_of(key).is_named])

    def _add_fault_of_broker(self, entry: TableEntry, text: str) -> None:
        found = _FAULT_OF_BROKER.match(text)
        names = re.findall(r"\w+", found[1] or "") if found else []
        named = [key for name in names for key in entry.table.setting_of(name)[0].keys]
        keys = (*named, "url", "url_file", "url_env", "url_credential", "host")
        detail = f"{found[2].lstrip()}: " if found and found[2] else ""
        reason = f"{detail}{text[found.end() :]}" if found else text
        entry.add_fault(self._faults, entry.first_of(keys) or names[0], reason)


def _cause(entry: TableEntry, text: str) -> str:
    """The key of an entry that an error is about: one that it names, else that of the URL."""
    words = set(re.findall(r"[a-z_]+", text.lower()))
    named = (key for key in entry.values if entry.table.setting_of(key)[0].name in words - {"url"})
    return next(named, None) or _url_key(entry)


def _url_key(entry: TableEntry) -> str:
    return entry.first_of(entry.table.setting_of("url")[0].keys) or "url"


def read_relay(reader: SettingsReader, entries: Sequence[TableEntry], faults: Faults) -> RelaySettings:
    """The settings of a relay; those with faults are left out."""
    relay, spool, sinks, sources = ([entry for entry in entries if entry.table is table] for table in TABLES)
    read = [(entry, source) for entry in sources if (source := reader.source(entry)) is not None]
    check_sources(read, faults)
    brokers = [(entry, sink) for entry in sinks if (sink := reader.sink(entry)) is not None]
    check_sinks(sinks, faults)
    check_brokers(brokers, faults)
    return RelaySettings(
        sources=tuple(source for _, source in read),
        sinks=tuple(sink for _, sink in brokers),
        spool=reader.spool(spool[0]) if spool else None,
        **(reader.relay(relay[0]) if relay else {}),
    )
