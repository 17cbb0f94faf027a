"""Settings of a Redis or Valkey server."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

from klvrelay.config import kinds
from klvrelay.config.setting import setting
from klvrelay.config.sinks.address import Scheme, check_login, checked, login_of, options_of, path_of, shown, url_of
from klvrelay.config.sinks.far_end import PublishBad
from klvrelay.config.sinks.kind import OUTPUT_KEYS, Fault, SinkKind
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
    USERNAME,
)
from klvrelay.errors import ConfigError
from klvrelay.json_output import Numbers
from klvrelay.shape.output import Output
from klvrelay.shape.presets import DEFAULTS
from klvrelay.text import Secret

_FORM = "redis://[user@]host[:6379][/database], or rediss:// with TLS"
_SCHEMES = {"redis": Scheme(6379), "rediss": Scheme(6379, tls=True)}
DEFAULT_USER = "default"
"""The user of a password that is given alone."""


def _check_client_name(name: str) -> None:
    if not re.fullmatch(r"[!-~]{1,64}", name):
        raise ConfigError("must be at most 64 ASCII characters without spaces")


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisSettings:
    """One server and one of its databases."""

    role: ClassVar[str] = "Redis server"
    without_tls: ClassVar[str] = "redis://"
    host: str
    port: int = 6379
    tls: bool = False
    database: int = setting(0, kinds.whole(0, 2**31 - 1), "number of the database, unless the URL has one")
    username: str | None = field(default=None, metadata=USERNAME)
    password: Secret | None = field(default=None, metadata=PASSWORD)
    client_name: str = setting(
        "klvrelay", kinds.text(_check_client_name, wanted="a name"), "name of the connection in CLIENT LIST"
    )
    prefix: str = field(default="klvrelay", metadata=PREFIX)
    max_length: int = setting(
        20_000, kinds.whole(1, 2**62), "entries that each Redis stream keeps, about: older ones are removed"
    )
    value_expiry: int = setting(
        60, kinds.whole(15, 86_400),
        "seconds after which availability, link and status disappear if the relay no longer refreshes them",
    )  # fmt: skip
    ca_file: str | None = field(default=None, metadata=CA_FILE)
    cert_file: str | None = field(default=None, metadata=CERT_FILE)
    key_file: str | None = field(default=None, metadata=KEY_FILE)
    allow_plaintext: bool = field(default=False, metadata=ALLOW_PLAINTEXT)
    timeout: float = field(default=10.0, metadata=TIMEOUT)
    publish_bad: PublishBad = field(default="rejected", metadata=PUBLISH_BAD)
    numbers: Numbers = field(default="exact", metadata=NUMBERS)

    def __post_init__(self) -> None:
        checked(self)
        if self.password is not None and not self.username:
            object.__setattr__(self, "username", DEFAULT_USER)
        check_login(self, tls=self.tls)

    @property
    def url(self) -> str:
        """The address for messages."""
        path = f"/{self.database}" if self.database else ""
        return shown("rediss" if self.tls else "redis", self.host, self.port, path)

    @classmethod
    def from_url(cls, text: str, settings: Mapping[str, Any]) -> Self:
        """Settings from a URL; `settings` override it. Raises ConfigError."""
        url = url_of(text, _SCHEMES, _FORM)
        found = {**options_of(url, cls), **login_of(url), **_database_of(path_of(url))}
        return cls(host=url.host, port=url.port or 6379, tls=_SCHEMES[url.scheme].tls, **{**found, **settings})


def _database_of(path: str) -> dict[str, int]:
    if not path:
        return {}
    if not re.fullmatch(r"[0-9]{1,9}", path):
        raise ConfigError(f"url: the path is the number of a database, such as /0: {_FORM}")
    return {"database": int(path)}


def _outputs(settings: RedisSettings) -> tuple[Output, ...]:
    return DEFAULTS


def _faults(settings: RedisSettings, outputs: Sequence[Output]) -> list[Fault]:
    """Latest values are a hash with a field for each item."""
    kept = [(number, output) for number, output in enumerate(outputs) if output.retain and output.content != "items"]
    of_format = 'must be "json": latest values are a hash'
    of_changes = "has no effect with on_change: a record without an item would remove its field"
    found = [(number, "format", of_format) for number, output in kept if output.format != "json"]
    return found + [(number, "retain", of_changes) for number, output in kept if output.on_change]


REDIS = SinkKind(
    name="redis",
    schemes=("redis", "rediss"),
    form=_FORM,
    text="Redis Streams, of Redis or Valkey",
    settings=RedisSettings,
    from_url=RedisSettings.from_url,
    outputs=_outputs,
    module="klvrelay.sinks.redis",
    output_keys=OUTPUT_KEYS | {"topic", "retain"},
    contents=("records", "state", "items"),
    check=_faults,
)
