"""Joining a stream in the midst of it: the first whole KLV packet behind the first tables is the first record.

`benchmarks/joining.py` takes the time that this needs; here it is counted in bytes.
"""

from __future__ import annotations

import random

import feed
import pytest
from brokers import until
from demuxes import Tape, tape
from test_lane import ASYNC, SYNC
from test_relay_carriage import relayed

from klvrelay.klv import Decoder
from klvrelay.record import Packet

TAPES = {
    "async": tape(count=60, video=12),
    "sync, two PIDs": tape(kinds=(SYNC, ASYNC), count=60, sizes=(900, 30), video=12),
    "no PES length": tape(count=60, sized=False, video=5),
}
SURE = 4 * 188
"""Bytes that it takes to be sure of the step, where the tables come sooner."""


def first_had(sent: Tape, begin: int) -> tuple[int, int]:
    """Of a receiver that joins at this byte: the first unit that it can have, and the byte that this ends before."""
    at, pat, pmt = 0, False, False
    begun = dict[int, int]()
    for piece in sent.pieces:
        if at >= begin:
            pat = pat or piece.what == "pat"
            pmt = pmt or (pat and piece.what == "pmt")
            if piece.what == "klv" and pmt:
                if piece.place == 0:
                    begun[piece.unit] = 1
                if piece.unit in begun and piece.place + 1 == sent.units[piece.unit].packets:
                    return piece.unit, at + len(piece.data)
        at += len(piece.data)
    raise AssertionError("joined too late")


@pytest.mark.parametrize("name", TAPES)
@pytest.mark.parametrize("size", [1316, 188, 100])
def test_no_byte_more_is_read_than_the_first_record_needs(name: str, size: int):
    """From 200 random places: the record comes with the piece that its last byte is in."""
    sent = TAPES[name]
    for seed in range(200):
        begin = random.Random(seed).randrange(len(sent.ts) // 2)
        decoder, read, records = Decoder("uav1", None), begin, []
        while not records:
            piece = sent.ts[read : read + size]
            read += len(piece)
            records = decoder.feed(Packet(piece))
        unit, end = first_had(sent, begin)
        assert records[0].raw == sent.units[unit].raw, seed
        assert records[0].good
        needed = max(end, begin + SURE + 188) - begin
        assert read - begin <= -(-needed // size) * size, seed


def test_the_first_record_needs_the_tables_and_one_klv_interval():
    """In bytes: what lies between two tables, and between two KLV packets; here 9 and 3 KiB on the average."""
    sent, needed = TAPES["async"], []
    for seed in range(200):
        begin = random.Random(seed).randrange(len(sent.ts) // 2)
        needed.append(first_had(sent, begin)[1] - begin)
    between = len(sent.ts) / len(sent.units)
    assert sum(needed) / len(needed) < 3 * between / 2 + between + 188 * 8
    assert max(needed) < 3 * between + between + 188 * 16


@pytest.mark.parametrize("seed", range(3))
async def test_the_first_published_record_is_the_first_whole_one_behind_the_tables(seed: int, free_port: int):
    """Through socket, core and relay: joined anywhere, nothing false comes before it, and nothing is left out after."""
    sent = TAPES["async"]
    begin = random.Random(seed).randrange(len(sent.ts) // 2)
    unit, _ = first_had(sent, begin)
    async with relayed(free_port) as ear:
        feed.send_udp(feed.datagrams(sent.ts[begin:]), free_port)
        await until(lambda: len(ear.records) >= len(sent.units) - unit)
    assert [record.raw for record in ear.records] == [u.raw for u in sent.units[unit:]]
    assert all(record.good for record in ear.records)
