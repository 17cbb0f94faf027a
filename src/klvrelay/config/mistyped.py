"""Detects mistyped URLs, whose password would otherwise be taken for part of a file name and shown in messages."""

from __future__ import annotations

import re
from functools import cache

from klvrelay.errors import ConfigError

MISTYPED = (
    "this looks like a mistyped URL, which is not shown since it may contain a password: write scheme://host/path, with"
    " user@ before the host. For a file with such a name write file:///..., with @ as %40"
)

_SCHEMES = "udp|rtp|tcp|srt|rtsps?|rtmps?|https?|mqtts?|wss?|ftps?|file"
_FORM = rf"""[^\w./~-]*(?:
    (?:{_SCHEMES})\s*(?::|/\s*/)     # udp:5000  rtsp//host
  | [a-z][\w+.-]*\s*[:;]\s*/        # scheme:/host  scheme;//host
  | [a-z][\w+.-]*[:;][^/]{{0,2}}//  # sche:me//host
)"""
_SECRET = r"(?:(?:pass|pwd|token|secret|auth|credential|signature|key)[\w-]{0,20}|(?<![a-z])sig)\s{0,3}="
_URL_CHARACTERS = frozenset("@:;=%\\ ")
"""ASCII text without any of these characters or two consecutive slashes does not look like a URL."""


@cache
def _forms() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Compiled on first use: most texts are names of files or streams, and start-up should stay fast."""
    return re.compile(_FORM, re.VERBOSE | re.IGNORECASE), re.compile(_SECRET, re.IGNORECASE)


def looks_like_url(text: str) -> bool:
    """Does the text look like a URL (even a mistyped one), or contain a user and password or a secret option?

    Full-width characters, backslashes and percent-encoding count as the characters they represent.
    """
    if text.isascii() and text.isprintable() and "//" not in text and _URL_CHARACTERS.isdisjoint(text):
        return False
    import unicodedata
    from urllib.parse import unquote

    form, secret = _forms()
    decoded = unquote(unquote(unicodedata.normalize("NFKC", text)))
    plain = unicodedata.normalize("NFKC", decoded).replace("\\", "/")
    # A user precedes an @, with a password or after two slashes.
    login = "@" in plain.partition(":")[2] or "@" in plain.partition("//")[2]
    return login or "://" in plain or form.match(plain) is not None or secret.search(plain) is not None


def stripped(text: str) -> str:
    """The text without surrounding white space, including byte order marks, line ends and zero-width spaces."""
    begin, end = 0, len(text)
    while begin < end and _is_blank(text[begin]):
        begin += 1
    while end > begin and _is_blank(text[end - 1]):
        end -= 1
    return text[begin:end]


def _is_blank(character: str) -> bool:
    if character.isspace() or character.isprintable():
        return character.isspace()
    import unicodedata

    return unicodedata.category(character) in ("Cc", "Cf", "Zs", "Zl", "Zp")


def no_url(text: str, key: str, wanted: str) -> str:
    """The text unchanged. Raises ConfigError, naming `key` and what is `wanted`, if it looks like a URL."""
    if looks_like_url(text):
        raise ConfigError(f"{key}: give {wanted}; this looks like a URL, which is not shown")
    return text


def file_name(text: str, key: str) -> str:
    """The file or folder name unchanged. Raises ConfigError, naming `key`, if it looks like a URL, or cannot be one."""
    if "\0" in text:
        raise ConfigError(f"{key}: give the name of a file or folder, without null characters")
    return no_url(text, key, "the name of a file or folder")
