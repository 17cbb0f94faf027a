"""What the status of a POST means for its records.

2xx               delivered
400 413 415 422   a record is refused, or several
307 308           another path of the same server
all other         no record can be delivered now
"""

from __future__ import annotations

import http.client
from enum import Enum, auto
from typing import NamedTuple

from klvrelay.sinks.results import LEFT_OUT, REJECTED
from klvrelay.transports.http.faults import LOGIN_WAIT, retry_after

TOO_LARGE = 413
REFUSALS = frozenset({400, TOO_LARGE, 415, 422})
REDIRECTS = frozenset({307, 308})
SETTINGS_WAIT = LOGIN_WAIT
"""Seconds until a retry if the settings, or rights at the server, must change."""


class Meaning(Enum):
    """What a status means."""

    DELIVERED = auto()
    REFUSED = auto()
    REDIRECTED = auto()
    DOWN = auto()


class PostAnswer(NamedTuple):
    """The answer to a POST."""

    status: int
    fields: http.client.HTTPMessage

    @property
    def meaning(self) -> Meaning:
        if 200 <= self.status < 300:
            return Meaning.DELIVERED
        if self.status in REFUSALS:
            return Meaning.REFUSED
        return Meaning.REDIRECTED if self.status in REDIRECTS else Meaning.DOWN

    @property
    def result(self) -> int:
        """The result of a single record that is refused."""
        return LEFT_OUT if self.status == TOO_LARGE else REJECTED

    @property
    def remedy(self) -> str:
        """What to do if every record is refused."""
        if self.status == TOO_LARGE:
            return "raise the size that the server, or a proxy before it, accepts"
        return "check the path, and the format it expects"

    @property
    def wait(self) -> float:
        """Minimum seconds until a retry."""
        if self.status in (429, 503):
            return retry_after(self.fields.get("Retry-After", ""))
        return SETTINGS_WAIT if 300 <= self.status < 500 and self.status not in (408, 409, 425, 429) else 0.0

    @property
    def reason(self) -> str:
        """Why no record can be delivered, with a remedy."""
        if 300 <= self.status < 400:
            return f"it redirects to another address, or twice ({self.status}): give the last address"
        text = _REASONS.get(self.status)
        if text is None:
            text = "internal error: see the log of the server" if self.status >= 500 else "the server refuses"
        wait = f"; retry after {self.wait:.0f} s" if self.status in (429, 503) and self.wait else ""
        return f"{text} ({self.status}){wait}"


_REASONS = {
    401: "the server requires a login, or refuses it: check token_file, username and password_file, or"
    " sign_key_file",
    403: "forbidden: check the rights of the token or user",
    404: "not found: check the path",
    405: "the server does not take POST there: check the path",
    407: "a proxy requires a login, but proxies are not used: check the address",
    408: "the server got no request in time",
    410: "gone: check the path",
    411: "the server requires a length, although it was sent: check proxies before it",
    421: "the server is not responsible for this host name: check the URL",
    426: "the server requires another protocol: try https://",
    429: "too many requests",
    501: "the server does not support POST: check the path",
    502: "the gateway got no valid response from the server behind it",
    503: "the server is overloaded or under maintenance",
    504: "the gateway got no response in time from the server behind it",
}
