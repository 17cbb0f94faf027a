"""Settings of the relay's web server."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field

from klvrelay.config import kinds
from klvrelay.config.setting import described, setting
from klvrelay.config.sinks.address import is_loopback
from klvrelay.errors import ConfigError
from klvrelay.text import Secret

TOKEN_LEAST = 16
"""Minimum characters of a token."""
WITHOUT_LIBRARY = "the web server needs aiohttp: pip install 'klvrelay[web]'"
_FILE = kinds.text(wanted="the name of a file")
_FORM = "an address and a port, such as 127.0.0.1:8080 or [::1]:8080"


def address_of(listen: str) -> tuple[str, int]:
    """Host and port of `127.0.0.1:8080`, `[::1]:8080` or `:8080` (all addresses). Raises ConfigError."""
    found = re.fullmatch(r"(?:\[([0-9A-Fa-f:.%\w]+)\]|([^:\[\]]*)):(\d{1,5})", listen, re.ASCII)
    if found is None or int(found[3]) > 65535:
        raise ConfigError(f"must be {_FORM}")
    host = found[1] or found[2] or "0.0.0.0"
    if found[1] is not None:
        try:
            ipaddress.IPv6Address(found[1].partition("%")[0])
        except ValueError:
            raise ConfigError(f"must be {_FORM}") from None
    return host, int(found[3])


@dataclass(frozen=True, slots=True)
class WebSettings:
    """Where the web server listens, and who may use it."""

    listen: str = field(
        metadata=described(
            kinds.text(address_of, _FORM, wanted=_FORM), "address and port of the web server: metrics, health, API",
            example='"127.0.0.1:8080"',
        )
    )  # fmt: skip
    token: Secret | None = setting(
        None, kinds.SECRET, "what clients must send as Authorization: Bearer; needed for any address but loopback",
        elsewhere=True, example='"..."',
    )  # fmt: skip
    cert_file: str | None = setting(
        None, _FILE, "certificate for https, with its chain", example='"/etc/klvrelay/relay.pem"'
    )
    key_file: str | None = setting(
        None, _FILE, "key of the certificate, unless the certificate file has it", example='"/etc/klvrelay/relay.key"'
    )
    hosts: tuple[str, ...] = setting(
        (), kinds.compound(lambda value: _hosts(value), "host names in quotes", {
            "type": "array", "items": {"type": "string", "minLength": 1}}, kinds.toml_text),
        "names by which clients reach it, such as that of a proxy; without a token, requests for others are refused",
        example='["relay.example.org"]',
    )  # fmt: skip

    @property
    def host(self) -> str:
        return address_of(self.listen)[0]

    @property
    def port(self) -> int:
        return address_of(self.listen)[1]

    @property
    def is_local(self) -> bool:
        """Can only this machine reach it?"""
        return is_loopback(self.host)

    @property
    def url(self) -> str:
        """Its address for browsers."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)
        scheme = "http" if self.cert_file is None else "https"
        return f"{scheme}://{f'[{host}]' if ':' in host else host}:{self.port}"

    def fault(self) -> tuple[str, str] | None:
        """The key and the text of a fault; None without one."""
        if self.token is None and not self.is_local:
            return "listen", (
                f"{self.listen} can be reached by other machines, so a token is needed: set token_file in [http], or"
                " KLVRELAY_HTTP_TOKEN_FILE, to a file with one, made for example by: openssl rand -hex 32"
            )
        if self.token is not None and len(self.token.reveal()) < TOKEN_LEAST:
            return "token", f"must have at least {TOKEN_LEAST} characters"
        if self.token is not None and not re.fullmatch(r"[\x21-\x7e]+", self.token.reveal()):
            return "token", "must be printable ASCII without spaces"
        if self.key_file is not None and self.cert_file is None:
            return "key_file", "has no effect without cert_file"
        return None


def _hosts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(one, str) and one for one in value):
        raise ConfigError('must be a list of host names, ["relay.example.org"]')
    return tuple(value)
