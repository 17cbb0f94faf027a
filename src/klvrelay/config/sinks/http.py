"""Settings of a sink that posts records to a web server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self
from urllib.parse import quote

from klvrelay.config import kinds
from klvrelay.config.setting import setting
from klvrelay.config.sinks.address import Scheme, check_login, is_loopback, url_of
from klvrelay.config.sinks.far_end import PublishBad
from klvrelay.config.sinks.kind import SinkKind
from klvrelay.config.sinks.shared import (
    ALLOW_PLAINTEXT,
    CA_FILE,
    CERT_FILE,
    KEY_FILE,
    NUMBERS,
    PASSWORD,
    PUBLISH_BAD,
    TIMEOUT,
    TOKEN,
    USERNAME,
)
from klvrelay.config.url import Url
from klvrelay.errors import ConfigError
from klvrelay.json_output import Numbers
from klvrelay.shape.output import Output
from klvrelay.text import HIDDEN, Secret

_FORM = "https://[user@]host[:port][/path][?query]"
_SCHEMES = {"http": Scheme(80), "https": Scheme(443, tls=True)}
_SAFE = "/%:=&?~+!$,;'@()*[]|"


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpSettings:
    """A web server.

    host, port, tls  its address
    target           path and query as requested; they may contain a token
    url              for messages
    """

    prefix: ClassVar[str] = "klvrelay"
    role: ClassVar[str] = "server"
    without_tls: ClassVar[str] = "http://"
    host: str
    port: int
    tls: bool
    target: Secret
    url: str
    post_size: int = setting(1 << 20, kinds.size(4096), "maximum bytes of one POST, before compression")
    post_records: int = setting(1000, kinds.whole(1, 2000), "maximum records of one POST")
    gzip: bool = setting(False, kinds.FLAG, "compress the body of each POST")
    token: Secret | None = field(default=None, metadata=TOKEN)
    sign_key: Secret | None = setting(
        None, kinds.SECRET, "key of the HMAC-SHA256 in Klvrelay-Signature, by which the server knows the relay",
        elsewhere=True, example='"..."',
    )  # fmt: skip
    username: str | None = field(default=None, metadata=USERNAME)
    password: Secret | None = field(default=None, metadata=PASSWORD)
    ca_file: str | None = field(default=None, metadata=CA_FILE)
    cert_file: str | None = field(default=None, metadata=CERT_FILE)
    key_file: str | None = field(default=None, metadata=KEY_FILE)
    allow_plaintext: bool = field(default=False, metadata=ALLOW_PLAINTEXT)
    timeout: float = field(default=10.0, metadata=TIMEOUT)
    publish_bad: PublishBad = field(default="rejected", metadata=PUBLISH_BAD)
    numbers: Numbers = field(default="exact", metadata=NUMBERS)

    def __post_init__(self) -> None:
        check_login(self, tls=self.tls)
        if self.token is not None:
            self._check_token(self.token.reveal())

    @property
    def hidden_url(self) -> str:
        """Its address without the path, which may be a secret."""
        return f"{'https' if self.tls else 'http'}://{self.host}:{self.port}/{HIDDEN}"

    def _check_token(self, token: str) -> None:
        if self.username is not None:
            raise ConfigError("token: the server gets either a token or a user name: leave out one")
        if not token or not token.isascii() or not token.isprintable():
            raise ConfigError("token: must be printable ASCII text, without a line end")
        if not self.tls and not self.allow_plaintext and not is_loopback(self.host):
            raise ConfigError(
                f"{self.url}: the token would be sent unencrypted: use https://, or allow it with allow_plaintext ="
                " true"
            )

    @classmethod
    def from_url(cls, text: str, settings: Mapping[str, Any]) -> Self:
        """Settings from a URL; `settings` override it. Its query belongs to the server. Raises ConfigError."""
        url = url_of(text, _SCHEMES, _FORM)
        login = {"username": url.user, "password": url.password} if url.user is not None else {}
        query = "" if url.query is None else f"?{url.query.reveal()}"
        return cls(
            host=url.host, port=url.port or 0, tls=_SCHEMES[url.scheme].tls,
            target=Secret(quote((url.path or "/") + query, safe=_SAFE)),
            url=str(Url(url.scheme, url.host, url.port, url.path)), **{**login, **settings},
        )  # fmt: skip


def _outputs(settings: HttpSettings) -> tuple[Output, ...]:
    return (Output("telemetry", "{prefix}/{stream}/telemetry"),)


HTTP = SinkKind(
    name="http",
    schemes=("http", "https"),
    form=_FORM,
    text="a web server, by POST",
    settings=HttpSettings,
    from_url=HttpSettings.from_url,
    outputs=_outputs,
    module="klvrelay.sinks.http",
    formats=("json", "klv", "cbor", "msgpack"),
)
