"""Broker outages: nothing is lost, and the order of each stream is kept."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from brokers import Mosquitto
from oracle_broker import OracleBroker
from relayed import STREAMS, relay, stop
from witness import Feeder, Verdict, Witness, drained, heard_by_oracle, heard_durably


async def through_outages(
    broker: OracleBroker | Mosquitto, witness: Witness, ports: list[int], spool: Path, outages: int, down: float,
    up: float,
) -> tuple[Verdict, float]:  # fmt: skip
    """What became of all records, and the seconds in which the relay caught up after the last outage."""
    loop, took = asyncio.get_running_loop(), 0.0
    async with relay(broker.url, ports, spool) as command:
        async with Feeder(ports) as feeder:
            await drained(witness, feeder, STREAMS, 20)
            for _ in range(outages):
                await broker.stop()
                await asyncio.sleep(down)
                await broker.start()
                start = loop.time()
                await drained(witness, feeder, STREAMS, 60)
                took = loop.time() - start
                await asyncio.sleep(up)
        await stop(command, witness)
    verdict = witness.verdict(STREAMS)
    assert (verdict.missing, verdict.gaps, verdict.faults) == (0, 0, [])
    assert verdict.arrived >= 100
    return verdict, took


@pytest.mark.promise(6, 27)
@pytest.mark.parametrize(
    ("outages", "down", "up"),
    [(1, 1.5, 1.0), pytest.param(4, 60.0, 60.0, marks=[pytest.mark.long, pytest.mark.timeout(900)])],
)
async def test_an_outage_of_the_oracle_broker_loses_nothing(
    outages: int, down: float, up: float, oracle: OracleBroker, eight_ports: list[int], tmp_path: Path,
    proof: Callable[[str], None],
):  # fmt: skip
    """Every record in order; a duplicate only of what was in flight."""
    witness = Witness()
    async with heard_by_oracle(oracle, witness):
        verdict, took = await through_outages(oracle, witness, eight_ports, tmp_path / "spool", outages, down, up)
    assert len(oracle.guests) > outages
    proof(f"oracle broker, {outages} x {down:g} s: {verdict}, caught up in {took:.1f} s")


@pytest.mark.promise(6, 27)
@pytest.mark.needs("mosquitto")
@pytest.mark.parametrize(
    ("outages", "down", "up"),
    [(1, 1.0, 0.5), pytest.param(4, 60.0, 60.0, marks=[pytest.mark.long, pytest.mark.timeout(900)])],
)
async def test_an_outage_of_mosquitto_loses_nothing(
    outages: int, down: float, up: float, mosquitto: Mosquitto, eight_ports: list[int], tmp_path: Path,
    proof: Callable[[str], None],
):  # fmt: skip
    """The broker is stopped as by an administrator. It keeps the session of the subscriber."""
    witness = Witness()
    async with heard_durably(mosquitto.port, witness):
        verdict, took = await through_outages(mosquitto, witness, eight_ports, tmp_path / "spool", outages, down, up)
    proof(f"mosquitto, {outages} x {down:g} s: {verdict}, caught up in {took:.1f} s")
