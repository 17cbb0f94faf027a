"""Cookies of HTTP servers (RFC 6265). Each goes only to the origin that set it; Domain and Path are ignored."""

from __future__ import annotations

import http.client
import re
from collections import OrderedDict
from typing import Any

EACH, SIZE, ORIGINS = 32, 4096, 8
"""Maximum cookies per origin, characters per cookie, and origins."""
_PLAIN = re.compile(r"[\x21-\x3a\x3c\x3e-\x7e]+=[\x20-\x3a\x3c-\x7e]*")


class Cookies:
    """The cookies that the servers of one source have set."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Any, dict[str, str]] = OrderedDict()

    def take(self, origin: object, fields: http.client.HTTPMessage) -> None:
        """Store the cookies of a response from this origin; cookies that are not plain ASCII are ignored."""
        set_cookies = fields.get_all("Set-Cookie", [])[:EACH]
        if not set_cookies:
            return
        kept = self._kept.setdefault(origin, {})
        self._kept.move_to_end(origin)
        if len(self._kept) > ORIGINS:
            self._kept.popitem(last=False)
        for field in set_cookies:
            cookie = field.partition(";")[0].strip()
            name, _, value = cookie.partition("=")
            if len(cookie) <= SIZE and _PLAIN.fullmatch(cookie) and (name in kept or len(kept) < EACH):
                kept[name] = value

    def header(self, origin: object) -> dict[str, str]:
        """The Cookie field for a request to this origin; empty if there are no cookies."""
        kept = self._kept.get(origin)
        return {"Cookie": "; ".join(f"{name}={value}" for name, value in kept.items())} if kept else {}
