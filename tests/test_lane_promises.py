"""Hostile lengths and cuts: each length is refused at no cost, and ten thousand cuts change nothing.

`test_core_purity.py` cuts every vector at every byte; `benchmarks/limits.py` measures the time that hostile packets
take.
"""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import corpus
import pytest
from clocked_mux import EPOCH, SLOT, Clocked, faults
from test_lane import ASYNC, KLV_PID, KLVA, NULL, PMT_PID, SYNC, Wire, cell, klv_packet
from test_pes import pes

from klvrelay.core import Counters, Entry, Lane
from klvrelay.decoder import Decoder
from klvrelay.record import Packet

VECTORS = Path(__file__).parent / "vectors" / "vectors.jsonl"
SIZES = (1, 2, 3, 5, 17, 60, 187, 188, 189, 376, 1000, 1316)


def random_pieces(data: bytes, chance: random.Random) -> Iterator[bytes]:
    at = 0
    while at < len(data):
        size = chance.choice(SIZES)
        yield data[at : at + size]
        at += size


def once(data: bytes, *, ts: bool) -> tuple[list[Entry], Counters]:
    lane = Lane(ts=ts)
    entries = lane.packets(data)
    lane.cut()
    return entries + lane.packets(b""), lane.counters


def in_pieces(data: bytes, chance: random.Random, *, ts: bool) -> tuple[list[Entry], Counters]:
    lane, entries = Lane(ts=ts), []
    for piece in random_pieces(data, chance):
        entries += lane.packets(piece)
    lane.cut()
    return entries + lane.packets(b""), lane.counters


@pytest.mark.parametrize("cuts", [10_000, pytest.param(100_000, marks=pytest.mark.long)])
@pytest.mark.parametrize("ts", [False, True], ids=["bare", "transport"])
def test_random_cuts_of_the_vectors_change_nothing(ts: bool, cuts: int) -> None:
    """Bare, each vector many times over; and in transport streams: the same packets, times, flags and counts."""
    made = corpus.corpus_of(VECTORS)
    inputs = [stream[: 188 * 40] for stream in made.transport] if ts else made.bare
    wanted = [once(data, ts=ts) for data in inputs]
    assert sum(len(entries) for entries, _ in wanted) > (10 if ts else 900)
    for number in range(cuts // 5 if ts else cuts):
        which, chance = number % len(inputs), random.Random(number)
        assert in_pieces(inputs[which], chance, ts=ts) == wanted[which], (which, number)


def test_cuts_change_nothing_in_a_damaged_stream_with_arrival_times() -> None:
    """Bits flipped, packets lost, repeated, swapped, in datagrams with times: the same packets, clocks and errors."""
    kinds = set()
    for seed in range(300):
        chance = random.Random(seed)
        datagrams = [damaged(slot.ts, chance) for slot in Clocked().slots(0, 1_600_000)]
        results = []
        for cut in (False, True):
            lane, entries = Lane(ts=True), []
            for number, datagram in enumerate(datagrams):
                came = EPOCH + number * SLOT + number * 7919 % 3000
                for piece in random_pieces(datagram, chance) if cut else [datagram]:
                    entries += lane.packets(piece, came)
            results.append((entries, lane.counters))
        assert results[0] == results[1], seed
        kinds |= set(faults(results[0][1]))
    assert kinds >= {
        "bad_checksum", "continuity_errors", "crc_errors", "damaged", "discontinuities",
        "pcr_discontinuity_errors", "scrambled", "sync_byte_errors", "sync_losses", "transport_errors",
    }  # fmt: skip


def damaged(packets: list[bytes], chance: random.Random) -> bytes:
    packets = list(packets)
    if chance.random() < 0.05:
        at = chance.randrange(len(packets))
        match chance.randrange(4):
            case 0:
                del packets[at]
            case 1:
                packets.insert(at, packets[at])
            case 2:
                packets.reverse()
            case _:
                packets[at] = packets[at][chance.randrange(1, 50) :]
    data = bytearray(b"".join(packets))
    if data and chance.random() < 0.1:
        at = chance.randrange(len(data))
        at -= at % 188 - chance.randrange(12) if chance.random() < 0.7 else 0
        data[at % len(data)] ^= 1 << chance.randrange(8)
    return bytes(data)


# ---- lengths ----

LENGTHS = [2**31, 2**32 - 1, 2**32, 2**40, 2**63, 2**64 - 1]


def promises(length: int, octets: int) -> bytes:
    return klv_packet(0)[:16] + bytes([0x80 | octets]) + min(length, 256**octets - 1).to_bytes(octets)


@pytest.mark.parametrize("kind", [ASYNC, SYNC])
def test_an_announced_length_in_a_stream_delays_nothing(kind: int) -> None:
    """2^31 to 2^64-1 in 1 to 127 octets, or the maximum of the form: the next packet is output at once."""
    wire, decoder, number = Wire(), Decoder("uav1", None), 0
    decoder.feed(Packet(b"".join([*wire.tables((kind, KLV_PID, KLVA)), *[NULL] * 4])))
    for octets in range(1, 128):
        for length in LENGTHS:
            number += 1
            hostile, good = promises(length, octets), klv_packet(number)
            parts = (cell(hostile, number), cell(good, number)) if kind == SYNC else (hostile, good)
            records = decoder.feed(Packet(b"".join(packet for part in parts for packet in wire.pes(part))))
            assert [record.raw for record in records if record.good] == [good], (octets, length)


Broken = Callable[[Wire, int], list[bytes]]


def _pes_length(wire: Wire, n: int) -> list[bytes]:
    return wire.carry(KLV_PID, pes(klv_packet(n)[:30], size=(0xFFFF, 1, 2, 3)[n % 4]))


def _pes_header(wire: Wire, n: int) -> list[bytes]:
    whole = pes(klv_packet(n)[:30])
    return wire.carry(KLV_PID, whole[:8] + bytes([255 - n % 16]) + whole[9:])


def _cell_length(wire: Wire, n: int) -> list[bytes]:
    whole = cell(klv_packet(n)[:30], n)
    return wire.pes(whole[:3] + (0xFFFF - n).to_bytes(2) + whole[5:], sized=n % 2 == 0)


def _empty_cells(wire: Wire, n: int) -> list[bytes]:
    return wire.pes(cell(b"", n) * 400, sized=n % 2 == 0)


def _section(wire: Wire, n: int) -> list[bytes]:
    return wire.carry((0, PMT_PID)[n % 2], b"\0" + bytes([2 * (n % 2)]) + (0xBFFF - n % 5).to_bytes(2) + b"\xc1" * 170)


def _pointer(wire: Wire, n: int) -> list[bytes]:
    return wire.carry((0, PMT_PID)[n % 2], bytes([255 - n % 80]) + b"\x02" * 183)


def _field(wire: Wire, n: int) -> list[bytes]:
    (packet,) = wire.carry(KLV_PID, b"x" * 100)
    return [packet[:4] + bytes([184 + n % 72]) + packet[5:]]


def _descriptor(wire: Wire, n: int) -> list[bytes]:
    return wire.tables((ASYNC, 0x300, b"\x05\xff" + KLVA), (ASYNC, KLV_PID, KLVA), version=n % 32)


@pytest.mark.parametrize(
    "broken", [_pes_length, _pes_header, _cell_length, _empty_cells, _section, _pointer, _field, _descriptor]
)
def test_a_wrong_length_in_the_transport_delays_nothing(broken: Broken) -> None:
    """PES packets and their headers, cells, tables, pointers, adaptation fields, descriptors: the next one is read."""
    wire, lane, sent = Wire(), Lane(ts=True), []
    entries = lane.packets(b"".join([*wire.tables((ASYNC, KLV_PID, KLVA)), *[NULL] * 4]))
    for n in range(200):
        sent.append(klv_packet(1000 + n, 200))
        entries += lane.packets(b"".join([*broken(wire, n), *wire.pes(sent[-1])]))
        good = [entry[0] for entry in entries if entry[5] == "ok" and entry[4] == "ok"]
        assert good == sent, n


GROWTH = """
import re, sys
from pathlib import Path
sys.path[:0] = {path!r}
from test_lane_promises import storms

def most():  # ru_maxrss begins with the memory of the parent
    return int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1])

for _ in range(3):  # the allocator still grows after the first
    for feed in storms():
        feed(harmless=True)
before = most()
for feed in storms():
    feed(harmless=False)
print(most() - before)
"""


@cache
def good_and_bad() -> tuple[bytes, bytes]:
    good = b"".join(klv_packet(number) for number in range(20_000))
    lengths = [promises(length, octets) for length in LENGTHS for octets in (4, 5, 8, 9, 127)]
    bad = b"".join(lengths * (len(good) // len(b"".join(lengths)) + 1))[: len(good)]
    return good, bad.ljust(len(good))


def storms() -> Iterator[Callable[..., None]]:
    """Each feeds 1.5 MB to a lane: valid packets, or as many bytes with lengths of up to 2^64."""
    good, bad = good_and_bad()

    def bare(harmless: bool) -> None:
        lane = Lane(ts=False)
        for at in range(0, len(good), 1316):
            lane.packets((good if harmless else bad)[at : at + 1316])

    def transport(harmless: bool) -> None:
        wire, lane, data = Wire(), Lane(ts=True), good if harmless else bad
        lane.packets(b"".join([*wire.tables(*((ASYNC, KLV_PID + n, KLVA) for n in range(8))), *[NULL] * 4]))
        for at in range(0, len(good), 1316):
            lane.packets(b"".join(wire.pes(data[at : at + 1316], KLV_PID + at // 1316 % 8)))

    yield bare
    yield transport


def test_announced_lengths_take_no_memory() -> None:
    """In a separate process: it grows by less than a MiB beyond the memory for as many valid bytes."""
    tests = Path(__file__).parent
    path = [str(tests), str(tests / "support"), str(tests / "native"), *(part for part in sys.path if part)]
    done = subprocess.run(
        [sys.executable, "-c", GROWTH.format(path=path)], capture_output=True, text=True, timeout=50, check=True
    )
    assert int(done.stdout) < 1024


def test_the_maximum_memory_is_all_places_with_full_buffers() -> None:
    """Eight PIDs that each hold the beginning of a packet of the limit and never complete it; none is valid."""
    wire, decoder = Wire(), Decoder("uav1", None, packet_limit=2000)
    pids = range(KLV_PID, KLV_PID + 8)
    decoder.feed(Packet(b"".join([*wire.tables(*((ASYNC, pid, KLVA) for pid in pids)), *[NULL] * 4])))
    begun = klv_packet(0)[:16] + b"\x82\x07\xd0"
    for number in range(200):
        for pid in pids:
            records = decoder.feed(Packet(b"".join(wire.pes(begun if number % 10 == 0 else b"x" * 100, pid))))
            assert not [record for record in records if record.good]
    records = decoder.feed(Packet(b"".join(packet for pid in pids for packet in wire.pes(klv_packet(1), pid))))
    assert [record.pid for record in records if record.good] == list(pids)
