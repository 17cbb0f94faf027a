"""Resolve the URLs in a playlist efficiently: most names are plain, and there may be tens of thousands."""

from __future__ import annotations

import re
from collections.abc import Callable

_NAME = r"[\w~%-][\w.~%-]*"
_REST = rf"{_NAME}(?:/{_NAME})*(?:\?[\w!$%&'()*+,./:;=?~-]*)?"
_RELATIVE = re.compile(_REST, re.ASCII)
_ABSOLUTE = re.compile(rf"(https?://[A-Za-z0-9.-]+(?::\d{{1,5}})?/){_REST}", re.ASCII)
SERVERS = 64
"""Maximum number of servers in absolute URLs that are cached; others are checked each time."""


class Links:
    """The absolute URLs of a document's references; `join` decides what may be followed.

    join   (base, reference) -> URL; raises WebFault
    """

    def __init__(self, base: str, join: Callable[[str, str], str]) -> None:
        self._base, self._join = base, join
        self._folder = ""
        self._servers: set[str] = set()

    def __call__(self, reference: str) -> str:
        if _RELATIVE.fullmatch(reference):
            self._folder = self._folder or self._join(self._base, "x")[:-1]
            return self._folder + reference
        if found := _ABSOLUTE.fullmatch(reference):
            if found[1] in self._servers:
                return reference
            if len(self._servers) < SERVERS:
                self._join(self._base, found[1])
                self._servers.add(found[1])
                return reference
        return self._join(self._base, reference)
