"""Settings of a NATS server."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

from klvrelay.config import kinds
from klvrelay.config.setting import setting
from klvrelay.config.sinks.address import (
    Scheme,
    check_login,
    checked,
    is_loopback,
    login_of,
    options_of,
    path_of,
    shown,
    url_of,
)
from klvrelay.config.sinks.far_end import PublishBad
from klvrelay.config.sinks.kind import OUTPUT_KEYS, SinkKind
from klvrelay.config.sinks.shared import (
    ALLOW_PLAINTEXT,
    CA_FILE,
    CERT_FILE,
    KEY_FILE,
    NUMBERS,
    PASSWORD,
    PREFIX,
    PUBLISH_BAD,
    TIMEOUT,
    TOKEN,
    USERNAME,
)
from klvrelay.errors import ConfigError
from klvrelay.json_output import Numbers
from klvrelay.shape.output import Output
from klvrelay.shape.presets import DEFAULTS
from klvrelay.text import Secret

_FORM = "nats://[user@]host[:4222], or tls:// with TLS"
_SCHEMES = {"nats": Scheme(4222), "tls": Scheme(4222, tls=True)}


def _check_stream_name(name: str) -> None:
    if not re.fullmatch(r"[\w-]{1,255}", name, re.ASCII):
        raise ConfigError("must be at most 255 letters, digits, - and _")


@dataclass(frozen=True, slots=True, kw_only=True)
class NatsSettings:
    """One server, and the JetStream stream that `create` makes."""

    role: ClassVar[str] = "NATS server"
    without_tls: ClassVar[str] = "nats://"
    host: str
    port: int = 4222
    tls: bool = False
    jetstream: bool = setting(
        True, kinds.FLAG, "JetStream stores and acknowledges records; false: only subscribers of the moment get them"
    )
    create: bool = setting(False, kinds.FLAG, "create the JetStream stream if none has the subjects")
    stream_name: str | None = setting(
        None, kinds.text(_check_stream_name, wanted="a name"), "with create: its name", note="from the prefix",
        example='"KLV"',
    )  # fmt: skip
    max_size: int = setting(
        1 << 30, kinds.size(1 << 20), "with create: bytes that it keeps; the oldest messages are removed"
    )
    max_age: float | None = setting(
        None, kinds.duration("1m", "3650d"), "with create: time for which it keeps messages", note="not limited",
        example='"7d"',
    )  # fmt: skip
    username: str | None = field(default=None, metadata=USERNAME)
    password: Secret | None = field(default=None, metadata=PASSWORD)
    token: Secret | None = field(default=None, metadata=TOKEN)
    credentials_file: str | None = setting(
        None, kinds.text(wanted="the name of a file"), "user JWT and NKey seed (.creds), or an NKey seed alone",
        example='"relay.creds"',
    )  # fmt: skip
    prefix: str = field(default="klvrelay", metadata=PREFIX)
    ca_file: str | None = field(default=None, metadata=CA_FILE)
    cert_file: str | None = field(default=None, metadata=CERT_FILE)
    key_file: str | None = field(default=None, metadata=KEY_FILE)
    allow_plaintext: bool = field(default=False, metadata=ALLOW_PLAINTEXT)
    timeout: float = field(default=10.0, metadata=TIMEOUT)
    publish_bad: PublishBad = field(default="rejected", metadata=PUBLISH_BAD)
    numbers: Numbers = field(default="exact", metadata=NUMBERS)

    def __post_init__(self) -> None:
        checked(self)
        check_login(self, tls=self.tls)
        logins = [name for name in ("username", "token", "credentials_file") if getattr(self, name) is not None]
        if len(logins) > 1:
            raise ConfigError(f"{logins[1]}: {logins[0]} is given too; give only one")
        if self.token is not None and not (self.tls or self.allow_plaintext or is_loopback(self.host)):
            raise ConfigError("token: would be sent unencrypted: use tls://, or allow it with allow_plaintext = true")
        if self.create and not self.jetstream:
            raise ConfigError("create: has no effect with jetstream = false")

    @property
    def url(self) -> str:
        """The address for messages."""
        return shown("tls" if self.tls else "nats", self.host, self.port)

    @classmethod
    def from_url(cls, text: str, settings: Mapping[str, Any]) -> Self:
        """Settings from a URL; `settings` override it. Raises ConfigError."""
        url = url_of(text, _SCHEMES, _FORM)
        if path_of(url):
            raise ConfigError(f"url: has no path: {_FORM}; set the first level of subjects with prefix")
        found = options_of(url, cls) | login_of(url)
        return cls(host=url.host, port=url.port or 4222, tls=_SCHEMES[url.scheme].tls, **{**found, **settings})


def _outputs(settings: NatsSettings) -> tuple[Output, ...]:
    return DEFAULTS


NATS = SinkKind(
    name="nats",
    schemes=("nats", "tls"),
    form=_FORM,
    text="NATS JetStream",
    settings=NatsSettings,
    from_url=NatsSettings.from_url,
    outputs=_outputs,
    module="klvrelay.sinks.nats",
    output_keys=OUTPUT_KEYS | {"topic"},
    contents=("records", "state", "items"),
)
