"""The faults of settings, collected so that all of them are reported at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from klvrelay.config.mistyped import looks_like_url
from klvrelay.errors import ConfigError
from klvrelay.text import HIDDEN, counted, printable

FAULTS_MOST = 20
"""Maximum faults in one message."""
KEY_MOST = 100
"""Maximum characters of a key in a message."""


class SettingOrigin(NamedTuple):
    """Where a value comes from.

    place     a file, a variable of the environment or an option of the command line
    line      in the file
    is_named  the place is the name of the setting, as of a variable or an option
    """

    place: str
    line: int | None = None
    is_named: bool = False

    def __str__(self) -> str:
        return self.place if self.line is None else f"{self.place}:{self.line}"


class SettingFault(NamedTuple):
    """An invalid setting: where it is, its key, and what is valid. `key` is "" if the place is the setting."""

    origin: SettingOrigin
    key: str
    text: str

    def __str__(self) -> str:
        line = "" if self.origin.line is None else f" line {self.origin.line}:"
        key = f" {self.key}:" if self.key else ""
        return printable(f"{self.origin.place}:{line}{key} {self.text}")


class InvalidSettings(ConfigError):
    """Settings with one or several faults, each on a line of the message. `more`: number of further ones."""

    def __init__(self, faults: Sequence[SettingFault], more: int = 0) -> None:
        self.faults, self.more = tuple(faults), more
        lines = [*map(str, faults), *([f"and {counted(more, 'more fault')}"] if more else [])]
        super().__init__("\n".join(lines))


class Faults:
    """The faults found so far: the first FAULTS_MOST, and the number of further ones."""

    def __init__(self) -> None:
        self._found: dict[tuple[SettingOrigin, str], SettingFault] = {}
        self._more = 0

    @property
    def count(self) -> int:
        return len(self._found) + self._more

    @property
    def is_full(self) -> bool:
        """Are further faults only counted?"""
        return len(self._found) >= FAULTS_MOST

    def add(self, origin: SettingOrigin, key: str, text: str) -> None:
        """Add a fault, unless the setting has one already."""
        fault = SettingFault(origin, "" if origin.is_named else key, text.removeprefix(": "))
        if self.is_full:
            self._more += (origin, key) not in self._found
        else:
            self._found.setdefault((origin, key), fault)

    def check(self) -> None:
        """Raise InvalidSettings if there are any, in the order of their lines."""
        if self._found:
            raise InvalidSettings(sorted(self._found.values(), key=lambda fault: fault.origin.line or 0), self._more)


def shown_key(key: str) -> str:
    """A key in a message: hidden if it looks like a URL, since it may contain a password."""
    if looks_like_url(key):
        return HIDDEN
    shown = printable(key)
    return shown if len(shown) <= KEY_MOST else f"{shown[: KEY_MOST - 3]}..."
