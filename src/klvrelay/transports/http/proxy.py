"""The HTTP proxy set in the environment (http_proxy, https_proxy, no_proxy), interpreted as by curl and libav."""

from __future__ import annotations

import base64
import urllib.parse
import urllib.request
from typing import NamedTuple

from klvrelay.transports.http.faults import WebFault


class Proxy(NamedTuple):
    """The address of a proxy, and its authorization field."""

    host: str
    port: int
    header: dict[str, str]


def proxy_for(scheme: str, host: str, port: int) -> Proxy | None:
    """The proxy for a host, or None; raises WebFault for a proxy type that is not supported.

    TLS and SOCKS proxies are refused: their password would be sent in clear text.
    """
    named = urllib.request.getproxies_environment().get(scheme)
    if not named or urllib.request.proxy_bypass(f"{host}:{port}"):
        return None
    try:
        parts = urllib.parse.urlsplit(named if "://" in named else f"http://{named}")
        there = parts.hostname, parts.port or 80
    except ValueError:
        raise WebFault(f"{scheme}_proxy in the environment is not a URL", "refused") from None
    if parts.scheme != "http" or not there[0]:
        raise WebFault(f"{scheme}_proxy in the environment must have the form http://HOST:PORT", "refused")
    header = {}
    if parts.username is not None:
        login = f"{urllib.parse.unquote(parts.username)}:{urllib.parse.unquote(parts.password or '')}"
        header["Proxy-Authorization"] = "Basic " + base64.b64encode(login.encode()).decode()
    return Proxy(there[0], there[1], header)
