"""Transport streams with known TS packets, damage done to them, and the KLV packets that must survive.

The reference that `test_demux_oracle.py` checks both demultiplexers against: which KLV packets were sent, and which
arrived intact.
"""

from __future__ import annotations

import random
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from test_lane import ASYNC, KLVA, NULL, SYNC, Wire, cell, klv_packet

from klvrelay.config.choice import TOGETHER
from klvrelay.config.url import Url
from klvrelay.decoder import Decoder
from klvrelay.link_stats import LinkStats
from klvrelay.record import Packet, Record
from klvrelay.sources.libav.of_bytes import ByLibav

VIDEO_PID = 0x100
BEATS = 4
"""Consecutive TS packets until a receiver is synchronised."""
EVERY = 3
"""KLV packets between two repetitions of the tables."""


class Unit(NamedTuple):
    """One KLV packet that was sent, and how many TS packets it takes."""

    pid: int
    raw: bytes
    pts: int | None
    packets: int


class Piece(NamedTuple):
    """A TS packet as transmitted, or what is left of one.

    what     "klv", "pat", "pmt", "other"
    unit     of "klv": the place of its unit in `Tape.units`
    place    of "klv": which TS packet of the unit it is
    data its bytes after the damage
    whole it is undamaged
    """

    what: str
    data: bytes
    unit: int = -1
    place: int = 0
    whole: bool = True


@dataclass
class Tape:
    """A transport stream in TS packets, and the KLV packets in it."""

    units: list[Unit] = field(default_factory=list)
    pieces: list[Piece] = field(default_factory=list)
    stride: int = 188
    lead: int = 0
    sized: bool = True

    @property
    def ts(self) -> bytes:
        return b"".join(piece.data for piece in self.pieces)


def tape(
    *,
    kinds: Sequence[int] = (ASYNC,),
    count: int = 12,
    sizes: Sequence[int] = (0, 400, 560),
    sized: bool = True,
    first_pts: int | None = 900_000,
    stride: int = 188,
    video: int = 3,
) -> Tape:
    """`count` KLV packets, in turn on one PID for each of `kinds`, between video, with repeated tables."""
    wire, made = Wire(), Tape(stride=stride, lead=4 if stride == 192 else 0, sized=sized)
    pids = [0x101 + place for place in range(len(kinds))]
    streams = [(0x1B, VIDEO_PID, b""), *((kind, pid, KLVA) for kind, pid in zip(kinds, pids, strict=True))]
    noise = random.Random(count)
    for number in range(count):
        if number % EVERY == 0:
            pat, *pmt = wire.tables(*streams)
            made.pieces += [Piece("pat", pat), *(Piece("pmt", packet) for packet in pmt)]
        kind, pid = kinds[number % len(kinds)], pids[number % len(kinds)]
        pts = None if first_pts is None else (first_pts + 3003 * number) % (1 << 33)
        raw = klv_packet(number, sizes[number % len(sizes)])
        payload = cell(raw, number) if kind == SYNC else raw
        packets = wire.pes(payload, pid, pts=pts, sid=0xFC if kind == SYNC else 0xBD, sized=sized)
        # An access unit that libav accepts: a delimiter, then a slice without another start code in it.
        picture = b"\0\0\0\1\x09\xf0\0\0\1\x41" + noise.randbytes(184 * video - 60).replace(b"\0", b"\1")
        frame = wire.pes(picture, VIDEO_PID, pts=pts, sid=0xE0)
        made.pieces += [Piece("klv", packet, len(made.units), place) for place, packet in enumerate(packets)]
        made.pieces += [Piece("other", packet) for packet in frame]
        made.units.append(Unit(pid, raw, pts, len(packets)))
    made.pieces += [Piece("other", NULL)] * 4
    if stride != 188:
        made.pieces = [piece._replace(data=_wider(piece.data, stride, noise)) for piece in made.pieces]
    return made


def of_recording(ts: bytes) -> Tape:
    """A real recording with one KLV packet per PES packet, no AU cells, on the PID whose payload has the KLV key."""
    made, kinds = Tape(), dict[int, str]()
    packets = [ts[at : at + 188] for at in range(0, len(ts) - 187, 188)]
    klv = next(_pid(p) for p in packets if b"\x06\x0e\x2b\x34" in p and p[1] & 0x40)
    kinds |= {0: "pat", klv: "klv"} | {_pid(p): "pmt" for p in packets if p[1] & 0x40 and p[4:6] == b"\0\2"}
    parts = list[bytes]()
    for packet in packets:
        what = kinds.get(_pid(packet), "other")
        if what != "klv":
            made.pieces.append(Piece(what, packet))
            continue
        if packet[1] & 0x40:
            parts = []
            made.units.append(Unit(klv, b"", None, 0))
        parts.append(packet[5 + packet[4] if packet[3] & 0x20 else 4 :])
        made.pieces.append(Piece("klv", packet, len(made.units) - 1, len(parts) - 1))
        pes = b"".join(parts)
        pts = pes[9] >> 1 & 7, pes[10] << 7 | pes[11] >> 1, pes[12] << 7 | pes[13] >> 1
        stamp = pts[0] << 30 | pts[1] << 15 | pts[2] if pes[7] & 0x80 else None
        made.units[-1] = Unit(klv, pes[9 + pes[8] :], stamp, len(parts))
    return made


def _pid(packet: bytes) -> int:
    return (packet[1] & 0x1F) << 8 | packet[2]


def _wider(packet: bytes, stride: int, noise: random.Random) -> bytes:
    extra = noise.randbytes(stride - 188)
    return extra + packet if stride == 192 else packet + extra


# ---- damage: each function takes pieces and returns pieces ----

Damage = Callable[[list[Piece], random.Random], None]


def lose(pieces: list[Piece], chance: random.Random) -> None:
    """A run of TS packets is missing."""
    at, run = chance.randrange(len(pieces)), chance.choice((1, 1, 1, 2, 3, 7, 14, 15, 16, 17))
    del pieces[at : at + run]


def lose_klv(pieces: list[Piece], chance: random.Random) -> None:
    """One TS packet of KLV is missing."""
    del pieces[_of_klv(pieces, chance)]


def swap(pieces: list[Piece], chance: random.Random) -> None:
    """Two neighbouring TS packets are swapped."""
    at = chance.randrange(len(pieces) - 1)
    pieces[at], pieces[at + 1] = pieces[at + 1], pieces[at]


def swap_klv(pieces: list[Piece], chance: random.Random) -> None:
    """Two nearby KLV TS packets are swapped."""
    at = _of_klv(pieces, chance)
    near = [n for n in range(max(0, at - 6), min(len(pieces), at + 7)) if pieces[n].what == "klv" and n != at]
    if near:
        other = chance.choice(near)
        pieces[at], pieces[other] = pieces[other], pieces[at]


def double(pieces: list[Piece], chance: random.Random) -> None:
    """A TS packet is repeated, at once or a little later."""
    at = chance.randrange(len(pieces))
    pieces.insert(at + chance.choice((1, 1, 1, 2, 4)), pieces[at])


def double_klv(pieces: list[Piece], chance: random.Random) -> None:
    """A KLV TS packet is sent twice in a row."""
    at = _of_klv(pieces, chance)
    pieces.insert(at + 1, pieces[at])


def flip(pieces: list[Piece], chance: random.Random) -> None:
    """One bit is flipped, anywhere."""
    _flip(pieces, chance.randrange(len(pieces)), chance, 0, 188)


def flip_klv(pieces: list[Piece], chance: random.Random) -> None:
    """One bit in a KLV TS packet is flipped."""
    _flip(pieces, _of_klv(pieces, chance), chance, 0, 188)


def flip_head(pieces: list[Piece], chance: random.Random) -> None:
    """One bit in the header of a KLV TS packet, or of its PES packet, is flipped."""
    _flip(pieces, _of_klv(pieces, chance), chance, 0, 24)


def _flip(pieces: list[Piece], at: int, chance: random.Random, begin: int, end: int) -> None:
    data = bytearray(pieces[at].data)
    data[min(chance.randrange(begin, end), len(data) - 1)] ^= 1 << chance.randrange(8)
    pieces[at] = pieces[at]._replace(data=bytes(data), whole=False)


def cut_out(pieces: list[Piece], chance: random.Random) -> None:
    """Bytes are missing, not at a packet boundary."""
    at = chance.randrange(len(pieces))
    data = pieces[at].data
    begin, end = sorted((chance.randrange(len(data) + 1), chance.randrange(len(data) + 1)))
    pieces[at] = pieces[at]._replace(data=data[:begin] + data[end:], whole=begin == end and pieces[at].whole)
    del pieces[at + 1 : at + 1 + chance.choice((0, 0, 1, 5))]


def put_in(pieces: list[Piece], chance: random.Random) -> None:
    """Bytes are inserted that are no packet."""
    junk = chance.randbytes(chance.choice((1, 3, 12, 188, 300, 1000)))
    pieces.insert(chance.randrange(len(pieces)), Piece("other", junk, whole=False))


def begin_late(pieces: list[Piece], chance: random.Random) -> None:
    """The stream is joined anywhere in the middle."""
    del pieces[: chance.randrange(len(pieces) // 2)]
    data = pieces[0].data
    begin = chance.randrange(len(data))
    pieces[0] = pieces[0]._replace(data=data[begin:], whole=begin == 0)


def end_early(pieces: list[Piece], chance: random.Random) -> None:
    """The stream ends anywhere."""
    del pieces[chance.randrange(len(pieces) // 2, len(pieces)) :]
    data = pieces[-1].data
    end = chance.randrange(1, len(data) + 1)
    pieces[-1] = pieces[-1]._replace(data=data[:end], whole=end == len(data) and pieces[-1].whole)


def _of_klv(pieces: list[Piece], chance: random.Random) -> int:
    return chance.choice([at for at, piece in enumerate(pieces) if piece.what == "klv"] or [0])


DAMAGES: tuple[Damage, ...] = (
    lose, lose_klv, swap, swap_klv, double, double_klv, flip, flip_klv, flip_head, cut_out, put_in, begin_late,
    end_early,
)  # fmt: skip


# ---- the expected output ----


def whole_units(damaged: Tape) -> set[int]:
    """KLV packets that a receiver must output: complete tables announce them, and all their TS packets arrived intact.

    Their TS packets follow each other on their PID; a repetition counts as the packet that it repeats. Where bytes are
    missing or inserted, a receiver may lose synchronisation: it may drop the KLV packet that spans that place, the one
    after it, and those before it is synchronised again. Of two different TS packets with the same counter, one is out
    of place: a receiver may stop at either.
    """
    whole, runs, last = set[int](), dict[int, tuple[int, int]](), dict[int, bytes]()
    pat = pmt = False
    for piece, in_step in zip(damaged.pieces, _in_step(damaged), strict=True):
        packet = piece.data[damaged.lead :][:188]
        if not in_step or packet[:1] != b"\x47":
            runs.clear()
            continue
        pat = pat or (piece.what == "pat" and piece.whole)
        pmt = pmt or (piece.what == "pmt" and piece.whole and pat)
        pid = _pid(packet)
        if not packet[3] & 0x10 or _repeats(packet, last.get(pid, b"")):
            continue
        before, last[pid] = last.get(pid, b""), packet
        run = runs.pop(pid, None)
        stray = before[3:4] != b"" and before[3] & 0x0F == packet[3] & 0x0F
        if piece.what != "klv" or not piece.whole or not pmt or stray:
            continue
        if piece.place == 0 or run == (piece.unit, piece.place):
            runs[pid] = (piece.unit, piece.place + 1)
        if runs.get(pid) == (piece.unit, damaged.units[piece.unit].packets):
            whole.add(piece.unit)
    return whole


def _in_step(damaged: Tape) -> list[bool]:
    """For each piece: a receiver knows that a packet begins there."""
    fits = [len(piece.data) == damaged.stride for piece in damaged.pieces]
    beats = [fit and piece.data[damaged.lead] == 0x47 for fit, piece in zip(fits, damaged.pieces, strict=True)]
    known, step = list[bool](), False
    for at, fit in enumerate(fits):
        behind_break = at > 0 and not fits[at - 1]
        step = fit and (step or (not behind_break and all(beats[at : at + BEATS])))
        known.append(step)
    return known


def _repeats(packet: bytes, before: bytes) -> bool:
    """ISO/IEC 13818-1, 2.4.3.3: the same counter and the same payload."""
    begin = 5 + packet[4] if packet[3] & 0x20 else 4
    return packet[3] & 0x0F == (before or b"\xff" * 4)[3] & 0x0F and packet[begin:] == before[begin:]


# ---- the two demultiplexers ----


@dataclass
class Pieces:
    """A source of bytes for ByLibav."""

    data: Sequence[Packet]
    live: bool = False
    fixed: bool = False
    dropped: int = 0
    url: Url = field(default_factory=lambda: Url.parse("tape.ts"))
    link: LinkStats = field(default_factory=LinkStats)

    async def packets(self) -> AsyncGenerator[Packet, None]:
        for packet in self.data:
            self.link.size += len(packet.data)
            yield packet


def by_native(data: bytes) -> list[Record]:
    """The output of the C core's demultiplexer for a transport stream."""
    decoder = Decoder("uav1", None, choice=TOGETHER)
    return decoder.feed(Packet(data)) + decoder.flush()


async def by_libav(data: bytes) -> list[Record]:
    """The output of libav's demultiplexer."""
    return await records_of(ByLibav(Pieces([Packet(data)])))


async def records_of(source: ByLibav) -> list[Record]:
    decoder, found = Decoder("uav1", None, choice=TOGETHER), list[Record]()
    async with aclosing(source.packets()) as packets:
        async for packet in packets:
            found += decoder.feed(packet)
    return found + decoder.flush()


def damaged(tape: Tape, chance: random.Random, faults: int) -> tuple[Tape, list[str]]:
    """The tape with a number of faults, and their names."""
    pieces, names = list(tape.pieces), []
    for _ in range(faults):
        fault = chance.choice(DAMAGES)
        if len(pieces) > 8:
            fault(pieces, chance)
            names.append(fault.__name__)
    return replace(tape, pieces=pieces), names
