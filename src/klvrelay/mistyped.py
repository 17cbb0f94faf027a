"""Texts that are no URL but look like one: where a slash is missing, a password would be taken for a part of a file's
name, and shown with it.
"""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import unquote

from klvrelay.errors import ConfigError

MISTYPED = (
    "this looks like a mistyped URL, and is not shown since a password may be in it: write scheme://host/path, with"
    " user@ before the host. A file of such a name is written file:///..., with @ as %40"
)

_SCHEMES = "udp|rtp|tcp|srt|rtsps?|rtmps?|https?|mqtts?|wss?|ftps?|file"
_FORM = re.compile(
    rf"""[^\w./~-]*(?:
        (?:{_SCHEMES})\s*(?::|/\s*/)     # udp:5000  rtsp//host
      | [a-z][\w+.-]*\s*[:;]\s*/        # scheme:/host  scheme;//host
      | [a-z][\w+.-]*[:;][^/]{{0,2}}//  # sche:me//host
    )""",
    re.VERBOSE | re.IGNORECASE,
)

_SECRET = re.compile(r"(?:pass|pwd|token|secret|auth|credential|signature|key)[\w-]{0,20}\s{0,3}=", re.IGNORECASE)


def looks_like_url(text: str) -> bool:
    """Does it look like a URL, a mistyped one too, or as if a user and a password, or an option with one, were in it?

    Fullwidth signs, backslashes and percent codes count as what they stand for.
    """
    decoded = unquote(unquote(unicodedata.normalize("NFKC", text)))
    plain = unicodedata.normalize("NFKC", decoded).replace("\\", "/")
    # A user stands before an @, with a password or behind two slashes.
    login = "@" in plain.partition(":")[2] or "@" in plain.partition("//")[2]
    return login or "://" in plain or any(form(plain) is not None for form in (_FORM.match, _SECRET.search))


def stripped(text: str) -> str:
    """Without the blanks around it, also those that are not seen: a byte order mark, line ends, zero-width spaces."""
    begin, end = 0, len(text)
    while begin < end and _is_blank(text[begin]):
        begin += 1
    while end > begin and _is_blank(text[end - 1]):
        end -= 1
    return text[begin:end]


def _is_blank(character: str) -> bool:
    return character.isspace() or unicodedata.category(character) in ("Cc", "Cf", "Zs", "Zl", "Zp")


def no_url(text: str, key: str, wanted: str) -> str:
    """The text as it stands; raises ConfigError, naming `key` and what is `wanted`, for what looks like a URL."""
    if looks_like_url(text):
        raise ConfigError(f"{key}: give {wanted}; this looks like a URL, and is not shown")
    return text


def file_name(text: str, key: str) -> str:
    """The name of a file or folder as it stands; raises ConfigError, naming `key`, for what looks like a URL."""
    return no_url(text, key, "the name of a file or folder")
