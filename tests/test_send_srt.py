"""`send` to srt://: to Debian's srt-live-transmit and to klvrelay's source."""

from __future__ import annotations

import asyncio
import signal
import time
from contextlib import nullcontext

import feed
import pytest
from srt_peers import receiver

from klvrelay.config.url import Url
from klvrelay.errors import ConfigError, SourceDown
from klvrelay.sending.errors import ReceiverGone
from klvrelay.sending.srt import SrtDestination

pytestmark = pytest.mark.needs("libsrt", "srt-live-transmit")

TAPE = feed.recording(count=63, filler=2)
PIECES = feed.datagrams(TAPE.ts)
PASSPHRASE = "c4n4ry-s3cret"


async def sent_on_and_on(port, then, timeout=1.0, pause=0.0):
    """One piece, then what `then` does, then pieces until the sender has enough."""
    async with SrtDestination(Url.parse(f"srt://127.0.0.1:{port}"), timeout=timeout) as sender:
        await sender.send(PIECES[0])
        then()
        while True:
            await sender.send(PIECES[0])
            await asyncio.sleep(pause)


@pytest.mark.parametrize("query", ["latency=40", f"latency=40&passphrase={PASSPHRASE}&pbkeylen=24"])
@pytest.mark.parametrize("calls", [True, False], ids=["calls", "listens"])
async def test_srt_live_transmit_receives_all_that_is_sent(calls, query, free_port):
    """Every byte, once, in order, including the last ones: the connection is kept until they have arrived."""
    listening, calling = f"srt://:{free_port}?mode=listener&{query}", f"srt://127.0.0.1:{free_port}?{query}"
    ours, theirs = (calling, listening) if calls else (listening, calling)

    async with asyncio.timeout(10), receiver(theirs) as peer:
        if calls:
            await feed.listening(free_port)
        async with SrtDestination(Url.parse(ours), timeout=5) as sender:
            for piece in PIECES:
                await sender.send(piece)
        got = await peer.stdout.readexactly(len(TAPE.ts))

    assert got == TAPE.ts


async def test_a_frozen_far_end_is_ended_by_the_timeout(free_port):
    """The buffer is full, or there is no sign of life, for `timeout` seconds: a sender never waits without end."""
    async with asyncio.timeout(10), receiver(f"srt://:{free_port}?latency=40") as peer:
        await feed.listening(free_port)
        begun = time.monotonic()
        with pytest.raises(ReceiverGone, match=r"accepted no data for 0\.5 s|the far end has gone"):
            await sent_on_and_on(free_port, lambda: peer.send_signal(signal.SIGSTOP), timeout=0.5)

    assert time.monotonic() - begun < 3


async def test_a_wrong_passphrase_is_reported(free_port):
    """As SourceDown, without the passphrase."""
    async with receiver(f"srt://:{free_port}?passphrase=another-passphrase"):
        await feed.listening(free_port)
        with pytest.raises(SourceDown, match="the passphrase is wrong") as down:
            async with SrtDestination(Url.parse(f"srt://127.0.0.1:{free_port}?passphrase={PASSPHRASE}"), timeout=5):
                pass

    assert "c4n4ry" not in str(down.value)


async def test_a_call_without_an_answer_ends(free_port):
    """Within the timeout."""
    begun = time.monotonic()
    with pytest.raises(SourceDown, match=r"gave no answer for 0\.2 s"):
        async with SrtDestination(Url.parse(f"srt://127.0.0.1:{free_port}"), timeout=0.2):
            pass

    assert time.monotonic() - begun < 1


async def test_a_far_end_that_closes_is_noticed(free_port):
    """The next piece raises the error."""
    async with asyncio.timeout(10), receiver(f"srt://:{free_port}?latency=40") as peer:
        await feed.listening(free_port)
        with pytest.raises(ReceiverGone, match="the far end has gone"):
            await sent_on_and_on(free_port, peer.terminate, pause=0.005)


async def test_a_far_end_that_is_closed_at_the_end_is_noticed(free_port):
    """Data that was sent and never arrived is reported."""
    async with asyncio.timeout(10), receiver(f"srt://:{free_port}?latency=200") as peer:
        await feed.listening(free_port)
        sender = SrtDestination(Url.parse(f"srt://127.0.0.1:{free_port}"), timeout=0.6)
        await sender.__aenter__()
        peer.kill()
        await sender.send(PIECES[0])
        with pytest.raises(ReceiverGone, match="before all data had arrived"):
            await sender.__aexit__(None, None, None)


@pytest.mark.parametrize("connects", [False, True], ids=["waits for a call", "waits until all has arrived"])
async def test_a_sender_can_be_cancelled_at_once(connects, free_port):
    """Whatever it waits for."""
    sent = asyncio.Event()

    async def run():
        async with SrtDestination(Url.parse(f"srt://:{free_port}?latency=2000"), timeout=5) as sender:
            await sender.send(PIECES[0])
            sent.set()

    running = asyncio.create_task(run())
    await feed.listening(free_port)
    async with receiver(f"srt://127.0.0.1:{free_port}?latency=2000") if connects else nullcontext():
        if connects:
            await sent.wait()
        begun = time.monotonic()
        running.cancel()
        await asyncio.wait([running])
        seconds = time.monotonic() - begun

    assert running.cancelled()
    assert seconds < 0.1


async def test_a_piece_longer_than_a_message_is_sent_as_several(free_port):
    """Of 1,316 bytes at most: libsrt would lose the rest."""
    data = TAPE.ts[: 188 * 60]
    async with asyncio.timeout(10), receiver(f"srt://:{free_port}?latency=40") as peer:
        await feed.listening(free_port)
        async with SrtDestination(Url.parse(f"srt://127.0.0.1:{free_port}"), timeout=5) as sender:
            await sender.send(data)
        got = await peer.stdout.readexactly(len(data))

    assert got == data


def test_invalid_settings_are_refused():
    """As for the source."""
    with pytest.raises(ConfigError, match="a port is missing"):
        SrtDestination(Url.parse("srt://127.0.0.1"), timeout=5)
