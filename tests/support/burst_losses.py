"""Streams of sets without a checksum, bursts that remove packets, and what is wrong in the rest.

A 4-bit counter hides the loss of sixteen packets, and there is no checksum: only the neighbouring packets can show the
loss.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from impaired_streams import Verdict, judged
from packet_wrapping import keyed_set, local_set, packet
from test_lane import ASYNC, KLV_PID, KLVA, SYNC, Wire, cell
from test_lane_sets import private

from klvrelay.decoder import Decoder
from klvrelay.record import Packet, Record

VIDEO_PID, AUDIO_PID = 0x100, 0x110
TIME_KEY = bytes.fromhex("060e2b34010101010702010101050000")
NAME_KEY = bytes.fromhex("060e2b34010101010120010000000000")
COUNT = 100
EPOCH = 1_700_000_000_000_000
PERIOD = 100_000
"""Microseconds from one set to the next."""


def fixed(number: int, size: int = 600) -> bytes:
    """All packets have the same length, so the head of one fits the tail of another."""
    return packet("ST0102", local_set([(1, bytes([number % 5])), (200, random.Random(number).randbytes(size))]))


def small(number: int) -> bytes:
    return fixed(number, 200)


def long(number: int) -> bytes:
    return fixed(number, 3400)


def varying(number: int) -> bytes:
    return fixed(number, 400 + 37 * (number * 7919 % 23))


def items(number: int) -> bytes:
    """Many short items; their lengths differ in each packet."""
    chance = random.Random(number)
    return packet("ST0102", local_set([(tag, chance.randbytes(chance.randrange(20, 60))) for tag in range(1, 20)]))


def universal(number: int) -> bytes:
    chance = random.Random(number)
    return packet("ST0104", keyed_set([(TIME_KEY, number.to_bytes(8)), (NAME_KEY, chance.randbytes(500))]))


def unknown(number: int) -> bytes:
    return private(number, size=550)


Make = Callable[[int], bytes]
SETS: dict[str, Make] = {
    "fixed": fixed, "small": small, "long": long, "varying": varying, "items": items, "universal": universal,
    "unknown": unknown,
}  # fmt: skip
BESIDE = {"KLV only": 0, "few of video": 2, "video": 30, "video and audio": 30}
TIMES = {"even": 0, "uneven": 2500, "no PTS": None}


@dataclass(frozen=True, slots=True)
class Sent:
    """TS packets with their send times, and the KLV in them."""

    name: str
    ts: list[bytes]
    us: list[int]
    klv: list[bytes]

    def places(self) -> list[int]:
        """The positions of the KLV TS packets."""
        return [at for at, one in enumerate(self.ts) if int.from_bytes(one[1:3]) & 0x1FFF == KLV_PID]


def streams(beside: str, times: str) -> Iterator[Sent]:
    """One stream for each set, with and without AU cells in turn."""
    for number, (name, make) in enumerate(SETS.items(), list(TIMES).index(times)):
        kind = (ASYNC, SYNC)[number % 2]
        yield _stream(f"{name}, {beside}, {times}, {kind:#x}", make, BESIDE[beside], "audio" in beside, times, kind)


def _stream(name: str, make: Make, video: int, audio: bool, times: str, kind: int) -> Sent:
    wire, chance, ts, us, klv = Wire(), random.Random(name), [], [], []
    listed = [(kind, KLV_PID, KLVA), *[(0x1B, VIDEO_PID, b"")] * (video > 0), *[(0x0F, AUDIO_PID, b"")] * audio]
    for number in range(COUNT):
        klv.append(make(number))
        jitter = TIMES[times]
        pts = None if jitter is None else 9000 * number + chance.randint(-jitter, jitter) + 9000
        payload = cell(klv[-1], number) if kind == SYNC else klv[-1]
        part = wire.pes(payload, pts=pts, sid=0xFC)
        between = wire.carry(VIDEO_PID, chance.randbytes(184 * max(0, video + chance.randint(-2, 2)))) if video else []
        if audio:
            between[3:3] = wire.carry(AUDIO_PID, chance.randbytes(184 * 3))
        tables = wire.tables(*listed) if number % 5 == 0 else []
        ts += [*tables, *_spread(part, between)]
        us += [EPOCH + PERIOD * number + at * PERIOD // 200 for at in range(len(ts) - len(us))]
    return Sent(name, ts, us, klv)


def _spread(klv: list[bytes], between: list[bytes]) -> list[bytes]:
    """The packets of a set after most of the other packets, with a few of those in between."""
    behind = between[-len(klv) :] if len(between) > 2 * len(klv) else []
    mixed = [one for pair in zip(klv, behind, strict=True) for one in pair] if behind else [*klv]
    return [*between[: len(between) - len(behind)], *mixed]


def left_by(sent: Sent, gone: set[int], *, arrival: bool) -> Verdict:
    """What a decoder outputs for the rest: as datagrams with their times, or at once without."""
    rest = [at for at in range(len(sent.ts)) if at not in gone]
    decoder, records = Decoder("uav1", None), list[Record]()
    if arrival:
        for first in range(0, len(sent.ts), 7):
            data = b"".join(sent.ts[at] for at in range(first, min(first + 7, len(sent.ts))) if at not in gone)
            records += decoder.feed(Packet(data, received_us=sent.us[first])) if data else []
    else:
        records = decoder.feed(Packet(b"".join(sent.ts[at] for at in rest)))
    return judged(records + decoder.flush(), sent.klv)


def two_bursts(sent: Sent, chance: random.Random) -> set[int]:
    """Two bursts of 1 to 100 packets each, on any PID."""
    gone = set[int]()
    for _ in range(2):
        begin = chance.randrange(4, len(sent.ts) - 100)
        gone |= set(range(begin, begin + chance.randint(1, 100)))
    return gone


def sixteen_of_klv(sent: Sent, chance: random.Random) -> set[int]:
    """Lose exactly sixteen KLV packets and all packets between them, and some before and after.

    Not in the first tenth: how a stream usually is shows in its first few sets.
    """
    places = sent.places()
    first = chance.randrange(len(places) // 10, len(places) - 17)
    begin = chance.randint(places[first - 1] + 1, places[first])
    return set(range(begin, chance.randint(places[first + 15], places[first + 16] - 1) + 1))
