"""Large pieces are decoded in parts: the event loop runs other tasks between them, and no byte is lost or repeated."""

from __future__ import annotations

import asyncio
import gc
import random
import time
from collections.abc import Iterator
from contextlib import aclosing

import feed
import pytest

from klvrelay.decoder import Decoder
from klvrelay.record import Packet
from klvrelay.sources.open import open_source
from klvrelay.sources.parts import PART, parts

SMALL = feed.recording(count=300)


@pytest.mark.parametrize("carriage", ["klv", "ts"])
@pytest.mark.parametrize("more", [-1, 0, 1])
def test_a_piece_is_cut_where_it_is_larger_than_a_part(carriage, more):
    """At the limit it is unchanged; one byte more is a separate part."""
    data = random.Random(1).randbytes(2 * PART[carriage] + more)
    found = list(parts(Packet(data, 7, carriage, damaged=True)))

    assert len(found) == (3 if more > 0 else 2)
    assert b"".join(part.data for part in found) == data
    assert all(len(part.data) <= PART[carriage] for part in found)
    assert [part.damaged for part in found] == [True] + [False] * (len(found) - 1)
    assert {(part.received_us, part.carriage) for part in found} == {(7, carriage)}


@pytest.mark.parametrize("more", [0, 1])
def test_a_unit_with_a_pid_stays_whole(more):
    """Its time belongs to all of it."""
    unit = Packet(bytes(PART["klv"] + more), 1, "klv", 90_000, 257)

    assert list(parts(unit)) == [unit]


@pytest.mark.parametrize("kind", ["file", "follow", "replay", "tcp"])
@pytest.mark.parametrize("carriage", ["klv", "ts"])
async def test_a_large_file_is_complete_in_parts(carriage, kind, tmp_path):
    """Every packet of it once, in order, with every reader."""
    data = SMALL.bare if carriage == "klv" else SMALL.ts
    data *= 1 + (3 * PART[carriage]) // len(data)
    (tmp_path / "tape").write_bytes(data)
    options = {"file": {}, "follow": {"follow": True}, "replay": {"speed": 1e9}, "tcp": {}}[kind]
    async with feed.tcp_server(data) as port, asyncio.timeout(20):
        url = f"tcp://127.0.0.1:{port}" if kind == "tcp" else str(tmp_path / "tape")
        got = bytearray()
        async with aclosing(open_source(url, **options).packets()) as packets:
            async for packet in packets:
                assert len(packet.data) <= PART[carriage]
                got += packet.data
                if len(got) >= len(data):
                    break

    assert bytes(got) == data


@pytest.fixture
def no_collector() -> Iterator[None]:
    """Python's garbage collector takes a while with all that a test run has loaded."""
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("no_collector")
async def test_the_loop_runs_while_a_file_of_small_packets_is_relayed(tmp_path):
    """Four MiB of bare KLV, a hundred thousand packets: no other task waits until all of them are decoded."""
    times = 1 + (4 << 20) // len(SMALL.bare)
    data = SMALL.bare * times
    (tmp_path / "tape.klv").write_bytes(data)
    decoder, worst = Decoder("a", None), 0.0
    begun = time.thread_time()
    decoder.feed(Packet(data, carriage="klv"))
    at_once = time.thread_time() - begun

    async def watch() -> None:
        nonlocal worst
        while True:
            before = time.thread_time()
            await asyncio.sleep(0)
            worst = max(worst, time.thread_time() - before)

    async with asyncio.timeout(50), aclosing(open_source(str(tmp_path / "tape.klv")).packets()) as packets:
        watching = asyncio.create_task(watch())
        decoder = Decoder("a", None)
        count = sum([len(decoder.feed(packet)) async for packet in packets])
        watching.cancel()

    assert count == times * len(SMALL.klv)
    assert worst < at_once / 8
