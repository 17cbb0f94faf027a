"""The values that walk the corridor: a `Packet` (or `Units`) comes out of a source, a `Record` goes to the sinks; and
`Link`, what a source knows of its line.

Next door: `sources/` makes packets, `klv.py` turns them into records, `wire.py` is the C that a record asks
for its JSON.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, NamedTuple

import orjson

from klvrelay import wire
from klvrelay.integers import Numbers, added
from klvrelay.wire import Checksum, Counters, Entry, Transport

Carriage = Literal["ts", "klv"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def utc(us: int | None) -> datetime | None:
    """Microseconds since 1970 as a UTC datetime; None for None, and past the year 9999."""
    try:
        return None if us is None else _EPOCH + timedelta(microseconds=us)
    except OverflowError:
        return None


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


@dataclass(slots=True)
class Link:
    """What the line told a source so far; what its kind can't know stays 0 (None for a measure).

    size             bytes of transport
    datagrams        of UDP and RTP, and messages of SRT; `strangers` of them came from another sender than the one that
                     is fixed
    kernel_drops     datagrams that the kernel dropped, since the socket's buffer was full
    udp_duplicates   datagrams without RTP that came twice, the copy left out
    rtp_lost         sequence numbers that never came; `rtp_reordered` came late but in time, `rtp_duplicates` twice;
                     `rtp_restarts` are senders that began anew; `rtp_foreign` packets of another SSRC or payload type
    srt_lost         packets lost on the line, `srt_retransmitted` sent again, `srt_dropped` given up as too late
    srt_rtt_ms       the round trip as last measured
    hls_segments     segments of a playlist that were read whole; `hls_lost` never came, or not whole
    lane             of the transport lane, where the source has one of its own
    """

    size: int = 0
    datagrams: int = 0
    strangers: int = 0
    kernel_drops: int = 0
    udp_duplicates: int = 0
    rtp_lost: int = 0
    rtp_reordered: int = 0
    rtp_duplicates: int = 0
    rtp_restarts: int = 0
    rtp_foreign: int = 0
    srt_lost: int = 0
    srt_retransmitted: int = 0
    srt_dropped: int = 0
    srt_rtt_ms: float | None = None
    hls_segments: int = 0
    hls_lost: int = 0
    lane: Counters = field(default_factory=Counters)

    def __add__(self, later: Link) -> Link:
        """Both together: counts are added (see `added`), of a measure the later one stands."""
        return Link(**{f.name: _together(getattr(self, f.name), getattr(later, f.name)) for f in fields(Link)})


def _together(before: Any, later: Any) -> Any:
    if isinstance(later, Counters):
        return before + later
    if isinstance(later, int):
        return added(before, later)
    return before if later is None else later


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
        return wire.time_us(self.raw)

    @property
    def clock_us(self) -> int | None:
        """The time of item 2 in microseconds since 1970, also where it was sent in another unit (see the warnings)."""
        return wire.clock_us(self.raw)

    @property
    def time(self) -> datetime | None:
        """`clock_us` as a UTC datetime, or None where absent or past the year 9999."""
        return utc(self.clock_us)

    @property
    def held(self) -> bytes | None:
        """A mark of which items it holds, the same for all that hold the same; None where it can't be told so."""
        return wire.tags(self.raw)

    @property
    def items(self) -> dict[str, Any]:
        """The items by key, as the record's JSON has them; decoded anew at each call."""
        items: dict[str, Any] = orjson.loads(wire.items_json(self.raw))
        return items

    def json(self, *, numbers: Numbers = "exact") -> bytes:
        """The record as one JSON document of schema `klvrelay/1`, UTF-8, without a line end.

        numbers   "safe": integers beyond 2^53 - 1 as strings
        """
        return wire.record_json(
            self.raw,
            wire.head(self.stream, self.boot),
            self.seq,
            self.received_us,
            self.pts,
            self.transport != "ok",
            self.pid,
            self.program,
            self.checksum,
            numbers == "safe",
        )
