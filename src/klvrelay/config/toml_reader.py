"""Parses a TOML file. Errors name the line."""

from __future__ import annotations

import re
import tomllib
from typing import Any

from klvrelay.config.faults import InvalidSettings, SettingFault, SettingOrigin
from klvrelay.text import printable


def tables_of(data: bytes, path: str) -> tuple[dict[str, Any], str]:
    """The tables of a TOML file, and its text. Raises InvalidSettings for invalid TOML."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        raise _invalid(path, "is not UTF-8 text", 1 + data.count(b"\n", 0, fault.start)) from None
    if found := _LONG_KEY.search(text):
        line = 1 + text.count("\n", 0, found.end())
        raise _invalid(path, f"unsupported TOML: a key has more than {PARTS} parts", line)
    try:
        return tomllib.loads(text), text
    except tomllib.TOMLDecodeError as fault:
        reason = _KEY.sub("what is named", str(fault))
        place = _PLACE.search(reason)
        line = int(place[1]) if place and place[1] else 1 + text.rstrip("\n").count("\n")
        raise _invalid(path, f"invalid TOML: {reason}", line) from None
    except (ValueError, RecursionError):
        raise _invalid(path, "invalid TOML: a value is too long or nested too deeply") from None


def _invalid(path: str, text: str, line: int | None = None) -> InvalidSettings:
    return InvalidSettings([SettingFault(SettingOrigin(path, line), "", printable(text))])


PARTS = 32
"""Maximum parts of a dotted key, since the memory that tomllib needs grows with the square of their number."""
_PART = r"""(?:[\w-]+|"[^"\n]*"|'[^'\n]*')[ \t]*"""
_LONG_KEY = re.compile(rf"(?:^|[{{\[,])[ \t]*{_PART}(?:\.[ \t]*{_PART}){{{PARTS}}}", re.MULTILINE)

_KEY = re.compile(r"\('.*'.*?\)", re.DOTALL)
"""A key as tomllib quotes it, which may contain any text."""
_PLACE = re.compile(r"\(at (?:line (\d+), column \d+|end of document)\)")
