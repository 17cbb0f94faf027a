"""Finds the line of each setting in a TOML file, which Python's parser does not report."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

Place = tuple[str, int, str | None]
"""A table, its number among those of its name, and a key; without a key, where the table begins.

The tables [[a.b]] of the second [[a]] have the name `a.1.b`.
"""

_TOKEN = re.compile(
    r'''"""(?:\\.|[^\\])*?"{3,5} | \'\'\'.*?\'{3,5} | "(?:\\.|[^"\\\n])*" | '[^'\n]*'  # strings
      | \#[^\n]* | [ \t\r]+ | [\[\]{}=.,\n] | [^\s"'\#\[\]{}=.,]+ | .''',
    re.VERBOSE | re.DOTALL,
)
_OPENING, _CLOSING = frozenset("[{"), frozenset("]}")


class _Statement(NamedTuple):
    """A header or an assignment: its line, whether it is a header and of an array, and the parts of its key."""

    line: int
    is_header: bool
    is_array: bool
    key: tuple[str, ...]


def lines_of(text: str) -> dict[Place, int]:
    """The line of each setting, and of each table, of a valid TOML file.

    A setting within an inline table has the line of that table.
    """
    found: dict[Place, int] = {}
    numbers: Counter[str] = Counter()
    header: tuple[str, ...] = ()
    for line, is_header, is_array, key in _statements(text):
        if is_header:
            header = key
            if is_array and len(key) == 1:
                numbers[key[0]] += 1
            elif is_array and len(key) == 2:
                numbers[inner_name(key[0], max(0, numbers[key[0]] - 1), key[1])] += 1
        path = key if is_header else header + key
        table, number = path[0], max(0, numbers[path[0]] - 1)
        found.setdefault((table, number, None), line)
        if len(path) == 1:
            continue
        found.setdefault((table, number, path[1]), line)
        inner = inner_name(table, number, path[1])
        if inner in numbers:
            found.setdefault((inner, numbers[inner] - 1, path[2] if len(path) > 2 else None), line)
    return found


def inner_name(table: str, number: int, key: str) -> str:
    """The name of the tables below a key of the table with this number."""
    return f"{table}.{number}.{key}"


def _statements(text: str) -> Iterator[_Statement]:
    line = 1
    words: list[str] = []
    depth, is_value = 0, False
    for token in (match[0] for match in _TOKEN.finditer(text)):
        if token == "\n" and depth == 0:
            if words and not is_value:
                yield _header(line, words)
            words, is_value = [], False
        elif token == "=" and not is_value:
            yield _Statement(line, False, False, _key(words))
            is_value = True
        elif is_value:
            depth += (token in _OPENING) - (token in _CLOSING)
        elif token[0] not in " \t\r#\n":
            words.append(token)
        line += token.count("\n")
    if words and not is_value:
        yield _header(line, words)


def _header(line: int, words: list[str]) -> _Statement:
    brackets = words.count("[")
    return _Statement(line, True, brackets > 1, _key([word for word in words if word not in "[]"]))


def _key(words: list[str]) -> tuple[str, ...]:
    return tuple(_unquoted(word) for word in words if word != ".") or ("",)


def _unquoted(word: str) -> str:
    return next(iter(tomllib.loads(f"{word}=0"))) if word[0] in "\"'" else word
