"""The values that walk the corridor: a `Packet` (or `Units`) comes out of a source, a `Record` goes to the sinks.

`link.py` has `Link`, what a source knows of its line; `sources/` makes packets, `klv.py` turns them into
records, `wire.py` is the C that a record asks for its JSON.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from threading import get_ident
from typing import TYPE_CHECKING, Any, NamedTuple

from klvrelay import core
from klvrelay.core import Checksum, Entry, Transport
from klvrelay.core.carriage import Carriage as Carriage
from klvrelay.json_output import Numbers

if TYPE_CHECKING:
    from datetime import datetime

    from klvrelay.core.selection import Selection
    from klvrelay.link_stats import LinkStats as LinkStats

_ALL = core.EVERYTHING


def utc(us: int | None) -> datetime | None:
    """Microseconds since 1970 as a UTC datetime; None for None, and past the year 9999."""
    try:
        return None if us is None else _since_epoch()(us)
    except OverflowError:
        return None


@cache
def _since_epoch() -> Callable[[int], datetime]:
    """datetime is loaded when a time is asked for."""
    from datetime import UTC, datetime, timedelta

    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    return lambda us: epoch + timedelta(microseconds=us)


class Packet(NamedTuple):
    """Bytes as a source received them, and what is known of their way here.

    data         transport-stream bytes in any cut, or KLV bytes in any cut, as `carriage` says
    received_us  microseconds since 1970 UTC when they arrived, or None for bytes that were never live
    pts          90 kHz presentation time of the KLV (33 bits), for carriage "klv" only
    pid          elementary PID or stream index the KLV came from, for carriage "klv" only
    damaged      the transport lost or reordered something inside these bytes
    program      number of the program that the PID is listed in, for carriage "klv" only
    listing      what else is listed there: bits of `wire`, for carriage "klv" only
    """

    data: bytes | bytearray | memoryview
    received_us: int | None = None
    carriage: Carriage = "ts"
    pts: int | None = None
    pid: int | None = None
    damaged: bool = False
    program: int | None = None
    listing: int = 0


class Units(NamedTuple):
    """KLV packets that the source itself found in its bytes: whole, or marked damaged; in order."""

    entries: Sequence[Entry]


class Record(NamedTuple):  # a frozen dataclass costs six times as much to make, and there are many
    """One KLV packet with its identity, times and quality; its items are decoded when asked for.

    raw          the whole packet: key, length, value (SMPTE ST 336)
    set          "ST0601", "ST0102", "ST0903", ...; "unknown" for a key no table has
    checksum     "ok", "bad", "absent" where there is none, or "partial": right, but items stand behind it
    transport    "ok", or "damaged" when it spans a loss on the way here: never to be trusted
    pts          90 kHz presentation time of the PES packet it began in, 33 bits, or None
    pid          PID it came from, or number of the stream in a container that has no PIDs, or None
    received_us  microseconds since 1970 UTC when it arrived, or None for bytes that were never live
    stream, boot, seq   its identity: who, which run of the relay, and the count within both
    pcr          the programme's clock as last seen before its end, 90 kHz, 33 bits, or None
    program      number of the program whose PMT lists that PID, or None
    """

    raw: bytes
    set: str
    checksum: Checksum
    transport: Transport
    pts: int | None
    pid: int | None
    received_us: int | None
    stream: str
    boot: str | None
    seq: int
    pcr: int | None = None
    program: int | None = None

    @property
    def good(self) -> bool:
        """Fit for `telemetry`: whole on arrival, and no checksum speaks against it."""
        return self.transport == "ok" and self.checksum != "bad"

    @property
    def time_us(self) -> int | None:
        """Item 2 as it was sent: microseconds since 1970 (ST 0603), or None where the packet has none."""
        return core.time_us(self.raw)

    @property
    def clock_us(self) -> int | None:
        """The time of item 2 in microseconds since 1970, also where it was sent in another unit (see the warnings)."""
        return core.clock_us(self.raw)

    @property
    def time(self) -> datetime | None:
        """`clock_us` as a UTC datetime, or None where absent or past the year 9999."""
        return utc(self.clock_us)

    @property
    def held(self) -> bytes | None:
        """A mark of which items it holds, the same for all that hold the same; None where it can't be told so."""
        return core.tags(self.raw)

    @property
    def items(self) -> dict[str, Any]:
        """The items by key, as the record's JSON has them; decoded anew at each call."""
        items: dict[str, Any] = _loads()(core.items_json(self.raw))
        return items

    def json(self, *, numbers: Numbers = "exact", items: Selection | None = None) -> bytes:
        """The record as one JSON document of schema `klvrelay/1`, UTF-8, without a line end.

        numbers   "safe": integers beyond 2^53 - 1 as strings
        items     `klvrelay.select(...)`: only these items, and of `special` and `warnings` what is about them, the
                  packet as a whole, or its time and version. An item that the whole document, being very large, keeps
                  raw may be decoded here.
        """
        shared = _shared if items is None else None
        if shared is not None and (text := shared.find(self, numbers)) is not None:
            return text
        text = core.record_json(
            self.raw,
            core.head(self.stream, self.boot),
            self.seq,
            self.received_us,
            self.pts,
            self.transport != "ok",
            self.pid,
            self.program,
            self.checksum,
            numbers == "safe",
            _ALL if items is None else items.chosen,
        )
        if shared is not None:
            shared.keep(self, numbers, text)
        return text


SHARED_MOST = 1 << 20
"""Bytes of records and their documents that `sharing_json` keeps by default: some 600 records of 228 bytes."""


class _Documents:
    """The JSON of the newest records, for who asks next; the oldest goes first once there are more than `most` bytes.

    It keeps its records too: while it has one, no other object has its id.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._size = 0
        self._texts: dict[tuple[int, Numbers], tuple[Record, bytes]] = {}
        self._thread = get_ident()

    def find(self, record: Record, numbers: Numbers) -> bytes | None:
        found = self._texts.get((id(record), numbers))
        return None if found is None else found[1]

    def keep(self, record: Record, numbers: Numbers, text: bytes) -> None:
        if get_ident() != self._thread:  # a record may be asked for its JSON in any thread
            return
        self._texts[id(record), numbers] = record, text
        self._size += len(record.raw) + len(text)
        while self._size > self._most:
            oldest, dropped = self._texts.pop(next(iter(self._texts)))
            self._size -= len(oldest.raw) + len(dropped)


_shared: _Documents | None = None


@contextmanager
def sharing_json(most: int = SHARED_MOST) -> Iterator[None]:
    """Meanwhile a record's whole JSON is made once for all who ask for it in this thread soon after one another.

    It pays where there are several sinks: keeping a document costs a third of making it, finding it another third.
    `most`: bytes that are kept, however many records wait.
    """
    global _shared
    before, _shared = _shared, _Documents(most)
    try:
        yield
    finally:
        _shared = before


@cache
def _loads() -> Callable[[bytes], Any]:
    """orjson loads many modules: it is loaded when items are asked for."""
    import orjson

    return orjson.loads


def __getattr__(name: str) -> Any:
    """`Link`, loaded when it is first asked for: reading a file at once has no use for it."""
    if name != "Link":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from klvrelay.link_stats import LinkStats

    globals()[name] = LinkStats
    return LinkStats
