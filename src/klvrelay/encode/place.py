"""The position of a value in a record, and the context that applies there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import NamedTuple

from klvrelay.errors import EncodeError

DEPTH = 8
"""Maximum nesting depth of sets that a decoder follows."""


class ItemPath(NamedTuple):
    """A path of keys as in `quality.special` and in errors, with the context of a value.

    root        the set of the packet
    special     meaning of the document's nulls, by path
    received    the values come from a decoder and may be out of range
    nearest     IMAPB numbers are rounded to the nearest code, rather than down
    old         inside a VMTI set before version 4, which used other mappings
    versioned   false inside a VMTI set without a version, where short offsets identify the old mappings
    amend       inside an amend set, where length 0 deletes an item
    has_layout  in the layout of an earlier packet: a value that equals its default and was omitted is omitted again
    time        time stamp of the set, or of an enclosing one
    depth       number of enclosing sets
    """

    root: str
    path: str = ""
    special: Mapping[str, str] = {}
    received: bool = False
    nearest: bool = False
    old: bool = False
    versioned: bool = True
    amend: bool = False
    has_layout: bool = False
    time: object = None
    depth: int = 0

    def child(self, key: str) -> ItemPath:
        """The path of an item or element."""
        return self._replace(path=f"{self.path}.{key}" if self.path else key)

    def at(self, number: int) -> ItemPath:
        """The path of a list element."""
        return self._replace(path=f"{self.path}[{number}]")

    def inside(self, value: object) -> ItemPath:
        """The context inside a set at this path. Raises EncodeError beyond DEPTH."""
        if self.depth >= DEPTH:
            raise self.invalid(value, f"sets may be nested at most {DEPTH} deep")
        return self._replace(depth=self.depth + 1)

    def invalid(self, value: object, allowed: str) -> EncodeError:
        """The error for a value that is not valid here."""
        return EncodeError(f"{self.root} {self.path}".rstrip(), value, allowed)

    def unknown_key(self, key: object, known: Iterable[str]) -> EncodeError:
        """The error for an unknown key."""
        keys = sorted(known)
        word = key if isinstance(key, str) else ""
        close = get_close_matches(word, keys, 3) or [known for known in keys if word and word in known][:3]
        return self.invalid(key, f"no such key; did you mean {' or '.join(close)}?" if close else "no such key")
