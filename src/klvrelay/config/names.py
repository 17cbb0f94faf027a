"""Validates and derives names of streams and topic levels; parses PIDs and program numbers."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Collection, Sequence

from klvrelay.config.mistyped import no_url
from klvrelay.config.url import Url
from klvrelay.errors import ConfigError
from klvrelay.text import Secret, printable

__all__ = [
    "LEVEL_LIMIT", "PID_MOST", "PROGRAM_MOST", "Secret", "Url", "checked_name", "distinct_names", "name_candidates",
    "pid_number", "printable", "program_number", "safe_level", "stream_name", "unique_name",
]  # fmt: skip

LEVEL_LIMIT = 96
"""Maximum characters of a topic level or stream name."""
DETAIL_LIMIT = 40
"""Maximum characters of a detail in a name."""

_UNSAFE = re.compile(r"[^A-Za-z0-9_.-]+")
_DEFAULT_PORTS = {"rtsp": 554, "rtsps": 322, "http": 80, "https": 443, "mqtt": 1883, "mqtts": 8883}


def checked_name(name: str, key: str = "stream", *, most: int = LEVEL_LIMIT) -> str:
    """A stream name, unchanged. Raises ConfigError, naming `key`, if it is empty, has more than `most` characters, or
    contains characters that are not printable.
    """
    if not name:
        raise ConfigError(f"{key}: a name must not be empty")
    if len(name) > most:
        raise ConfigError(f"{key}: a name may have at most {most} characters")
    for place, character in enumerate(name, 1):
        if not character.isprintable():
            code = f"U+{ord(character):04X}"
            raise ConfigError(f"{key}: character {place} of a name is {code}; only printable ones and spaces are valid")
    if name != name.strip():
        raise ConfigError(f"{key}: a name must not begin or end with a space")
    return no_url(name, key, "a name such as uav1")


def safe_level(text: str) -> str:
    """`text` as one MQTT topic level: never empty, bounded, with all but `[A-Za-z0-9_.-]` percent-encoded.

    Different texts (except the empty one) give different levels. A safe text stays unchanged.
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
    import hashlib  # here, since few names are that long

    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    head = re.sub(r"%.?$", "", level[: LEVEL_LIMIT - 13])
    return f"{head}-{digest}"


def stream_name(source: str | os.PathLike[str] | Url) -> str:
    """A stream name derived from a URL, of `[A-Za-z0-9_.-]` only: udp://239.1.1.1:5000 -> udp-239.1.1.1-5000."""
    url = source if isinstance(source, Url) else Url.parse(source)
    if url.scheme == "stdin":
        return "stdin"
    if url.scheme == "file":
        return _slug(stem(url.path))
    port = "" if url.port in (None, _DEFAULT_PORTS.get(url.scheme)) else str(url.port)
    if url.scheme in ("udp", "rtp", "tcp", "srt"):
        return _slug("-".join(filter(None, (url.scheme, url.host, port))))
    from klvrelay.config import parameters  # here, since a file name does not need it

    path = re.sub(r"\.\w{1,5}$", "", parameters.nameable(url.path))
    return _slug("-".join(filter(None, (url.host, port, path))))


def stem(path: str) -> str:
    """A file name without its last suffix: flight.ts -> flight."""
    # Not PurePath(path).stem: it differs between versions of Python, and a name must not. Loading pathlib takes time.
    # Empty and single-dot parts of a path are not names.
    name = next((part for part in reversed(path.split("/")) if part not in ("", ".")), "")
    dot = name.rfind(".")
    return name[:dot] if 0 < dot < len(name) - 1 else name


def _slug(text: str) -> str:
    slug = re.sub(r"-{2,}", "-", _UNSAFE.sub("-", _in_ascii(text))).strip("-.")
    return _bounded(slug or "stream", text)


def _in_ascii(text: str) -> str:
    """The text in ASCII: letters lose their accents, other characters are dropped."""
    if text.isascii():
        return text
    import unicodedata

    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode("ascii")


PID_MOST = 0x1FFE
"""The highest PID; 0x1fff is that of null packets."""
PROGRAM_MOST = 65535


def pid_number(value: str | int) -> int:
    """A PID from `257`, `"257"` or `"0x101"`. Raises ConfigError."""
    return _number("PID", value, 0, PID_MOST, "such as 0x101 or 257")


def program_number(value: str | int) -> int:
    """A program number from `2` or `"2"`. Raises ConfigError."""
    return _number("program", value, 1, PROGRAM_MOST, "such as 1")


def _number(what: str, value: str | int, least: int, most: int, example: str) -> int:
    try:
        number = int(value, 0) if isinstance(value, str) else int(value)
    except ValueError:
        number = -1
    if isinstance(value, bool) or not least <= number <= most:
        text = str(value)
        shown = f" {text}" if re.fullmatch(r"-?\w{1,12}", text) else ""
        raise ConfigError(f"{what}{shown}: give a number from {least} to {most}, {example}")
    return number


def unique_name(name: str, taken: Collection[str]) -> str:
    """The name, with the suffix -2, -3, ... if it is taken."""
    number, unique = 2, name
    while unique in taken:
        unique, number = f"{name}-{number}", number + 1
    return unique


def name_candidates(url: Url, *details: str) -> list[str]:
    """Names of a source, each for the case that others have the one before it. They contain no secret.

    details  what else distinguishes sources, such as a network interface

    The second has the folder of a file, or the first detail; the last has a hash of the address and all details.
    """
    import hashlib  # here, since most names need it not

    name = stream_name(url)
    detail = stem(url.path.rpartition("/")[0]) if url.scheme == "file" else next(filter(None, details), "")
    longer = f"{name}-{_slug(detail)[:DETAIL_LIMIT]}" if detail else name
    address = "\n".join((str(url), *details))
    return [name, longer, f"{longer}-{hashlib.sha256(address.encode('utf-8', 'surrogatepass')).hexdigest()[:6]}"]


def distinct_names(candidates: Sequence[Sequence[str]], taken: Collection[str] = ()) -> list[str]:
    """One of the candidates of each source, so that no two are equal and none is taken, whatever their order.

    Sources whose names are equal or taken all get their next candidate. Those that have no other get -2, -3, ...
    """
    levels = [0] * len(candidates)
    while True:
        names = [those[level] for those, level in zip(candidates, levels, strict=True)]
        counts = Counter(names)
        alike = [place for place, name in enumerate(names) if counts[name] > 1 or name in taken]
        if not (rising := [place for place in alike if levels[place] + 1 < len(candidates[place])]):
            return _numbered(names, taken)
        for place in rising:
            levels[place] += 1


def _numbered(names: Sequence[str], taken: Collection[str]) -> list[str]:
    """The names in order, with the suffix -2, -3, ... for each that repeats an earlier one or is taken."""
    wanted, seen = {*names, *taken}, set(taken)
    numbers: dict[str, int] = {}
    result = []
    for name in names:
        number, unique = numbers.get(name, 2), name
        while unique in seen or (unique != name and unique in wanted):
            unique, number = f"{name}-{number}", number + 1
        numbers[name] = number
        seen.add(unique)
        result.append(unique)
    return result
