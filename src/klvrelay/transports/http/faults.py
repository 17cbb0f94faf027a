"""HTTP failures, each as one sentence with a remedy."""

from __future__ import annotations

import email.utils
import errno
import http.client
import os
import socket
import ssl
import time
from typing import Literal

from klvrelay.transports import tls
from klvrelay.transports.http.login import Login

WAIT_MOST = 600.0
"""Maximum seconds of Retry-After that are honoured."""
LOGIN_WAIT = 30.0
"""Seconds before a rejected login is retried: cameras lock an account after a few failures."""

Kind = Literal["status", "connection", "cut", "refused"]


class WebFault(Exception):
    """A failed request. The text is for operators and contains no part of a URL that may be secret.

    kind     "status": an HTTP error status; "connection": unreachable or silent; "cut": the body ended early;
             "refused": klvrelay does not follow the URL
    status   HTTP status code, 0 if there is none
    wait     seconds to wait before the next request, as the server asks or as a precaution
    """

    def __init__(self, text: str, kind: Kind = "connection", *, status: int = 0, wait: float = 0.0) -> None:
        super().__init__(text)
        self.kind = kind
        self.status = status
        self.wait = wait

    @property
    def is_temporary(self) -> bool:
        """May a retry of the same request succeed?"""
        return self.kind in ("connection", "cut") or self.status in (404, 408, 425, 429) or self.status >= 500


def status_fault(status: int, fields: http.client.HTTPMessage, *, login: Login | None) -> WebFault:
    """The fault for an HTTP error status; `login` is the login that was sent, if any."""
    if status == 401:
        reason = "the server requires a user name and a password" if login is None else login.refused
        return WebFault(f"{reason} (401)", "status", status=status, wait=LOGIN_WAIT)
    reason = _STATUS.get(status) or (
        "internal server error: see the server's log" if status >= 500 else "the server rejects the request"
    )
    wait = retry_after(fields.get("Retry-After", "")) if status in (429, 503) else 0.0
    if wait:
        reason += f"; retry after {wait:.0f} s"
    return WebFault(f"{reason} ({status})", "status", status=status, wait=wait)


_STATUS = {
    400: "bad request: check the URL",
    403: "forbidden: check the user's rights, or whether a token in the URL has expired",
    404: "not found: check the path",
    407: "the proxy requires a user name and a password: set them in http_proxy, https_proxy",
    408: "the server timed out waiting for the request",
    410: "gone: no longer available on the server",
    416: "the requested byte range is not in the file",
    429: "too many requests",
    451: "withheld for legal reasons",
    502: "the server's gateway got no valid response from its upstream server",
    503: "the server is overloaded or under maintenance",
    504: "the server's gateway timed out waiting for its upstream server",
}


def retry_after(text: str) -> float:
    """Seconds of a Retry-After field (RFC 9110, 10.2.3); 0 if it is missing or malformed."""
    text = text.strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), WAIT_MOST)
    try:
        then = email.utils.parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return 0.0
    return min(max(0.0, then.timestamp() - time.time()), WAIT_MOST)


def connection_fault(fault: Exception, timeout: float) -> WebFault:
    """The fault for a connection that failed or gave no response."""
    if isinstance(fault, TimeoutError):
        return WebFault(f"no response within {timeout:g} s: check host, port and firewall")
    if isinstance(fault, ssl.SSLError):
        return WebFault(_tls(fault))
    if isinstance(fault, socket.gaierror):
        return WebFault("unknown host name: check its spelling and the DNS server")
    if isinstance(fault, http.client.InvalidURL | ValueError):  # includes UnicodeError
        return WebFault("it leads to an invalid URL", "refused")
    if isinstance(fault, http.client.RemoteDisconnected):
        return WebFault("the server closed the connection without a response: is it a web server?")
    if isinstance(fault, http.client.HTTPException):
        return WebFault("the response is not HTTP: check the port, and whether it requires https://")
    if isinstance(fault, OSError) and str(fault).startswith("Tunnel connection failed: "):
        status = str(fault).removeprefix("Tunnel connection failed: ")[:3]
        return WebFault(f"the proxy refuses the connection ({status}): check https_proxy and no_proxy")
    number = getattr(fault, "errno", None)
    return WebFault(_ERRNO.get(number or 0) or f"no connection: {os.strerror(number or 0).lower()}")


def _tls(fault: ssl.SSLError) -> str:
    if isinstance(fault, ssl.SSLCertVerificationError):
        return f"the server's certificate is not trusted: {tls.explain_untrusted(fault)}"
    if reason := tls.explain_no_tls(fault):
        return reason
    if reason := tls.explain_alert(fault):
        return f"the server refused TLS: {reason}"
    return f"TLS failed ({(fault.reason or 'no reason given').replace('_', ' ').lower()})"


_ERRNO = {
    errno.ECONNREFUSED: "connection refused: check that the server is running on that port",
    errno.ECONNRESET: "the server closed the connection",
    errno.EPIPE: "the server closed the connection",
    errno.EHOSTUNREACH: "host unreachable: check address and network",
    errno.ENETUNREACH: "no network route to the host",
}
