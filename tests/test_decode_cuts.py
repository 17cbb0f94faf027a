"""Bytes in pieces of any size give the same records as in one piece.

For the same files, the lane gives the records that libav gives.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Literal

import feed
import pytest
from test_lane import ASYNC, KLV_PID, KLVA, NULL, SYNC, Wire, cell, decoded, klv_packet, raws

from klvrelay import decoder, sample
from klvrelay.decoder import Decoder
from klvrelay.record import Packet, Record
from klvrelay.sources.open import open_source

SMALL = [klv_packet(0), klv_packet(1, 200), klv_packet(2)]


def small(kind: int) -> bytes:
    """A stream of a few TS packets: KLV between video and tables, an overlong KLV packet and a loss."""
    wire, ts = Wire(), []
    for number, sent in enumerate(SMALL):
        ts += wire.tables((0x1B, 0x100, b""), (kind, KLV_PID, KLVA)) + wire.carry(0x100, b"v" * 300)
        ts += wire.pes(cell(sent, number) if kind == SYNC else sent, pts=number, sid=0xFC)
    return b"".join([*ts, *wire.pes(SMALL[1])[1:], NULL, NULL, NULL, NULL])


def fed(pieces: Sequence[bytes], carriage: Literal["ts", "klv"] = "ts") -> list[Record]:
    decoder = Decoder("uav1", "5f2c9a")
    return [r for piece in pieces for r in decoder.feed(Packet(piece, carriage=carriage))] + decoder.flush()


def lines(pieces: Sequence[bytes], carriage: Literal["ts", "klv"] = "ts") -> bytes:
    decoder = Decoder("uav1", "5f2c9a")
    return b"".join(decoder.lines(Packet(p, carriage=carriage)) for p in pieces) + decoder.flush_lines()


def stretched(ts: bytes, size: int) -> bytes:
    return b"".join(ts[at : at + 188].ljust(size, b"\xa5") for at in range(0, len(ts), 188))


@pytest.mark.parametrize("kind", [SYNC, ASYNC])
@pytest.mark.parametrize("size", [188, 192, 204])
def test_every_single_cut_of_a_stream_gives_the_same_records(kind: int, size: int):
    """Records with their numbers, times, PIDs and flags; and the JSON Lines."""
    ts = stretched(small(kind), size)
    whole, text = fed([ts]), lines([ts])
    assert raws(r for r in whole if r.good) == SMALL
    for at in range(1, len(ts)):
        assert fed([ts[:at], ts[at:]]) == whole, at
    for at in range(1, len(ts), 13):
        assert lines([ts[:at], ts[at:]]) == text, at


def test_every_single_cut_of_bare_klv_gives_the_same_records():
    """With damage between the packets, and an unknown one."""
    strange = bytes.fromhex("060e2b34020b01010e0103017f7f7f00") + b"\x05hello"
    data = b"\x06\x0e" + SMALL[0] + strange + SMALL[1][:90] + SMALL[1] + b"\x06\x0e\x2b" + SMALL[2]
    whole = fed([data], "klv")
    assert raws(r for r in whole if r.set == "ST0601" and r.good) == SMALL
    for at in range(1, len(data)):
        assert fed([data[:at], data[at:]], "klv") == whole, at
    assert fed([data[at : at + 1] for at in range(len(data))], "klv") == whole


@pytest.mark.parametrize("kind", [SYNC, ASYNC])
def test_random_cuts_into_many_pieces_give_the_same_records(kind: int):
    """From single bytes to whole kilobytes."""
    ts = small(kind) * 3
    whole = fed([ts])
    assert fed([ts[at : at + 1] for at in range(len(ts))]) == whole
    for seed in range(200):
        chance = random.Random(seed)
        at, pieces = 0, []
        while at < len(ts):
            size = chance.choice((1, 2, 3, 47, 187, 188, 189, 613, 1316, 4096))
            pieces.append(ts[at : at + size])
            at += size
        assert fed(pieces) == whole, seed


def test_json_lines_are_the_records_json():
    """C's output for a whole buffer equals that of the single records."""
    ts = small(SYNC)
    assert lines([ts]) == b"".join(r.json() + b"\n" for r in fed([ts]))
    assert decoder.json_lines(ts, stream="uav1", boot="5f2c9a") == lines([ts])


def test_a_stream_that_restarts_loses_nothing_and_counts_no_loss():
    """An empty packet between two rounds of a recording: as many records again, numbered on, no discontinuity."""
    tape = feed.recording(10)
    decoder = Decoder("uav1", None)
    records = decoder.feed(Packet(tape.ts))
    records += decoder.feed(Packet(b"", 1)) + decoder.feed(Packet(tape.ts)) + decoder.flush()
    assert raws(records) == tape.klv * 2
    assert [r.seq for r in records] == list(range(20))
    assert all(r.good for r in records)
    assert (decoder.counters.discontinuities, decoder.counters.damaged) == (0, 0)


def read(path: Path, via: Literal["libav"] | None) -> list[Record]:
    async def reading() -> list[Record]:
        decoder, records = Decoder("uav1", None), []
        async with aclosing(open_source(str(path), demux=via).packets()) as packets:
            async for packet in packets:
                records += decoder.feed(packet)
        return records + decoder.flush()

    return asyncio.run(reading())


def both_ways(path: Path) -> list[Record]:
    """The records of a file, which libav finds too: the same packets with the same PID and PTS."""
    ours, libavs = read(path, None), read(path, "libav")
    assert raws(ours) == raws(libavs)
    assert [r.transport for r in ours] == [r.transport for r in libavs]
    assert [r.pid for r in ours] == [r.pid for r in libavs]
    if all(r.pts is not None for r in ours):
        assert [r.pts for r in ours] == [r.pts for r in libavs]
    return ours


@pytest.mark.parametrize("kind", [SYNC, ASYNC])
def test_libav_finds_the_same_in_the_tests_streams(kind: int, tmp_path: Path):
    """Packets of many lengths, synchronous and asynchronous."""
    wire, sent = Wire(), [klv_packet(n, 37 * n) for n in range(40)]
    ts = wire.tables((kind, KLV_PID, KLVA))
    for number, packet in enumerate(sent):
        payload = cell(packet, number) if kind == SYNC else packet
        ts += wire.tables((kind, KLV_PID, KLVA)) + wire.pes(payload, pts=3000 * number, sid=0xFC)
    path = tmp_path / "made.ts"
    path.write_bytes(b"".join(ts))
    assert raws(both_ways(path)) == sent


def test_libav_finds_the_same_beside_video(tmp_path: Path):
    """The project's sample recording, with both carriages."""
    for carriage in ("sync", "async"):
        path = tmp_path / f"{carriage}.ts"
        made = sample.write(path, seconds=1, size="160x96", fps=10, carriage=carriage)
        records = both_ways(path)
        assert len(records) == made.packets == 10
        assert all(r.good and r.checksum == "ok" for r in records)


def test_libav_finds_the_same_beside_a_loss(tmp_path: Path):
    """What libav flags as corrupt, the lane flags as damaged; the same records are valid."""
    wire, sent = Wire(), [klv_packet(n, 560) for n in range(20)]
    ts = wire.tables((ASYNC, KLV_PID, KLVA)) + [p for s in sent for p in wire.pes(s, pts=1)]
    del ts[2 + 4 * 7 + 2]
    path = tmp_path / "lossy.ts"
    path.write_bytes(b"".join(ts))
    good = [raws(r for r in read(path, via) if r.good) for via in (None, "libav")]
    assert good[0] == good[1] == sent[:7] + sent[8:]


RECORDINGS = {"osh_sample_stream.ts": 277, "h264_klv.ts": 30, "aphill_klv_10s.ts": 300}


@pytest.mark.parametrize("name", RECORDINGS)
def test_libav_finds_the_same_in_real_recordings(name: str, shared: Path):
    """Real encoders' streams give the same packets through the lane and through libav."""
    records = both_ways(shared / "data" / name)
    assert len(records) == RECORDINGS[name]
    assert all(r.transport == "ok" for r in records)


@pytest.mark.parametrize("name", RECORDINGS)
def test_real_recordings_may_be_cut_anywhere(name: str, shared: Path):
    """Odd pieces of a real recording give the records of the whole."""
    data = (shared / "data" / name).read_bytes()
    whole = decoded(data)
    for size in (1316, 4999):
        assert raws(fed([data[at : at + size] for at in range(0, len(data), size)])) == raws(whole)


@pytest.mark.parametrize("name", ["osh_sample_stream.ts", "h264_klv.ts"])
def test_lost_packets_of_a_real_recording_make_no_false_record(name: str, shared: Path):
    """2 % of the TS packets lost, then 2 % swapped with their neighbour: each valid record was sent."""
    data = (shared / "data" / name).read_bytes()
    ts = [data[at : at + 188] for at in range(0, len(data), 188)]
    sent = set(raws(decoded(data)))
    for seed in range(10):
        chance = random.Random(seed)
        lossy = [p for p in ts if chance.random() > 0.02]
        swapped = list(ts)
        for at in chance.sample(range(len(ts) - 1), len(ts) // 50):
            swapped[at], swapped[at + 1] = swapped[at + 1], swapped[at]
        for stream in (lossy, swapped):
            assert {r.raw for r in decoded(stream) if r.good} <= sent
