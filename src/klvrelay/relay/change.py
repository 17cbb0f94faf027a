"""What a reload changes: the streams and sinks to remove, to replace and to add."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Generic, NamedTuple, TypeVar

from klvrelay.relay.sink_input import SinkInput
from klvrelay.relay.stream_input import StreamInput

T = TypeVar("T")


class Difference(NamedTuple, Generic[T]):
    """The entries that differ between two settings, by name.

    removed  names that only the old settings have
    added    entries that only the new settings have
    changed  entries of the new settings whose old entry is not equal
    """

    removed: tuple[str, ...]
    added: dict[str, T]
    changed: dict[str, T]

    @property
    def all_new(self) -> dict[str, T]:
        return self.changed | self.added


def difference(old: Mapping[str, T], new: Mapping[str, T]) -> Difference[T]:
    """Compare entries by name; their order does not matter."""
    return Difference(
        tuple(name for name in old if name not in new),
        {name: entry for name, entry in new.items() if name not in old},
        {name: entry for name, entry in new.items() if name in old and entry != old[name]},
    )


class SettingsChange(NamedTuple):
    """A change of a running relay. Streams and sinks that it does not name continue.

    streams       are added, or replace the streams of the same names
    sinks         are added, or replace the sinks of the same names, and continue with their cursors
    gone_streams  names of the streams to remove
    gone_sinks    names of the sinks to remove
    taken         all stream names in the new settings
    """

    streams: Sequence[StreamInput] = ()
    sinks: Sequence[SinkInput] = ()
    gone_streams: Collection[str] = ()
    gone_sinks: Collection[str] = ()
    taken: frozenset[str] = frozenset()
