"""Where in a record a value stands, and what holds there.

Room: encode. Next door: everyone here is handed a `Place` along with a value.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import NamedTuple

from klvrelay.errors import EncodeError

DEPTH = 8
"""Sets within sets that a decoder follows."""


class ItemPath(NamedTuple):
    """A path by keys, as `quality.special` and errors name it.

    root      the set of the packet
    special   what the nulls of a document mean, by path
    received  the values are a decoder's, which may be out of range
    nearest   numbers by IMAPB go back to the code they came from, rather than down
    old       inside a VMTI set of before version 4, which had other maps
    told      not inside a VMTI set that leaves its version out, where short offsets show that it is old
    amend     inside an amend set, where length 0 deletes an item
    laid      in the layout of an earlier packet: what has its default and was left out is left out again
    time      the time stamp of the set, or of one around it
    depth     sets around it
    """

    root: str
    path: str = ""
    special: Mapping[str, str] = {}
    received: bool = False
    nearest: bool = False
    old: bool = False
    told: bool = True
    amend: bool = False
    laid: bool = False
    time: object = None
    depth: int = 0

    def child(self, key: str) -> ItemPath:
        """The place of an item or element within."""
        return self._replace(path=f"{self.path}.{key}" if self.path else key)

    def at(self, number: int) -> ItemPath:
        """The place of one of a list."""
        return self._replace(path=f"{self.path}[{number}]")

    def inside(self, given: object) -> ItemPath:
        """The place of what is in a set that stands here."""
        if self.depth >= DEPTH:
            raise self.misfit(given, f"at most {DEPTH} sets within each other")
        return self._replace(depth=self.depth + 1)

    def misfit(self, given: object, allowed: str) -> EncodeError:
        """The error to raise for a value that can't stand here."""
        return EncodeError(f"{self.root} {self.path}".rstrip(), given, allowed)

    def stranger(self, key: object, known: Iterable[str]) -> EncodeError:
        """The error to raise for a key that nothing here has."""
        keys = sorted(known)
        word = key if isinstance(key, str) else ""
        close = get_close_matches(word, keys, 3) or [known for known in keys if word and word in known][:3]
        return self.misfit(key, f"no such key; did you mean {' or '.join(close)}?" if close else "no such key")
