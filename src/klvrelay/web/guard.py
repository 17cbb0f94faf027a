"""Decides who may use the web server: by its token, or from this machine only."""

from __future__ import annotations

import hmac
from collections.abc import Collection
from urllib.parse import urlsplit

from aiohttp import web

from klvrelay.config.sinks.address import is_loopback
from klvrelay.config.web import WebSettings
from klvrelay.web.problems import Problem

OPEN = frozenset(("/healthz", "/readyz"))
"""Paths that need no token: without it they answer with yes or no only."""
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Server": "klvrelay",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_SAFE = frozenset(("GET", "HEAD", "OPTIONS"))
_WITH_BODY = frozenset(("POST", "PUT", "PATCH"))


class Guard:
    """Checks each request. With a token, clients must send it. Without one only this machine reaches the server, and
    the checks are against pages in a browser there: a host name that resolves to it (DNS rebinding), and requests of
    other sites.
    """

    def __init__(self, settings: WebSettings) -> None:
        token = settings.token
        self._token = None if token is None else token.reveal().encode()
        self._hosts: Collection[str] = {host.lower() for host in settings.hosts}

    def check(self, request: web.Request) -> None:
        """Raise Problem for a request that is not allowed."""
        if not request.raw_path.startswith("/"):
            raise Problem(400, "the target of a request must be a path")
        if self._token is None:
            self._check_host(request)
        elif request.path not in OPEN and not self.is_trusted(request):
            raise Problem(401, "send the token of the relay: Authorization: Bearer TOKEN",
                          {"WWW-Authenticate": 'Bearer realm="klvrelay"'})  # fmt: skip
        if request.method not in _SAFE:
            self._check_origin(request)
        if request.method in _WITH_BODY and (
            request.content_type != "application/json" or "Content-Encoding" in request.headers
        ):
            raise Problem(415, "send application/json, not compressed")

    def is_trusted(self, request: web.Request) -> bool:
        """Does it have the token, or is none needed?"""
        if self._token is None:
            return True
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        return scheme.lower() == "bearer" and hmac.compare_digest(given.strip().encode("utf-8", "replace"), self._token)

    def _check_host(self, request: web.Request) -> None:
        name = _host_of(request.headers.get("Host", ""))
        if name is None or not (name in self._hosts or name == "localhost" or is_loopback(name)):
            raise Problem(421, "this host name is not that of the relay: add it to http.hosts")

    def _check_origin(self, request: web.Request) -> None:
        origin = request.headers.get("Origin")
        if origin is not None and urlsplit(origin).netloc.lower() != request.headers.get("Host", "").lower():
            raise Problem(403, "requests of other web sites are refused")


def _host_of(header: str) -> str | None:
    """The name in a Host header, without the port."""
    try:
        return urlsplit(f"//{header}").hostname
    except ValueError:
        return None
