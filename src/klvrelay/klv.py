"""KLV bytes to records and columns: the decoder that every stream of the relay owns, and the calls of the library.

Next door: `wire.py` calls the C core; `sources/` feed a `Decoder`, whose records go on to the spool.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from klvrelay import wire
from klvrelay.elementary import EVERYTHING, LOOK, Choice, Elementaries, Elementary, chosen
from klvrelay.errors import ConfigError
from klvrelay.integers import Numbers
from klvrelay.names import LEVEL_LIMIT, checked_name
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
    if bytes(view[:4]) == KEY:
        return "klv"
    if bytes(view[: 5 * 188 : 188]) == b"GGGGG":
        return "ts"
    while junk < SNIFFED:
        at += blank_before(view[at:])
        window = bytes(view[at : at + SNIFFED - junk])
        if (found := _carriage_in(window)) is not None:
            return found
        hole = max(window.find(hole) for hole in _HOLES)
        if hole < 0:
            return None
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
    An empty packet says that the source begins anew: what is held is given out, and no loss is counted. A packet whose
    value has more than `packet_limit` bytes is passed over, and counted as `too_large`.

    stream   name of the first KLV elementary stream; `elementary.py` has those of the others
    choice   which KLV is wanted
    numbers  of `lines`: "safe" writes integers beyond 2^53 - 1 as strings
    """

    def __init__(
        self,
        stream: str,
        boot: str | None,
        *,
        first_seq: int = 0,
        packet_limit: int = wire.LIMIT,
        choice: Choice = EVERYTHING,
        numbers: Numbers = "exact",
    ) -> None:
        # Without a name the records are of no stream; one that was given twice has a number behind it.
        self.stream = stream and checked_name(stream, most=2 * LEVEL_LIMIT)
        self.boot = boot
        self.streams = Elementaries(stream, boot, choice, first_seq=first_seq)
        self._written: Elementary | None = None
        self._numbers = numbers
        self._unknown = 0  # items of records that became text one by one
        self._limit = wire.checked_limit(packet_limit)
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
            return self._cut(packet.received_us) if packet.damaged else self.flush(packet.received_us)
        lane = self._lane(packet.carriage, packet.pid)
        if packet.carriage == "klv":
            lane.mark(packet.pts, packet.pid, packet.program, packet.listing, packet.damaged)
        elif packet.damaged:
            lane.cut()
        return self._records(lane.packets(packet.data, packet.received_us))

    def lines(self, packet: Packet) -> bytes:
        """The same records as JSON Lines, written by C without an object a record; numbered alike."""
        lane = self._lane(packet.carriage, packet.pid)
        if packet.carriage == "klv":
            lane.mark(packet.pts, packet.pid, packet.program, packet.listing, packet.damaged)
        elif packet.damaged or not packet.data:
            lane.cut()
        return lane.lines(packet.data, self, packet.received_us, safe=self._numbers == "safe")

    def flush(self, received_us: int | None = None) -> list[Record]:
        """The source has ended: what began and never came to its end comes out as damaged."""
        return self._cut(received_us) + self._numbered(self.streams.end())

    def _cut(self, received_us: int | None) -> list[Record]:
        """Bytes were lost here: what began comes out as damaged."""
        records: list[Record] = []
        for lane in self._lanes.values():
            lane.cut()
            records += self._records(lane.packets(b"", received_us))
        return records

    def overdue(self) -> list[Record]:
        """Records of a live source that have waited long enough to learn which stream they belong to."""
        return self._numbered(self.streams.overdue()) if self.streams.waiting else []

    def flush_lines(self) -> bytes:
        """`flush` as JSON Lines."""
        return self._text(self.flush())

    def _records(self, entries: Sequence[wire.Entry]) -> list[Record]:
        streams, boot = self.streams, self.boot
        known, waiting = streams.known, streams.waiting
        new = tuple.__new__  # what `Record(...)` does, without the call
        records: list[Record] = []
        for entry in entries:
            raw, pts, pid, set_, checksum, transport, received_us, pcr, program, _ = entry
            stream = known.get(pid)
            if stream is None or waiting:
                records += self._numbered(streams.take(entry))
                continue
            seq = stream.seq  # what `Elementary.gave` does, without the call
            stream.seq = seq + 1
            stream.last = pts if pcr is None else pcr
            if set_ not in stream.sets:
                stream.sets.add(set_)
            if not stream.seq % LOOK:
                stream.look()
            fields = raw, set_, checksum, transport, pts, pid, received_us, stream.name, boot, seq, pcr, program
            records.append(new(Record, fields))
        return records

    def _numbered(self, found: Sequence[tuple[Elementary, wire.Entry]]) -> list[Record]:
        """Packets as records, each the next one of its stream."""
        records = []
        for stream, (raw, pts, pid, set_, checksum, transport, received_us, pcr, program, _) in found:
            known = raw, set_, checksum, transport, pts, pid, received_us
            records.append(Record(*known, stream.name, self.boot, stream.seq, pcr, program))
            stream.gave(1, pts if pcr is None else pcr, (set_,))
        return records

    # ---- `wire.Names` ----

    def turn(self, next_: wire.Sighting) -> tuple[bytes, int] | None:
        stream = None if self.streams.waiting else self.streams.stream_of(next_)
        self._written = stream
        return None if stream is None else (stream.head, stream.seq)

    def wrote(self, seq: int, pts: int | None, pcr: int | None, sets: int) -> None:
        stream = self._written
        if stream is not None and seq > stream.seq:
            names = [name for bit, name in enumerate(wire.SET_NAMES[:64]) if sets >> bit & 1]
            stream.gave(seq - stream.seq, pts if pcr is None else pcr, names)

    def aside(self, entry: wire.Entry) -> bytes:
        return self._text(self._records([entry]))

    def _text(self, records: Sequence[Record]) -> bytes:
        before = wire.unknown_items()
        text = b"".join(record.json(numbers=self._numbers) + b"\n" for record in records)
        self._unknown += wire.unknown_items() - before
        return text

    @property
    def counters(self) -> Counters:
        """What has gone through so far, over all PIDs; `unknown_items` is counted where text is made, not here."""
        return sum((lane.counters for lane in self._lanes.values()), Counters(unknown_items=self._unknown))


def decode(
    data: bytes | bytearray | memoryview,
    *,
    stream: str = "",
    boot: str | None = None,
    pid: int | Iterable[int] | None = None,
    program: int | None = None,
    packet_limit: int = wire.LIMIT,
) -> list[Record]:
    """Every record in `data`: an MPEG transport stream or bare KLV, told apart by its bytes.

    pid            only the KLV of this PID, or of these
    program        only the KLV of this program
    packet_limit   bytes that the value of a packet may have

    Damaged and unknown packets are in the list too: see `Record.good`. Raises ConfigError for a limit that can't be.
    """
    wanted = chosen(pid, program)
    limit = wire.checked_limit(packet_limit)
    if wanted.everything and isinstance(data, bytes) and (whole := wire.whole(data, limit)) is not None:
        return [Record(data, *whole, "ok", None, None, None, stream, boot, 0)]
    decoder = Decoder(stream, boot, packet_limit=limit, choice=wanted)
    return decoder.feed(Packet(data, carriage=carriage_of(data) or "klv")) + decoder.flush()


def json_lines(
    data: bytes | bytearray | memoryview,
    *,
    stream: str = "",
    boot: str | None = None,
    pid: int | Iterable[int] | None = None,
    program: int | None = None,
    packet_limit: int = wire.LIMIT,
    numbers: Numbers = "exact",
) -> bytes:
    """Every record in `data` as JSON Lines (schema `klvrelay/1`), written in C; the others are those of `decode`.

    numbers   "safe": integers beyond 2^53 - 1 as strings
    """
    decoder = Decoder(stream, boot, packet_limit=packet_limit, choice=chosen(pid, program), numbers=numbers)
    return decoder.lines(Packet(data, carriage=carriage_of(data) or "klv")) + decoder.flush_lines()


def columns(
    data: Any, items: Sequence[str], *, every: bool = False, choice: Choice = EVERYTHING
) -> dict[str, NDArray[np.float64]]:
    """Items of all ST 0601 and ST 0104 records of a buffer (MPEG-TS or KLV) as {key: float64 of shape (records,)}.

    One call into C; NaN where an item is absent or no number. `every`: also records with a bad checksum.
    Raises ConfigError for a key that is no numeric item of ST 0601.
    """
    tags = [_numeric_tag(key) for key in items]
    return dict(zip(items, wire.columns(_bare_klv(data, choice), tags, every=every), strict=True))


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


def _bare_klv(data: Any, choice: Choice) -> Any:
    """A buffer of KLV packets: as given, or out of the transport stream that carries them."""
    if carriage_of(data) != "ts":
        return data if choice.everything else b""
    lane = wire.Lane(ts=True)
    found = lane.packets(data)
    lane.cut()
    found += lane.packets(b"")
    return b"".join(entry[0] for entry in found if entry[5] == "ok" and choice.wants(entry[2], entry[8]))
