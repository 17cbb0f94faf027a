"""A relay's settings as typed values, read from TOML. Errors name the key and the line.

`samples/relay.toml` documents every setting.
"""

from __future__ import annotations

import dataclasses
import logging
import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from klvrelay.config.choice import Choice
from klvrelay.config.credentials import MQTT_PASSWORD, environment, is_secret, readable_by_others
from klvrelay.config.login_reader import SECRET_KEYS, LoginReader
from klvrelay.config.mistyped import file_name, no_url
from klvrelay.config.mqtt import MqttSettings
from klvrelay.config.names import checked_name, pid_number, program_number, stream_name, unique_names
from klvrelay.config.small_file import read_small
from klvrelay.config.toml_reader import tables_of
from klvrelay.config.url import Url
from klvrelay.core import LIMIT, checked_limit
from klvrelay.errors import ConfigError
from klvrelay.text import Secret, printable

LOG = logging.getLogger("klvrelay.config")

CONFIG_MOST = 1 << 20
"""Maximum bytes of a settings file."""
COALESCE = 0.008
_COALESCE_LEAST, _COALESCE_MOST = 0.0005, 0.1
_DURATION = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)(ms|s)", re.ASCII)


def coalesce_seconds(text: str) -> float:
    """`2ms`, `0.005s` or `0` in seconds. Raises ConfigError for anything else."""
    found = _DURATION.fullmatch(text)
    seconds = 0.0 if found is None else float(found[1]) * (0.001 if found[2] == "ms" else 1.0)
    if text != "0" and not (found and _COALESCE_LEAST <= seconds <= _COALESCE_MOST):
        raise ConfigError(f'coalesce {printable(text)}: give a time from "0.5ms" to "100ms", or 0')
    return seconds


@dataclass(frozen=True, slots=True)
class SourceSettings:
    """One source: its URL, its stream name, and how it is opened.

    url        a path, `-`, or udp://, rtp://, tcp://, srt://, rtsp://, rtsps://, http://, https://
    stream     name in topics and records; None: derived from the URL
    interface  network interface for multicast
    sender     address that datagrams must come from
    timeout    seconds to wait for a connection, and for bytes on it
    ca_file    CA certificates for rtsps:// and https://
    speed      replay a file at this multiple of its original pace; None: as fast as the sinks accept it
    loop       replay it in a loop
    follow     wait for more data at the end of a file
    stall      seconds without bytes or KLV after which the stream is stale
    demux      MPEG-TS demultiplexer: "native" (the C core) or "libav"
    isolate    read the source in a separate process; None: only http://, https://, rtsp:// and rtsps://
    passphrase of srt://
    packet_limit  maximum bytes of the value of a KLV packet
    pids       stream names by PID; the first of all other PIDs is named `stream`, the rest have their PID as suffix
    only       selected PIDs; empty: all
    program    number of the selected program; None: all
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

    def __post_init__(self) -> None:
        if self.stream is not None:
            checked_name(self.stream)
        for name in self.pids.values():
            checked_name(name, "pids")


@dataclass(frozen=True, slots=True)
class RelaySettings:
    """Settings of `klvrelay run`.

    waiting    maximum records that wait in memory for a sink before the oldest are shed
    waiting_size  maximum bytes of those records
    coalesce   maximum seconds between two reads of the datagram sockets when many are busy; 0: each datagram is read
               at once
    """

    sources: tuple[SourceSettings, ...] = ()
    mqtt: MqttSettings | None = None
    waiting: int = field(default=10_000)
    waiting_size: int = 64 << 20
    coalesce: float = COALESCE

    def named(self) -> list[tuple[str, SourceSettings]]:
        """The sources with their stream names. Raises ConfigError if two are given the same name.

        A name derived from a URL gets a suffix if it equals a given name, or a derived one before it.
        """
        given = [s.stream for s in self.sources if s.stream is not None]
        if twice := _first_twice(given):
            raise ConfigError(f"stream {printable(twice)}: two sources have this name; names must be unique")
        made = [stream_name(s.url) for s in self.sources if s.stream is None]
        names = iter(unique_names([*given, *made])[len(given) :])
        return [(s.stream if s.stream is not None else next(names), s) for s in self.sources]

    def choices(self) -> list[Choice]:
        """The selected KLV and the stream names of each source. Raises ConfigError if a name is given twice."""
        named = self.named()
        owner = {name: place for place, (name, _) in enumerate(named)}
        for place, (_, source) in enumerate(named):
            for name in source.pids.values():
                if owner.setdefault(name, place) != place or list(source.pids.values()).count(name) > 1:
                    raise ConfigError(f"pids: {printable(name)} is the name of another stream; names must be unique")
        taken = frozenset(owner)
        return [Choice(source.only, source.program, source.pids, taken) for _, source in named]


def _first_twice(names: Iterable[str]) -> str | None:
    seen: set[str] = set()
    return next((name for name in names if name in seen or seen.add(name)), None)  # type: ignore[func-returns-value]


def load(path: str | os.PathLike[str], source_password: Secret | None = None) -> RelaySettings:
    """The settings of a TOML file. Raises ConfigError, which names the key, its line and what is valid.

    `source_password` is used for every source with a user but no password, in preference to that of the environment.
    Warns if the file contains passwords and other users can read it.
    """
    path = file_name(os.fspath(path), "configuration")
    data, mode = read_small(path, printable(path), CONFIG_MOST)
    table = tables_of(data, path)
    reader = _SettingsReader(path, data.decode("utf-8-sig"), source_password)
    reader.known(table, ("mqtt", "source", "relay"), "")
    relay = reader.table(table.get("relay", {}), "relay")
    reader.at("relay")
    reader.known(relay, ("waiting", "waiting_size", "coalesce"), "relay")
    settings = RelaySettings(
        sources=tuple(reader.source(*entry) for entry in enumerate(reader.tables(table.get("source", []), "source"))),
        mqtt=reader.mqtt(reader.table(table["mqtt"], "mqtt")) if "mqtt" in table else None,
        waiting=reader.typed(relay, "waiting", int, "relay", 10_000, least=1),
        waiting_size=reader.typed(relay, "waiting_size", int, "relay", 64 << 20, least=1),
        coalesce=reader.coalesce(relay),
    )
    reader.named_once(settings.sources)
    if reader.has_secrets and readable_by_others(path, mode):
        LOG.warning("%s: contains passwords, and other users can read it; run: chmod 600 %s", *[printable(path)] * 2)
    return settings


class _SettingsReader(LoginReader):
    """Reads the tables of a relay's settings."""

    def coalesce(self, table: dict[str, Any]) -> float:
        """A quoted time with a unit, or 0."""
        given = table.get("coalesce", "8ms")
        if given is False or not isinstance(given, str | int):
            given = repr(given)
        try:
            return coalesce_seconds(str(given))
        except ConfigError as fault:
            raise self.wrong("relay.coalesce", str(fault).partition(": ")[2]) from None

    def source(self, number: int, table: dict[str, Any]) -> SourceSettings:
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
        for name in names.values():
            self.checked("source.pids", checked_name, name, "")
        return names, frozenset()

    def number(self, table: dict[str, Any], key: str, read: Callable[[str | int], int]) -> int | None:
        """A number, possibly quoted; None if it is not given."""
        if key not in table:
            return None
        try:
            return read(_whole(table[key]))
        except ConfigError as fault:
            raise self.wrong(f"source.{key}", str(fault)) from None

    def mqtt(self, table: dict[str, Any]) -> MqttSettings:
        self.at("mqtt")
        kinds = {f.name: _kind(str(f.type)) for f in dataclasses.fields(MqttSettings)}
        names = ("url", "password_file", "password_env", *kinds)
        self.known(table, names, "mqtt")
        url = self.typed(table, "url", str, "mqtt", None)
        given = {key: self.typed(table, key, kinds[key], "mqtt", None) for key in table if key in kinds}
        if (password := self.secret(table, "password", "mqtt")) is not None:
            given["password"] = password
        self.has_secrets |= url is not None and self.checked("mqtt.url", lambda: is_secret(Url.parse(url)))
        try:
            return mqtt_settings(url, given)
        except ConfigError as fault:
            key = re.search(r"mqtt (\w+)", str(fault))
            raise self.wrong(f"mqtt.{key[1]}" if key else "mqtt.url", str(fault)) from None


def _whole(given: object) -> str | int:
    """An integer, or text that may be one. Any other value becomes text that is not a number."""
    return given if isinstance(given, str | int) else repr(given)


def _kind(annotation: str) -> type:
    for name, kind in (("bool", bool), ("int", int), ("float", float)):
        if annotation.startswith(name):
            return kind
    return str


def mqtt_settings(url: str | None, given: dict[str, Any]) -> MqttSettings:
    """Settings from a URL and other options. The password may come from the environment."""
    if url is None and "host" not in given:
        raise ConfigError('mqtt url: missing; give the broker, e.g. "mqtt://127.0.0.1:1883"')
    return with_mqtt_password(MqttSettings(**given) if url is None else MqttSettings.from_url(url, **given))


_OF_ANY_BROKER = (
    "client_id", "qos", "prefix", "protocol", "keepalive", "raw", "publish_bad", "numbers", "window", "timeout",
    "expiry",
)  # fmt: skip


def mqtt_settings_over(settings: MqttSettings, url: str, given: dict[str, Any]) -> MqttSettings:
    """The settings for another broker: address, login and TLS come from `url` and `given`; other settings are kept
    unless `url` or `given` has them.
    """
    parts = Url.parse(url)
    own = {*parts.options, *(["prefix"] if parts.path.strip("/") else [])}
    kept = {key: getattr(settings, key) for key in _OF_ANY_BROKER if key not in own}
    return mqtt_settings(url, kept | given)


def with_mqtt_password(settings: MqttSettings) -> MqttSettings:
    """The settings with the password of the environment, if there is a user but no password."""
    password = environment(MQTT_PASSWORD)
    if password and settings.username is not None and settings.password is None:
        return dataclasses.replace(settings, password=password)
    return settings
