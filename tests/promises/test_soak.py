"""A long run with regular outages: neither memory nor disk grows."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import linear_regression, median, quantiles

import pytest
from brokers import Mosquitto
from relayed import STREAMS, relay, stop
from witness import Feeder, Witness, drained, heard_durably

MINUTES = float(os.environ.get("KLVRELAY_SOAK_MINUTES", "60"))
STEADY = min(10.0, MINUTES / 3)
"""Minutes after which nothing may grow."""
EVERY, DOWN, SAMPLE = min(300.0, 20 * MINUTES), 10.0, 10.0
"""Seconds between two outages, of an outage, and between two samples."""
SEGMENT = 8.1
"""MiB of a segment of the spool, and of small files."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Minutes since the start; MiB of memory and of disk; descriptors; threads."""

    minutes: float
    memory: float
    disk: float
    files: int
    threads: int


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
        start = time.monotonic()
        async with Feeder(eight_ports) as feeder:
            outages = 0
            while (gone := time.monotonic() - start) < 60 * MINUTES:
                await asyncio.sleep(SAMPLE)
                samples.append(sampled(command.process.pid, spool, start))
                if gone > (outages + 0.5) * EVERY:
                    outages += 1
                    witness.timed = False
                    await mosquitto.stop()
                    await asyncio.sleep(DOWN)
                    await mosquitto.start()
                    await drained(witness, feeder, STREAMS, 60)
                witness.timed = True
            await drained(witness, feeder, STREAMS, 60)
            samples.append(sampled(command.process.pid, spool, start))
        await stop(command, witness)
    verdict = witness.verdict(STREAMS)
    assert (verdict.missing, verdict.gaps, verdict.faults) == (0, 0, [])
    assert verdict.arrived >= 0.99 * feeder.total
    steady = [sample for sample in samples if sample.minutes >= STEADY]
    growth = steady[-1].memory - steady[0].memory
    slope = linear_regression([s.minutes for s in steady], [s.memory for s in steady]).slope * 60
    delays = quantiles(witness.delays, n=100)
    proof(
        f"{MINUTES:g} min, {outages} outages of mosquitto: {verdict}; memory"
        f" {median(s.memory for s in steady):.1f} MiB, {growth:+.1f} MiB"
        f" after minute {STEADY:.0f}, slope {slope:+.2f} MiB/h; disk {steady[0].disk:.1f} and"
        f" {steady[-1].disk:.1f} MiB; {steady[-1].files} descriptors, {steady[-1].threads} threads; arrival to"
        f" subscriber p50 {delays[49]:.1f}, p99 {delays[98]:.1f} ms outside of outages"
    )
    assert growth <= 4
    # A segment that a longer backlog needed is kept for the next one.
    assert steady[-1].disk <= max(s.disk for s in samples if s.minutes <= STEADY) + SEGMENT
    assert steady[-1].files <= steady[0].files + 1
    assert steady[-1].threads <= steady[0].threads + 1
