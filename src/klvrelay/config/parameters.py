"""Finds secrets among the parameters in the path and query of a URL, and hides them in messages.

Some cameras expect `user=admin&password=...` in the path, with `&`, `;` or `_` between the parameters.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

from klvrelay.text import HIDDEN

CODED_MOST = 4
"""Maximum levels of percent-encoding. A text with more levels is hidden as a whole."""

_WORDS = r"pass|pwd|token|secret|auth|credential|signature|hmac|(?<![a-z])(?:sig|pw)(?![a-z])|key(?![a-z])"
_CAMEL_CASE = r"(?<=[a-z])(?=[A-Z])"
_FOLDERS = frozenset((
    "password", "passwd", "pwd", "passphrase", "token", "secret", "apikey", "api_key", "access_token",
))  # fmt: skip
"""Path segments whose value is the next segment: /token/.../live.m3u8."""
_USERS = frozenset(("user", "username", "usr", "login"))
_PLACES = frozenset((
    "channel", "channelid", "chid", "chn", "ch", "camera", "cam", "stream", "subtype", "profile", "track", "trackid",
    "video", "unicast",
))  # fmt: skip
"""Names of parameters that select a picture of a camera."""
_PLACE = r"(?:[0-9]{1,4}|true|false)(?:\.[a-z0-9]{1,5})?"
_SEPARATOR = r"([&;]|_(?=(?:password|channel|stream)=))"

Kind = Literal["plain", "mark", "place", "name", "hidden", "secret"]


class UrlPart(NamedTuple):
    """A piece of a path or a query.

    kind  shown: "plain", "mark" (a separator), "place" (see `is_place`), and "name" (of a parameter with a hidden
          value). Not shown: "hidden" (such a value), and "secret" (a value whose name marks it as a secret).
    """

    text: str
    kind: Kind


def holds_secret(name: str) -> bool:
    """Does a parameter or option of this name contain a secret (rather than name a file with one)?"""
    if name.lower().endswith("file"):
        return False
    return re.search(_WORDS, re.sub(_CAMEL_CASE, "_", name), re.IGNORECASE) is not None


def is_place(name: str, value: str) -> bool:
    """Is it a parameter that selects a picture of a camera, with nothing else in its value?"""
    return name.lower() in _PLACES and re.fullmatch(_PLACE, value, re.IGNORECASE) is not None


def shown(text: str) -> str:
    """A path for messages: each parameter's value is `***`, unless it selects a picture."""
    return "".join(HIDDEN if kind in ("hidden", "secret") and text else text for text, kind in parts(text))


def nameable(text: str) -> str:
    """The parts of a path that may become part of a name: no secrets or users, nor their parameter names."""
    from urllib.parse import unquote  # here, since a file name does not need it

    kept = ("-" if kind == "mark" else text for text, kind in parts(text) if _is_nameable(text, kind))
    return unquote("".join(kept))


def secrets(text: str) -> Iterator[str]:
    """The values whose names mark them as secrets."""
    return (part.text for part in parts(text) if part.kind == "secret" and part.text)


def hidden(text: str) -> Iterator[str]:
    """All values that are not shown."""
    return (part.text for part in parts(text) if part.kind in ("hidden", "secret") and part.text)


def parts(text: str) -> list[UrlPart]:
    """The pieces of a path or query. Percent-encoded characters count as the characters they represent.

    The pieces have the text of the URL, decoded only where a parameter could not be recognised otherwise.
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
    """Hide a bare piece after a hidden value: it may be the rest of that value."""
    pieces = re.split(_SEPARATOR, text)
    found = _field(pieces[0])
    after_name = any(part.kind == "name" for part in found)
    for separator, piece in zip(pieces[1::2], pieces[2::2], strict=True):
        new = _field(piece)
        if after_name and piece and all(part.kind in ("plain", "mark") for part in new):
            new = [UrlPart(piece, "hidden")]
        after_name = after_name or any(part.kind == "name" for part in new)
        found += [UrlPart(separator, "mark"), *new]
    return found


def _field(text: str) -> list[UrlPart]:
    """The pieces between two separators. The value of a secret continues over `/` and `?`, which base64 may contain."""
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
    """A part without separators: plain, or a name and a hidden value."""
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
