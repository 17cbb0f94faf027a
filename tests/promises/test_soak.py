"""A long run with regular outages: neither memory nor disk grows."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import linear_regression, median, quantiles

import pytest
from brokers import Mosquitto
from relayed import STREAMS, relay, stop
from witness import Delay, Feeder, Witness, caught_up, drained, heard_durably

MINUTES = float(os.environ.get("KLVRELAY_SOAK_MINUTES", "60"))
STEADY = min(10.0, MINUTES / 3)
"""Minutes after which nothing may grow."""
EVERY, DOWN, SAMPLE = min(300.0, 20 * MINUTES), 10.0, 10.0
"""Seconds between two outages, of an outage, and between two samples."""
SEGMENT = 8.1
"""MiB of a segment of the spool, and of small files."""
BEFORE = 1.0
"""Seconds before an outage in which a record may have been received that is not confirmed when it begins."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Minutes since the start; MiB of memory and of disk; descriptors; threads."""

    minutes: float
    memory: float
    disk: float
    files: int
    threads: int


def live(delays: Sequence[Delay], outages: Sequence[tuple[float, float]]) -> list[Delay]:
    """Those of records that were received outside of outages. The others waited for the broker."""
    return [delay for delay in delays if not any(begin - BEFORE <= delay.received <= end for begin, end in outages)]


def described(delays: Sequence[Delay], start: float) -> str:
    """The percentiles, and when the worst was received: a stall is to be traced."""
    hundredths = quantiles((delay.ms for delay in delays), n=100)
    worst = max(delays, key=lambda delay: delay.ms)
    return (
        f"arrival to subscriber p50 {hundredths[49]:.1f}, p99 {hundredths[98]:.1f} ms of {len(delays):,} records"
        f" received outside of outages, at most {worst.ms:.0f} ms in minute {(worst.received - start) / 60:.1f}"
    )


def sampled(pid: int, spool: Path, start: float) -> Sample:
    status = dict(line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    disk = sum(path.stat().st_blocks * 512 for path in spool.rglob("*") if path.is_file())
    return Sample(
        (time.monotonic() - start) / 60, int(status["VmRSS"].split()[0]) / 1024, disk / 2**20,
        len(os.listdir(f"/proc/{pid}/fd")), int(status["Threads"]),
    )  # fmt: skip


@pytest.mark.promise(16, 6, 27)
@pytest.mark.long
@pytest.mark.timeout(60 * MINUTES + 600)
@pytest.mark.needs("mosquitto")
async def test_an_hour_of_outages_lets_nothing_grow(
    mosquitto: Mosquitto, eight_ports: list[int], tmp_path: Path, proof: Callable[[str], None]
):
    """8 streams at 30 Hz; mosquitto is down for 10 s every 5 minutes. KLVRELAY_SOAK_MINUTES sets another duration."""
    witness, spool = Witness(), tmp_path / "spool"
    samples: list[Sample] = []
    async with heard_durably(mosquitto.port, witness), relay(mosquitto.url, eight_ports, spool) as command:
        start, began = time.monotonic(), time.time()
        outages: list[tuple[float, float]] = []  # until nothing waits any longer
        async with Feeder(eight_ports) as feeder:
            await drained(witness, feeder, STREAMS, 60)
            await caught_up(witness, feeder, STREAMS, 60)
            witness.timed = True
            while (gone := time.monotonic() - start) < 60 * MINUTES:
                await asyncio.sleep(SAMPLE)
                samples.append(sampled(command.process.pid, spool, start))
                if gone > (len(outages) + 0.5) * EVERY:
                    begin = time.time()
                    await mosquitto.stop()
                    await asyncio.sleep(DOWN)
                    await mosquitto.start()
                    await drained(witness, feeder, STREAMS, 60)
                    await caught_up(witness, feeder, STREAMS, 60)
                    outages.append((begin, time.time()))
            await drained(witness, feeder, STREAMS, 60)
            samples.append(sampled(command.process.pid, spool, start))
        await stop(command, witness)
    verdict = witness.verdict(STREAMS)
    assert (verdict.missing, verdict.gaps, verdict.faults) == (0, 0, [])
    assert verdict.arrived >= 0.99 * feeder.total
    steady = [sample for sample in samples if sample.minutes >= STEADY]
    growth = steady[-1].memory - steady[0].memory
    slope = linear_regression([s.minutes for s in steady], [s.memory for s in steady]).slope * 60
    longest = max(end - begin for begin, end in outages) - DOWN
    proof(
        f"{MINUTES:g} min, {len(outages)} outages of mosquitto: {verdict}, caught up within {longest:.1f} s; memory"
        f" {median(s.memory for s in steady):.1f} MiB, {growth:+.1f} MiB"
        f" after minute {STEADY:.0f}, slope {slope:+.2f} MiB/h; disk {steady[0].disk:.1f} and"
        f" {steady[-1].disk:.1f} MiB; {steady[-1].files} descriptors, {steady[-1].threads} threads; "
        + described(live(witness.delays, outages), began)
    )
    assert growth <= 4
    # A segment that a longer backlog needed is kept for the next one.
    assert steady[-1].disk <= max(s.disk for s in samples if s.minutes <= STEADY) + SEGMENT
    assert steady[-1].files <= steady[0].files + 1
    assert steady[-1].threads <= steady[0].threads + 1
