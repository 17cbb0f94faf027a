"""KLV in every carriage from a UDP sender through the whole relay: each record arrives once, in order, none false."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Sequence
from contextlib import asynccontextmanager

import feed
import pytest
from brokers import until
from test_lane import ASYNC, KLVA, NULL, SYNC, Wire, cell, klv_packet
from test_relay import Ear, running

from klvrelay.relay.relay import Relay
from klvrelay.sources.open import open_source

PAUSE = 0.0005
"""Seconds between two datagrams of a fast camera."""


@asynccontextmanager
async def relayed(port: int):
    """A relay of one UDP stream, demultiplexed by the core; returns what its sink receives."""
    url, ear = f"udp://127.0.0.1:{port}", Ear()
    pipeline = Relay([("uav1", lambda: open_source(url, demux="native"), url)], [("ear", ear)], boot="5f2c9a")
    async with running(pipeline):
        await feed.listening(port)
        yield ear


async def arrive(port: int, ts: Sequence[bytes], wanted: int) -> list:
    """The received records of TS packets sent in datagrams of seven, at least `wanted` of them."""
    async with relayed(port) as ear:
        for datagram in feed.datagrams(b"".join([*ts, *[NULL] * 14])):
            feed.send_udp([datagram], port)
            await asyncio.sleep(PAUSE)
        await until(lambda: len(ear.records) >= wanted)
        await asyncio.sleep(0.02)  # a surplus one would have arrived by now
        return ear.records


def is_whole(records, sent: Sequence[tuple[int, bytes]]) -> None:
    """For each PID every record, once, in order, valid; each stream is numbered in the order of arrival."""
    for pid in {pid for pid, _ in sent}:
        assert [r.raw for r in records if r.pid == pid] == [raw for of, raw in sent if of == pid]
    assert len(records) == len(sent)
    assert all(record.good for record in records)
    for name in {record.stream for record in records}:
        numbers = [record.seq for record in records if record.stream == name]
        assert numbers == list(range(len(numbers)))


def program(streams: Sequence[tuple[int, int, bytes]], number: int, pmt: int, wire: Wire) -> list[bytes]:
    """The PMT of one of several programs."""
    body = struct.pack(">HBBBHH", number, 0xC1, 0, 0, 0xE100, 0xF000)
    for kind, pid, descriptors in streams:
        body += struct.pack(">BHH", kind, 0xE000 | pid, 0xF000 | len(descriptors)) + descriptors
    return wire.section(pmt, 2, body)


async def test_klv_that_appears_after_the_start_is_relayed(free_port):
    """A camera that begins to send metadata when it flies: the PMT changes, and the records arrive."""
    wire, sent = Wire(), [(0x200, klv_packet(number, 300)) for number in range(40)]
    ts = wire.tables((0x1B, 0x100, b"")) + [p for _ in range(20) for p in wire.pes(b"\1" * 900, 0x100)]
    ts += wire.tables((0x1B, 0x100, b""), (ASYNC, 0x200, KLVA), version=1)
    ts += [p for pid, raw in sent for p in wire.pes(raw, pid) + wire.pes(b"\1" * 500, 0x100)]

    is_whole(await arrive(free_port, ts, len(sent)), sent)


@pytest.mark.parametrize("kinds", [(ASYNC, SYNC), (SYNC, ASYNC)], ids=["async to sync", "sync to async"])
async def test_klv_that_moves_to_another_pid_is_followed(kinds, free_port):
    """The encoder restarts with other PIDs and another carriage, four times."""
    wire, sent, ts = Wire(), list[tuple[int, bytes]](), list[bytes]()
    for turn in range(4):
        kind, pid = kinds[turn % 2], 0x101 + 0x10 * turn
        ts += wire.tables((0x1B, 0x100, b""), (kind, pid, KLVA), version=turn)
        for number in range(10 * turn, 10 * turn + 10):
            sent.append((pid, klv_packet(number, 300)))
            payload = cell(sent[-1][1], number) if kind == SYNC else sent[-1][1]
            ts += wire.pes(payload, pid, pts=3000 * number, sid=0xFC if kind == SYNC else 0xBD)

    is_whole(await arrive(free_port, ts, len(sent)), sent)


async def test_a_pmt_that_moves_to_another_pid_is_followed(free_port):
    """The PAT names another PID for the PMT: no record is lost."""
    wire, sent, ts = Wire(), [(0x101, klv_packet(number, 200)) for number in range(30)], list[bytes]()
    for turn in range(3):
        ts += wire.tables((ASYNC, 0x101, KLVA), version=turn, pmt=0x1000 + turn)
        ts += [p for pid, raw in sent[10 * turn : 10 * turn + 10] for p in wire.pes(raw, pid)]

    is_whole(await arrive(free_port, ts, len(sent)), sent)


async def test_several_programs_with_several_pids_are_kept_apart(free_port):
    """Three programs, two of them with two KLV PIDs, one synchronous; their TS packets are interleaved."""
    wire = Wire()
    pids = {0x111: ASYNC, 0x112: SYNC, 0x121: ASYNC, 0x131: SYNC, 0x132: ASYNC}
    pat = struct.pack(">HBBB", 1, 0xC1, 0, 0) + b"".join(struct.pack(">HH", n, 0xE000 | 0x1000 + n) for n in (1, 2, 3))
    ts = wire.section(0, 0, pat)
    for number in (1, 2, 3):
        streams = [(kind, pid, KLVA) for pid, kind in pids.items() if pid >> 4 & 15 == number]
        ts += program([(0x1B, 0x100 + 0x10 * number, b""), *streams], number, 0x1000 + number, wire)
    sent = []
    for number in range(0, 60, len(pids)):
        rows = []
        for place, (pid, kind) in enumerate(pids.items()):
            raw = klv_packet(number + place, 500)
            sent.append((pid, raw))
            rows.append(wire.pes(cell(raw, number) if kind == SYNC else raw, pid, pts=number))
        ts += [packet for row in zip(*(row + [NULL] * 5 for row in rows), strict=False) for packet in row]

    records = await arrive(free_port, ts, len(sent))

    is_whole(records, sent)
    assert {record.pid for record in records} == set(pids)


@pytest.mark.parametrize("cells", [2, 5])
async def test_several_cells_of_one_pes_packet_are_as_many_records(cells, free_port):
    """Synchronous carriage with more than one access unit per PES packet: each has that packet's PTS."""
    wire, sent = Wire(), [(0x101, klv_packet(number, 150)) for number in range(40)]
    ts = wire.tables((SYNC, 0x101, KLVA))
    for at in range(0, 40, cells):
        payload = b"".join(cell(raw, at + place) for place, (_, raw) in enumerate(sent[at : at + cells]))
        ts += wire.pes(payload, pts=3000 * at, sid=0xFC)

    records = await arrive(free_port, ts, len(sent))

    is_whole(records, sent)
    assert [record.pts for record in records] == [3000 * (number // cells * cells) for number in range(40)]


async def test_a_packet_in_fragments_over_many_datagrams_is_one_record(free_port):
    """First, middle and last cell, each in a separate PES packet."""
    wire, sent = Wire(), [(0x101, klv_packet(number, 900)) for number in range(20)]
    ts, number = wire.tables((SYNC, 0x101, KLVA)), 0
    for _, raw in sent:
        for part, fragment in ((raw[:300], 2), (raw[300:600], 0), (raw[600:], 1)):
            ts += wire.pes(cell(part, number, fragment), pts=9, sid=0xFC)
            number += 1

    is_whole(await arrive(free_port, ts, len(sent)), sent)


async def test_klv_without_a_pes_length_is_output_at_once(free_port):
    """Each record when its last byte arrived, not with the next PES packet; the last one too."""
    wire, sent = Wire(), [(0x101, klv_packet(number, 300)) for number in range(20)]
    async with relayed(free_port) as ear:
        feed.send_udp([b"".join([*wire.tables((ASYNC, 0x101, KLVA)), *[NULL] * 5])], free_port)
        for number, (_, raw) in enumerate(sent, 1):
            feed.send_udp([b"".join(wire.pes(raw, sized=False))], free_port)
            await until(lambda wanted=number: len(ear.records) == wanted, 2)
    is_whole(ear.records, sent)


async def test_a_wrapping_pts_and_pcr_do_no_harm(free_port):
    """After 26 hours 33 bits wrap."""
    tape = feed.recording(60, first_pcr=(1 << 33) - 90_000)
    async with relayed(free_port) as ear:
        feed.send_udp(feed.datagrams(tape.ts), free_port)
        await until(lambda: len(ear.records) == 60)
    is_whole(ear.records, [(feed.KLV_PID, raw) for raw in tape.klv])
    assert [r.pts for r in ear.records] == [((1 << 33) - 90_000 + 3000 * n) % (1 << 33) for n in range(60)]
