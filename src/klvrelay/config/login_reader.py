"""Reads the user and password of a source from a TOML table, or from files and variables that it names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from klvrelay.config.credentials import (
    SOURCE_PASSWORD,
    WITH_LOGIN,
    environment,
    is_secret,
    named_variable,
    secret_file,
    with_password,
)
from klvrelay.config.toml_reader import TomlReader
from klvrelay.config.url import Url
from klvrelay.errors import ConfigError
from klvrelay.text import Secret

SECRET_KEYS = (
    "username", "password", "password_file", "password_env", "passphrase_file", "passphrase_env", "url_file", "url_env",
)  # fmt: skip
"""Keys of a source's login, which become part of the URL that is opened."""

T = TypeVar("T")


class LoginReader(TomlReader):
    """Reads tables with passwords.

    has_secrets  the file itself contains a secret
    """

    has_secrets = False

    def __init__(self, path: str, text: str, source_password: Secret | None = None) -> None:
        super().__init__(path, text)
        self._source_password = source_password

    def url(self, table: dict[str, Any]) -> Url:
        """The URL of a source: in the table, or in a file or variable (e.g. because it contains a token)."""
        self._check_single(table, ("url", "url_file", "url_env"), "source")
        if (secret := self._elsewhere(table, "url", "source")) is not None:
            key = next(key for key in ("url_file", "url_env") if key in table)
            return self.checked(f"source.{key}", Url.parse, secret.reveal())
        if not isinstance(table.get("url"), str):
            raise self.wrong("source.url", 'missing; every source needs one, e.g. url = "udp://0.0.0.0:5000"')
        url = self.checked("source.url", Url.parse, table["url"])
        self.has_secrets |= is_secret(url)
        return url

    def login(self, table: dict[str, Any], url: Url) -> Url:
        """The URL with the user and password of the table."""
        user = self.typed(table, "username", str, "source", None)
        password = self.secret(table, "password")
        key = next((k for k in ("username", "password", "password_file", "password_env") if k in table), None)
        if key is not None and url.scheme not in WITH_LOGIN:
            raise self.wrong(f"source.{key}", f"applies to {', '.join(f'{s}://' for s in WITH_LOGIN)} only")
        if user is not None and url.user is not None:
            raise self.wrong("source.username", "the URL has a user too; give only one")
        if password is not None and url.password is not None:
            raise self.wrong(f"source.{key}", "the URL has a password too; give only one")
        if user is not None:
            url = url._replace(user=user)
        if password is not None and url.user is None and not url.has_placeholder:
            raise self.wrong(f"source.{key}", "a password needs a username")
        known = password or self._source_password or environment(SOURCE_PASSWORD)
        return self.checked("source.url", with_password, url, known)

    def secret(self, table: dict[str, Any], key: str, where: str = "source") -> Secret | None:
        """A secret: in the table, or in a file or variable."""
        self._check_single(table, (key, f"{key}_file", f"{key}_env"), where)
        text = self.typed(table, key, str, where, None)
        self.has_secrets |= text is not None
        return self._elsewhere(table, key, where) if text is None else Secret(text)

    def _check_single(self, table: dict[str, Any], keys: tuple[str, ...], where: str) -> None:
        first, *others = [key for key in keys if key in table] or [""]
        if others:
            raise self.wrong(f"{where}.{others[0]}", f"{first} is given too; give only one")

    def _elsewhere(self, table: dict[str, Any], key: str, where: str) -> Secret | None:
        """The content of the file or variable that the table names instead of the key."""
        for name, read in ((f"{key}_file", secret_file), (f"{key}_env", named_variable)):
            if (place := self.typed(table, name, str, where, None)) is not None:
                return self.checked(f"{where}.{name}", read, place, "")
        return None

    def checked(self, key: str, read: Callable[..., T], *args: Any) -> T:
        """The result of `read`. A ConfigError that it raises is reported for this key."""
        try:
            return read(*args)
        except ConfigError as fault:
            raise self.wrong(key, str(fault).removeprefix(": ")) from None
