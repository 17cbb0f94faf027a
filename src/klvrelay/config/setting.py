"""One setting: its name, its kind, its default and its description, all beside the field that has its value.

The tables made of them (`tables.py`) are the source of the reader, the environment variables, `--print-config`, the
JSON Schema and the reference page.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from typing import Any

from klvrelay.config.kinds import Kind

PLACES = ("file", "env", "credential")
"""Suffixes of the keys that name another place of a secret: a file, a variable, a credential of systemd."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A key of a table.

    text       what it is, in one line without a full stop
    default    the typed value; None: none, or as `note` says
    note       the default in words, if it depends on other settings
    example    a TOML value, for the reference
    elsewhere  the value may be in another place: see PLACES
    only       the kinds of sinks that have it; empty: all
    """

    name: str
    kind: Kind
    text: str
    default: Any = None
    note: str = ""
    example: str = ""
    elsewhere: bool = False
    only: tuple[str, ...] = ()

    @property
    def keys(self) -> tuple[str, ...]:
        """The key itself, and the keys that name another place of its value."""
        return (self.name, *(f"{self.name}_{place}" for place in PLACES)) if self.elsewhere else (self.name,)

    @property
    def full_text(self) -> str:
        """The text, with the kinds of sinks that have it, unless all have."""
        return f"{', '.join(self.only)}: {self.text}" if self.only else self.text

    @property
    def default_shown(self) -> str:
        """The default as TOML or in words; "" if there is none."""
        return self.note or ("" if self.default is None else self.kind.shown(self.default))


def described(kind: Kind, text: str, **others: Any) -> Mapping[str, Any]:
    """The metadata of a field that is a setting. `others`: see `Setting`."""
    return {"setting": (kind, text, others)}


def setting(default: Any, kind: Kind, text: str, **others: Any) -> Any:
    """A field of a dataclass that is a setting."""
    return field(default=default, metadata=described(kind, text, **others))


def settings_of(cls: type[Any]) -> tuple[Setting, ...]:
    """The settings among the fields of a dataclass."""
    found = []
    for one in fields(cls):
        if "setting" in one.metadata:
            kind, text, others = one.metadata["setting"]
            default = None if one.default is MISSING else one.default
            found.append(Setting(one.name, kind, text, default, **others))
    return tuple(found)
