"""Text as it may be shown: on one line, and without its secrets."""

from __future__ import annotations

HIDDEN = "***"


class Secret:
    """A text that prints as `***`; `reveal()` gives it to the one who opens the connection."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        return self._text

    def __str__(self) -> str:
        return HIDDEN

    __repr__ = __str__

    def __format__(self, spec: str) -> str:
        return format(HIDDEN, spec)

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash((Secret, self._text))


def is_utf8(text: str) -> bool:
    """Can it be written as UTF-8? Bytes of arguments, files' names and the environment that can't are surrogates."""
    return text.isascii() or not any("\ud800" <= c <= "\udfff" for c in text)


def printable(text: str) -> str:
    """`text` on one line: control characters and broken UTF-8 as escapes."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
