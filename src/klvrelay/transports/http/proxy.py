"""The HTTP proxy that the environment names (http_proxy, https_proxy, no_proxy), as curl and libav have it."""

from __future__ import annotations

import base64
import urllib.parse
import urllib.request
from typing import NamedTuple

from klvrelay.transports.http.faults import WebFault


class Proxy(NamedTuple):
    """Where it is, and the field that opens it."""

    host: str
    port: int
    header: dict[str, str]


def proxy_for(scheme: str, host: str, port: int) -> Proxy | None:
    """The proxy on the way there, None for none; raises WebFault for one of a kind that klvrelay does not speak to.

    To one that wants TLS or SOCKS, its password would go in the clear.
    """
    named = urllib.request.getproxies_environment().get(scheme)
    if not named or urllib.request.proxy_bypass(f"{host}:{port}"):
        return None
    try:
        parts = urllib.parse.urlsplit(named if "://" in named else f"http://{named}")
        there = parts.hostname, parts.port or 80
    except ValueError:
        raise WebFault(f"{scheme}_proxy in the environment is no URL", "refused") from None
    if parts.scheme != "http" or not there[0]:
        raise WebFault(f"{scheme}_proxy in the environment is not of the kind http://HOST:PORT", "refused")
    header = {}
    if parts.username is not None:
        login = f"{urllib.parse.unquote(parts.username)}:{urllib.parse.unquote(parts.password or '')}"
        header["Proxy-Authorization"] = "Basic " + base64.b64encode(login.encode()).decode()
    return Proxy(there[0], there[1], header)
