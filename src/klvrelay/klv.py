"""KLV bytes to records and columns: the decoder that every stream of the relay owns, and the calls of the library.

Next door: `wire.py` calls the C core; `sources/` feed a `Decoder`, whose records go on to the spool.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from klvrelay import wire
from klvrelay.errors import ConfigError
from klvrelay.record import Carriage, Packet, Record, Units
from klvrelay.wire import Counters

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SNIFFED = 256 << 10
"""Bytes, zeros aside, that are looked at to tell MPEG-TS from KLV."""
HOLE = 4096
"""Zeros, or bytes of FF, in a row that prove nothing: a hole, or room that is not written yet."""

_CHUNK = 64 << 10
_BLANK = bytes(_CHUNK), b"\xff" * _CHUNK
_HOLES = bytes(HOLE), b"\xff" * HOLE

KEY = b"\x06\x0e\x2b\x34"
"""How each KLV key begins (SMPTE ST 336)."""


def blank_before(data: bytes | bytearray | memoryview) -> int:
    """How many zeros and bytes of FF `data` begins with."""
    for at in range(0, len(data), _CHUNK):
        chunk = bytes(data[at : at + _CHUNK])
        if chunk not in _BLANK and (rest := chunk.lstrip(b"\0\xff")):
            return at + len(chunk) - len(rest)
    return len(data)


def blank_behind(data: bytes) -> int:
    """How many zeros and bytes of FF it ends with."""
    for end in range(len(data), 0, -HOLE):
        begin = max(0, end - HOLE)
        chunk = data[begin:end]
        if chunk not in _HOLES and (rest := chunk.rstrip(b"\0\xff")):
            return len(data) - begin - len(rest)
    return len(data)


def carriage_of(data: bytes | bytearray | memoryview) -> Carriage | None:
    """What the first bytes of a file or stream are: "ts", "klv", or None for neither.

    MPEG-TS shows a sync byte every 188 (192, 204) bytes; KLV a 16-byte key that begins with 06 0E 2B 34. Either
    may be preceded by junk, within the first 256 KiB, and by any number of zeros or bytes of FF.
    """
    view, at, junk = memoryview(data), 0, 0
    while junk < SNIFFED:
        at += blank_before(view[at:])
        window = bytes(view[at : at + SNIFFED - junk])
        hole = max(window.find(hole) for hole in _HOLES)
        if (found := _carriage_in(window)) is not None or hole < 0:
            return found
        at += hole
        junk += hole + HOLE  # so that no order of holes makes it long
    return None


def _carriage_in(head: bytes) -> Carriage | None:
    if head.startswith(KEY):
        return "klv"
    if any(_beats(head[at::stride]) for stride in (188, 192, 204) for at in range(min(stride, len(head)))):
        return "ts"
    return "klv" if KEY in head else None


def _beats(column: bytes) -> bool:
    """Are these the sync bytes of TS packets? Five in a row; of fewer, all but a quarter from the first on."""
    if b"GGGGG" in column:
        return True
    return column[:1] == b"G" and len(column) > 1 and 4 * column[:8].count(b"G") >= 3 * len(column[:8])


class Decoder:
    """One stream's bytes in any cut in, its records out, in order and numbered.

    Packets of carriage "ts" go through the transport lane, those of carriage "klv" to a framer of their PID.
    An empty packet says that the source begins anew: what is held is given out, and no loss is counted.
    """

    def __init__(self, stream: str, boot: str | None, *, first_seq: int = 0, limit: int = wire.LIMIT) -> None:
        self.stream = stream
        self.boot = boot
        self.seq = first_seq
        self._limit = limit
        self._lanes: dict[int | None, wire.Lane] = {}

    def _lane(self, carriage: Carriage, pid: int | None) -> wire.Lane:
        key = -2 if carriage == "ts" else pid
        lane = self._lanes.get(key)
        if lane is None:
            lane = self._lanes[key] = wire.Lane(ts=carriage == "ts", limit=self._limit)
        return lane

    def feed(self, packet: Packet | Units) -> list[Record]:
        """The records that are whole once these bytes are added."""
        if isinstance(packet, Units):
            return self._records(packet.entries)
        if not packet.data:
            return self.flush(packet.received_us)
        lane = self._lane(packet.carriage, packet.pid)
        if packet.carriage == "klv":
            lane.mark(packet.pts, packet.pid, packet.damaged)
        elif packet.damaged:
            lane.cut()
        return self._records(lane.packets(packet.data, packet.received_us))

    def lines(self, packet: Packet) -> bytes:
        """The same records as JSON Lines, written by C without an object a record; numbered alike."""
        lane = self._lane(packet.carriage, packet.pid)
        if packet.carriage == "klv":
            lane.mark(packet.pts, packet.pid, packet.damaged)
        elif packet.damaged or not packet.data:
            lane.cut()
        text, self.seq = lane.lines(packet.data, wire.head(self.stream, self.boot), self.seq, packet.received_us)
        return text

    def flush(self, received_us: int | None = None) -> list[Record]:
        """The source has ended: what began and never came to its end comes out as damaged."""
        records: list[Record] = []
        for lane in self._lanes.values():
            lane.cut()
            records += self._records(lane.packets(b"", received_us))
        return records

    def flush_lines(self) -> bytes:
        """`flush` as JSON Lines."""
        return b"".join(record.json() + b"\n" for record in self.flush())

    def _records(self, entries: Sequence[wire.Entry]) -> list[Record]:
        stream, boot, first = self.stream, self.boot, self.seq
        self.seq += len(entries)
        return [
            Record(raw, set_, checksum, transport, pts, pid, received_us, stream, boot, seq, pcr)
            for seq, (raw, pts, pid, set_, checksum, transport, received_us, pcr) in enumerate(entries, first)
        ]

    @property
    def counters(self) -> Counters:
        """What has gone through so far, over all PIDs; `unknown_items` is counted where text is made, not here."""
        return sum((lane.counters for lane in self._lanes.values()), Counters())


def decode(data: bytes | bytearray | memoryview, *, stream: str = "", boot: str | None = None) -> list[Record]:
    """Every record in `data`: an MPEG transport stream or bare KLV, told apart by its bytes.

    Damaged and unknown packets are in the list too: see `Record.good`.
    """
    if isinstance(data, bytes) and (whole := wire.whole(data)) is not None:
        return [Record(data, *whole, "ok", None, None, None, stream, boot, 0)]
    decoder = Decoder(stream, boot)
    return decoder.feed(Packet(data, carriage=carriage_of(data) or "klv")) + decoder.flush()


def json_lines(data: bytes | bytearray | memoryview, *, stream: str = "", boot: str | None = None) -> bytes:
    """Every record in `data` as JSON Lines (schema `klvrelay/1`), written by one call into C."""
    decoder = Decoder(stream, boot)
    return decoder.lines(Packet(data, carriage=carriage_of(data) or "klv")) + decoder.flush_lines()


def columns(data: Any, items: Sequence[str], *, every: bool = False) -> dict[str, NDArray[np.float64]]:
    """Items of all ST 0601 and ST 0104 records of a buffer (MPEG-TS or KLV) as {key: float64 of shape (records,)}.

    One call into C; NaN where an item is absent or no number. `every`: also records with a bad checksum.
    Raises ConfigError for a key that is no numeric item of ST 0601.
    """
    tags = [_numeric_tag(key) for key in items]
    return dict(zip(items, wire.columns(_bare_klv(data), tags, every=every), strict=True))


@cache
def _tags() -> dict[str, int]:
    """The tags of ST 0601 by key."""
    from klvrelay.spec import SETS  # here, since a relay has no use for the tables

    return {item.key: tag for tag, item in SETS["ST0601"].items()}


def _numeric_tag(key: str) -> int:
    tag = _tags().get(key)
    if tag is None:
        close = [k for k in _tags() if re.sub(r"[^a-z]", "", key.lower()) in k.replace("_", "")][:3]
        hint = f"; did you mean {', '.join(close)}?" if close else ""
        raise ConfigError(f"no ST 0601 item has the key {key!r}{hint}")
    if not wire.is_numeric(tag):
        raise ConfigError(f"item {key!r} is no number and can't be a column; read it from a record's items")
    return tag


def _bare_klv(data: Any) -> Any:
    """A buffer of KLV packets: as given, or out of the transport stream that carries them."""
    if carriage_of(data) != "ts":
        return data
    lane = wire.Lane(ts=True)
    found = lane.packets(data)
    lane.cut()
    return b"".join(entry[0] for entry in found + lane.packets(b"") if entry[5] == "ok")
