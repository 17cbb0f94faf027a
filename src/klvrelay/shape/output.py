"""An output: what a sink publishes of its records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal

from klvrelay.shape.encoding.content_types import Format as Format
from klvrelay.shape.marking import NO_LIMIT, Limit

Preset = Literal["telemetry", "osd", "state", "items", "homeassistant"]
Contents = Literal["records", "state", "items", "homeassistant"]
Compression = Literal["none", "zstd"]
Priority = Literal["alert", "position", "attitude", "other", "frames"]

SNAPSHOT = 10.0
"""Default seconds between two full records of an output on change."""
BATCH_HELD = 1.0
"""Maximum seconds for which records wait for others to share a message with, by `batch`."""


@dataclass(frozen=True, slots=True)
class Output:
    """What a sink publishes of its records, and how.

    name        unique in the sink
    topic       template with {prefix} {stream} {item} {output} {set}
    content     "records", "state": the latest value of each item, merged, "items": a message for each item,
                "homeassistant": the latest values for Home Assistant, and what announces them
    streams     patterns of stream names, with ! exclusions; empty: all
    items       expressions, see `items.py`; empty: all
    rate        messages per second at most, of each stream and set; None: every record
    on_change   partial records: what changed since the record before
    dead_bands  changes that are none, by key; True: those of the tables
    snapshot    with `on_change`, seconds between two full records
    batch       records per message
    qos         None: that of the sink
    coarse      positions are rounded to so many metres; 0: not
    limit       the markings that it may publish
    priority    on an uplink with a budget; None: from its items
    preset      that it was made from
    """

    name: str
    topic: str
    content: Contents = "records"
    streams: tuple[str, ...] = ()
    items: tuple[str, ...] = ()
    rate: float | None = None
    on_change: bool = False
    dead_bands: bool | Mapping[str, float] = False
    snapshot: float = SNAPSHOT
    format: Format = "json"
    compression: Compression = "none"
    batch: int = 1
    retain: bool = False
    qos: int | None = None
    coarse: float = 0.0
    limit: Limit = NO_LIMIT
    priority: Priority | None = None
    preset: Preset | None = None

    @property
    def is_merged(self) -> bool:
        """Does it publish the latest values of all sets together?"""
        return self.content in ("state", "homeassistant")

    def wants(self, stream: str) -> bool:
        """Does it publish records of this stream?"""
        return matches(stream, self.streams)


def is_whole(output: Output) -> bool:
    """Does it publish whole records, if nothing thins them?"""
    return output.content == "records" and not output.items and not output.coarse


def is_exact(output: Output) -> bool:
    """Does it publish items as they are, whatever their marking?"""
    return not output.limit.is_set and not output.coarse


def matches(name: str, patterns: tuple[str, ...]) -> bool:
    """Does a name match one of the patterns, and none of those that begin with `!`? No patterns match all."""
    excluded = [pattern[1:] for pattern in patterns if pattern.startswith("!")]
    included = [pattern for pattern in patterns if not pattern.startswith("!")]
    is_included = not included or any(fnmatchcase(name, pattern) for pattern in included)
    return is_included and not any(fnmatchcase(name, pattern) for pattern in excluded)
