"""Settings of an MQTT connection, from a URL or a settings file, validated before anything connects."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Literal, Self, get_args

from klvrelay.config import kinds
from klvrelay.config.credentials import MQTT_PASSWORD, environment
from klvrelay.config.mqtt_url import settings_from_url
from klvrelay.config.setting import described, setting, settings_of
from klvrelay.config.sinks.far_end import PublishBad
from klvrelay.config.sinks.shared import (
    ALLOW_PLAINTEXT,
    CA_FILE,
    CERT_FILE,
    KEY_FILE,
    NUMBERS,
    PASSWORD,
    PREFIX,
    PUBLISH_BAD,
    TEXT_MOST,
    TIMEOUT,
    USERNAME,
    check_printable,
)
from klvrelay.config.url import Url
from klvrelay.errors import ConfigError
from klvrelay.json_output import Numbers
from klvrelay.text import Secret

Client = Literal["native", "aiomqtt"]

WINDOWS = {5: 1000, 4: 100}
"""Default window by protocol level. AWS IoT allows 100 messages in flight per client, mosquitto 2.0 any number."""


def _check_host(host: str) -> None:
    if not _is_host(host):
        raise ConfigError("must be a host name or an address")


@dataclass(frozen=True, slots=True, kw_only=True)
class MqttSettings:
    """One broker and how to connect to it."""

    role: ClassVar[str] = "broker"
    without_tls: ClassVar[str] = "mqtt:// (1883), or port 8883"

    host: str = field(
        metadata=described(kinds.text(_check_host, wanted=None), "instead of url: the host of the broker")
    )
    port: int = setting(1883, kinds.whole(1, 65535), "instead of url: its port")
    tls: bool = setting(False, kinds.FLAG, "instead of url: connect with TLS")
    username: str | None = field(default=None, metadata=USERNAME)
    password: Secret | None = field(default=None, metadata=PASSWORD)
    client_id: str | None = setting(
        None, kinds.text(check_printable, wanted="a name"), "MQTT client identifier", note="random for each run",
        example='"relay-1"',
    )  # fmt: skip
    qos: int = setting(
        1, kinds.one_of(0, 1, 2), "quality of service of records; with 1 and 2 the broker acknowledges them"
    )
    prefix: str = field(default="klvrelay", metadata=PREFIX)
    protocol: int = setting(
        5, kinds.one_of(4, 5), "5: MQTT 5, falling back to 3.1.1 if the broker requires it; 4: 3.1.1 only"
    )
    keepalive: int = setting(30, kinds.whole(1, 65535), "seconds without traffic within which a ping is sent")
    ca_file: str | None = field(default=None, metadata=CA_FILE)
    cert_file: str | None = field(default=None, metadata=CERT_FILE)
    key_file: str | None = field(default=None, metadata=KEY_FILE)
    allow_plaintext: bool = field(default=False, metadata=ALLOW_PLAINTEXT)
    raw: bool = setting(False, kinds.FLAG, "also publish the KLV bytes of each record in telemetry to .../raw")
    publish_bad: PublishBad = field(default="rejected", metadata=PUBLISH_BAD)
    numbers: Numbers = field(default="exact", metadata=NUMBERS)
    window: int | None = setting(
        None, kinds.whole(1, 65535), "maximum unacknowledged messages in flight, up to the limit of the broker",
        note="1000; 100 with MQTT 3.1.1, in which a broker cannot announce a limit", example="100",
    )  # fmt: skip
    timeout: float = field(default=10.0, metadata=TIMEOUT)
    expiry: int = setting(
        60,
        kinds.whole(0, 2**32 - 1),
        "seconds after which the broker discards undelivered telemetry; 0: never (MQTT 5)",
    )
    client: Client = setting(
        "native", kinds.one_of(*get_args(Client)),
        "what publishes: klvrelay's own MQTT client, or the library aiomqtt, which has no QoS 2",
    )  # fmt: skip

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
        return cls(**{**settings_from_url(url), **settings})


def mqtt_settings(url: str | None, options: dict[str, Any]) -> MqttSettings:
    """Settings from a URL and further options. The password may come from the environment."""
    if url is None and "host" not in options:
        raise ConfigError('mqtt url: missing; give the broker, e.g. "mqtt://127.0.0.1:1883"')
    return with_mqtt_password(MqttSettings(**options) if url is None else MqttSettings.from_url(url, **options))


_TLS = ("ca_file", "cert_file", "key_file")


def mqtt_brokers(urls: Sequence[str], options: dict[str, Any]) -> tuple[MqttSettings, ...]:
    """The settings of several brokers, with common options: a URL may have another login, and TLS need not be used
    by all.
    """
    return _brokers(urls, lambda _: {}, options)


def _brokers(
    urls: Sequence[str], kept: Callable[[str], dict[str, Any]], options: dict[str, Any]
) -> tuple[MqttSettings, ...]:
    if len(urls) == 1:
        return (mqtt_settings(urls[0], kept(urls[0]) | options),)
    has_tls = any(Url.parse(url).scheme == "mqtts" for url in urls)
    brokers = []
    for number, url in enumerate(urls, 1):
        try:
            brokers.append(mqtt_settings(url, kept(url) | _of_one(url, options, has_tls=has_tls)))
        except ConfigError as fault:
            text = str(fault).removeprefix("MQTT URL: ")
            raise ConfigError(f"MQTT URL: broker {number}: {text}" if text != str(fault) else text) from None
    if len({broker.url for broker in brokers}) < len(brokers):
        raise ConfigError("mqtt url: a broker occurs twice in the list")
    if len({broker.prefix for broker in brokers}) > 1:
        raise ConfigError("mqtt url: the brokers of one sink need the same prefix, since they publish the same topics")
    return tuple(brokers)


def _of_one(url: str, options: dict[str, Any], *, has_tls: bool) -> dict[str, Any]:
    """The common options that apply to one broker of several. `has_tls`: one of them uses TLS."""
    parts = Url.parse(url)
    own = {"username"} if parts.user else set()
    own |= {"password"} if parts.password else set()
    own |= set(_TLS) if has_tls and parts.scheme != "mqtts" else set()
    return {key: value for key, value in options.items() if key not in own}


OF_ANY_BROKER = (
    "client_id", "qos", "prefix", "protocol", "keepalive", "raw", "publish_bad", "numbers", "window", "timeout",
    "expiry", "client",
)  # fmt: skip


def mqtt_brokers_over(settings: MqttSettings, urls: Sequence[str], options: dict[str, Any]) -> tuple[MqttSettings, ...]:
    """The settings for other brokers: address, login and TLS come from `urls` and `options`; other settings are kept
    unless a URL or `options` has them.
    """
    return _brokers(urls, lambda url: _kept(settings, url), options)


def _kept(settings: MqttSettings, url: str) -> dict[str, Any]:
    parts = Url.parse(url)
    own = {*parts.options, *(["prefix"] if parts.path.strip("/") else [])}
    return {key: getattr(settings, key) for key in OF_ANY_BROKER if key not in own}


def with_mqtt_password(settings: MqttSettings) -> MqttSettings:
    """The settings with the password of the environment, if there is a user but no password."""
    password = environment(MQTT_PASSWORD)
    if password and settings.username is not None and settings.password is None:
        return replace(settings, password=password)
    return settings


def _check(s: MqttSettings) -> None:
    """Raise ConfigError for the first invalid setting."""
    for one in settings_of(MqttSettings):
        value = getattr(s, one.name)
        if value is None or isinstance(value, Secret):
            continue
        try:
            one.kind.read(value)
        except ConfigError as fault:
            raise ConfigError(f"mqtt {one.name}: {fault}") from None
    if s.password is not None and len(s.password.reveal().encode(errors="replace")) > TEXT_MOST:
        raise ConfigError(f"mqtt password: must have at most {TEXT_MOST} bytes")
    if s.client == "aiomqtt" and s.qos == 2:
        raise ConfigError('mqtt client: aiomqtt supports QoS 0 and 1 only: set qos=1, or client="native"')
    _check_security(s)


def _check_security(s: MqttSettings) -> None:
    if s.password is not None and s.username is None:
        raise ConfigError("mqtt username, password: a password needs a user name")
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
