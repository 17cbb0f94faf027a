"""URLs, split when parsed, reassembled only to open a connection, and never shown with a password."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator, Set
from typing import NamedTuple

from klvrelay.config.mistyped import MISTYPED, looks_like_url, stripped
from klvrelay.errors import ConfigError
from klvrelay.text import HIDDEN, Secret, is_utf8, printable

# Compiled on first use: a file name needs none of them.
_SCHEME = r"([A-Za-z][A-Za-z0-9+.-]*)://"
_HOST = r"[\w.%:~-]*"

_NUMBER, _WORD, _PLACES = r"\d{1,12}", r"[\w.-]{1,20}", r"[\da-fA-F.:,]{1,200}(?:%[\w.-]{1,15})?"
# Options without secrets, and their valid form: other values are not shown.
_PUBLIC_OPTIONS = {
    "interface": f"{_WORD}|{_PLACES}",
    "localaddr": _PLACES, "adapter": _PLACES, "sender": _PLACES, "sources": _PLACES,
    "buffer_size": _NUMBER, "ttl": _NUMBER, "pkt_size": _NUMBER, "latency": _NUMBER, "pbkeylen": _NUMBER,
    "listen": _NUMBER, "transport": "udp|tcp", "mode": "caller|listener|rendezvous",
}  # fmt: skip
PLACEHOLDER = "{password}"
"""Placeholder of the password in a path or query."""
_OPTION_NAME = r"[A-Za-z_-]{1,12}"


class Url(NamedTuple):
    """A URL or file path. `str()` and `repr()` show no credentials.

    scheme    lower case; "file" for a path, "stdin" for `-`
    host      without brackets; "" if the URL has none
    port      None if the URL has none
    path      as in the URL; for a file, its path
    user, password   decoded, or None
    """

    scheme: str
    host: str = ""
    port: int | None = None
    path: str = ""
    user: str | None = None
    password: Secret | None = None
    query: Secret | None = None

    @classmethod
    def parse(cls, text: str | os.PathLike[str] | Url) -> Url:
        """Parse a URL, a path or `-`, ignoring surrounding white space. A Url is returned unchanged.

        Raises ConfigError, also for a text that looks like a mistyped URL. The message quotes no part that may be
        secret. A file of any name can be given as an absolute Path, or as file:///... with @ as %40.
        """
        if isinstance(text, Url):
            return text
        if isinstance(text, os.PathLike):
            path = os.fsdecode(text)
            return cls("file", path=path if os.path.isabs(path) else _plain_path(path))
        if not (text := stripped(text)):
            raise ConfigError("the URL or path is empty")
        if text == "-":
            return cls("stdin")
        found = re.match(_SCHEME, text) if "://" in text else None
        if found is None:
            return cls("file", path=_plain_path(text))
        scheme, rest = found[1].lower(), text[found.end() :]
        if scheme == "file":
            return cls("file", path=_path_of_url(rest))
        return _parse_network(scheme, rest)

    @property
    def options(self) -> dict[str, str]:
        """The options after the `?`, decoded. The last of several with the same name counts."""
        if not self.query:
            return {}
        from urllib.parse import parse_qsl  # here, since a file name does not need it

        return dict(parse_qsl(self.query.reveal(), keep_blank_values=True))

    def check_options(self, known: Set[str], ignored: Set[str] = frozenset()) -> None:
        """Raise ConfigError for an option that is neither `known` nor ignored. The message lists the valid options."""
        for number, key in enumerate(self.options, 1):
            if key not in known and key not in ignored:
                raise ConfigError(f"{self}: {unknown_option(key, number, known)}")

    def check_host(self) -> None:
        """Raise ConfigError if the URL has no host."""
        if not self.host:
            raise ConfigError(f"{self}: a host is missing; write e.g. {self.scheme}://camera/live")

    def unredacted(self, *, without: Collection[str] = ()) -> str:
        """The URL with credentials, without the options `without`. Use it only to open the connection."""
        if self.scheme in ("file", "stdin"):
            return self.path or "-"
        pairs = self.query.reveal().split("&") if self.query else []
        kept = [pair for pair in pairs if pair.partition("=")[0] not in without]
        return self._joined(self._credentials(), "&".join(kept))

    def secrets(self) -> Iterator[str]:
        """The known secrets: the password, and parameters of the path and query that are named like secrets."""
        if self.password:
            yield self.password.reveal()
        if self.scheme in ("file", "stdin"):
            return
        from klvrelay.config import parameters

        for text in (self.path, self.query.reveal() if self.query else ""):
            yield from (value for value in parameters.secrets(text) if value != PLACEHOLDER)

    def hidden(self) -> Iterator[str]:
        """The values in the path that are not shown."""
        from klvrelay.config import parameters

        return (value for value in parameters.hidden(self.path) if value != PLACEHOLDER)

    @property
    def has_placeholder(self) -> bool:
        """Is {password} in the path or query, where some cameras expect the password?"""
        if self.scheme in ("file", "stdin"):
            return False
        return PLACEHOLDER in self.path or (self.query is not None and PLACEHOLDER in self.query.reveal())

    def filled(self, password: Secret) -> Url:
        """The URL with the percent-encoded password in place of {password}.

        Raises ConfigError if {password} is not the value of a parameter named like a secret, since it would be shown.
        """
        from urllib.parse import quote

        from klvrelay.config import parameters

        for text in (self.path, self.query.reveal() if self.query else ""):
            if any(PLACEHOLDER in part.text and part.kind != "secret" for part in parameters.parts(text)):
                raise ConfigError(f"{self}: write {PLACEHOLDER} as the value of a parameter, password={PLACEHOLDER}")
        coded = quote(password.reveal(), safe="")
        query = None if self.query is None else Secret(self.query.reveal().replace(PLACEHOLDER, coded))
        return self._replace(path=self.path.replace(PLACEHOLDER, coded), query=query)

    def takes(self, password: Secret) -> bool:
        """Does the URL contain this password?"""
        from urllib.parse import quote

        coded = quote(password.reveal(), safe="")
        parameters = f"{self.path}?{self.query.reveal() if self.query else ''}"
        return self.password is password or (self.scheme not in ("file", "stdin") and coded in parameters)

    def _credentials(self) -> str:
        if self.user is None:
            return ""
        from urllib.parse import quote

        password = "" if self.password is None else f":{quote(self.password.reveal(), safe='')}"
        return f"{quote(self.user, safe='')}{password}@"

    def _joined(self, credentials: str, query: str) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port is None else f":{self.port}"
        return f"{self.scheme}://{credentials}{host}{port}{self.path}{query and '?' + query}"

    def __str__(self) -> str:
        if self.scheme == "stdin":
            return "standard input"
        if self.scheme == "file":
            return printable(self.path)
        from klvrelay.config import parameters  # here, since a file name does not need it

        shown = [_shown(key, value) for key, value in self.options.items()]
        # Some cameras expect user=...&password=... in the path, and the ? may be missing.
        public = self._replace(path=parameters.shown(self.path))
        return printable(public._joined("" if self.user is None else f"{HIDDEN}@", "&".join(shown)))

    def __repr__(self) -> str:
        return f"Url({str(self)!r})"


def unknown_option(key: str, number: int, known: Collection[str]) -> str:
    """The error for the `number`th option of a URL, whose name is unknown.

    A long name is not quoted: it includes the value if the = is missing.
    """
    import difflib  # here, since only an error needs it

    named = key if re.fullmatch(_OPTION_NAME, key) else str(number)
    near = difflib.get_close_matches(key[:40], known, n=1)
    hint = f"did you mean {near[0]}? " if near else ""
    return f"unknown option {named}; {hint}valid options: {', '.join(sorted(known))}"


def _shown(key: str, value: str) -> str:
    """An option for messages, with its value only if that cannot be a secret."""
    from klvrelay.config import parameters

    form = _PUBLIC_OPTIONS.get(key)
    if (form is not None and re.fullmatch(form, value)) or parameters.is_place(key, value):
        return f"{key}={value}"
    return f"{key}={HIDDEN}" if value and re.fullmatch(_OPTION_NAME, key) else HIDDEN


def _plain_path(path: str) -> str:
    if looks_like_url(path):
        raise ConfigError(MISTYPED)
    return path


def _path_of_url(rest: str) -> str:
    """The path of a file:// URL."""
    if "@" in rest.partition(":")[2] or "://" in rest:
        raise ConfigError("file://: in a path write @ as %40, and : as %3A; a user or password is not allowed")
    from urllib.parse import unquote

    return unquote(rest.removeprefix("localhost"))


def _parse_network(scheme: str, rest: str) -> Url:
    from urllib.parse import unquote

    if not is_utf8(rest):
        raise ConfigError(f"{scheme}://: the URL is not UTF-8 text; percent-encode all other bytes")
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    behind = rest[len(authority) :]
    if scheme != "srt":  # an SRT access control stream id begins with #!::
        behind = behind.partition("#")[0]
    path, _, query = behind.partition("?")
    credentials, _, place = authority.rpartition("@")
    if "@" in rest[len(authority) :]:
        # Part of a password may be in the path, which would be shown.
        raise ConfigError(
            f"{scheme}://: there is an @ after the host; in a user or password write / as %2F, ? as %3F, # as %23,"
            " and in a path write @ as %40"
        )
    host, port = _host_and_port(scheme, place)
    user, colon, password = credentials.partition(":")
    return Url(
        scheme,
        host,
        port,
        path,
        unquote(user) if credentials else None,
        Secret(unquote(password)) if colon else None,
        Secret(query) if query else None,
    )


def _host_and_port(scheme: str, place: str) -> tuple[str, int | None]:
    if place.startswith("["):
        host, _, tail = place[1:].partition("]")
        port = tail.removeprefix(":")
    else:
        host, _, port = place.partition(":")
    from urllib.parse import unquote

    if not re.fullmatch(_HOST, host) or "@" in unquote(host):  # a password may precede an encoded @
        raise ConfigError(f"{scheme}://: the host is not a name or an address (write IPv6 in brackets: [::1])")
    if not port:
        return host, None
    if not (port.isascii() and port.isdigit() and 0 < int(port[:6]) < 65536):
        raise ConfigError(
            f"{scheme}://: the port is not a number from 1 to 65535"
            " (write IPv6 in brackets; in a password write : as %3A, / as %2F, ? as %3F, # as %23)"
        )
    return host, int(port)
