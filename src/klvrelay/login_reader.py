"""Reads who may read a source, and with which password, out of a TOML table or of files that it names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from klvrelay.credentials import SOURCE_PASSWORD, WITH_LOGIN, environment, is_secret, secret_file, with_password
from klvrelay.errors import ConfigError
from klvrelay.shown import Secret
from klvrelay.toml_reader import Reader
from klvrelay.url import Url

SECRET_KEYS = ("username", "password", "password_file", "passphrase_file", "url_file")
"""Keys of a source that say who may read it; with `url` they make the URL that is opened."""

T = TypeVar("T")


class LoginReader(Reader):
    """A reader of tables with passwords in them.

    has_secrets  a password, or the like, stands in the file itself
    """

    has_secrets = False

    def __init__(self, path: str, text: str, source_password: Secret | None = None) -> None:
        super().__init__(path, text)
        self._source_password = source_password

    def url(self, table: dict[str, Any]) -> Url:
        """Where a source is: as it stands, or out of a file, as one with a token in it may be."""
        path = self.typed(table, "url_file", str, "source", None)
        if path is not None and "url" in table:
            raise self.wrong("source.url_file", "url is given too: say one of them")
        if path is not None:
            return self.checked("source.url_file", lambda: Url.parse(secret_file(path, "").reveal()))
        if not isinstance(table.get("url"), str):
            raise self.wrong("source.url", 'every source needs one, e.g. url = "udp://0.0.0.0:5000"')
        url = self.checked("source.url", Url.parse, table["url"])
        self.has_secrets |= is_secret(url)
        return url

    def login(self, table: dict[str, Any], url: Url) -> Url:
        """The URL with the user and the password that stand beside it."""
        user = self.typed(table, "username", str, "source", None)
        password = self.secret(table, "password")
        key = next((k for k in ("username", "password", "password_file") if k in table), None)
        if key is not None and url.scheme not in WITH_LOGIN:
            raise self.wrong(f"source.{key}", f"is for {', '.join(f'{s}://' for s in WITH_LOGIN)} only")
        if user is not None and url.user is not None:
            raise self.wrong("source.username", "the URL has a user too: say one of them")
        if password is not None and url.password is not None:
            raise self.wrong(f"source.{key}", "the URL has a password too: say one of them")
        if user is not None:
            url = url._replace(user=user)
        if password is not None and url.user is None:
            raise self.wrong(f"source.{key}", "a password needs a username")
        return with_password(url, password or self._source_password or environment(SOURCE_PASSWORD))

    def secret(self, table: dict[str, Any], key: str, where: str = "source") -> Secret | None:
        """A password: as it stands, or out of a file."""
        given, path = (self.typed(table, k, str, where, None) for k in (key, f"{key}_file"))
        if path is None:
            self.has_secrets |= given is not None
            return None if given is None else Secret(given)
        if given is not None:
            raise self.wrong(f"{where}.{key}_file", f"{key} is given too: say one of them")
        return self.checked(f"{where}.{key}_file", secret_file, path, "")

    def checked(self, key: str, read: Callable[..., T], *given: Any) -> T:
        """What `read` makes of it; its ConfigError becomes one of this key."""
        try:
            return read(*given)
        except ConfigError as fault:
            raise self.wrong(key, str(fault).removeprefix(": ")) from None
