"""One output: which records are due, and their payloads."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum
from typing import NamedTuple

from klvrelay.core.selection import Selection
from klvrelay.core.thinning import Thinning
from klvrelay.json_output import Numbers
from klvrelay.record import Record
from klvrelay.shape.contents import CONTENTS, Content
from klvrelay.shape.items import dead_bands, selection_of, sets, sets_with
from klvrelay.shape.marking import Gate, RecordMarking
from klvrelay.shape.output import Output
from klvrelay.shape.payload import Payload
from klvrelay.shape.rates import Pace

PLACES_MOST = 16384
"""Maximum number of streams and sets for which the answer is kept whether they are published."""
Key = tuple[str, str]


class Decision(IntEnum):
    """Whether an output publishes a record, and why not. The highest of several outputs counts."""

    UNWANTED = 0
    THINNED = 1
    WITHHELD = 2
    DUE = 3


_UNWANTED, _THINNED, _WITHHELD, _DUE = Decision  # looked up here, since that takes long for a member of an enum
_new = tuple.__new__  # a third of the time of calling the class


class Due(NamedTuple):
    """A record that an output publishes now. Its payloads are made when it is sent."""

    shaped: ShapedOutput
    record: Record
    replayed: bool
    content: Content

    def payloads(self, now: float) -> list[Payload]:
        """May be empty: nothing changed."""
        record, replayed = self.record, self.replayed
        at = record.received_us
        found = self.content.payloads(record, int(now * 1e6) if at is None else at)
        return [payload._replace(replayed=True) for payload in found] if replayed else found


class _Line:
    """The records of one stream and set.

    latest   the record to publish if nothing newer comes; of a retained output also one that was published
    """

    __slots__ = ("content", "key", "latest", "pace")

    def __init__(self, key: Key, content: Content, pace: Pace) -> None:
        self.key, self.content, self.pace = key, content, pace
        self.latest: Record | None = None


class ShapedOutput:
    """One output of one sink. `now` is the time of a monotonic clock in seconds.

    A record that is not due is held: `take_late` returns it if nothing newer comes.

    counts   number of records by Decision; a record that is published late counts as thinned and as due
    """

    def __init__(self, output: Output, numbers: Numbers) -> None:
        self.configured = output
        self._numbers = numbers
        self._is_paused = False
        self._use(output)
        self._lines: dict[Key, _Line] = {}
        self._held: dict[Key, float] = {}
        self.counts = [0] * len(Decision)

    def _use(self, output: Output) -> None:
        self.output = output
        self._found: dict[Key, _Line | None] = {}  # by stream and set; None: not wanted
        self._gate = Gate(output.limit)
        self._is_plain = not (output.retain or output.is_merged)
        selection = selection_of(output.items)
        self._thinning = thinning_of(output, selection)
        self._sets = None if selection is None else sets_with(selection)

    def offer(
        self, record: Record, mark: RecordMarking | None, now: float, due: list[Due], *, replayed: bool = False
    ) -> Decision:
        """Add a record to `due` if it is to be published now. `mark` is None without limits."""
        try:
            line = self._found[record.stream, record.set]
        except KeyError:
            line = self._find(record)
        if line is None:
            return _UNWANTED
        if mark is not None and not self._gate.admits(mark):
            return _WITHHELD
        if self._is_paused:
            return _THINNED
        if not self._is_plain:
            if replayed and self.output.retain:
                return _THINNED  # only the latest value counts
            self._note(line, record)
        pace, at = line.pace, record.received_us
        if not pace.interval or pace.is_due(int(now * 1e6) if at is None else at):
            if self._held:
                self._held.pop(line.key, None)
            due.append(_new(Due, (self, record, replayed, line.content)))
            return _DUE
        line.latest = record
        if line.key not in self._held:
            self._held[line.key] = now + pace.wait(_time_of(record, now))
        return _THINNED

    def _note(self, line: _Line, record: Record) -> None:
        """Keep what may be published later."""
        if self.output.is_merged:
            line.content.note(record)
        if self.output.retain:
            line.latest = record

    def take_late(self, now: float) -> list[Due]:
        """The records that were held for their interval: they are due now."""
        found = []
        for key in [key for key, due in self._held.items() if due <= now]:
            del self._held[key]
            line = self._lines[key]
            if line.latest is not None:
                line.pace.skip()
                self.counts[_DUE] += 1
                found.append(Due(self, line.latest, False, line.content))
            if not self.output.retain:
                line.latest = None
        return found

    def hold(self, record: Record, now: float) -> None:
        """A late record may not have arrived: it is late again, unless a newer one is held."""
        key = self._key(record)
        if key not in self._held:
            self._line(key).latest = record
            self._held[key] = now

    @property
    def holds(self) -> bool:
        """Are there records that `take_late` may return later?"""
        return bool(self._held)

    def reset(self, now: float) -> None:
        """A new connection: publish full records again, and retained values at once."""
        for key, line in self._lines.items():
            line.content.reset()
            if self.output.retain and line.latest is not None:
                self._held[key] = now

    def release(self) -> None:
        """Everything that is held is due now: nothing follows."""
        self._held = dict.fromkeys(self._held, 0.0)

    def give_up(self, stream: str) -> list[Record]:
        """Forget a stream that another output continues. Returns what that one is to publish."""
        found = []
        for key in [key for key in self._lines if key[0] == stream]:
            line = self._lines.pop(key)
            self._found.clear()
            is_held = self._held.pop(key, None) is not None
            if line.latest is not None and (is_held or self.output.retain):
                found.append(line.latest)
        return found

    def take_over(self, records: Iterable[Record], now: float) -> None:
        """Continue a stream that another output gave up."""
        for record in records:
            if self._wants(record):
                self._line(self._key(record)).content.note(record)
                self.hold(record, now)

    @property
    def published(self) -> Output | None:
        """As what it is published at present; None: not at all."""
        return None if self._is_paused else self.output

    def reshape(self, output: Output | None) -> None:
        """Publish as another output, or nothing (None), until the next call."""
        self._is_paused = output is None
        if output is None or output == self.output:
            return
        self._use(output)
        for line in self._lines.values():
            line.pace.change(output.rate)
            line.content.retune(output, self._thinning)

    def _find(self, record: Record) -> _Line | None:
        """None: the output does not publish such records. It keeps the answer."""
        line = self._line(self._key(record)) if self._wants(record) else None
        if len(self._found) >= PLACES_MOST:
            self._found.clear()
        self._found[record.stream, record.set] = line
        return line

    def _wants(self, record: Record) -> bool:
        is_chosen = self._sets is None or record.set in self._sets or record.set not in sets()
        return is_chosen and self.output.wants(record.stream)

    def _key(self, record: Record) -> Key:
        return record.stream, "" if self.output.is_merged else record.set

    def _line(self, key: Key) -> _Line:
        line = self._lines.get(key)
        if line is None:
            content = CONTENTS[self.output.content](self.output, self._thinning, self._numbers)
            line = self._lines[key] = _Line(key, content, Pace(self.output.rate))
        return line


def thinning_of(output: Output, selection: Selection | None) -> Thinning | None:
    """What is published of each packet; None: all of it."""
    if selection is None and not output.on_change and not output.coarse:
        return None
    bands = output.dead_bands
    return Thinning(
        selection,
        on_change=output.on_change,
        dead_bands=dead_bands() if bands is True else bands or None,
        coarse_m=output.coarse,
        marked=output.format == "klv",
    )


def _time_of(record: Record, now: float) -> int:
    """Arrival in microseconds; a record that was never live has the time of the clock."""
    return int(now * 1e6) if record.received_us is None else record.received_us
