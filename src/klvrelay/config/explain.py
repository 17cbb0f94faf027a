"""Prints settings as TOML: every value, and where it comes from. Secrets are hidden."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from klvrelay.config.alerts import AlertsSettings, NotifySettings
from klvrelay.config.credentials import MQTT_PASSWORD, SOURCE_PASSWORD, SRT_PASSPHRASE, environment
from klvrelay.config.entries import TableEntry
from klvrelay.config.kinds import toml_text
from klvrelay.config.outputs import LIMIT_KEYS, limit_values, output_values
from klvrelay.config.setting import Setting
from klvrelay.config.settings import RelaySettings, SinkSettings, SourceSettings
from klvrelay.config.sinks.far_end import FarEndSettings
from klvrelay.config.sinks.known import KINDS
from klvrelay.config.sinks.lines import LinesSettings
from klvrelay.config.tables import (
    ALERT,
    ALERTS,
    GEOFENCE,
    HTTP,
    INCIDENTS,
    LOG,
    NOTIFY,
    OUTPUT,
    RELAY,
    SINK,
    SOURCE,
    SPOOL,
    TABLES,
    Table,
)
from klvrelay.shape.budget.reduction import urgency_of
from klvrelay.shape.output import Output
from klvrelay.text import HIDDEN, Secret, printable

Origins = Mapping[tuple[str, int, str], str]
"""Where a value comes from, by table, number of the entry and key."""

COLUMN = 44
"""Column of the origins."""
_IN_URL = ("host", "port", "tls")
_OF_FAR_END = frozenset(setting.name for kind in KINDS for setting in kind.keys)
_VARIABLES = (MQTT_PASSWORD, SOURCE_PASSWORD, SRT_PASSPHRASE)


def origins_of(entries: Iterable[TableEntry]) -> dict[tuple[str, int, str], str]:
    """The origins of the values of a file and of the environment."""
    found: dict[tuple[str, int, str], str] = {}
    for table in TABLES:
        of_table = [one for one in entries if one.table is table]
        for number, entry in enumerate(of_table):
            found |= {(table.name, number, key): str(origin) for key, origin in entry.origins.items()}
        for inner in table.inner:
            found |= origins_of_inner(inner, of_table)
    return found


def origins_of_inner(table: Table, entries: Iterable[TableEntry]) -> dict[tuple[str, int, str], str]:
    """The origins of the tables inside others; they are numbered over all of these."""
    inner = [one for entry in entries for one in entry.inner if one.table is table]
    return {
        (table.name, number, key): str(origin)
        for number, entry in enumerate(inner)
        for key, origin in entry.origins.items()
    }


def explained(settings: RelaySettings, origins: Origins) -> str:
    """The settings as TOML, each with its origin as a comment."""
    parts = [_part(RELAY, 0, settings, origins)]
    if settings.spool is None:
        parts.append("# no [spool]: records that wait for a sink are in memory\n")
    else:
        parts.append(_part(SPOOL, 0, settings.spool, origins))
    if settings.http is not None:
        parts.append(_part(HTTP, 0, settings.http, origins))
    parts.append(_part(LOG, 0, settings.log, origins))
    parts.append(_part(INCIDENTS, 0, settings.incidents, origins))
    outputs = 0
    for number, sink in enumerate(settings.sinks):
        parts.append(_part(SINK, number, sink, origins))
        parts += [_part(OUTPUT, outputs + at, output, origins) for at, output in enumerate(sink.outputs)]
        outputs += len(sink.outputs)
    names = [name for name, _ in settings.named()]
    for number, source in enumerate(settings.sources):
        parts.append(_part(SOURCE, number, source, origins, stream=names[number]))
    return "\n".join((*parts, *_alert_parts(settings.alerts, origins)))


def _alert_parts(alerts: AlertsSettings, origins: Origins) -> Iterator[str]:
    yield _part(ALERTS, 0, alerts, origins)
    for table, entries in ((ALERT, alerts.entries), (GEOFENCE, alerts.geofences), (NOTIFY, alerts.destinations)):
        for number, entry in enumerate(entries):
            yield _part(table, number, entry, origins)


def _part(table: Table, number: int, values: Any, origins: Origins, **derived: str) -> str:
    rows = _rows(table, number, values, origins, derived)
    return "".join(f"{line}\n" for line in (table.header, *rows))


def _rows(table: Table, number: int, values: Any, origins: Origins, derived: Mapping[str, str]) -> Iterator[str]:
    for setting in table.settings:
        if isinstance(values, SinkSettings) and not _has(values, setting):
            continue
        value = _value(setting, values)
        origin = _origin(table, number, setting, value, origins)
        if value is None and setting.name in derived:
            value = derived[setting.name]
        if value is None:
            note = "not set" if setting.kind.is_secret else setting.note or "not set"
            if isinstance(values, Output) and setting.name == "class":
                note = f"{urgency_of(values).name.lower()}, {note}"
            yield f"{f'# {setting.name}':{COLUMN}} # {note}"
        else:
            shown = toml_text(HIDDEN) if setting.kind.is_secret else setting.kind.shown(value)
            yield f"{f'{setting.name} = {shown}':{COLUMN}} # {printable(origin)}"


def _has(sink: SinkSettings, setting: Setting) -> bool:
    """Does this kind of sink have the setting, beside its URL?"""
    return setting.name not in _IN_URL and (not setting.only or sink.kind.name in setting.only)


def _value(setting: Setting, values: Any) -> Any:
    """The value of a setting; None if it has none."""
    if isinstance(values, SinkSettings):
        if setting.name == "url":
            return [broker.url for broker in values.brokers] if values.fallbacks else _url_of(values.far_end)
        if setting.name == "username":
            return getattr(values.far_end, "username", None) and HIDDEN
        if setting.name in LIMIT_KEYS:
            return limit_values(values.limit)[setting.name]
        return getattr(values.far_end if setting.name in _OF_FAR_END else values, setting.name)
    if isinstance(values, Output):
        return output_values(values)[setting.name]
    if isinstance(values, NotifySettings) and setting.name == "url":
        return None if values.web is None else values.web.hidden_url
    if isinstance(values, SourceSettings):
        return _of_source(setting, values)
    return getattr(values, setting.name)


def _url_of(far_end: FarEndSettings) -> str:
    """The URL as a file has it; that of standard output is another for messages."""
    is_stdout = isinstance(far_end, LinesSettings) and far_end.carrier == "stdout"
    return "-" if is_stdout else far_end.url


def _of_source(setting: Setting, source: SourceSettings) -> Any:
    match setting.name:
        case "url":
            return str(source.url)
        case "username":
            return None if source.url.user is None else HIDDEN
        case "password":
            return source.url.password
        case "pids":
            return (source.pids, source.only) if source.pids or source.only else None
        case name:
            return getattr(source, name)


def _origin(table: Table, number: int, setting: Setting, value: Any, origins: Origins) -> str:
    """Where a value comes from; one without an origin is the default, or part of the URL."""
    for key in setting.keys:
        if origin := origins.get((table.name, number, key)):
            return origin if key == setting.name else f"{origin} ({key})"
    if isinstance(value, Secret):
        named = next((name for name in _VARIABLES if environment(name) == value), None)
        if named is not None:
            return named
    if value in (None, setting.default) or setting.name == "name":
        return "default"
    if table is OUTPUT:
        return "preset" if setting.name != "topic" or (table.name, number, "preset") in origins else "default"
    url = table.setting_of("url")[0] if "url" in table.keys else setting
    found = next((origins[place] for key in url.keys if (place := (table.name, number, key)) in origins), "default")
    return f"{found} (url)"
