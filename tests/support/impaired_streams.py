"""Streams that carry KLV in every way over an impaired connection, and the verdict on the output.

A record is false when it is published as good and its bytes were never sent.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from feed import datagrams
from packet_wrapping import item, local_set, packet
from test_lane import ASYNC, KLV_PID, KLVA, NULL, SYNC, Wire, cell, klv_packet

from klvrelay import decode
from klvrelay.decoder import Decoder
from klvrelay.record import Packet, Record
from klvrelay.sending.impair import Impairer, Impairment, Tally

VIDEO_PID = 0x100
RECORDINGS = "osh_sample_stream.ts", "aphill_klv_10s.ts", "h264_klv.ts"


@dataclass(frozen=True, slots=True)
class Stream:
    """A transport stream and its KLV packets, in order."""

    name: str
    ts: bytes
    klv: list[bytes]


def made() -> list[Stream]:
    """Synthetic streams of some 400 KLV packets, one for each way to carry KLV."""
    return [_stream(name, carry) for name, carry in _CARRIAGES.items()]


def recorded(folder: Path) -> list[Stream]:
    """Real recordings; the reference is their undamaged decoding."""
    found = []
    for name in RECORDINGS:
        data = (folder / name).read_bytes()
        found.append(Stream(name, data, [record.raw for record in decode(data) if record.good]))
    return found


Carry = Callable[[Wire, int], tuple[list[bytes], list[bytes]]]
"""Of the n-th step: the TS packets, and the KLV packets in them."""


def _stream(name: str, carry: Carry) -> Stream:
    wire, ts, klv = Wire(), [], []
    kind = SYNC if name.startswith("sync") else ASYNC
    for number in range(400):
        if number % 10 == 0:
            ts += wire.tables((kind, KLV_PID, KLVA))
        packets, sent = carry(wire, number)
        ts += _between(wire, number, packets)
        klv += sent
    return Stream(name, b"".join(ts), klv)


def _between(wire: Wire, number: int, packets: list[bytes]) -> Iterator[bytes]:
    """Packets of other PIDs now and then, as a multiplexer sends them."""
    chance = random.Random(number)
    for one in packets:
        yield from [NULL] * (chance.random() < 0.1)
        if chance.random() < 0.3:
            yield from wire.carry(VIDEO_PID, chance.randbytes(184))
        yield one


def _one(size: int, **options: object) -> Carry:
    def carry(wire: Wire, number: int) -> tuple[list[bytes], list[bytes]]:
        sent = klv_packet(number, size + number % 7)
        return wire.pes(sent, **{"pts": number * 3000, **options}), [sent]  # type: ignore[arg-type]

    return carry


def _alike(wire: Wire, number: int) -> tuple[list[bytes], list[bytes]]:
    """Equal blocks of an even size, except for a leading number: an additive checksum does not see them swapped."""
    body = b"\x02\x08" + (1_340_977_512_000_000 + number * 40_000).to_bytes(8) + item(150, bytes(range(184)) * 10)
    sent = packet("ST0601", body, checksum=True)
    return wire.pes(sent, pts=number * 3000), [sent]


def _unsummed(wire: Wire, number: int) -> tuple[list[bytes], list[bytes]]:
    """A set without a checksum: only the transport can show damage."""
    sent = packet("ST0102", local_set([(1, bytes([number % 5])), (200, random.Random(number).randbytes(900))]))
    return wire.pes(sent, pts=number * 3000), [sent]


def _several(wire: Wire, number: int) -> tuple[list[bytes], list[bytes]]:
    sent = [klv_packet(3 * number + n, 90 * n) for n in range(3)]
    return wire.pes(b"".join(sent), pts=number * 3000), sent


def _cells(wire: Wire, number: int) -> tuple[list[bytes], list[bytes]]:
    sent = [klv_packet(2 * number + n, 200) for n in range(2)]
    cells = b"".join(cell(one, 2 * number + n) for n, one in enumerate(sent))
    return wire.pes(cells, pts=number * 3000, sid=0xFC), sent


def _fragments(wire: Wire, number: int) -> tuple[list[bytes], list[bytes]]:
    """A packet over three cells, each in a separate PES packet."""
    sent = klv_packet(number, 700)
    third = len(sent) // 3
    parts = (sent[:third], 2), (sent[third : 2 * third], 0), (sent[2 * third :], 1)
    pes = [
        wire.pes(cell(part, 3 * number + n, fragment), pts=number * 3000, sid=0xFC)
        for n, (part, fragment) in enumerate(parts)
    ]
    return [one for packets in pes for one in packets], [sent]


def _spanning(wire: Wire, number: int) -> tuple[list[bytes], list[bytes]]:
    """PES packets that are not aligned with KLV packets."""
    sent = klv_packet(number, 301)
    return wire.pes(sent[:100], pts=number * 3000) + wire.pes(sent[100:], pts=number * 3000), [sent]


_CARRIAGES: dict[str, Carry] = {
    "async, one TS packet": _one(20),
    "async, several TS packets": _one(600),
    "async without PTS": _one(350, pts=None),
    "async, PES of unknown length": _one(400, sized=False),
    "async, 20 TS packets": _one(3400),
    "async, blocks alike": _alike,
    "async, no checksum": _unsummed,
    "async, three in a PES packet": _several,
    "async, over two PES packets": _spanning,
    "sync, two cells": _cells,
    "sync, fragments": _fragments,
}


@dataclass(slots=True)
class Verdict:
    """The result for a damaged stream: `false` good records that were never sent; `twice` and `late` records that were
    sent once, or earlier.
    """

    sent: int = 0
    good: int = 0
    damaged: int = 0
    twice: int = 0
    late: int = 0
    false: list[bytes] = field(default_factory=list)
    tally: Tally = field(default_factory=Tally)

    def add(self, other: Verdict) -> None:
        for name in ("sent", "good", "damaged", "twice", "late"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.false += other.false


def judged(records: Iterable[Record], sent: Sequence[bytes]) -> Verdict:
    """Compare the published records with those sent, byte by byte."""
    verdict, seen, last = Verdict(sent=len(sent)), set(), -1
    places: dict[bytes, int] = {raw: place for place, raw in enumerate(sent)}
    for record in records:
        if not record.good:
            verdict.damaged += 1
            continue
        verdict.good += 1
        place = places.get(record.raw, -1)
        if place < 0:
            verdict.false.append(record.raw)
            continue
        verdict.twice += place in seen
        verdict.late += place < last and place not in seen
        seen.add(place)
        last = max(last, place)
    return verdict


def arrived(ts: bytes, impairer: Impairer) -> Iterator[bytes]:
    """The datagrams (or, at that level, TS packets) that arrive."""
    size = 188 if impairer.impairment.level == "ts" else 1316
    for unit in datagrams(ts, size):
        yield from (data for _, data in impairer.push(unit))
    yield from (data for _, data in impairer.rest())


def through(stream: Stream, wish: str) -> Verdict:
    """A stream through the impairment into a decoder, in one process."""
    impairer = Impairer(Impairment.parse(wish))
    decoder = Decoder("uav1", None)
    records = [record for data in arrived(stream.ts, impairer) for record in decoder.feed(Packet(data))]
    verdict = judged([*records, *decoder.flush()], stream.klv)
    verdict.tally = impairer.tally
    return verdict
