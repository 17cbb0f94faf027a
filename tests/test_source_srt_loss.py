"""srt:// over a UDP path that loses datagrams: retransmission, and losses that remain."""

from __future__ import annotations

import asyncio
import random

import feed
import pytest
from srt_peers import Heard, hear, sequence, transmitter, wire

from klvrelay.sources.open import open_source

pytestmark = pytest.mark.needs("libsrt", "srt-live-transmit")

TAPE = feed.recording(count=420, filler=7, padding=200)
PIECES = feed.datagrams(TAPE.ts)


async def heard_over(loses, port, latency):
    """The tape sent by srt-live-transmit over a path that loses what `loses` selects; (heard, source, path)."""
    source, heard = open_source(f"srt://127.0.0.1:{port}?mode=listener&latency={latency}", timeout=2), Heard()
    hearing = asyncio.create_task(hear(source, len(TAPE.klv), heard))
    await feed.listening(port)
    async with wire(port, loses) as (near, line), transmitter(f"srt://127.0.0.1:{near}?latency={latency}", PIECES):
        done, _ = await asyncio.wait([hearing], timeout=len(PIECES) * 0.003 + 3)
        # Where something is missing the end is never reached: the far end's log is complete by then.
        if not done or hearing.exception():
            hearing.cancel()
            await asyncio.wait([hearing])
    return heard, source, line


@pytest.mark.parametrize("share", [0.02, 0.1])
async def test_lost_datagrams_are_retransmitted(share, free_port):
    """Any datagram may be lost, data, acknowledgements and requests alike: every record arrives, in order."""
    seed, quiet = 20, 200
    chance = random.Random(seed)

    def loses(datagram):
        nonlocal quiet
        # Until the round trip is known libsrt waits 0.3 s before it asks a second time.
        quiet -= quiet > 0 and sequence(datagram) is not None
        return not quiet and chance.random() < share

    heard, source, line = await heard_over(loses, free_port, 1000)

    context = f"seed {seed}: {line.lost} of {line.carried} datagrams lost; {source.link}"
    assert heard.klv == TAPE.klv, context
    assert TAPE.ts.startswith(heard.data), context
    assert source.link.srt_lost > len(PIECES) * share / 10, context
    assert source.link.srt_retransmitted > len(PIECES) * share / 10, context
    assert source.link.srt_dropped == 0, context
    assert not any(packet.damaged for packet in heard.packets), context


async def test_a_message_that_is_too_late_leaves_a_mark(free_port):
    """A message that never arrives is dropped after the latency: counted, and no record is made of the rest."""
    first: list[int] = []
    missing = {31, 32, 400, 701}

    def loses(datagram):
        number = sequence(datagram)
        if number is None:
            return False
        first.append(number)
        return number - first[0] in missing

    heard, source, _ = await heard_over(loses, free_port, 60)

    wanted = [piece for place, piece in enumerate(PIECES) if place not in missing]
    assert heard.data == b"".join(wanted)
    assert source.link.srt_dropped == len(missing)
    assert sum(packet.damaged for packet in heard.packets) == 3
    before = len(b"".join(PIECES[:31]))
    marks = [place for place, packet in enumerate(heard.packets) if packet.damaged]
    assert sum(len(packet.data) for packet in heard.packets[: marks[0]]) == before
    assert set(heard.klv) <= set(TAPE.klv)
    assert len(TAPE.klv) - 8 <= len(heard.klv) < len(TAPE.klv)
