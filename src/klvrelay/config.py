"""A relay's settings: TOML or options to typed values, every mistake named with its key and line.

Next door: `cli.py` reads options into the same values; `samples/relay.toml` is the manual.
"""

from __future__ import annotations

import dataclasses
import difflib
import os
import re
import stat
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from klvrelay.elementary import Choice
from klvrelay.errors import ConfigError
from klvrelay.names import Secret, Url, pid_number, printable, program_number, stream_name, unique_names
from klvrelay.sinks.settings import MqttSettings
from klvrelay.wire import LIMIT, checked_limit

PASSWORD_VARIABLE = "KLVRELAY_MQTT_PASSWORD"


@dataclass(frozen=True, slots=True)
class SourceSettings:
    """One source: where it is, under which name its records go out, and how it is opened.

    url        a path, `-`, or udp://, rtp://, tcp://, srt://, rtsp://, rtsps://, http://, https://
    stream     its name in topics and records; None: from the URL
    interface  network interface that multicast is joined on
    sender     address that datagrams must come from
    timeout    seconds to wait for a connection and for bytes on one
    ca_file    certificates to trust for rtsps:// and https://
    speed      replay a file in its own time, times this; None: as fast as the sinks take it
    loop       replay it again and again
    follow     a file that is still written: wait for more at its end
    stall      seconds without bytes, or without KLV, after which the stream is stale
    demux      who takes MPEG-TS apart: "native" (the C core) or "libav"
    isolate    read it in a process of its own; None: http://, https://, rtsp://, rtsps://
    passphrase of srt://
    packet_limit  bytes that the value of a KLV packet may have
    pids       name of a stream by its PID; the first of all other PIDs is `stream`, the rest have their PID behind it
    only       PIDs whose KLV is wanted; none: all
    program    number of the program whose KLV is wanted; None: of all
    """

    url: Url
    stream: str | None = None
    interface: str | None = None
    sender: str | None = None
    timeout: float = 5.0
    ca_file: str | None = None
    speed: float | None = None
    loop: bool = False
    follow: bool = False
    stall: float = 5.0
    demux: Literal["native", "libav"] = "native"
    isolate: bool | None = None
    passphrase: Secret | None = None
    packet_limit: int = LIMIT
    pids: Mapping[int, str] = field(default_factory=dict)
    only: frozenset[int] = frozenset()
    program: int | None = None


@dataclass(frozen=True, slots=True)
class RelaySettings:
    """What `klvrelay run` needs to know.

    waiting    records that may wait for a sink in memory before the oldest are shed
    """

    sources: tuple[SourceSettings, ...] = ()
    mqtt: MqttSettings | None = None
    waiting: int = field(default=10_000)

    def named(self) -> list[tuple[str, SourceSettings]]:
        """The sources with the names of their streams, each name once."""
        wanted = [s.stream or stream_name(s.url) for s in self.sources]
        return list(zip(unique_names(wanted), self.sources, strict=True))

    def choices(self) -> list[Choice]:
        """Which KLV of each source is wanted, and under which names; raises ConfigError for one that is given twice."""
        named = self.named()
        owner = {name: place for place, (name, _) in enumerate(named)}
        for place, (_, source) in enumerate(named):
            for name in source.pids.values():
                if owner.setdefault(name, place) != place or list(source.pids.values()).count(name) > 1:
                    raise ConfigError(f"pids: {printable(name)} is the name of another stream: give each its own")
        taken = frozenset(owner)
        return [Choice(source.only, source.program, source.pids, taken) for _, source in named]


def load(path: str | os.PathLike[str]) -> RelaySettings:
    """The settings of a TOML file; ConfigError names the key, its line, and what would be right."""
    try:
        text = Path(path).read_text(encoding="utf-8")
        table = tomllib.loads(text)
    except OSError as fault:
        raise ConfigError(f"{path}: can't be read: {fault.strerror}") from fault
    except UnicodeDecodeError as fault:
        raise ConfigError(f"{path}: is not UTF-8 text") from fault
    except (ValueError, RecursionError) as fault:
        said = str(fault) if isinstance(fault, tomllib.TOMLDecodeError) else "a value is too long or too deep"
        raise ConfigError(f"{path}: is not TOML: {printable(said)}") from fault
    reader = _Reader(str(path), text)
    reader.known(table, ("mqtt", "source", "relay"), "")
    relay = reader.table(table.get("relay", {}), "relay")
    reader.at("relay")
    reader.known(relay, ("waiting",), "relay")
    return RelaySettings(
        sources=tuple(reader.source(*entry) for entry in enumerate(reader.tables(table.get("source", []), "source"))),
        mqtt=reader.mqtt(reader.table(table["mqtt"], "mqtt")) if "mqtt" in table else None,
        waiting=reader.typed(relay, "waiting", int, "relay", 10_000, least=1),
    )


class _Reader:
    """Reads one file's tables; knows the file's text, so that a mistake is named with its line."""

    def __init__(self, path: str, text: str) -> None:
        self._path = path
        self._lines = text.splitlines()
        self._table = ("", 0)

    def wrong(self, key: str, why: str) -> ConfigError:
        line = self._line(key.rpartition(".")[2])
        return ConfigError(f"{self._path}:{f' line {line}:' if line else ''} {printable(key)}: {printable(why)}")

    def at(self, table: str, number: int = 0) -> None:
        """What is read from here on is of this table, the `number`th of its name."""
        self._table = (table, number)

    def _line(self, name: str) -> int | None:
        """Where a key stands, looked for in the table being read, then anywhere."""
        form = re.compile(rf"^\s*(\[+\s*)?[\"']?{re.escape(name)}[\"']?\s*(=|\]|\.)")
        found = [n for n, text in enumerate(self._lines, 1) if form.match(text)]
        header = re.compile(rf"^\s*\[+\s*[\"']?{re.escape(self._table[0])}[\"']?\s*\]")
        headers = [n for n, text in enumerate(self._lines, 1) if header.match(text)]
        begin = headers[self._table[1]] if len(headers) > self._table[1] else 0
        return next((n for n in found if n >= begin), found[0] if found else None)

    def known(self, table: dict[str, Any], names: tuple[str, ...], where: str) -> None:
        for key in table:
            if key not in names:
                near = difflib.get_close_matches(key, names, n=1)
                hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(names)}"
                raise self.wrong(f"{where}.{key}".lstrip("."), f"no such setting: {hint}")

    def table(self, value: Any, key: str) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise self.wrong(key, f"must be a table: [{key}]")
        return value

    def tables(self, value: Any, key: str) -> list[dict[str, Any]]:
        if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
            raise self.wrong(key, f"must be tables, one a source: [[{key}]]")
        return value

    def typed(
        self, table: dict[str, Any], key: str, kind: type, where: str, default: Any, *, least: float | None = None
    ) -> Any:
        """A value of the right type, at least `least`."""
        value = table.get(key, default)
        if value is default:
            return default
        fits = isinstance(value, int | float) if kind is float else isinstance(value, kind)
        if not fits or (isinstance(value, bool) and kind is not bool):
            named = {str: "text in quotes", int: "a whole number", float: "a number", bool: "true or false"}[kind]
            raise self.wrong(f"{where}.{key}", f"must be {named}")
        if least is not None and value < least:
            raise self.wrong(f"{where}.{key}", f"must be at least {least:g}")
        if kind is float and least is not None and not value < 1e9:
            raise self.wrong(f"{where}.{key}", "must be a number below a thousand million")
        return float(value) if kind is float else value

    def source(self, number: int, table: dict[str, Any]) -> SourceSettings:
        self.at("source", number)
        names = (*(f.name for f in dataclasses.fields(SourceSettings) if f.name != "only"), "passphrase_file")
        self.known(table, names, "source")
        if not isinstance(table.get("url"), str):
            raise self.wrong("source.url", 'every source needs one, e.g. url = "udp://0.0.0.0:5000"')
        try:
            url = Url.parse(table["url"])
        except ConfigError as fault:
            raise self.wrong("source.url", str(fault)) from None
        if url.scheme != "srt" and (key := next((k for k in ("passphrase", "passphrase_file") if k in table), None)):
            raise self.wrong(f"source.{key}", "is for srt:// only")
        pids, only = self.pids(table)
        texts = {
            key: self.typed(table, key, str, "source", None) for key in ("stream", "interface", "sender", "ca_file")
        }
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
            passphrase=self.passphrase(table),
            packet_limit=self.packet_limit(table),
            pids=pids,
            only=only,
            program=self.number(table, "program", program_number),
        )

    def packet_limit(self, table: dict[str, Any]) -> int:
        """Bytes of a packet's value."""
        try:
            return checked_limit(self.typed(table, "packet_limit", int, "source", LIMIT))
        except ConfigError as fault:
            if str(fault).startswith(self._path):
                raise
            raise self.wrong("source.packet_limit", str(fault).partition(": ")[2]) from None

    def pids(self, table: dict[str, Any]) -> tuple[dict[int, str], frozenset[int]]:
        """Names by PID, or the PIDs that are wanted: a table, or a list."""
        given = table.get("pids", {})
        if not isinstance(given, dict | list):
            raise self.wrong("source.pids", 'must be a table of names, {0x101 = "uav1"}, or a list of PIDs, [0x101]')
        try:
            if isinstance(given, list):
                return {}, frozenset(pid_number(_whole(pid)) for pid in given)
            names = {pid_number(pid): name for pid, name in given.items()}
        except ConfigError as fault:
            raise self.wrong("source.pids", str(fault)) from None
        if not all(isinstance(name, str) and name for name in names.values()):
            raise self.wrong("source.pids", 'each PID needs a name in quotes, such as 0x101 = "uav1"')
        if len(names) < len(given):
            raise self.wrong("source.pids", "a PID is given twice")
        return names, frozenset()

    def number(self, table: dict[str, Any], key: str, read: Callable[[str | int], int]) -> int | None:
        """A number that may stand in quotes; None where it is not given."""
        if key not in table:
            return None
        try:
            return read(_whole(table[key]))
        except ConfigError as fault:
            raise self.wrong(f"source.{key}", str(fault)) from None

    def one_of(self, table: dict[str, Any], key: str, known: tuple[str, ...], where: str) -> Any:
        """One of the texts `known`, of which the first is the default."""
        value = self.typed(table, key, str, where, known[0])
        if value not in known:
            raise self.wrong(f"{where}.{key}", f"must be {' or '.join(known)}")
        return value

    def passphrase(self, table: dict[str, Any]) -> Secret | None:
        """Of SRT: as it stands, or out of a file."""
        given, path = (self.typed(table, key, str, "source", None) for key in ("passphrase", "passphrase_file"))
        if path is None:
            return None if given is None else Secret(given)
        if given is not None:
            raise self.wrong("source.passphrase_file", "passphrase is given too: say one of them")
        try:
            return secret_file(path, "")
        except ConfigError as fault:
            raise self.wrong("source.passphrase_file", str(fault).removeprefix(": ")) from None

    def mqtt(self, table: dict[str, Any]) -> MqttSettings:
        self.at("mqtt")
        kinds = {f.name: _kind(str(f.type)) for f in dataclasses.fields(MqttSettings)}
        names = ("url", "password_file", *kinds)
        self.known(table, names, "mqtt")
        url = self.typed(table, "url", str, "mqtt", None)
        given = {key: self.typed(table, key, kinds[key], "mqtt", None) for key in table if key in kinds}
        if "password" in given:
            given["password"] = Secret(given["password"])
        try:
            if "password_file" in table:
                given["password"] = secret_file(
                    self.typed(table, "password_file", str, "mqtt", None), "mqtt password_file"
                )
            return mqtt_settings(url, given)
        except ConfigError as fault:
            if str(fault).startswith(self._path):
                raise
            key = re.search(r"mqtt (\w+)", str(fault))
            raise self.wrong(f"mqtt.{key[1]}" if key else "mqtt.url", str(fault)) from None


def _whole(given: object) -> str | int:
    """A whole number, or text that may hold one; what is neither as text, which holds none."""
    return given if isinstance(given, str | int) else repr(given)


def _kind(annotation: str) -> type:
    for name, kind in (("bool", bool), ("int", int), ("float", float)):
        if annotation.startswith(name):
            return kind
    return str


def mqtt_settings(url: str | None, given: dict[str, Any]) -> MqttSettings:
    """Settings from a URL and what was said beside it; the password may come from the environment."""
    if url is None and "host" not in given:
        raise ConfigError('mqtt url: say where the broker is, e.g. "mqtt://127.0.0.1:1883"')
    settings = MqttSettings(**given) if url is None else MqttSettings.from_url(url, **given)
    password = os.environ.get(PASSWORD_VARIABLE)
    if password and settings.username is not None and settings.password is None:
        return dataclasses.replace(settings, password=Secret(password))
    return settings


def secret_file(path: str, key: str) -> Secret:
    """A password out of a file that only its owner can read."""
    try:
        mode = Path(path).stat().st_mode
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as fault:
        raise ConfigError(f"{key}: {path} can't be read") from fault
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise ConfigError(f"{key}: {path} can be read by others; run: chmod 600 {path}")
    secret = Secret(text.rstrip("\r\n"))
    if not secret:
        raise ConfigError(f"{key}: {path} is empty")
    return secret
