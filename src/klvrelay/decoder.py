"""Decodes MPEG-TS and KLV bytes to records, JSON Lines and columns."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from klvrelay import core
from klvrelay.config.choice import EVERYTHING, Choice, chosen
from klvrelay.config.names import LEVEL_LIMIT, checked_name
from klvrelay.core import Counters
from klvrelay.core.carriage import carriage_of
from klvrelay.elementary_streams.assignment import ElementaryStreams
from klvrelay.elementary_streams.elementary_stream import LOOK, ElementaryStream
from klvrelay.errors import ConfigError
from klvrelay.json_output import Numbers
from klvrelay.record import Carriage, Packet, Record, Units

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


PAYLOAD_BEGINS = frozenset(bytes([first]) for first in (0x28, *range(0x81, 0x9C)))
"""The first bytes of zstd and of compact payloads."""


class Decoder:
    """Decodes the bytes of one source, in chunks of any size, to numbered records in order.

    Packets of carriage "ts" share one lane; packets of carriage "klv" have one lane per PID. An empty packet marks a
    restart of the source: records held are returned, and no loss is counted. A KLV packet whose value has more than
    `packet_limit` bytes is skipped and counted as `too_large`.

    stream   name of the first KLV elementary stream; see `ElementaryStreams` for the others, and for `next_seqs`
    choice   the selected KLV
    numbers  for `lines`: "safe" writes integers beyond 2^53 - 1 as strings
    """

    def __init__(
        self,
        stream: str,
        boot: str | None,
        *,
        first_seq: int = 0,
        next_seqs: Mapping[str, int] | None = None,
        packet_limit: int = core.LIMIT,
        choice: Choice = EVERYTHING,
        numbers: Numbers = "exact",
    ) -> None:
        # Records may have no stream name. A name that was used twice has a numeric suffix.
        self.stream = stream and checked_name(stream, most=2 * LEVEL_LIMIT)
        self.boot = boot
        self.streams = ElementaryStreams(stream, boot, choice, first_seq=first_seq, next_seqs=next_seqs)
        self._written: ElementaryStream | None = None
        self._numbers = numbers
        self._unknown = 0  # unknown items of records written to JSON one by one
        self._limit = core.checked_limit(packet_limit)
        self._lanes: dict[int | None, core.Lane] = {}

    def _lane(self, carriage: Carriage, pid: int | None) -> core.Lane:
        key = -2 if carriage == "ts" else pid
        lane = self._lanes.get(key)
        if lane is None:
            lane = self._lanes[key] = core.Lane(ts=carriage == "ts", limit=self._limit)
        return lane

    def feed(self, packet: Packet | Units) -> list[Record]:
        """The records completed by these bytes."""
        if isinstance(packet, Units):
            return self._records(packet.entries)
        if not packet.data:
            return self._cut(packet.received_us) if packet.damaged else self.flush(packet.received_us)
        return self._records(self._marked(packet).packets(packet.data, packet.received_us))

    def lines(self, packet: Packet) -> bytes:
        """The same records as JSON Lines, written by C without creating `Record` objects."""
        return self._marked(packet).lines(packet.data, self, packet.received_us, safe=self._numbers == "safe")

    def write_lines(self, packet: Packet, out: Callable[[Any], object]) -> None:
        """The same, passed to `out` in buffers that are valid during the call only."""
        lane = self._marked(packet)
        lane.write_lines(packet.data, self, out, packet.received_us, safe=self._numbers == "safe")

    def _marked(self, packet: Packet) -> core.Lane:
        """The lane of a packet, informed of the packet's properties."""
        lane = self._lane(packet.carriage, packet.pid)
        if packet.carriage == "klv":
            lane.mark(packet.pts, packet.pid, packet.program, packet.listing, packet.damaged)
        elif packet.damaged or not packet.data:
            lane.cut()
        return lane

    def flush(self, received_us: int | None = None) -> list[Record]:
        """The source has ended: return incomplete packets as damaged records."""
        return self._cut(received_us) + self._numbered(self.streams.end())

    def stop(self) -> list[Record]:
        """Reading stops before the source ends: return whole packets that wait, and drop incomplete ones."""
        return self._cut(None, keep=_is_whole) + self._numbered(self.streams.end())

    def _cut(self, received_us: int | None, keep: Callable[[core.Entry], bool] | None = None) -> list[Record]:
        """Bytes were lost here: return incomplete packets as damaged records, unless `keep` rejects them."""
        records: list[Record] = []
        for lane in self._lanes.values():
            lane.cut()
            entries = lane.packets(b"", received_us)
            records += self._records(entries if keep is None else list(filter(keep, entries)))
        return records

    def overdue(self) -> list[Record]:
        """Records of a live source that have waited long enough for the decision on their stream."""
        return self._numbered(self.streams.overdue()) if self.streams.waiting else []

    def flush_lines(self) -> bytes:
        """`flush` as JSON Lines."""
        return self._text(self.flush())

    def _records(self, entries: Sequence[core.Entry]) -> list[Record]:
        streams, boot = self.streams, self.boot
        known, waiting = streams.known, streams.waiting
        new = tuple.__new__  # `Record(...)` without the call
        records: list[Record] = []
        for entry in entries:
            raw, pts, pid, set_, checksum, transport, received_us, pcr, program, _ = entry
            stream = known.get(pid)
            if stream is None or waiting:
                records += self._numbered(streams.take(entry))
                continue
            seq = stream.seq  # `ElementaryStream.count` without the call
            stream.seq = seq + 1
            stream.last = pts if pcr is None else pcr
            if set_ not in stream.sets:
                stream.sets.add(set_)
            if not stream.seq % LOOK:
                stream.look()
            fields = raw, set_, checksum, transport, pts, pid, received_us, stream.name, boot, seq, pcr, program
            records.append(new(Record, fields))
        return records

    def _numbered(self, found: Sequence[tuple[ElementaryStream, core.Entry]]) -> list[Record]:
        """Packets as records, each with the next number of its stream."""
        records = []
        for stream, (raw, pts, pid, set_, checksum, transport, received_us, pcr, program, _) in found:
            known = raw, set_, checksum, transport, pts, pid, received_us
            records.append(Record(*known, stream.name, self.boot, stream.seq, pcr, program))
            stream.count(1, pts if pcr is None else pcr, (set_,))
        return records

    # ---- `core.lane.Names` ----

    def turn(self, next_: core.PacketInfo) -> tuple[bytes, int] | None:
        stream = None if self.streams.waiting else self.streams.stream_of(next_)
        self._written = stream
        return None if stream is None else (stream.head, stream.seq)

    def count_written(self, seq: int, pts: int | None, pcr: int | None, sets: int) -> None:
        stream = self._written
        if stream is not None and seq > stream.seq:
            stream.count(seq - stream.seq, pts if pcr is None else pcr, _names_of(sets))

    def take_packet(self, entry: core.Entry) -> bytes:
        return self._text(self._records([entry]))

    def _text(self, records: Sequence[Record]) -> bytes:
        before = core.unknown_items()
        text = b"".join(record.json(numbers=self._numbers) + b"\n" for record in records)
        self._unknown += core.unknown_items() - before
        return text

    @property
    def counters(self) -> Counters:
        """Counters over all PIDs. `unknown_items` counts only those of records that this decoder wrote as JSON."""
        return sum((lane.counters for lane in self._lanes.values()), Counters(unknown_items=self._unknown))


def _is_whole(entry: core.Entry) -> bool:
    """Are all bytes of the packet there, by its length?"""
    raw = entry[0]
    if raw[16] < 0x80:
        return len(raw) >= 17 + raw[16]
    value = 17 + (raw[16] & 0x7F)
    return len(raw) >= value + int.from_bytes(raw[17:value])


@lru_cache(maxsize=64)
def _names_of(sets: int) -> tuple[str, ...]:
    """The names of the sets in a bit mask of the core."""
    return tuple(name for bit, name in enumerate(core.SET_NAMES[:64]) if sets >> bit & 1)


def decode(
    data: bytes | bytearray | memoryview,
    *,
    stream: str = "",
    boot: str | None = None,
    pid: int | Iterable[int] | None = None,
    program: int | None = None,
    packet_limit: int = core.LIMIT,
    dictionary: bytes | None = None,
) -> list[Record]:
    """All records in `data`: an MPEG transport stream, bare KLV, or a compact payload (detected automatically).

    pid            select KLV on this PID, or on these
    program        select KLV of this program
    packet_limit   maximum bytes of the value of a packet
    dictionary     for data compressed with zstd, as published on `{prefix}/{stream}/dictionary`

    The list includes damaged and unknown packets: see `Record.good`. Raises ConfigError for an invalid limit, and
    DecodeError for zstd that can't be read and for partial records of a compact payload: see `klvrelay.Restorer`.
    """
    wanted = chosen(pid, program)
    limit = core.checked_limit(packet_limit)
    if bytes(data[:1]) in PAYLOAD_BEGINS:
        from klvrelay.shape.restoring.payload_records import (
            payload_records,  # here, since a stream of KLV does not need it
        )

        data, records = payload_records(bytes(data), stream, dictionary)
        if records is not None:
            return [record for record in records if wanted.everything or wanted.wants(record.pid, record.program)]
    if wanted.everything and isinstance(data, bytes) and (whole := core.whole(data, limit)) is not None:
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
    packet_limit: int = core.LIMIT,
    numbers: Numbers = "exact",
) -> bytes:
    """All records in `data` as JSON Lines (schema `klvrelay/1`), written in C. Other arguments are those of `decode`.

    numbers   "safe": integers beyond 2^53 - 1 as strings
    """
    decoder = Decoder(stream, boot, packet_limit=packet_limit, choice=chosen(pid, program), numbers=numbers)
    return decoder.lines(Packet(data, carriage=carriage_of(data) or "klv")) + decoder.flush_lines()


def columns(
    data: Any, items: Sequence[str], *, every: bool = False, choice: Choice = EVERYTHING
) -> dict[str, NDArray[np.float64]]:
    """Items of all ST 0601 and ST 0104 records of a buffer (MPEG-TS or KLV) as {key: float64 of shape (records,)}.

    One call into C. NaN if an item is absent or not a number. `every`: include records with a bad checksum.
    Raises ConfigError for a key that is not a numeric item of ST 0601.
    """
    tags = [_numeric_tag(key) for key in items]
    return dict(zip(items, core.columns(_bare_klv(data, choice), tags, every=every), strict=True))


@cache
def _tags() -> dict[str, int]:
    """The tags of ST 0601 by key."""
    from klvrelay.standards.spec import SETS  # here, since a relay does not need the tables

    return {item.key: tag for tag, item in SETS["ST0601"].items()}


def _numeric_tag(key: str) -> int:
    tag = _tags().get(key)
    if tag is None:
        close = [k for k in _tags() if re.sub(r"[^a-z]", "", key.lower()) in k.replace("_", "")][:3]
        hint = f"; did you mean {', '.join(close)}?" if close else ""
        raise ConfigError(f"no ST 0601 item has the key {key!r}{hint}")
    if not core.is_numeric(tag):
        raise ConfigError(f"item {key!r} is not numeric and can't be a column; read it from the items of a record")
    return tag


def _bare_klv(data: Any, choice: Choice) -> Any:
    """The KLV packets of a buffer: unchanged, or demultiplexed from a transport stream."""
    if carriage_of(data) != "ts":
        return data if choice.everything else b""
    lane = core.Lane(ts=True)
    found = lane.packets(data)
    lane.cut()
    found += lane.packets(b"")
    return b"".join(entry[0] for entry in found if entry[5] == "ok" and choice.wants(entry[2], entry[8]))
