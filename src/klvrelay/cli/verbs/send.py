"""The verb `send`: sends a recording at its original pace, optionally impaired."""

from __future__ import annotations

import asyncio
import logging
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlencode

from klvrelay.cli.verbs.rates import bits_a_second
from klvrelay.config.url import Url
from klvrelay.errors import ConfigError
from klvrelay.sending import open_destination
from klvrelay.sending.errors import ReceiverDisconnected
from klvrelay.sending.impair import Impairment
from klvrelay.sending.pacing import PKT_SIZE, Transmission, check
from klvrelay.sending.playback import Playback
from klvrelay.text import Secret

SHOWN_EVERY = 0.25

LOG = logging.getLogger("klvrelay.cli")


async def send(
    source: str,
    target: str,
    *,
    speed: float = 1.0,
    loop: bool = False,
    impair: str | None = None,
    rate: str | None = None,
    interface: str | None = None,
    timeout: float = 5.0,
    quiet: bool = False,
) -> Transmission:
    """Send the recording and print a summary. Raises ConfigError, SourceError and the errors of `sending`."""
    url, pkt_size = _without_pkt_size(Url.parse(target))
    impairment = None if impair is None else Impairment.parse(impair)
    playback = Playback(Url.parse(source), rate=None if rate is None else bits_a_second(rate))
    job = Transmission(playback, speed=speed, loop=loop, pkt_size=pkt_size, impairment=impairment)
    destination = open_destination(url, timeout=timeout, interface=interface)
    if impairment is not None:
        check(destination, impairment)
    await playback.check()
    started = time.monotonic()
    try:
        async with _progress_line(job, show=not quiet and sys.stderr.isatty()):
            while True:
                try:
                    async with destination:
                        started = started if job.datagrams else time.monotonic()
                        await job.run(destination)
                    return job
                except ReceiverDisconnected as fault:
                    if not (loop and destination.listens):
                        raise
                    LOG.info("%s", fault)
    finally:
        if job.datagrams and not quiet:
            elapsed = time.monotonic() - started
            print(summary(job, playback, url, elapsed, destination.unsent, impairment), file=sys.stderr)


def summary(
    job: Transmission, playback: Playback, url: Url, elapsed: float, unsent: int, impairment: Impairment | None
) -> str:
    """What was sent, and how it was impaired, on one line."""
    text = f"sent {job.seconds:.1f} s of {playback.url} to {url} in {elapsed:.1f} s: {amount_sent(job)}"
    if unsent:
        text += f", {unsent} not accepted"
    if job.behind:
        text += f", {job.behind:.1f} s behind"
    if impairment is not None:
        units = "TS packets" if impairment.level == "ts" else "datagrams"
        text += f"; of {job.tally.units:,} {units}: {job.tally} (seed={impairment.seed})"
    return text


def amount_sent(job: Transmission) -> str:
    """Datagrams and bytes sent."""
    return f"{job.datagrams:,} datagrams, {job.size / 1e6:.1f} MB"


def _without_pkt_size(url: Url) -> tuple[Url, int]:
    """The URL without pkt_size, which is not an option of the transport, and its value."""
    options = url.options
    text = options.pop("pkt_size", str(PKT_SIZE))
    if not (text.isascii() and text.isdigit()):
        raise ConfigError(f"{url}: pkt_size must be a number of bytes, such as {PKT_SIZE}")
    return url._replace(query=Secret(urlencode(options)) if options else None), int(text[:9])


@asynccontextmanager
async def _progress_line(job: Transmission, *, show: bool) -> AsyncIterator[None]:
    """A progress line on the terminal."""
    if not show:
        yield
        return
    task = asyncio.create_task(_show(job), name="klvrelay-send-progress")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)


async def _show(job: Transmission) -> None:
    size, at = job.size, time.monotonic()
    while True:
        await asyncio.sleep(SHOWN_EVERY)
        now = time.monotonic()
        rate = (job.size - size) * 8 / (now - at) / 1e6
        size, at = job.size, now
        damage = f"; {job.tally}" if job.tally.units else ""
        text = f"{job.seconds:7.1f} s  {rate:6.2f} Mbit/s  {amount_sent(job)}{damage}"
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)
