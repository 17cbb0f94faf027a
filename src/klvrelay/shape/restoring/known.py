"""What a reader knows of each stream: the last full content of each of its sets, within limits.

A partial record continues one record, which it names by its `seq`. So a record that was lost is noticed, however many
records the output leaves out by itself.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

STREAMS_MOST = 1000
"""Maximum number of streams that are remembered; the one unused for longest is forgotten first."""
SETS_MOST = 16
"""Maximum number of sets of a stream."""
CONTENT_MOST = 1 << 16
"""Maximum bytes of the content of one set."""
TOTAL_MOST = 16 << 20
"""Maximum bytes of all content."""
RECENT_MOST = 64
"""Number of partial records of a stream that are recognised when they arrive again."""
STREAM_OCTETS = 4096
"""Bytes that count for a stream beside its content."""


@dataclass(slots=True)
class KnownSet:
    """The content of one set after the record `seq`; None in a format without numbers."""

    seq: int | None
    content: Any
    size: int


@dataclass(slots=True)
class KnownStream:
    """The sets of a stream.

    boot    the run that they belong to
    last    the highest seq since the last full record
    recent  marks of the last partial records
    count   number of records so far, for a format without numbers
    """

    boot: str | None = None
    last: int = -1
    sets: OrderedDict[Any, KnownSet] = field(default_factory=OrderedDict)
    recent: deque[int] = field(default_factory=lambda: deque(maxlen=RECENT_MOST))
    count: int = 0
    size: int = STREAM_OCTETS

    def put(self, key: Any, content: Any, size: int, seq: int | None) -> None:
        """Replace the content of a set; one that is too large is not kept."""
        self.drop(key)
        if size <= CONTENT_MOST:
            self.sets[key] = KnownSet(seq, content, size)
            self.size += size
            if len(self.sets) > SETS_MOST:
                self.drop(next(iter(self.sets)))

    def drop(self, key: Any) -> None:
        """Forget a set."""
        if (known := self.sets.pop(key, None)) is not None:
            self.size -= known.size

    def clear(self) -> None:
        """Forget all sets, for example since another run of the relay begins."""
        self.sets.clear()
        self.size = STREAM_OCTETS
        self.recent.clear()
        self.last = -1

    def begin(self, boot: str | None, seq: int) -> None:
        """A full record: sets of another run are forgotten."""
        if boot != self.boot:
            self.clear()
            self.boot = boot
        self.last = seq

    def find(self, key: Any, seq: int, after: int, mark: int) -> KnownSet | None:
        """The set as the record `after` left it, which the partial record `seq` continues; None if it is not known.

        A record older than the last one that did not arrive before belongs to a run whose full records were lost.
        """
        if seq <= self.last:
            if mark not in self.recent:
                self.clear()
            return None
        known = self.sets.get(key)
        if known is None or known.seq != after:
            return None
        self.recent.append(mark)
        self.last = seq
        return known


class KnownStreams:
    """The streams by format and name."""

    def __init__(self, most: int = TOTAL_MOST) -> None:
        self.most = most
        self._streams: OrderedDict[tuple[str, str], KnownStream] = OrderedDict()
        self.size = 0

    def __len__(self) -> int:
        return len(self._streams)

    @contextmanager
    def using(self, kind: str, stream: str) -> Iterator[KnownStream]:
        """A stream, to read and change; afterwards those unused for longest are forgotten beyond the limits."""
        known = self._streams.pop((kind, stream), None)
        if known is None:
            known = KnownStream()
        else:
            self.size -= known.size + len(stream)
        try:
            yield known
        finally:
            self._streams[kind, stream] = known
            self.size += known.size + len(stream)
            while len(self._streams) > STREAMS_MOST or self.size > self.most:
                self._forget(next(iter(self._streams)))

    def forget(self, stream: str) -> None:
        """Forget a stream in all formats."""
        for key in [key for key in self._streams if key[1] == stream]:
            self._forget(key)

    def _forget(self, key: tuple[str, str]) -> None:
        self.size -= self._streams.pop(key).size + len(key[1])
