"""Messages of a command without the secrets of its command line, wherever they quote it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from urllib.parse import quote

from klvrelay.config.mistyped import looks_like_url, stripped
from klvrelay.config.parameters import holds_secret
from klvrelay.config.url import Url
from klvrelay.errors import ConfigError
from klvrelay.text import HIDDEN, printable

LEAST = 4
"""Characters of what is hidden, at least: fewer would take letters out of words."""
VALUE_LEAST = 6
"""The same of a password or a parameter within a URL, which may be a word."""

_BEHIND = range(2, 6)
"""Where the value may begin of letters that are options: -cURL, -qcURL."""

_WORD = re.compile(r"[^\s'\"]+")
_SHOWN_AT = re.compile(r"(?<!\*\*\*)@")


class Redaction:
    """Takes out of a text what must not be shown of these arguments."""

    def __init__(self, arguments: Iterable[str]) -> None:
        whole = dict(_secrets(arguments))
        self._forms = _longest_first((form, public) for text, public in whole.items() for form in _quoted(text))
        values = {value for text in whole for value in _values(text)}
        self._values = _longest_first((value, HIDDEN) for value in values)

    def __call__(self, text: str) -> str:
        text = _replaced(text, self._forms)
        if "@" in text:
            text = _WORD.sub(_without_login, text)
        return _replaced(text, self._values)


def _longest_first(forms: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    long = {form: public for form, public in forms if len(form) >= LEAST}
    return sorted(long.items(), key=lambda form: len(form[0]), reverse=True)


def _replaced(text: str, forms: list[tuple[str, str]]) -> str:
    for form, public in forms:
        text = text.replace(form, public)
    return text


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


def _values(text: str) -> Iterator[str]:
    """The secrets of a URL, as they are and percent-coded: a message may quote a part of it."""
    try:
        url = Url.parse(text)
    except ConfigError:
        return
    for value in {*url.secrets(), *url.hidden()}:
        if len(value) >= VALUE_LEAST:
            yield from (value, quote(value, safe=""), quote(value))


def _public(text: str) -> str:
    """One argument as it may be shown."""
    if not looks_like_url(text):
        return text
    try:
        return str(Url.parse(text))
    except ConfigError:
        return HIDDEN
