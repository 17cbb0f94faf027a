"""Removes the secrets of the command line from messages that quote it."""

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
"""Minimum length of a hidden text. Shorter ones would remove letters from other words."""
VALUE_LEAST = 6
"""Minimum length of a hidden password or parameter of a URL, which may be a common word."""

_BEHIND = range(2, 6)
"""Offsets at which the value of short options may start: -cURL, -qcURL."""

_WORD = re.compile(r"[^\s'\"]+")
_SHOWN_AT = re.compile(r"(?<!\*\*\*)@")
_EXAMPLE = re.compile(r"\W*[a-z]+://\[?user@[^@?=]*")
"""A URL in a hint: its user is literally `user`, without a password."""


class Redaction:
    """Replaces the secrets of these arguments in a text."""

    def __init__(self, arguments: Iterable[str]) -> None:
        whole = dict(_secrets(arguments))
        forms = ((form, public) for text, public in whole.items() for form in _quoted_forms(text))
        self._forms = _sort_longest_first(forms)
        values = {value for text in whole for value in _values(text)}
        self._values = _sort_longest_first((value, HIDDEN) for value in values)

    def __call__(self, text: str) -> str:
        text = _replace(text, self._forms)
        if "@" in text:
            text = _WORD.sub(_hide_login, text)
        return _replace(text, self._values)


def _sort_longest_first(forms: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    long = {form: public for form, public in forms if len(form) >= LEAST}
    return sorted(long.items(), key=lambda form: len(form[0]), reverse=True)


def _replace(text: str, forms: list[tuple[str, str]]) -> str:
    for form, public in forms:
        text = text.replace(form, public)
    return text


def _hide_login(word: re.Match[str]) -> str:
    """A word of a message, hidden if it contains a user and a password."""
    is_secret = _SHOWN_AT.search(word[0].partition(":")[2]) and not _EXAMPLE.fullmatch(word[0])
    return HIDDEN if is_secret else word[0]


def _secrets(arguments: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Each text to hide, with its replacement."""
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
    """Does the option look like it takes a password? It does not exist, but messages quote unknown options."""
    return option.startswith("--") and not option.endswith("-file") and holds_secret(option)


def _quoted_forms(text: str) -> tuple[str, ...]:
    """The forms in which a message may quote the text."""
    return text, repr(text)[1:-1], printable(text), repr(printable(text))[1:-1], stripped(text)


def _values(text: str) -> Iterator[str]:
    """The secrets of a URL, plain and percent-encoded, since a message may quote part of the URL."""
    try:
        url = Url.parse(text)
    except ConfigError:
        return
    for value in {*url.secrets(), *url.hidden()}:
        if len(value) >= VALUE_LEAST:
            yield from (value, quote(value, safe=""), quote(value))


def _public(text: str) -> str:
    """One argument, without its secrets."""
    if not looks_like_url(text):
        return text
    try:
        return str(Url.parse(text))
    except ConfigError:
        return HIDDEN
