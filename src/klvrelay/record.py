"""The values in the pipeline: a source yields `Packet` (or `Units`), and the decoder yields `Record` for the sinks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from threading import get_ident
from typing import TYPE_CHECKING, Any, NamedTuple

from klvrelay import core
from klvrelay.core import Checksum, Entry, Transport, document
from klvrelay.core.carriage import Carriage as Carriage
from klvrelay.json_output import Numbers

if TYPE_CHECKING:
    from datetime import datetime

    from klvrelay.core.selection import Selection

_ALL = core.EVERYTHING


def utc(us: int | None) -> datetime | None:
    """Microseconds since 1970 as a UTC datetime; None for None, and beyond the year 9999."""
    try:
        return None if us is None else _since_epoch()(us)
    except OverflowError:
        return None


@cache
def _since_epoch() -> Callable[[int], datetime]:
    """datetime, loaded when a time is first requested."""
    from datetime import UTC, datetime, timedelta

    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    return lambda us: epoch + timedelta(microseconds=us)


class Packet(NamedTuple):
    """A chunk of bytes received by a source, and its transport properties.

    data         transport-stream or KLV bytes (see `carriage`), split at any position
    received_us  time of arrival, microseconds since 1970 UTC, or None for bytes that were never live
    pts          90 kHz presentation time of the KLV (33 bits), for carriage "klv" only
    pid          elementary PID or stream index of the KLV, for carriage "klv" only
    damaged      data was lost or reordered in these bytes
    program      number of the program that lists the PID, for carriage "klv" only
    listing      which other PIDs may carry KLV (bits `LOWER`, `LOWER_HERE`, `ALONE` of `core`), for carriage "klv" only
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
    """KLV packets extracted by the source itself, in order: whole, or marked as damaged."""

    entries: Sequence[Entry]


class Record(NamedTuple):  # creating a frozen dataclass takes six times as long
    """One KLV packet with its identity, times and quality. Its items are decoded on demand.

    raw          the whole packet: key, length, value (SMPTE ST 336)
    set          "ST0601", "ST0102", "ST0903", ...; "unknown" for an undefined key
    checksum     "ok", "bad", "absent", or "partial": correct, but followed by items that it does not cover
    transport    "ok", or "damaged" if it spans a loss in transit: do not trust its items
    pts          90 kHz presentation time of the PES packet in which it begins, 33 bits, or None
    pid          PID, or stream number in a container without PIDs, or None
    received_us  time of arrival, microseconds since 1970 UTC, or None if it was never live
    stream, boot, seq   its identity: stream name, run of the relay, and number within both
    pcr          the last PCR of the program before its end, 90 kHz, 33 bits, or None
    program      number of the program whose PMT lists the PID, or None
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
        """Suitable for `telemetry`: undamaged, and without a bad checksum."""
        return self.transport == "ok" and self.checksum != "bad"

    @property
    def time_us(self) -> int | None:
        """Item 2 as sent: microseconds since 1970 (ST 0603), or None if absent."""
        return core.time_us(self.raw)

    @property
    def clock_us(self) -> int | None:
        """The time of item 2 in microseconds since 1970, even if sent in another unit (see `warnings`)."""
        return core.clock_us(self.raw)

    @property
    def time(self) -> datetime | None:
        """`clock_us` as a UTC datetime, or None if absent or beyond the year 9999."""
        return utc(self.clock_us)

    @property
    def item_set(self) -> bytes | None:
        """A number that identifies the set of items in the packet; None if they do not fit in one."""
        return core.tags(self.raw)

    @property
    def items(self) -> dict[str, Any]:
        """The items by key, as in the record's JSON. Each call decodes them again."""
        items: dict[str, Any] = _loads()(core.items_json(self.raw))
        return items

    def json(self, *, numbers: Numbers = "exact", items: Selection | None = None) -> bytes:
        """The record as one JSON document of schema `klvrelay/1`, UTF-8, without a line end.

        numbers   "safe": integers beyond 2^53 - 1 as strings
        items     `klvrelay.select(...)`: only these items; `special` and `warnings` are limited to them, the packet as
                  a whole, and its time and version. An item left raw in a very large document may be decoded here.
        """
        shared = _shared if items is None else None
        if shared is not None and (text := shared.find(self, numbers)) is not None:
            return text
        raw, _, checksum, transport, pts, pid, received_us, stream, boot, seq, _, program = self
        text = core.record_json(
            raw,
            core.head(stream, boot),
            seq,
            received_us,
            pts,
            transport != "ok",
            pid,
            program,
            checksum,
            numbers == "safe",
            _ALL if items is None else items.chosen,
        )
        if shared is not None:
            shared.keep(self, numbers, text)
        return text

    def cbor(self, *, numbers: Numbers = "exact", items: Selection | None = None) -> bytes:
        """The document of `json` as CBOR (RFC 8949): the same keys and values, maps of indefinite length."""
        return self._document("cbor", numbers, items)

    def msgpack(self, *, numbers: Numbers = "exact", items: Selection | None = None) -> bytes:
        """The document of `json` as MessagePack: the same keys and values."""
        return self._document("msgpack", numbers, items)

    def _document(self, form: document.Form, numbers: Numbers, items: Selection | None) -> bytes:
        if items is None and _shared is not None:
            return document.transcode(self.json(numbers=numbers), form)
        return document.record_document(
            form,
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


SHARED_MOST = 1 << 20
"""Default bytes of records and documents cached by `sharing_json`: about 600 records of 228 bytes."""


class _Documents:
    """Caches the JSON of the newest records, up to `most` bytes; the oldest are evicted first.

    The cache keeps the records too, so that their ids stay unique.
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
        if get_ident() != self._thread:  # any thread may request the JSON of a record
            return
        self._texts[id(record), numbers] = record, text
        self._size += len(record.raw) + len(text)
        while self._size > self._most:
            oldest, dropped = self._texts.pop(next(iter(self._texts)))
            self._size -= len(oldest.raw) + len(dropped)


_shared: _Documents | None = None


@contextmanager
def sharing_json(most: int = SHARED_MOST) -> Iterator[None]:
    """Inside, cache the full JSON of recent records for requests in this thread.

    This pays off with several sinks: storing a document costs a third of creating it, a look-up another third.
    `most`: maximum bytes of the cache.
    """
    global _shared
    before, _shared = _shared, _Documents(most)
    try:
        yield
    finally:
        _shared = before


@cache
def _loads() -> Callable[[bytes], Any]:
    """orjson's `loads`, loaded when items are first requested, since it loads many modules."""
    import orjson

    return orjson.loads
