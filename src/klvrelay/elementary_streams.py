"""Which stream a record belongs to: each KLV elementary stream, that is each PID with KLV, is a separate stream.

The first one has the name of the source, the others have their PID behind it, unless the settings name them. A PID
that is new is one of three:

    named        the settings say what it is called
    moved        a stream of the same program and set is not there any more: it goes on under its name and numbers
    another one  the first of all, or one more

Which it is, the tables say, or what comes next: until then its records wait. The first one is the lowest PID; where a
lower one may carry KLV too, that is waited for. So the same bytes give the same names, whoever takes them apart.

Next door: `klv.py` asks here for each record, `wire.py` reads what the tables say.
"""

from __future__ import annotations

import time
from collections.abc import Iterable

from klvrelay import core
from klvrelay.config.choice import Choice
from klvrelay.config.names import unique_name
from klvrelay.core import ALONE, Entry, Sighting
from klvrelay.log import logger

MOST = 16
"""Streams that one source may have: tables that list other PIDs each time make no more."""
WAIT_RECORDS = 64
WAIT_TICKS = 2 * 90_000
WAIT_SECONDS = 2.0
"""How long a lower PID is waited for: in records, in time of the program, and by a live source's reader."""
HELD_BYTES = 4 << 20
"""What may wait in all."""
SILENT_TICKS = 90_000
SILENT_TIMES = 3
"""A stream is gone when nothing came for a second and for so many of its usual intervals."""
LOOK = 1024
"""Records between two looks at what is usual."""
UNUSUAL_TICKS = 10 * 90_000
"""The same for a stream of one record, which has no usual interval."""
QUIET = 60.0
"""Seconds between two lines in the log about streams that moved."""
_WRAP = 1 << 33


class ElementaryStream:
    """One KLV elementary stream: its name, the number of its next record, and where and when it was seen last.

    last          time of its last record, in ticks
    first         time and number of a record some while ago, from which its usual interval is taken
    opened_at     number of its next record when the source was opened
    """

    __slots__ = ("first", "head", "last", "name", "opened_at", "pid", "program", "seq", "sets", "usual")

    def __init__(self, name: str, head: bytes, seq: int, seen: Sighting) -> None:
        self.name = name
        self.head = head
        self.seq = self.opened_at = seq
        self.pid, self.program, self.sets = seen.pid, seen.program, {seen.set}
        self.last = seen.ticks
        self.first: tuple[int | None, int] = seen.ticks, seq
        self.usual: float | None = None

    def gave(self, count: int, ticks: int | None, sets: Iterable[str]) -> None:
        """So many packets of it became records, the last one at this time."""
        before, self.seq, self.last = self.seq, self.seq + count, ticks
        self.sets.update(sets)
        if before // LOOK != self.seq // LOOK:
            self.look()

    @property
    def was_seen(self) -> bool:
        """Did a record come since the source was opened?"""
        return self.seq > self.opened_at

    def interval(self) -> float | None:
        """Ticks between two records, as a rule; None where that is not known."""
        ticks, number = self.first
        taken, count = _after(self.last, ticks), self.seq - 1 - number
        return self.usual if taken is None or taken < 0 or count < 1 else taken / count

    def look(self) -> None:
        """What is usual is taken from here on: long before the clock wraps."""
        self.usual = self.interval()
        self.first = self.last, self.seq - 1


class _Waiting:
    """A PID that is not known yet: its records, and the streams that it may be the continuation of."""

    __slots__ = ("entries", "last", "rivals", "seen", "since")

    def __init__(self, seen: Sighting, rivals: list[ElementaryStream]) -> None:
        self.seen = seen
        self.rivals = rivals
        self.entries: list[Entry] = []
        self.last: Sighting | None = None
        self.since = time.monotonic()


class ElementaryStreams:
    """All KLV elementary streams of one source, over all its openings.

    refused    records that belong to more streams than MOST
    unwanted   programs of the PIDs whose KLV is not wanted
    waiting    PIDs whose stream is not decided
    known      streams by PID
    """

    def __init__(self, name: str, boot: str | None, choice: Choice, *, first_seq: int = 0) -> None:
        self.name = name
        self.refused = 0
        self.unwanted: dict[int | None, int | None] = {}
        self.waiting: dict[int | None, _Waiting] = {}
        self.known: dict[int | None, ElementaryStream] = {}
        self._boot = boot
        self._choice = choice
        self._first_seq = first_seq
        self._streams: list[ElementaryStream] = []
        self._named: dict[str, ElementaryStream] = {}
        self._refused: set[int | None] = set()
        self._has_first = name in choice.names.values()
        self._begun: int | None = None
        self._ending = False
        self._held = 0
        self._said = -QUIET

    def stream_of(self, seen: Sighting) -> ElementaryStream | None:
        """The stream of a packet that was seen; None: it waits, or it is not wanted."""
        stream = self.known.get(seen.pid)
        if stream is None and self._is_wanted(seen):
            stream = self._decided(seen)
        if stream is not None:
            for waiting in self.waiting.values():
                if stream in waiting.rivals:
                    waiting.rivals.remove(stream)
        return stream

    def take(self, entry: Entry) -> list[tuple[ElementaryStream, Entry]]:
        """The packets whose stream is known with this one, in order; it may be among them, or wait."""
        seen = _sighting(entry)
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
        """The packets that have waited too long, where a live source's reader looks at the clock now."""
        now = time.monotonic()
        if not any(now - waiting.since > WAIT_SECONDS for waiting in self.waiting.values()):
            return []
        self._give_first()
        return self._released()

    def end(self) -> list[tuple[ElementaryStream, Entry]]:
        """An opening of the source is over: the packets that still waited."""
        self._ending = True
        found = self._released()
        self._ending = False
        self._begun = None
        for stream in self._streams:
            stream.opened_at = stream.seq
        return found

    @property
    def missed(self) -> str:
        """Why no KLV came where there is some; "" where there is none."""
        return self._choice.missed(self.unwanted) if self.unwanted and not self._streams else ""

    @property
    def records(self) -> int:
        """How many were given a stream."""
        return sum(stream.seq - self._first_seq for stream in self._streams)

    def places(self) -> dict[str, tuple[int | None, int | None]]:
        """PID and program of each stream by its name."""
        return {stream.name: (stream.pid, stream.program) for stream in self._streams}

    # ---- decisions ----

    def _is_wanted(self, seen: Sighting) -> bool:
        if not self._choice.everything and not self._choice.wants(seen.pid, seen.program):
            if len(self.unwanted) < MOST:
                self.unwanted[seen.pid] = seen.program
            return False
        if self._begun is None:
            self._begun = seen.ticks
        return True

    def _decided(self, seen: Sighting) -> ElementaryStream | None:
        if seen.pid in self._refused:
            return None
        if seen.pid is None or self._choice.together:
            return self._only_one(seen)
        if (name := self._choice.names.get(seen.pid)) is not None:
            return self._stream(name, seen)
        waiting = self.waiting.get(seen.pid)
        if waiting is None:
            rivals = [s for s in self._streams if _is_alike(s, seen) and self.known.get(s.pid) is s]
            waiting = self.waiting[seen.pid] = _Waiting(seen, rivals)
        gone = next((s for s in waiting.rivals if self._is_gone(s, seen, waiting)), None)
        if gone is not None:
            return self._moved(gone, seen)
        if not self._has_first:
            if self._choice.awaits_lower(seen) and not self._is_late(waiting, seen):
                return None
            self._give_first(seen)
        if seen.pid in self.known:
            return self.known[seen.pid]
        if waiting.rivals and not self._ending and self._held <= HELD_BYTES:
            return None
        return self._another(seen)

    def _only_one(self, seen: Sighting) -> ElementaryStream | None:
        """KLV that no PID parts: the first stream."""
        stream = self._named.get(self.name)
        if stream is None or seen.pid is None:  # KLV in MPEG-TS does not come beside bare KLV: it has its PID no more
            stream = self._stream(self.name, seen)
        if stream is not None:
            self.known[seen.pid] = stream
        self._has_first = True
        return stream

    def _is_late(self, waiting: _Waiting, seen: Sighting) -> bool:
        """Was a lower PID waited for long enough?"""
        if self._ending or self._held > HELD_BYTES or len(waiting.entries) >= WAIT_RECORDS:
            return True
        after = _after(seen.ticks, waiting.seen.ticks)
        return after is not None and after >= WAIT_TICKS

    def _give_first(self, seen: Sighting | None = None) -> None:
        """The name of the source goes to the lowest PID that has come, unless a lower one can't come: then to that."""
        if self._has_first:
            return
        came = [waiting.seen for waiting in self.waiting.values() if waiting.seen.pid not in self.known]
        if seen is None or self._choice.awaits_lower(seen):
            seen = min(came, key=lambda other: -1 if other.pid is None else other.pid, default=None)
        if seen is not None:
            self._stream(self.name, seen)
            self._has_first = True

    def _is_gone(self, stream: ElementaryStream, seen: Sighting, waiting: _Waiting) -> bool:
        """Is a stream's PID not listed any more, or silent for so long that the new PID stands for it? Bare KLV ends
        where KLV with a PID comes.
        """
        if stream.pid is None or (seen.listing & ALONE and stream.program == seen.program):
            return True
        since = _after(seen.ticks, stream.last if stream.was_seen else self._begun)
        if since is None or since < 0:
            return len(waiting.entries) >= (4 if self._ending else WAIT_RECORDS)
        interval = stream.interval()
        if interval is None:
            return since > (SILENT_TICKS if self._ending else UNUSUAL_TICKS)
        return since > (2 * interval if self._ending else max(SILENT_TICKS, SILENT_TIMES * interval))

    def _moved(self, stream: ElementaryStream, seen: Sighting) -> ElementaryStream:
        now = time.monotonic()
        if stream.pid is not None and now - self._said >= QUIET:
            self._said = now
            logger().info("%s: its KLV has moved: pid=%s before=%s", stream.name, seen.pid, stream.pid)
        self.known.pop(stream.pid, None)
        self.known[seen.pid] = stream
        stream.pid, stream.program = seen.pid, seen.program
        return stream

    def _another(self, seen: Sighting) -> ElementaryStream | None:
        taken = self._choice.taken | self._named.keys()  # one that has moved keeps its name
        return self._stream(unique_name(f"{self.name}.{seen.pid}", taken), seen)

    def _stream(self, name: str, seen: Sighting) -> ElementaryStream | None:
        """The stream of that name, which has this PID from now on."""
        stream = self._named.get(name)
        if stream is not None:
            if self.known.get(stream.pid) is stream:
                del self.known[stream.pid]
            stream.pid, stream.program = seen.pid, seen.program
        elif len(self._streams) < MOST:
            stream = ElementaryStream(name, core.head(name, self._boot), self._first_seq, seen)
            self._named[name] = stream
            self._streams.append(stream)
        else:
            if not self._refused:
                logger().warning(
                    "%s: KLV on more than %d PIDs: the rest is left out; see the PMT: pid=%s", self.name, MOST, seen.pid
                )
            self._refused.add(seen.pid)
            return None
        self.known[seen.pid] = stream
        return stream

    def _released(self) -> list[tuple[ElementaryStream, Entry]]:
        """What waited and waits no more."""
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


def _sighting(entry: Entry) -> Sighting:
    _, pts, pid, set_, _, _, _, pcr, program, listing = entry
    return Sighting(pid, program, set_, listing, pts if pcr is None else pcr)


def _is_alike(stream: ElementaryStream, seen: Sighting) -> bool:
    """May a PID be the continuation of this stream? Of the same program and set."""
    same = None in (stream.program, seen.program) or stream.program == seen.program
    return same and seen.set in stream.sets


def _after(ticks: int | None, before: int | None) -> int | None:
    """Ticks from one time to the other, below 0 where it went back; None where one is not known."""
    if ticks is None or before is None:
        return None
    return (ticks - before + _WRAP // 2) % _WRAP - _WRAP // 2
