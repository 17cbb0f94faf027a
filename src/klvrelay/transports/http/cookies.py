"""Cookies of HTTP servers (RFC 6265), each for the origin that set it: no Domain widens that, no Path narrows it."""

from __future__ import annotations

import http.client
import re
from collections import OrderedDict
from typing import Any

EACH, SIZE, ORIGINS = 32, 4096, 8
"""Cookies of one origin that are kept, characters of one, and origins."""
_PLAIN = re.compile(r"[\x21-\x3a\x3c\x3e-\x7e]+=[\x20-\x3a\x3c-\x7e]*")


class Cookies:
    """What the servers of one source set."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Any, dict[str, str]] = OrderedDict()

    def take(self, origin: object, fields: http.client.HTTPMessage) -> None:
        """Keep what an answer of this origin sets; one that is not plain ASCII is passed over."""
        said = fields.get_all("Set-Cookie", [])[:EACH]
        if not said:
            return
        kept = self._kept.setdefault(origin, {})
        self._kept.move_to_end(origin)
        if len(self._kept) > ORIGINS:
            self._kept.popitem(last=False)
        for field in said:
            cookie = field.partition(";")[0].strip()
            name, _, value = cookie.partition("=")
            if len(cookie) <= SIZE and _PLAIN.fullmatch(cookie) and (name in kept or len(kept) < EACH):
                kept[name] = value

    def header(self, origin: object) -> dict[str, str]:
        """The field for a request to this origin; none where it set nothing."""
        kept = self._kept.get(origin)
        return {"Cookie": "; ".join(f"{name}={value}" for name, value in kept.items())} if kept else {}
