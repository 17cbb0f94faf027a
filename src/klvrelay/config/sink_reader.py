"""Makes typed settings of the [[sink]] entries: their far end by its kind, and their outputs."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from klvrelay.config.entries import TableEntry
from klvrelay.config.kinds import did_you_mean
from klvrelay.config.mqtt import MqttSettings, mqtt_brokers, mqtt_settings
from klvrelay.config.output_changes import unmatched
from klvrelay.config.outputs import LIMIT_KEYS, OutputFault, limit_of, output_of
from klvrelay.config.settings import SinkSettings
from klvrelay.config.sinks.far_end import FarEndSettings
from klvrelay.config.sinks.kind import SinkKind
from klvrelay.config.sinks.known import KINDS, MQTT, kind_of_url
from klvrelay.config.table_reader import TableReader
from klvrelay.config.uniqueness import check_budget, check_outputs
from klvrelay.config.url import Url
from klvrelay.errors import ConfigError
from klvrelay.shape.output import Output
from klvrelay.text import printable

_OF_FAR_END = {setting.name for kind in KINDS for setting in kind.keys}
_FAULT = re.compile(r"(?:mqtt )?(\w+(?:, \w+)*)( [^:]*)?: |MQTT URL: ")


class SinkReader:
    """Reads the entries of sinks.

    check   further checks of a far end; raises ConfigError
    """

    def __init__(self, tables: TableReader, check: Callable[[FarEndSettings], object]) -> None:
        self._tables, self._faults, self._check = tables, tables.faults, check

    def sink(self, entry: TableEntry) -> SinkSettings | None:
        """The settings of a sink; None if they are invalid."""
        before = self._faults.count
        urls = self._urls(entry)
        kind = self._kind(entry, urls)
        title = kind.title(Url.parse(urls[0]).scheme) if kind is not None and urls else "mqtt"
        outputs = self._outputs(entry, kind, title)
        values = self._tables.values(entry)
        limit = limit_of({key: values.pop(key, None) for key in LIMIT_KEYS if key in values})
        far_end = {key: values.pop(key) for key in list(values) if key in _OF_FAR_END} | self._secrets(entry, kind)
        if kind is None or self._faults.count > before:  # settings without the invalid ones may contradict each other
            self._check_urls(entry, kind, urls)
            return None
        found = self._far_ends(entry, kind, urls, far_end)
        if not found or not self._fits(entry, kind, title, values, outputs, found):
            return None
        named: dict[str, Any] = {"name": kind.name, **values}
        brokers = tuple(broker for broker in found[1:] if isinstance(broker, MqttSettings))
        try:
            sink = SinkSettings(**named, far_end=found[0], fallbacks=brokers, outputs=outputs, limit=limit)
        except ConfigError as fault:
            self._add_fault(entry, str(fault))
            return None
        return sink if self._can_change(entry, sink) else None

    # ---- the far end ----

    def _urls(self, entry: TableEntry) -> list[str]:
        url = None
        if "host" not in entry.values:
            url = self._tables.url(entry, 'missing; give the far end, e.g. url = "mqtt://127.0.0.1:1883"')
        elif (key := entry.first_of(entry.table.setting_of("url")[0].keys)) is not None:
            entry.add_fault(self._faults, key, "host is given too; give only one")
        return [str(one) for one in (url if isinstance(url, list) else [url]) if one is not None]

    def _kind(self, entry: TableEntry, urls: Sequence[str]) -> SinkKind | None:
        """The kind of a sink; None if its URL has none. Settings that the kind has not are faults."""
        if not urls:
            return MQTT if "host" in entry.values else None
        try:
            kind = kind_of_url(urls[0])
        except ConfigError as fault:
            entry.add_fault(self._faults, url_key(entry), str(fault))
            return None
        if kind is MQTT:
            self._prefer_login_of(urls, entry)
        elif len(urls) > 1:
            entry.add_fault(
                self._faults, url_key(entry), "an array is for MQTT brokers only; give each its own [[sink]]"
            )
        for key in entry.values:
            only = entry.table.setting_of(key)[0].only
            if only and kind.name not in only:
                title = kind.title(Url.parse(urls[0]).scheme)
                owners = [name for each in KINDS if each.name in only for name in each.all_titles]
                entry.add_fault(self._faults, key, f"{title} has no such setting; it belongs to {_listed(owners)}")
        return kind

    def _secrets(self, entry: TableEntry, kind: SinkKind | None) -> dict[str, Any]:
        """The secrets of a far end by key."""
        settings = () if kind is None else kind.keys
        found = {one.name: self._tables.secret(entry, one.name) for one in settings if one.elsewhere}
        return {key: value for key, value in found.items() if value is not None}

    def _far_ends(
        self, entry: TableEntry, kind: SinkKind, urls: Sequence[str], values: dict[str, Any]
    ) -> Sequence[FarEndSettings]:
        """The far end, or all brokers of a list; none if they are invalid."""
        try:
            found: Sequence[FarEndSettings]
            if kind is MQTT:
                found = mqtt_brokers(urls, values) if urls else (mqtt_settings(None, values),)
            else:
                found = (kind.from_url(urls[0], values),)
            for each in found:
                self._check(each)
        except ConfigError as fault:
            self._add_fault(entry, str(fault))
            return ()
        return found

    def _check_urls(self, entry: TableEntry, kind: SinkKind | None, urls: Sequence[str]) -> None:
        """Add the fault of the URLs alone."""
        if kind is not MQTT:
            return
        try:
            for url in urls:
                MqttSettings.from_url(url, allow_plaintext=True)
        except ConfigError as fault:
            self._add_fault(entry, str(fault))

    def _prefer_login_of(self, urls: Sequence[str], entry: TableEntry) -> None:
        """A user in the URLs of the environment replaces the user and the password of the file."""
        if not entry.origin_of(url_key(entry)).is_named:
            return
        try:
            has_user = any(Url.parse(url).user is not None for url in urls)
        except ConfigError:
            return
        keys = (*entry.table.setting_of("username")[0].keys, *entry.table.setting_of("password")[0].keys)
        entry.remove([key for key in keys if has_user and not entry.origin_of(key).is_named])

    def _add_fault(self, entry: TableEntry, text: str) -> None:
        """Add the fault of a far end, whose text begins with the key, or with several."""
        found = _FAULT.match(text)
        known = {setting.name for setting in entry.table.settings}
        names = [name for name in re.findall(r"\w+", found[1] or "") if name in known] if found else []
        named = [key for name in names for key in entry.table.setting_of(name)[0].keys]
        keys = (*named, "url", "url_file", "url_env", "url_credential", "host")
        is_named = found is not None and (bool(names) or found[0].startswith("MQTT"))
        key = entry.first_of(keys) or names[0]
        detail = f"{found[2].lstrip()}: " if found and is_named and found[2] else ""
        if found and is_named and (key in named or not names):
            text = f"{detail}{text[found.end() :]}"
        entry.add_fault(self._faults, key, text.removeprefix("mqtt "))

    # ---- the outputs ----

    def _outputs(self, entry: TableEntry, kind: SinkKind | None, title: str) -> tuple[Output, ...]:
        """The outputs of a sink; those with faults are left out."""
        found = []
        for inner in entry.inner:
            before, values = self._faults.count, self._tables.values(inner)
            for key in inner.values if kind is not None else ():
                if kind is not None and key not in kind.output_keys:
                    inner.add_fault(self._faults, key, f"outputs of {title} have no such setting")
            try:
                output = output_of(values)
            except OutputFault as fault:
                if self._faults.count == before:  # the values without the invalid ones may contradict each other
                    inner.add_fault(self._faults, fault.key, str(fault))
            else:
                found.append(output if kind is None else kind.formatted(output))
        return tuple(found)

    def _fits(
        self, entry: TableEntry, kind: SinkKind, title: str, values: dict[str, Any], outputs: Sequence[Output],
        far_ends: Sequence[FarEndSettings],
    ) -> bool:  # fmt: skip
        """Do the outputs fit the far end and each other?"""
        brokers = [one for one in far_ends if isinstance(one, MqttSettings)]
        found = check_outputs(outputs, brokers[0]) if brokers else kind.faults_of(title, far_ends[0], outputs)
        for number, key, text in found:
            entry.inner[number].add_fault(self._faults, key, text)
        if found or not brokers:
            return not found
        if values.get("budget") is None and (idle := [inner for inner in entry.inner if "class" in inner.values]):
            idle[0].add_fault(self._faults, "class", "has no effect without budget in [[sink]]")
            return False
        if (of_budget := check_budget(values, outputs, brokers)) is not None:
            entry.add_fault(self._faults, *of_budget)
        return of_budget is None

    def _can_change(self, entry: TableEntry, sink: SinkSettings) -> bool:
        """Does the sink have the outputs that may be changed at run time?"""
        if (pattern := unmatched(sink.set, sink.published)) is None:
            return True
        names = [output.name for output in sink.published]
        hint = did_you_mean(pattern.rpartition(".")[0], names)
        text = f"{printable(pattern)} matches no output{hint}; outputs: {', '.join(names)}"
        entry.add_fault(self._faults, "set", text)
        return False


def url_key(entry: TableEntry) -> str:
    """The key that names the URL of an entry."""
    return entry.first_of(entry.table.setting_of("url")[0].keys) or "url"


def _listed(names: Sequence[str]) -> str:
    return " and ".join(names) if len(names) < 3 else f"{', '.join(names[:-1])} and {names[-1]}"
