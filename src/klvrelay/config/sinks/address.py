"""URLs of sinks: `scheme://user:password@host:port/path?setting=value&...`."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import unquote

from klvrelay.config.kinds import Kind, toml_text
from klvrelay.config.setting import Setting, settings_of
from klvrelay.config.url import Url, unknown_option
from klvrelay.errors import ConfigError


class Scheme(NamedTuple):
    """What the scheme of a URL means. port: the default; None: the URL must have one."""

    port: int | None = None
    tls: bool = False


def url_of(text: str, schemes: Mapping[str, Scheme], form: str) -> Url:
    """The URL of a sink, with its port. Raises ConfigError, which quotes no part that may contain a password."""
    url = Url.parse(text)
    if url.scheme not in schemes:
        raise ConfigError(f"url: must begin with {' or '.join(f'{name}://' for name in schemes)}: {form}")
    if not url.host:
        raise ConfigError(f"url: the host is missing: {form}")
    port = url.port or schemes[url.scheme].port
    if port is None:
        raise ConfigError(f"url: the port is missing: {form}")
    return url._replace(port=port)


def login_of(url: Url) -> dict[str, Any]:
    """The user and the password of a URL as settings, if it has them."""
    user = {"username": url.user} if url.user else {}
    return user if url.password is None else user | {"password": url.password}


def path_of(url: Url) -> str:
    """The path, decoded, without slashes at its ends."""
    return unquote(url.path).strip("/")


def options_of(url: Url, cls: type[Any]) -> dict[str, Any]:
    """The options of a URL as typed settings of a dataclass. Raises ConfigError, which quotes no value."""
    known = {setting.name: setting for setting in settings_of(cls) if not setting.kind.is_secret}
    return {key: _option(key, text, number, known) for number, (key, text) in enumerate(url.options.items(), 1)}


def _option(key: str, text: str, number: int, known: Mapping[str, Setting]) -> Any:
    if key not in known:
        raise ConfigError(f"url: {unknown_option(key, number, known)}")
    kind = known[key].kind
    try:
        return kind.read(kind.from_text(text))
    except ConfigError as fault:
        # The value is not quoted: if an & is missing, it includes the next option.
        raise ConfigError(f"url: {key}: must be {kind.valid}") from fault


def checked(settings: Any) -> None:
    """Raise ConfigError for the first setting that is invalid; for the `__post_init__` of a dataclass."""
    for one in settings_of(type(settings)):
        value = getattr(settings, one.name)
        if value is not None and not one.kind.is_secret and value != one.default:
            try:
                one.kind.read(_as_read(one.kind, value))
            except ConfigError as fault:
                raise ConfigError(f"{one.name}: {fault}") from None


def _as_read(kind: Kind, value: Any) -> Any:
    """A size or a time is text with its unit where it is read."""
    return kind.shown(value).strip('"') if kind.shown is not toml_text and not isinstance(value, str) else value


def shown(scheme: str, host: str, port: int, path: str = "") -> str:
    """An address for messages, without user, password and options."""
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}{path}"


def is_loopback(host: str) -> bool:
    """Is it this machine?"""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def check_login(settings: Any, *, tls: bool) -> None:
    """Raise ConfigError for a password without a user, a half client certificate, TLS files without TLS, and a password
    that would be sent unencrypted. For settings with host, username, password, ca_file, cert_file, key_file,
    allow_plaintext.
    """
    if settings.password is not None and settings.username is None:
        raise ConfigError("username, password: a password needs a user name")
    check_tls_files(settings, tls=tls)
    if settings.password is not None and not tls and not settings.allow_plaintext and not is_loopback(settings.host):
        raise ConfigError(
            f"{settings.url}: the password would be sent unencrypted: use TLS, or allow it with allow_plaintext = true"
        )


def check_tls_files(settings: Any, *, tls: bool) -> None:
    """Raise ConfigError for a half client certificate, and for TLS files without TLS."""
    if (settings.cert_file is None) != (settings.key_file is None):
        raise ConfigError("cert_file, key_file: a client certificate requires both")
    if not tls and (settings.ca_file or settings.cert_file):
        keys = ", ".join(key for key in ("ca_file", "cert_file") if getattr(settings, key))
        raise ConfigError(f"{keys}: used by TLS only")
