"""Reads the tables of a TOML file. Errors name the key and the line."""

from __future__ import annotations

import re
import tomllib
from typing import Any

from klvrelay.config.mistyped import looks_like_url
from klvrelay.errors import ConfigError
from klvrelay.text import HIDDEN, printable


def tables_of(data: bytes, path: str) -> dict[str, Any]:
    """The tables of a TOML file. Raises ConfigError for invalid TOML."""
    try:
        text = data.decode("utf-8-sig")
        if _LONG_KEY.search(text):
            raise ConfigError(f"{printable(path)}: unsupported TOML: a key has more than {PARTS} parts")
        return tomllib.loads(text)
    except UnicodeDecodeError as fault:
        raise ConfigError(f"{printable(path)}: is not UTF-8 text") from fault
    except (ValueError, RecursionError) as fault:
        too_large = "a value is too long or nested too deeply"
        reason = _KEY.sub("what is named", str(fault)) if isinstance(fault, tomllib.TOMLDecodeError) else too_large
        raise ConfigError(f"{printable(path)}: invalid TOML: {printable(reason)}") from None


PARTS = 32
"""Maximum parts of a dotted key, since the memory that tomllib needs grows with the square of their number."""
_PART = r"""(?:[\w-]+|"[^"\n]*"|'[^'\n]*')[ \t]*"""
_LONG_KEY = re.compile(rf"(?:^|[{{\[,])[ \t]*{_PART}(?:\.[ \t]*{_PART}){{{PARTS}}}", re.MULTILINE)

_KEY = re.compile(r"\('.*'.*?\)", re.DOTALL)
"""A key as tomllib quotes it, which may contain any text."""


class TomlReader:
    """Reads the tables of one file, and keeps its text to find the line of an error."""

    def __init__(self, path: str, text: str) -> None:
        self.path = printable(path)
        self._lines = text.splitlines()
        self._table = ("", 0)

    def wrong(self, key: str, why: str, *, where: str = "") -> ConfigError:
        """The error for a key, in the table `where` unless the key includes it."""
        line = self._line(key if where else key.rpartition(".")[2])
        named = HIDDEN if looks_like_url(key) else printable(key)
        named = f"{where}.{named}".lstrip(".")
        return ConfigError(f"{self.path}:{f' line {line}:' if line else ''} {named}: {printable(why)}")

    def at(self, table: str, number: int = 0) -> None:
        """Read from this table from now on, the `number`th of its name."""
        self._table = (table, number)

    def _line(self, name: str) -> int | None:
        """The line of a key, searched in the current table, then in the whole file."""
        form = re.compile(rf"^\s*(\[+\s*)?[\"']?{re.escape(name)}[\"']?\s*(=|\]|\.)")
        found = [n for n, text in enumerate(self._lines, 1) if form.match(text)]
        header = re.compile(rf"^\s*\[+\s*[\"']?{re.escape(self._table[0])}[\"']?\s*\]")
        headers = [n for n, text in enumerate(self._lines, 1) if header.match(text)]
        begin = headers[self._table[1]] if len(headers) > self._table[1] else 0
        return next((n for n in found if n >= begin), found[0] if found else None)

    def known(self, table: dict[str, Any], names: tuple[str, ...], where: str) -> None:
        for key in table:
            if key not in names:
                import difflib  # here, since only an error needs it

                near = difflib.get_close_matches(key, names, n=1)
                hint = f"did you mean {near[0]}?" if near else f"valid settings: {', '.join(names)}"
                raise self.wrong(key, f"unknown setting; {hint}", where=where)

    def table(self, value: Any, key: str) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise self.wrong(key, f"must be a table: [{key}]")
        return value

    def tables(self, value: Any, key: str) -> list[dict[str, Any]]:
        if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
            raise self.wrong(key, f"must be one table per source: [[{key}]]")
        return value

    def typed(
        self, table: dict[str, Any], key: str, kind: type, where: str, default: Any, *, least: float | None = None
    ) -> Any:
        """A value of type `kind`, at least `least`."""
        value = table.get(key, default)
        if value is default:
            return default
        fits = isinstance(value, int | float) if kind is float else isinstance(value, kind)
        if not fits or (isinstance(value, bool) and kind is not bool):
            named = {str: "text in quotes", int: "a whole number", float: "a number", bool: "true or false"}[kind]
            raise self.wrong(f"{where}.{key}", f"must be {named}")
        if least is not None and value < least:
            raise self.wrong(f"{where}.{key}", f"must be at least {least:g}")
        if kind is float and least is not None and not value < 1e9:
            raise self.wrong(f"{where}.{key}", "must be less than 1,000,000,000")
        return float(value) if kind is float else value

    def one_of(self, table: dict[str, Any], key: str, known: tuple[str, ...], where: str) -> Any:
        """One of the texts `known`; the first is the default."""
        value = self.typed(table, key, str, where, known[0])
        if value not in known:
            raise self.wrong(f"{where}.{key}", f"must be {' or '.join(known)}")
        return value
