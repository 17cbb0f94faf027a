"""Text for messages: on one line, and without secrets."""

from __future__ import annotations

HIDDEN = "***"


class Secret:
    """A text that prints as `***`. `reveal()` returns it, for opening a connection."""

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
    """Is it valid UTF-8? Python represents invalid bytes of arguments, file names and variables as surrogates."""
    return text.isascii() or not any("\ud800" <= c <= "\udfff" for c in text)


def printable(text: str) -> str:
    """`text` on one line, with control characters and invalid UTF-8 escaped."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def counted(count: int, noun: str) -> str:
    """`1 packet`, `2 packets`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
