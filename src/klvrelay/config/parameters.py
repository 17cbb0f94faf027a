"""Parameters in the path and in the query of a URL: which of them are secrets, and what may be shown of the others.

Cameras take `user=admin&password=...` in the path too, with `&`, `;` or `_` between the parameters.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

from klvrelay.text import HIDDEN

CODED_MOST = 4
"""How often a text may be percent-coded; one that is coded more often is hidden as a whole."""

_WORDS = r"pass|pwd|token|secret|auth|credential|signature|hmac|(?<![a-z])(?:sig|pw)(?![a-z])|key(?![a-z])"
_CAMEL_CASE = r"(?<=[a-z])(?=[A-Z])"
_FOLDERS = frozenset((
    "password", "passwd", "pwd", "passphrase", "token", "secret", "apikey", "api_key", "access_token",
))  # fmt: skip
"""Parts of a path behind which the value is the next part: /token/.../live.m3u8."""
_USERS = frozenset(("user", "username", "usr", "login"))
_PLACES = frozenset((
    "channel", "channelid", "chid", "chn", "ch", "camera", "cam", "stream", "subtype", "profile", "track", "trackid",
    "video", "unicast",
))  # fmt: skip
"""Names of parameters that say which picture of a camera is wanted."""
_PLACE = r"(?:[0-9]{1,4}|true|false)(?:\.[a-z0-9]{1,5})?"
_SEPARATOR = r"([&;]|_(?=(?:password|channel|stream)=))"

Kind = Literal["plain", "mark", "place", "name", "hidden", "secret"]


class UrlPart(NamedTuple):
    """A piece of a path or a query.

    kind  "plain", "mark" (what separates) and "place" (see `is_place`) are shown as they are; "name" is that of a
          parameter whose value is not; "hidden" is such a value; "secret" one whose name says that it is a secret
    """

    text: str
    kind: Kind


def holds_secret(name: str) -> bool:
    """Does a parameter or an option of this name hold a secret, and not the name of a file with one?"""
    if name.lower().endswith("file"):
        return False
    return re.search(_WORDS, re.sub(_CAMEL_CASE, "_", name), re.IGNORECASE) is not None


def is_place(name: str, value: str) -> bool:
    """Is it a parameter that says which picture of a camera is wanted, with nothing else in its value?"""
    return name.lower() in _PLACES and re.fullmatch(_PLACE, value, re.IGNORECASE) is not None


def shown(text: str) -> str:
    """A path as it may be shown: each parameter's value as `***`, unless it says which picture is wanted."""
    return "".join(HIDDEN if kind in ("hidden", "secret") and text else text for text, kind in parts(text))


def nameable(text: str) -> str:
    """What of a path may become part of a name: no secrets and no users, nor what they are called."""
    from urllib.parse import unquote  # here, since the name of a file has no use for it

    kept = ("-" if kind == "mark" else text for text, kind in parts(text) if _is_nameable(text, kind))
    return unquote("".join(kept))


def secrets(text: str) -> Iterator[str]:
    """Values in it that are secrets by their names."""
    return (part.text for part in parts(text) if part.kind == "secret" and part.text)


def hidden(text: str) -> Iterator[str]:
    """All values in it that are not shown."""
    return (part.text for part in parts(text) if part.kind in ("hidden", "secret") and part.text)


def parts(text: str) -> list[UrlPart]:
    """The pieces of a path or a query; percent-coded signs count as what they stand for.

    The text is that of the URL, decoded only where a parameter would not be seen otherwise.
    """
    if "%" not in text and text.isascii():
        return _split(text)
    plain = _decoded(text)
    if plain is None:
        return [UrlPart(text[:1], "plain"), UrlPart(text[1:], "secret")]
    decoded = _split(plain)
    return decoded if any(part.kind in ("hidden", "secret") for part in decoded) else _split(text)


def _is_nameable(text: str, kind: Kind) -> bool:
    name = text.rstrip("=: ")
    return kind in ("plain", "mark", "place") or (
        kind == "name" and not holds_secret(name) and name.lower() not in _USERS
    )


def _decoded(text: str) -> str | None:
    import unicodedata
    from urllib.parse import unquote

    for _ in range(CODED_MOST):
        before, text = text, unicodedata.normalize("NFKC", unquote(text))
        if text == before:
            return text
    return None


def _split(text: str) -> list[UrlPart]:
    """What stands alone behind a hidden value may be the rest of it."""
    pieces = re.split(_SEPARATOR, text)
    found = _field(pieces[0])
    wary = any(part.kind == "name" for part in found)
    for separator, piece in zip(pieces[1::2], pieces[2::2], strict=True):
        new = _field(piece)
        if wary and piece and all(part.kind in ("plain", "mark") for part in new):
            new = [UrlPart(piece, "hidden")]
        wary = wary or any(part.kind == "name" for part in new)
        found += [UrlPart(separator, "mark"), *new]
    return found


def _field(text: str) -> list[UrlPart]:
    """What stands between two separators. The value of a secret goes on over `/` and `?`: base64 has a `/` in it."""
    found: list[UrlPart] = []
    before = ""
    for piece in re.finditer("([/?]?)([^/?]*)", text):
        mark, name = piece.groups()
        if mark:
            found.append(UrlPart(mark, "mark"))
        if name:
            new = [UrlPart(name, "hidden")] if before in _FOLDERS else _parameter(name)
            if new[-1].kind == "secret":
                return [*found, new[0], UrlPart(text[piece.end() - len(new[1].text) :], "secret")]
            found += new
        before = name.lower()
    return found


def _parameter(piece: str) -> list[UrlPart]:
    """A piece without separators: as it is, or a name and a value that is not shown."""
    begin = 0
    for sign in re.finditer("[=:]", piece):
        name = piece[begin : sign.start()].strip()
        named = holds_secret(name)
        if named or sign[0] == "=" or name.lower() in _USERS:
            value = piece[sign.end() :]
            if not begin and is_place(name, value):
                return [UrlPart(piece, "place")]
            return [UrlPart(piece[: sign.end()], "name"), UrlPart(value, "secret" if named else "hidden")]
        begin = sign.end()
    return [UrlPart(piece, "plain")]
