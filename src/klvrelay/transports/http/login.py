"""HTTP and RTSP authentication: Basic (RFC 7617) and Digest (RFC 7616, RFC 2617)."""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field

from klvrelay.text import Secret

_HASHES = {"MD5": "md5", "SHA-256": "sha256", "SHA-512-256": "sha512_256"}
_PARAMETER = re.compile(r'(?<![\w-])([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))')
_SCHEME = re.compile(r"(?:^|,)\s*(basic|digest|bearer|negotiate|ntlm)\b", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")
MOST = 8192
"""Maximum characters of all challenges that are read."""


@dataclass(frozen=True, slots=True)
class Challenge:
    """One authentication challenge: `scheme` in lower case, and its parameters."""

    scheme: str
    parameters: dict[str, str] = field(default_factory=dict)

    @property
    def algorithm(self) -> str:
        """The Digest algorithm; MD5 if none is given (RFC 7616, 3.3)."""
        return self.parameters.get("algorithm", "MD5").upper()


def challenges(fields: Iterable[str]) -> list[Challenge]:
    """The challenges in WWW-Authenticate fields; one field may hold several."""
    found, left = [], MOST
    for text in fields:
        text = _CONTROL.sub(" ", text[:left])  # parameters are returned to the server in a header field
        left -= len(text)
        begins = [*_SCHEME.finditer(text)]
        for number, begin in enumerate(begins):
            end = begins[number + 1].start() if number + 1 < len(begins) else len(text)
            pairs = _PARAMETER.findall(text[begin.end() : end])
            parameters = {name.lower(): quoted or plain for name, quoted, plain in pairs}
            found.append(Challenge(begin[1].lower(), parameters))
    return found


class Login:
    """The credentials of one user; answers challenges and counts the uses of a nonce."""

    def __init__(self, user: str, password: Secret | None) -> None:
        self._user = user
        self._password = password or Secret("")
        self._has_password = password is not None
        self._chosen: Challenge | None = None
        self._uses = 0

    @property
    def algorithm(self) -> str:
        """The Digest algorithm in use; "" for Basic and before any challenge was accepted."""
        return self._chosen.algorithm if self._chosen is not None and self._chosen.scheme == "digest" else ""

    @property
    def refused(self) -> str:
        """The reason to report when the server rejects every request with this login."""
        if self._has_password:
            return "the server rejects the user name or the password"
        return "the server requires the user's password, but none is set: give a file (--password-file, password_file)"

    def take(self, offered: list[Challenge]) -> bool:
        """Accept the strongest supported challenge; false if there is none.

        After a Digest challenge, Basic is never used: it would send the password itself.
        """
        bound = self._chosen is not None and self._chosen.scheme == "digest"
        usable = [one for one in offered if _supports(one) or (one.scheme == "basic" and not bound)]
        if usable:
            self._chosen, self._uses = max(usable, key=_strength), 0
        return bool(usable)

    def header(self, method: str, uri: str) -> str | None:
        """The Authorization field for a request; None before a challenge was accepted."""
        chosen = self._chosen
        if chosen is None:
            return None
        if chosen.scheme == "basic":
            return "Basic " + base64.b64encode(f"{self._user}:{self._password.reveal()}".encode()).decode()
        return self._digest(chosen, method, uri)

    def _digest(self, chosen: Challenge, method: str, uri: str) -> str:
        parameters = chosen.parameters
        realm, nonce = parameters.get("realm", ""), parameters.get("nonce", "")
        self._uses += 1
        count, cnonce = f"{self._uses:08x}", secrets.token_hex(8)
        name = _HASHES[chosen.algorithm.removesuffix("-SESS")]

        def hashed(*parts: str) -> str:
            return hashlib.new(name, ":".join(parts).encode(), usedforsecurity=False).hexdigest()

        who = hashed(self._user, realm, self._password.reveal())
        if chosen.algorithm.endswith("-SESS"):
            who = hashed(who, nonce, cnonce)
        what = hashed(method, uri)
        protected = "auth" in re.split(r"[,\s]+", parameters.get("qop", ""))
        middle = (nonce, count, cnonce, "auth") if protected else (nonce,)
        quoted = {"username": self._user, "realm": realm, "nonce": nonce, "uri": uri}
        quoted["response"] = hashed(who, *middle, what)
        if "opaque" in parameters:
            quoted["opaque"] = parameters["opaque"]
        fields = [f'{key}="{_escaped(value)}"' for key, value in quoted.items()]
        if "algorithm" in parameters:
            fields.append(f"algorithm={parameters['algorithm']}")
        if protected:
            fields += ["qop=auth", f"nc={count}", f'cnonce="{cnonce}"']
        return "Digest " + ", ".join(fields)


def _supports(challenge: Challenge) -> bool:
    name = _HASHES.get(challenge.algorithm.removesuffix("-SESS"))
    return challenge.scheme == "digest" and name in hashlib.algorithms_available


def _strength(challenge: Challenge) -> int:
    if challenge.scheme == "basic":
        return 0
    return 1 + [*_HASHES].index(challenge.algorithm.removesuffix("-SESS"))


def _escaped(text: str) -> str:
    return re.sub(r"[\r\n]", "", text.replace("\\", "\\\\").replace('"', '\\"'))
