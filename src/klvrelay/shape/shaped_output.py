"""One output: which records are due, and their payloads."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum

from klvrelay.core.selection import Selection
from klvrelay.core.thinning import Thinning
from klvrelay.json_output import Numbers
from klvrelay.record import Record
from klvrelay.shape.contents import CONTENTS, Content
from klvrelay.shape.items import dead_bands, selection_of, sets, sets_with
from klvrelay.shape.marking import RecordMarking
from klvrelay.shape.output import Output
from klvrelay.shape.payload import Payload
from klvrelay.shape.rates import Pace

STREAMS_MOST = 4096
"""Maximum number of streams whose names are kept."""
Key = tuple[str, str]


class Decision(IntEnum):
    """Whether an output publishes a record, and why not. The highest of several outputs counts."""

    UNWANTED = 0
    THINNED = 1
    WITHHELD = 2
    DUE = 3


class _Line:
    """The records of one stream and set.

    latest   the record to publish if nothing newer comes; of a retained output also one that was published
    """

    __slots__ = ("content", "latest", "pace")

    def __init__(self, content: Content, pace: Pace) -> None:
        self.content, self.pace = content, pace
        self.latest: Record | None = None


class ShapedOutput:
    """One output of one sink. `now` is the time of a monotonic clock in seconds.

    A record that is not due is held: `take_late` returns it if nothing newer comes.
    """

    def __init__(self, output: Output, numbers: Numbers) -> None:
        self.configured = output
        self._numbers = numbers
        self._is_paused = False
        self._use(output)
        self._wanted: dict[str, bool] = {}
        self._lines: dict[Key, _Line] = {}
        self._held: dict[Key, float] = {}

    def _use(self, output: Output) -> None:
        self.output = output
        selection = selection_of(output.items)
        self._thinning = thinning_of(output, selection)
        self._sets = None if selection is None else sets_with(selection)

    def decide(self, record: Record, mark: RecordMarking | None, now: float, *, replayed: bool = False) -> Decision:
        """Whether to publish a record now: if it is due, call `payloads` with it. `mark` is None without limits."""
        output = self.output
        if not self._wants(record):
            return Decision.UNWANTED
        if mark is not None and not output.limit.admits(mark):
            return Decision.WITHHELD
        if self._is_paused:
            return Decision.THINNED
        if replayed and output.retain:
            return Decision.THINNED  # only the latest value counts
        key = self._key(record)
        line = self._line(key)
        if output.is_merged:
            line.content.note(record)
        if output.retain:
            line.latest = record
        if line.pace.is_due(at := _time_of(record, now)):
            self._held.pop(key, None)
            return Decision.DUE
        line.latest = record
        self._held.setdefault(key, now + line.pace.wait(at))
        return Decision.THINNED

    def payloads(self, record: Record, now: float) -> list[Payload]:
        """The payloads of a record that is due. Empty if nothing changed."""
        line = self._line(self._key(record))
        return line.content.payloads(record, _time_of(record, now))

    def take_late(self, now: float) -> list[Record]:
        """The records that were held for their interval: they are due now."""
        found = []
        for key in [key for key, due in self._held.items() if due <= now]:
            del self._held[key]
            line = self._lines[key]
            if line.latest is not None:
                line.pace.skip()
                found.append(line.latest)
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

    def _wants(self, record: Record) -> bool:
        stream = record.stream
        wanted = self._wanted.get(stream)
        if wanted is None:
            wanted = self.output.wants(stream)
            if len(self._wanted) < STREAMS_MOST:
                self._wanted[stream] = wanted
        return wanted and (self._sets is None or record.set in self._sets or record.set not in sets())

    def _key(self, record: Record) -> Key:
        return record.stream, "" if self.output.is_merged else record.set

    def _line(self, key: Key) -> _Line:
        line = self._lines.get(key)
        if line is None:
            content = CONTENTS[self.output.content](self.output, self._thinning, self._numbers)
            line = self._lines[key] = _Line(content, Pace(self.output.rate))
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
