"""Names made safe: URLs that never show a password, stream names, topic levels; next door to `config.py`.

A `Url` is split when it is read and joined again only where a connection opens.
"""

from __future__ import annotations

import hashlib
import os
import re
import unicodedata
from collections.abc import Collection, Iterable, Set
from dataclasses import dataclass
from pathlib import PurePath
from urllib.parse import parse_qsl, quote, unquote

from klvrelay.errors import ConfigError

LEVEL_LIMIT = 96
"""Characters that one topic level or stream name may have."""

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_HOST = re.compile(r"[\w.%:~-]*")
_UNSAFE = re.compile(r"[^A-Za-z0-9_.-]+")
_HIDDEN = "***"

# Options that hold no secret; the value of any other is not shown.
_PUBLIC_OPTIONS = frozenset(
    ("interface", "localaddr", "sender", "sources", "buffer_size", "listen", "transport", "ttl", "pkt_size")
).union(("mode", "latency", "pbkeylen", "adapter"))
_DEFAULT_PORTS = {"rtsp": 554, "rtsps": 322, "http": 80, "https": 443, "mqtt": 1883, "mqtts": 8883}


class Secret:
    """A text that prints as `***`; `reveal()` gives it to the one who opens the connection."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        return self._text

    def __str__(self) -> str:
        return _HIDDEN

    __repr__ = __str__

    def __format__(self, spec: str) -> str:
        return format(_HIDDEN, spec)

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash((Secret, self._text))


@dataclass(frozen=True, slots=True, repr=False)
class Url:
    """Where something is: a URL, or a file's path; `str()` and `repr()` show no credentials.

    scheme    lower case; "file" for a path, "stdin" for `-`
    host      without brackets; "" where the URL has none
    port      None where the URL has none
    path      as the URL has it; for a file, the path of the file
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
    def parse(cls, text: str | os.PathLike[str]) -> Url:
        """Split a URL, a path or `-`; raises ConfigError, whose text quotes no part that may be secret."""
        if isinstance(text, os.PathLike):
            return cls("file", path=os.fspath(text))
        if text == "-":
            return cls("stdin")
        found = _SCHEME.match(text)
        if found is None:
            return cls("file", path=text)
        scheme, rest = found[1].lower(), text[found.end() :]
        if scheme == "file":
            return cls("file", path=unquote(rest.removeprefix("localhost")))
        return _parse_network(scheme, rest)

    @property
    def options(self) -> dict[str, str]:
        """What stands behind the `?`, decoded; the last of equal names counts."""
        return dict(parse_qsl(self.query.reveal(), keep_blank_values=True)) if self.query else {}

    def check_options(self, known: Set[str], ignored: Set[str] = frozenset()) -> None:
        """Raise ConfigError for an option that is neither `known` nor one to be let be; it names those known."""
        if unknown := self.options.keys() - known - ignored:
            names = ", ".join(sorted(known))
            raise ConfigError(f"{self}: option {printable(min(unknown))} is not known; known are {names}")

    def unredacted(self, *, without: Collection[str] = ()) -> str:
        """The URL with its credentials, less the options `without`: only for opening the connection."""
        if self.scheme in ("file", "stdin"):
            return self.path or "-"
        pairs = self.query.reveal().split("&") if self.query else []
        kept = [pair for pair in pairs if pair.partition("=")[0] not in without]
        return self._joined(self._credentials(), "&".join(kept))

    def _credentials(self) -> str:
        if self.user is None:
            return ""
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
        shown = [_shown(key, value) for key, value in self.options.items()]
        return printable(self._joined("" if self.user is None else f"{_HIDDEN}@", "&".join(shown)))

    def __repr__(self) -> str:
        return f"Url({str(self)!r})"


def _shown(key: str, value: str) -> str:
    if key in _PUBLIC_OPTIONS:
        return f"{key}={value}"
    return f"{key}={_HIDDEN}" if value else _HIDDEN


def _parse_network(scheme: str, rest: str) -> Url:
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    behind = rest[len(authority) :]
    if scheme != "srt":  # a stream id of its access control begins with #!::
        behind = behind.partition("#")[0]
    path, _, query = behind.partition("?")
    credentials, _, place = authority.rpartition("@")
    if "@" in rest[len(authority) :]:
        # Half of a password may stand where the path is: better refused than shown.
        raise ConfigError(
            f"{scheme}://: an @ behind the host; in a user or password write / as %2F, ? as %3F, # as %23,"
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
    if not _HOST.fullmatch(host):
        raise ConfigError(f"{scheme}://: the host is not a name or an address (IPv6 goes in brackets: [::1])")
    if not port:
        return host, None
    if not (port.isascii() and port.isdigit() and 0 < int(port[:6]) < 65536):
        raise ConfigError(
            f"{scheme}://: the port is not a number from 1 to 65535"
            " (IPv6 goes in brackets; in a password write : as %3A, / as %2F, ? as %3F, # as %23)"
        )
    return host, int(port)


def printable(text: str) -> str:
    """`text` on one line: control characters and broken UTF-8 as escapes."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def safe_level(text: str) -> str:
    """`text` as one MQTT topic level: all but `[A-Za-z0-9_.-]` percent-coded, never empty, bounded.

    Different texts (but for the empty one) give different levels; what is already safe stays as it is.
    """
    level = _UNSAFE.sub(_percent, text) or "%00"
    if not level.strip("."):
        level = level.replace(".", "%2E")
    return _bounded(level, text)


def _percent(unsafe: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in unsafe[0].encode("utf-8", "surrogatepass"))


def _bounded(level: str, text: str) -> str:
    if len(level) <= LEVEL_LIMIT:
        return level
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    head = re.sub(r"%.?$", "", level[: LEVEL_LIMIT - 13])
    return f"{head}-{digest}"


def stream_name(source: str | os.PathLike[str] | Url) -> str:
    """A name for a source's stream, of `[A-Za-z0-9_.-]` only: udp://239.1.1.1:5000 -> udp-239.1.1.1-5000."""
    url = source if isinstance(source, Url) else Url.parse(source)
    if url.scheme == "stdin":
        return "stdin"
    if url.scheme == "file":
        return _slug(PurePath(url.path).stem)
    port = "" if url.port in (None, _DEFAULT_PORTS.get(url.scheme)) else str(url.port)
    if url.scheme in ("udp", "rtp", "tcp", "srt"):
        return _slug("-".join(filter(None, (url.scheme, url.host, port))))
    path = re.sub(r"\.\w{1,5}$", "", unquote(url.path))
    return _slug("-".join(filter(None, (url.host, port, path))))


def _slug(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode("ascii")
    slug = re.sub(r"-{2,}", "-", _UNSAFE.sub("-", plain)).strip("-.")
    return _bounded(slug or "stream", text)


PID_MOST = 0x1FFE
"""The highest PID; 0x1fff is that of null packets."""
PROGRAM_MOST = 65535


def pid_number(given: str | int) -> int:
    """A PID out of `257`, `"257"` or `"0x101"`; raises ConfigError."""
    return _number("PID", given, 0, PID_MOST, "such as 0x101 or 257")


def program_number(given: str | int) -> int:
    """A program's number out of `2` or `"2"`; raises ConfigError."""
    return _number("program", given, 1, PROGRAM_MOST, "such as 1")


def _number(what: str, given: str | int, least: int, most: int, example: str) -> int:
    try:
        number = int(given, 0) if isinstance(given, str) else int(given)
    except ValueError:
        number = -1
    if isinstance(given, bool) or not least <= number <= most:
        raise ConfigError(f"{what} {printable(str(given))}: give a number from {least} to {most}, {example}")
    return number


def unique_name(name: str, taken: Collection[str]) -> str:
    """The name, or where it is taken with -2, -3, ... behind."""
    number, unique = 2, name
    while unique in taken:
        unique, number = f"{name}-{number}", number + 1
    return unique


def unique_names(names: Iterable[str]) -> list[str]:
    """The same names in the same order, where an earlier one has it already with -2, -3, ... behind."""
    wanted = list(names)
    taken: set[str] = set(wanted)
    seen: set[str] = set()
    result = []
    for name in wanted:
        number, unique = 2, name
        while unique in seen or (unique != name and unique in taken):
            unique, number = f"{name}-{number}", number + 1
        seen.add(unique)
        result.append(unique)
    return result
