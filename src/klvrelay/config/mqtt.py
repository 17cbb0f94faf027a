"""Settings of an MQTT connection, from a URL or a settings file, validated before anything connects."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal, Self, get_args
from urllib.parse import unquote

from klvrelay.config.credentials import MQTT_PASSWORD, environment
from klvrelay.config.mistyped import no_url
from klvrelay.config.url import Url, unknown_option
from klvrelay.errors import ConfigError
from klvrelay.json_output import Numbers
from klvrelay.text import Secret

PublishBad = Literal["rejected", "telemetry", "drop"]

WINDOWS = {5: 1000, 4: 100}
"""Default window by protocol level. AWS IoT allows 100 messages in flight per client, mosquitto 2.0 any number."""
TEXT_MOST, PREFIX_MOST = 65_535, 60_000
"""Maximum bytes of a text (MQTT 5, 1.5.4), and of the prefix: with the longest stream name the topic is a text."""
_PORTS = {"mqtt": 1883, "mqtts": 8883}
_FORM = "mqtt://[user@]host[:port][/prefix]"


@dataclass(frozen=True, slots=True, kw_only=True)
class MqttSettings:
    """One broker and how to connect to it.

    protocol         5, falling back to 3.1.1 if the broker requires it, or 4 for 3.1.1 only
    qos              of telemetry and rejected records: 0, 1 (the default: confirmed) or 2
    prefix           first level or levels of every topic
    keepalive        seconds without traffic after which a ping is sent
    window           maximum unacknowledged messages in flight; the broker's Receive Maximum bounds it further. None for
                     1,000, or 100 with MQTT 3.1.1, in which a broker cannot announce a limit
    timeout          maximum seconds for each response
    expiry           seconds after which the broker discards undelivered telemetry; 0: never (MQTT 5)
    publish_bad      topic of records with a bad checksum, or "drop"
    raw              also publish the KLV bytes of each telemetry record
    numbers          "safe": integers beyond 2^53 - 1 as strings, in all JSON documents
    allow_plaintext  send a password over TCP without TLS to another machine
    order            after an outage: "strict", the backlog first, or "live-first", the backlog beside live records
    replay_rate      with "live-first", records of the backlog per second
    """

    host: str
    port: int = 1883
    tls: bool = False
    username: str | None = None
    password: Secret | None = None
    client_id: str | None = None
    qos: int = 1
    prefix: str = "klvrelay"
    protocol: int = 5
    keepalive: int = 30
    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None
    allow_plaintext: bool = False
    raw: bool = False
    publish_bad: PublishBad = "rejected"
    numbers: Numbers = "exact"
    window: int | None = None
    timeout: float = 10.0
    expiry: int = 60
    order: Literal["strict", "live-first"] = "strict"
    replay_rate: float = 200.0

    def __post_init__(self) -> None:
        _check(self)

    @property
    def url(self) -> str:
        """The broker's address for messages, without user, password and options."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'mqtts' if self.tls else 'mqtt'}://{host}:{self.port}"

    def window_of(self, protocol: int) -> int:
        """Maximum messages in flight on our side, for protocol level 5 or 4 (3.1.1)."""
        return self.window or WINDOWS[protocol]

    @classmethod
    def from_url(cls, url: str, **settings: Any) -> Self:
        """Settings from `mqtt[s]://user:password@host:port/prefix?qos=1&...`. Keywords override the URL.

        Any field can be an option after the `?`. Raises ConfigError, which never quotes a part of the URL that may
        contain a password.
        """
        return cls(**{**_from_url(url), **settings})


def mqtt_settings(url: str | None, options: dict[str, Any]) -> MqttSettings:
    """Settings from a URL and further options. The password may come from the environment."""
    if url is None and "host" not in options:
        raise ConfigError('mqtt url: missing; give the broker, e.g. "mqtt://127.0.0.1:1883"')
    return with_mqtt_password(MqttSettings(**options) if url is None else MqttSettings.from_url(url, **options))


_OF_ANY_BROKER = (
    "client_id", "qos", "prefix", "protocol", "keepalive", "raw", "publish_bad", "numbers", "window", "timeout",
    "expiry", "order", "replay_rate",
)  # fmt: skip


def mqtt_settings_over(settings: MqttSettings, url: str, options: dict[str, Any]) -> MqttSettings:
    """The settings for another broker: address, login and TLS come from `url` and `options`; other settings are kept
    unless `url` or `options` has them.
    """
    parts = Url.parse(url)
    own = {*parts.options, *(["prefix"] if parts.path.strip("/") else [])}
    kept = {key: getattr(settings, key) for key in _OF_ANY_BROKER if key not in own}
    return mqtt_settings(url, kept | options)


def with_mqtt_password(settings: MqttSettings) -> MqttSettings:
    """The settings with the password of the environment, if there is a user but no password."""
    password = environment(MQTT_PASSWORD)
    if password and settings.username is not None and settings.password is None:
        return replace(settings, password=password)
    return settings


def _from_url(url: str) -> dict[str, Any]:
    parts = Url.parse(url)
    if parts.scheme in ("ws", "wss"):
        raise ConfigError(
            "MQTT URL: WebSocket (ws://, wss://) is not supported; use the broker's mqtt:// or mqtts:// listener"
        )
    if parts.scheme not in _PORTS:
        raise ConfigError(f"MQTT URL: must begin with mqtt:// or, for TLS, mqtts://: {_FORM}")
    if not parts.host:
        raise ConfigError(f"MQTT URL: the host is missing: {_FORM}")
    found: dict[str, Any] = {"host": parts.host, "tls": parts.scheme == "mqtts"}
    found["port"] = parts.port or _PORTS[parts.scheme]
    found |= {"username": parts.user or None, "password": parts.password or None}
    if prefix := unquote(parts.path).strip("/"):
        found["prefix"] = prefix
    return found | {key: _option(key, text, number) for number, (key, text) in enumerate(parts.options.items(), 1)}


def _option(key: str, text: str, number: int) -> Any:
    if key not in _OPTIONS:
        raise ConfigError(f"MQTT URL: {unknown_option(key, number, _OPTIONS)}")
    try:
        return _OPTIONS[key](text)
    except (ValueError, KeyError):
        pass
    # The value is not quoted: if an & is missing, it includes the next option.
    raise ConfigError(f"MQTT URL: invalid value of {key}")


def _flag(text: str) -> bool:
    return {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}[text.lower()]


def _protocol(text: str) -> int:
    return {"5": 5, "5.0": 5, "4": 4, "3.1.1": 4, "311": 4}[text]


_OPTIONS: dict[str, Callable[[str], Any]] = {
    "client_id": str,
    "qos": int,
    "protocol": _protocol,
    "keepalive": int,
    "ca_file": str,
    "cert_file": str,
    "key_file": str,
    "allow_plaintext": _flag,
    "raw": _flag,
    "publish_bad": str,
    "order": str,
    "replay_rate": float,
    "numbers": str,
    "window": int,
    "timeout": float,
    "expiry": int,
}


def _check(s: MqttSettings) -> None:
    """Raise ConfigError for the first invalid setting."""
    for key, allowed in (("qos", (0, 1, 2)), ("protocol", (4, 5)), ("publish_bad", _BAD), ("numbers", _NUMBERS),
                         ("order", ("strict", "live-first"))):  # fmt: skip
        if getattr(s, key) not in allowed:
            raise ConfigError(f"mqtt {key}: must be one of {', '.join(map(str, allowed))}")
    for key, low, high in _RANGES:
        if getattr(s, key) is not None and not low <= getattr(s, key) <= high:
            raise ConfigError(f"mqtt {key}: must be from {low} to {high}")
    if not _is_host(s.host):
        raise ConfigError("mqtt host: must be a host name or an address")
    for key in ("client_id", "username"):
        if not (getattr(s, key) or "").isprintable():
            raise ConfigError(f"mqtt {key}: must be printable text")
    no_url(s.client_id or "", "mqtt client_id", "a name")
    _check_prefix(s.prefix)
    _check_lengths(s)
    _check_security(s)


def _check_lengths(s: MqttSettings) -> None:
    password = "" if s.password is None else s.password.reveal()
    lengths = {"client_id": s.client_id or "", "username": s.username or "", "password": password, "prefix": s.prefix}
    for key, text in lengths.items():
        most = PREFIX_MOST if key == "prefix" else TEXT_MOST
        if len(text.encode(errors="replace")) > most:
            raise ConfigError(f"mqtt {key}: must have at most {most} bytes")


_BAD = ("rejected", "telemetry", "drop")
_NUMBERS = get_args(Numbers)
_RANGES: tuple[tuple[str, float, float], ...] = (
    ("port", 1, 65535),
    ("keepalive", 1, 65535),
    ("window", 1, 65535),
    ("timeout", 0.1, 300),
    ("expiry", 0, 2**32 - 1),
    ("replay_rate", 0.1, 1e6),
)


def _check_prefix(prefix: str) -> None:
    levels = prefix.split("/")
    if not all(levels) or any(c in "+#" or not c.isprintable() for c in prefix) or prefix[0] == "$":
        raise ConfigError("mqtt prefix: must be topic levels such as klvrelay or site/klv, without +, # or a leading $")
    no_url(prefix, "mqtt prefix", "topic levels such as site/klv")


def _check_security(s: MqttSettings) -> None:
    if s.password is not None and s.username is None:
        raise ConfigError("mqtt username: a password needs a user name")
    if (s.cert_file is None) != (s.key_file is None):
        raise ConfigError("mqtt cert_file, key_file: a client certificate requires both")
    if not s.tls and (s.ca_file or s.cert_file):
        keys = ", ".join(key for key in ("ca_file", "cert_file") if getattr(s, key))
        raise ConfigError(f"mqtt {keys}: used by TLS only: write mqtts:// instead of mqtt://")
    if s.password is not None and not s.tls and not s.allow_plaintext and not _loopback(s.host):
        raise ConfigError(
            f"{s.url}: the password would be sent unencrypted: use mqtts://, or allow it with"
            " --allow-plaintext (in the settings: allow_plaintext = true)"
        )


def _is_host(host: str) -> bool:
    try:
        host.encode("idna")
    except UnicodeError:
        return False
    return host.isprintable() and not set(host) & set(" /@") and not host.startswith(".")


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"
