"""Assigns each record to a stream: each PID with KLV is a separate elementary stream.

The first stream has the name of the source; the others get their PID as suffix, unless the settings name them. A new
PID is one of these:

    named        the settings name it
    moved        it continues a stream of the same program and set that has ended, with its name and numbers
    another      the first stream, or an additional one

The PMT or the following packets decide this; until then the records wait. The first stream is the lowest PID: if a
lower PID may carry KLV too, the records wait for it. So the same bytes give the same names with any demultiplexer.
"""

from __future__ import annotations

import time
from collections.abc import Mapping

from klvrelay import core
from klvrelay.config.choice import Choice
from klvrelay.config.names import unique_name
from klvrelay.core import ALONE, Entry, PacketInfo
from klvrelay.elementary_streams.elementary_stream import ElementaryStream, ticks_between
from klvrelay.log import logger

MOST = 16
"""Maximum streams of one source, in case its PMT keeps listing new PIDs."""
WAIT_RECORDS = 64
WAIT_TICKS = 2 * 90_000
WAIT_SECONDS = 2.0
"""Maximum wait for a lower PID: records, ticks of the program clock, and seconds for a live source."""
HELD_BYTES = 4 << 20
"""Maximum bytes that may wait in total."""
SILENT_TICKS = 90_000
SILENT_TIMES = 3
"""A stream has ended after a second without packets that is also this many of its usual intervals."""
UNUSUAL_TICKS = 10 * 90_000
"""The limit for a stream with a single record, which has no usual interval."""
QUIET = 60.0
"""Minimum seconds between two log lines about moved streams."""


class _Waiting:
    """An undecided PID: its records, and the streams that it may continue."""

    __slots__ = ("candidates", "entries", "last", "seen", "since")

    def __init__(self, seen: PacketInfo, candidates: list[ElementaryStream]) -> None:
        self.seen = seen
        self.candidates = candidates
        self.entries: list[Entry] = []
        self.last: PacketInfo | None = None
        self.since = time.monotonic()


class ElementaryStreams:
    """All KLV elementary streams of one source, over all its openings.

    next_seqs  number of the first record of streams that had records before; `first_seq` is that of all others
    taken      names of other streams of the relay; may be replaced
    refused    number of records on PIDs beyond MOST streams
    unwanted   programs by PID, of KLV that is not selected
    waiting    undecided PIDs
    known      streams by PID
    """

    def __init__(
        self, name: str, boot: str | None, choice: Choice, *, first_seq: int = 0,
        next_seqs: Mapping[str, int] | None = None,
    ) -> None:  # fmt: skip
        self.name = name
        self.taken = choice.taken
        self.refused = 0
        self.unwanted: dict[int | None, int | None] = {}
        self.waiting: dict[int | None, _Waiting] = {}
        self.known: dict[int | None, ElementaryStream] = {}
        self._boot = boot
        self._choice = choice
        self._first_seq = first_seq
        self._next_seqs = dict(next_seqs or {})
        self._streams: list[ElementaryStream] = []
        self._named: dict[str, ElementaryStream] = {}
        self._refused: set[int | None] = set()
        self._has_first = name in choice.names.values()
        self._begun: int | None = None
        self._ending = False
        self._held = 0
        self._logged_at = -QUIET

    def stream_of(self, seen: PacketInfo) -> ElementaryStream | None:
        """The stream of a packet; None if it must wait or is not selected."""
        stream = self.known.get(seen.pid)
        if stream is None and self._is_wanted(seen):
            stream = self._decide(seen)
        if stream is not None:
            for waiting in self.waiting.values():
                if stream in waiting.candidates:
                    waiting.candidates.remove(stream)
        return stream

    def take(self, entry: Entry) -> list[tuple[ElementaryStream, Entry]]:
        """The packets whose stream is decided by this one, in order. This packet is among them, or waits."""
        seen = _info_of(entry)
        if not self._is_wanted(seen):
            return []
        stream = self.stream_of(seen)
        if seen.pid in self._refused:
            self.refused += 1
            return []
        if stream is None:
            waiting = self.waiting[seen.pid]
            waiting.entries.append(entry)
            waiting.last = seen
            self._held += len(entry[0])
            return self._released() if self._held > HELD_BYTES else []
        return [*self._released(), (stream, entry)]

    def overdue(self) -> list[tuple[ElementaryStream, Entry]]:
        """The packets that have waited too long, by the clock of a live source's reader."""
        now = time.monotonic()
        if not any(now - waiting.since > WAIT_SECONDS for waiting in self.waiting.values()):
            return []
        self._name_first()
        return self._released()

    def end(self) -> list[tuple[ElementaryStream, Entry]]:
        """The source was closed: return the packets that still wait."""
        self._ending = True
        found = self._released()
        self._ending = False
        self._begun = None
        for stream in self._streams:
            stream.opened_at = stream.seq
        return found

    @property
    def missed(self) -> str:
        """Why KLV in the source yielded no records; "" if it has no KLV."""
        return self._choice.missed(self.unwanted) if self.unwanted and not self._streams else ""

    @property
    def records(self) -> int:
        """The number of records assigned to a stream."""
        return sum(stream.seq - self._first_of(stream.name) for stream in self._streams)

    def _first_of(self, name: str) -> int:
        return self._next_seqs.get(name, self._first_seq)

    def seqs(self) -> dict[str, int]:
        """Number of the next record of each stream, by name."""
        return {stream.name: stream.seq for stream in self._streams}

    def places(self) -> dict[str, tuple[int | None, int | None]]:
        """PID and program of each stream, by name."""
        return {stream.name: (stream.pid, stream.program) for stream in self._streams}

    # ---- decisions ----

    def _is_wanted(self, seen: PacketInfo) -> bool:
        if not self._choice.everything and not self._choice.wants(seen.pid, seen.program):
            if len(self.unwanted) < MOST:
                self.unwanted[seen.pid] = seen.program
            return False
        if self._begun is None:
            self._begun = seen.ticks
        return True

    def _decide(self, seen: PacketInfo) -> ElementaryStream | None:
        if seen.pid in self._refused:
            return None
        if seen.pid is None or self._choice.together:
            return self._only_one(seen)
        if (name := self._choice.names.get(seen.pid)) is not None:
            return self._stream(name, seen)
        waiting = self.waiting.get(seen.pid)
        if waiting is None:
            candidates = [s for s in self._streams if _may_continue(s, seen) and self.known.get(s.pid) is s]
            waiting = self.waiting[seen.pid] = _Waiting(seen, candidates)
        ended = next((s for s in waiting.candidates if self._has_ended(s, seen, waiting)), None)
        if ended is not None:
            return self._move(ended, seen)
        if not self._has_first:
            if self._choice.awaits_lower(seen) and not self._is_late(waiting, seen):
                return None
            self._name_first(seen)
        if seen.pid in self.known:
            return self.known[seen.pid]
        if waiting.candidates and not self._ending and self._held <= HELD_BYTES:
            return None
        return self._another(seen)

    def _only_one(self, seen: PacketInfo) -> ElementaryStream | None:
        """The first stream, for KLV that is not divided by PID."""
        stream = self._named.get(self.name)
        if stream is None or seen.pid is None:  # MPEG-TS and bare KLV do not mix: it lost its PID
            stream = self._stream(self.name, seen)
        if stream is not None:
            self.known[seen.pid] = stream
        self._has_first = True
        return stream

    def _is_late(self, waiting: _Waiting, seen: PacketInfo) -> bool:
        """Has the wait for a lower PID lasted long enough?"""
        if self._ending or self._held > HELD_BYTES or len(waiting.entries) >= WAIT_RECORDS:
            return True
        after = ticks_between(seen.ticks, waiting.seen.ticks)
        return after is not None and after >= WAIT_TICKS

    def _name_first(self, seen: PacketInfo | None = None) -> None:
        """Give the source's name to the lowest PID so far, or to `seen` if no lower PID can follow."""
        if self._has_first:
            return
        undecided = [waiting.seen for waiting in self.waiting.values() if waiting.seen.pid not in self.known]
        if seen is None or self._choice.awaits_lower(seen):
            seen = min(undecided, key=lambda other: -1 if other.pid is None else other.pid, default=None)
        if seen is not None:
            self._stream(self.name, seen)
            self._has_first = True

    def _has_ended(self, stream: ElementaryStream, seen: PacketInfo, waiting: _Waiting) -> bool:
        """Is a stream's PID no longer listed, or silent for so long that the new PID replaces it?

        Bare KLV ends when KLV with a PID arrives.
        """
        if stream.pid is None or (seen.listing & ALONE and stream.program == seen.program):
            return True
        since = ticks_between(seen.ticks, stream.last if stream.was_seen else self._begun)
        if since is None or since < 0:
            return len(waiting.entries) >= (4 if self._ending else WAIT_RECORDS)
        interval = stream.interval()
        if interval is None:
            return since > (SILENT_TICKS if self._ending else UNUSUAL_TICKS)
        return since > (2 * interval if self._ending else max(SILENT_TICKS, SILENT_TIMES * interval))

    def _move(self, stream: ElementaryStream, seen: PacketInfo) -> ElementaryStream:
        now = time.monotonic()
        if stream.pid is not None and now - self._logged_at >= QUIET:
            self._logged_at = now
            logger().info("%s: KLV moved to another PID: pid=%s before=%s", stream.name, seen.pid, stream.pid)
        self.known.pop(stream.pid, None)
        self.known[seen.pid] = stream
        stream.pid, stream.program = seen.pid, seen.program
        return stream

    def _another(self, seen: PacketInfo) -> ElementaryStream | None:
        taken = self.taken | self._named.keys()  # a moved stream keeps its name
        return self._stream(unique_name(f"{self.name}.{seen.pid}", taken), seen)

    def _stream(self, name: str, seen: PacketInfo) -> ElementaryStream | None:
        """The stream of that name, moved to this PID."""
        stream = self._named.get(name)
        if stream is not None:
            if self.known.get(stream.pid) is stream:
                del self.known[stream.pid]
            stream.pid, stream.program = seen.pid, seen.program
        elif len(self._streams) < MOST:
            stream = ElementaryStream(name, core.head(name, self._boot), self._first_of(name), seen)
            self._named[name] = stream
            self._streams.append(stream)
        else:
            if not self._refused:
                logger().warning(
                    "%s: KLV on more than %d PIDs, the rest is ignored; see the PMT: pid=%s", self.name, MOST, seen.pid
                )
            self._refused.add(seen.pid)
            return None
        self.known[seen.pid] = stream
        return stream

    def _released(self) -> list[tuple[ElementaryStream, Entry]]:
        """The packets that no longer need to wait."""
        found: list[tuple[ElementaryStream, Entry]] = []
        for pid, waiting in list(self.waiting.items()):
            stream = self.stream_of(waiting.last or waiting.seen)
            if stream is None and pid not in self._refused:
                continue
            del self.waiting[pid]
            self._held -= sum(len(entry[0]) for entry in waiting.entries)
            if stream is None:
                self.refused += len(waiting.entries)
                continue
            found += [(stream, entry) for entry in waiting.entries]
        return found


def _info_of(entry: Entry) -> PacketInfo:
    _, pts, pid, set_, _, _, _, pcr, program, listing = entry
    return PacketInfo(pid, program, set_, listing, pts if pcr is None else pcr)


def _may_continue(stream: ElementaryStream, seen: PacketInfo) -> bool:
    """May a PID continue this stream, i.e. does it have the same program and set?"""
    same = None in (stream.program, seen.program) or stream.program == seen.program
    return same and seen.set in stream.sets
