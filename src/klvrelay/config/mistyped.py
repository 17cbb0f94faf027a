"""Texts that are no URL but look like one: where a slash is missing, a password would be taken for a part of a file's
name, and shown with it.
"""

from __future__ import annotations

import re
from functools import cache

from klvrelay.errors import ConfigError

MISTYPED = (
    "this looks like a mistyped URL, and is not shown since a password may be in it: write scheme://host/path, with"
    " user@ before the host. A file of such a name is written file:///..., with @ as %40"
)

_SCHEMES = "udp|rtp|tcp|srt|rtsps?|rtmps?|https?|mqtts?|wss?|ftps?|file"
_FORM = rf"""[^\w./~-]*(?:
    (?:{_SCHEMES})\s*(?::|/\s*/)     # udp:5000  rtsp//host
  | [a-z][\w+.-]*\s*[:;]\s*/        # scheme:/host  scheme;//host
  | [a-z][\w+.-]*[:;][^/]{{0,2}}//  # sche:me//host
)"""
_SECRET = r"(?:(?:pass|pwd|token|secret|auth|credential|signature|key)[\w-]{0,20}|(?<![a-z])sig)\s{0,3}="
_TELLTALE = frozenset("@:;=%\\ ")
"""Without one of these characters, or two slashes in a row, nothing in ASCII looks like a URL."""


@cache
def _forms() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Compiled when a text may be one: most are the name of a file or a stream, and a command starts without."""
    return re.compile(_FORM, re.VERBOSE | re.IGNORECASE), re.compile(_SECRET, re.IGNORECASE)


def looks_like_url(text: str) -> bool:
    """Does it look like a URL, a mistyped one too, or as if a user and a password, or an option with one, were in it?

    Fullwidth signs, backslashes and percent codes count as what they stand for.
    """
    if text.isascii() and text.isprintable() and "//" not in text and _TELLTALE.isdisjoint(text):
        return False
    import unicodedata
    from urllib.parse import unquote

    form, secret = _forms()
    decoded = unquote(unquote(unicodedata.normalize("NFKC", text)))
    plain = unicodedata.normalize("NFKC", decoded).replace("\\", "/")
    # A user stands before an @, with a password or behind two slashes.
    login = "@" in plain.partition(":")[2] or "@" in plain.partition("//")[2]
    return login or "://" in plain or form.match(plain) is not None or secret.search(plain) is not None


def stripped(text: str) -> str:
    """Without the blanks around it, also those that are not seen: a byte order mark, line ends, zero-width spaces."""
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
    """The text as it stands; raises ConfigError, naming `key` and what is `wanted`, for what looks like a URL."""
    if looks_like_url(text):
        raise ConfigError(f"{key}: give {wanted}; this looks like a URL, and is not shown")
    return text


def file_name(text: str, key: str) -> str:
    """The name of a file or folder as it stands; raises ConfigError, naming `key`, for what looks like a URL."""
    return no_url(text, key, "the name of a file or folder")
