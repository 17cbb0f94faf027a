"""srt:// in a separate process: a signal ends it at once, whatever its connection does, without a crash."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from contextlib import AsyncExitStack

import feed
import pytest
from brokers import until
from oracle_broker import OracleBroker
from srt_peers import transmitter
from test_cli import ENVIRONMENT
from test_relay_process import CANARY, klvrelay

pytestmark = pytest.mark.needs("libsrt", "srt-live-transmit")

TAPE = feed.recording(count=63, filler=2)
PIECES = feed.datagrams(TAPE.ts)
QUERY = f"latency=40&passphrase={CANARY}&streamid={CANARY}"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("state", ["listens", "calls", "meets", "is live", "is frozen", "was left"])
async def test_a_signal_ends_the_relay_at_once(state, number, free_port, oracle: OracleBroker):
    """Exit code 0, within 1.5 s, and neither passphrase nor stream id in its output."""
    host = {"calls": "127.0.0.1", "meets": "127.0.0.1"}.get(state, "")
    url = f"srt://{host}:{free_port}?{QUERY}" + ("&mode=rendezvous&localaddr=127.0.0.2" * (state == "meets"))
    async with AsyncExitStack() as stack:
        relay = await stack.enter_async_context(klvrelay("run", url, "--stream", "uav1", "--mqtt", oracle.url))
        await until(lambda: "connected" in relay.said, within=10)
        if host:
            await asyncio.sleep(0.1)
        else:
            await feed.listening(free_port)
        if state in ("is live", "is frozen", "was left"):
            theirs = f"srt://127.0.0.1:{free_port}?{QUERY}"
            peer = await stack.enter_async_context(transmitter(theirs, PIECES, pause=0.003))
            await until(lambda: len(oracle.payloads("klvrelay/uav1/telemetry")) > 5, within=10)
            if state == "is frozen":
                peer.send_signal(signal.SIGSTOP)
            if state == "was left":
                peer.kill()
                await peer.wait()

        code, seconds = await relay.stop(number)

    assert (code, seconds < 1.5) == (0, True), (code, seconds, relay.said)


@pytest.mark.parametrize("ends", ["sys.exit(7)", "os.kill(os.getpid(), signal.SIGINT)", "1 / 0"])
async def test_a_process_that_leaves_its_connection_open_ends(ends, free_port):
    """The interpreter ends while libsrt's threads run: no crash, no hang."""
    script = f"""
import asyncio, os, signal, sys
from klvrelay.sources.open import open_source
loop = asyncio.new_event_loop()
packets = open_source("srt://127.0.0.1:{free_port}?mode=listener&latency=40").packets()
print(len(loop.run_until_complete(anext(packets)).data), flush=True)
{ends}
"""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, env=ENVIRONMENT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    await feed.listening(free_port)
    async with transmitter(f"srt://127.0.0.1:{free_port}?latency=40", PIECES * 9, pause=0.001):
        assert process.stdout is not None
        assert int(await asyncio.wait_for(process.stdout.readline(), 10)) > 0
        begun = time.monotonic()
        await asyncio.wait_for(process.communicate(), 10)

    assert process.returncode == {"s": 7, "o": -signal.SIGINT, "1": 1}[ends[0]]
    assert time.monotonic() - begun < 2
