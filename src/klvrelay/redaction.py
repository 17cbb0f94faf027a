"""Messages of a command without the secrets of its command line, wherever they quote it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from klvrelay.errors import ConfigError
from klvrelay.mistyped import looks_like_url, stripped
from klvrelay.shown import HIDDEN, printable
from klvrelay.url import Url, holds_secret

LEAST = 4
"""Characters of what is hidden, at least: fewer would take letters out of words."""

_BEHIND = range(2, 6)
"""Where the value may begin of letters that are options: -cURL, -qcURL."""

_WORD = re.compile(r"[^\s'\"]+")
_SHOWN_AT = re.compile(r"(?<!\*\*\*)@")


class Redaction:
    """Takes out of a text what must not be shown of these arguments."""

    def __init__(self, arguments: Iterable[str]) -> None:
        forms = {form: public for text, public in _secrets(arguments) for form in _quoted(text) if len(form) >= LEAST}
        self._forms = sorted(forms.items(), key=lambda form: len(form[0]), reverse=True)

    def __call__(self, text: str) -> str:
        for form, public in self._forms:
            text = text.replace(form, public)
        return _WORD.sub(_without_login, text) if "@" in text else text


def _without_login(word: re.Match[str]) -> str:
    """A word of a message, unless a user and a password are in the middle of it."""
    return HIDDEN if _SHOWN_AT.search(word[0].partition(":")[2]) else word[0]


def _secrets(arguments: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Each text that must not be quoted, with what is shown in its place."""
    before = ""
    for argument in arguments:
        name, equals, value = argument.partition("=")
        is_option = argument.startswith("-")
        if is_option and _is_for_secret(name):
            yield value, HIDDEN
        elif _is_for_secret(before):
            yield argument, HIDDEN
        before = argument if is_option and not equals else ""
        pieces = argument.split(",")  # --impair loss=1%,seed=URL
        values = [piece.partition("=")[2] for piece in pieces]
        for text in (argument, value, *pieces, *values, *(argument[at:] for at in _BEHIND if is_option)):
            if (public := _public(text)) != text:
                yield text, public


def _is_for_secret(option: str) -> bool:
    """Would somebody give a password with it? No such option exists, but messages quote what they do not know."""
    return option.startswith("--") and not option.endswith("-file") and holds_secret(option)


def _quoted(text: str) -> tuple[str, ...]:
    """The forms in which a message may have it."""
    return text, repr(text)[1:-1], printable(text), repr(printable(text))[1:-1], stripped(text)


def _public(text: str) -> str:
    """One argument as it may be shown."""
    if not looks_like_url(text):
        return text
    try:
        return str(Url.parse(text))
    except ConfigError:
        return HIDDEN
