"""Joining a stream in the middle: the first whole KLV packet is the first record, with tables or without.

`benchmarks/joining.py` measures the time; here it is counted in bytes.
"""

from __future__ import annotations

import random

import feed
import pytest
from brokers import until
from damaged_tapes import Tape, tape
from test_lane import ASYNC, SYNC
from test_relay_carriage import relayed

from klvrelay.core import Lane

TAPES = {
    "async": tape(count=60, video=12),
    "sync, two PIDs": tape(kinds=(SYNC, ASYNC), count=60, sizes=(900, 30), video=12),
    "no PES length": tape(count=60, sized=False, video=5),
}
SURE = 4 * 188
"""Bytes until the receiver is synchronised, where the tables come sooner."""


def first_had(sent: Tape, begin: int) -> tuple[set[int], int]:
    """For a receiver that joins at this byte: the units that can be the first, and the last byte that it needs.

    Before the tables it must see a second PES packet begin on the same PID.
    """
    at, pat, pmt = 0, False, False
    begun, whole = set[int](), dict[int, int]()
    for piece in sent.pieces:
        end = at + len(piece.data)
        if at >= begin:
            pat = pat or piece.what == "pat"
            pmt = pmt or (pat and piece.what == "pmt")
            if pmt and whole:
                return set(whole.values()), end
            if piece.what == "klv":
                unit = sent.units[piece.unit]
                if piece.place == 0:
                    begun.add(piece.unit)
                    if unit.pid in whole:
                        return {whole[unit.pid]}, end
                if piece.unit in begun and piece.place + 1 == unit.packets:
                    whole.setdefault(unit.pid, piece.unit)
                    if pmt:
                        return {piece.unit}, end
        at = end
    raise AssertionError("joined too late")


@pytest.mark.parametrize("places", [80, pytest.param(500, marks=pytest.mark.long)])
@pytest.mark.parametrize("name", TAPES)
@pytest.mark.parametrize("size", [1316, 188, 100])
def test_the_first_record_needs_no_byte_more(name: str, size: int, places: int):
    """From many random places: the record is output with the piece that has its last byte."""
    sent = TAPES[name]
    for seed in range(places):
        begin = random.Random(seed).randrange(len(sent.ts) // 2)
        lane, read, found = Lane(ts=True), begin, []
        while not found:
            piece = sent.ts[read : read + size]
            read += len(piece)
            found = lane.packets(piece)
        units, end = first_had(sent, begin)
        raw, transport = found[0][0], found[0][5]
        assert raw in [sent.units[unit].raw for unit in units], seed
        assert transport == "ok"
        needed = max(end, begin + SURE + 188) - begin
        assert read - begin <= -(-needed // size) * size, seed


def test_the_first_record_needs_no_more_than_two_klv_intervals():
    """In bytes: the distance of the tables, or two KLV packets, and one more; here 3 KiB on average."""
    sent, needed = TAPES["async"], []
    for seed in range(200):
        begin = random.Random(seed).randrange(len(sent.ts) // 2)
        needed.append(first_had(sent, begin)[1] - begin)
    between = len(sent.ts) / len(sent.units)
    assert sum(needed) / len(needed) < 3 * between / 2 + between + 188 * 8
    assert max(needed) < 3 * between + between + 188 * 16


@pytest.mark.parametrize("seed", range(3))
async def test_the_first_published_record_is_the_first_whole_one(seed: int, free_port: int):
    """Through socket, core and relay: joined anywhere, no false record comes before it, and none is omitted after."""
    sent = TAPES["async"]
    begin = random.Random(seed).randrange(len(sent.ts) // 2)
    (unit,), _ = first_had(sent, begin)
    async with relayed(free_port) as ear:
        feed.send_udp(feed.datagrams(sent.ts[begin:]), free_port)
        await until(lambda: len(ear.records) >= len(sent.units) - unit)
    assert [record.raw for record in ear.records] == [u.raw for u in sent.units[unit:]]
    assert all(record.good for record in ear.records)
