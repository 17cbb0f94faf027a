"""kill -9 of the relay: what was on disk is delivered by the next run. SIGTERM under load: all is accounted for."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from brokers import until
from oracle_broker import OracleBroker
from relayed import STREAMS, relay, stop
from witness import Feeder, Witness, drained, heard_by_oracle

TWO = STREAMS[:2]
COMMITTED = 0.5
"""Seconds after which a record is on disk, with time to spare for a busy machine."""


@pytest.mark.promise(8, 27)
@pytest.mark.parametrize("kills", [3, pytest.param(200, marks=[pytest.mark.long, pytest.mark.timeout(3600)])])
async def test_kill_9_loses_no_record_on_disk(
    kills: int, oracle: OracleBroker, eight_ports: list[int], tmp_path: Path, proof: Callable[[str], None]
):
    """The broker is away or near when the relay is killed, at a random moment. Small segments: rotation happens too.

    Records that were received less than the commit interval before the kill may be lost: then the run ends with them,
    and no later record of that run exists. So a hole in `seq` is a lost record.
    """
    witness, chance, to = Witness(), random.Random(8), eight_ports[:2]
    settings = tmp_path / "relay.toml"
    settings.write_text(f'[spool]\npath = "{tmp_path / "spool"}"\nsize = "64M"\ncommit = "50ms"\n')
    slowest = 0.0
    async with heard_by_oracle(oracle, witness), Feeder(to) as feeder:
        loop = asyncio.get_running_loop()
        for turn in range(kills):
            away = bool(turn % 2)
            async with relay(oracle.url, to, tmp_path / "spool", "-c", str(settings)) as command:
                start = loop.time()
                await drained(witness, feeder, TWO, 20)
                slowest = max(slowest, loop.time() - start)
                if away:
                    await oracle.stop()
                await asyncio.sleep(chance.uniform(0.2, 1.0))
                command.process.kill()
                await command.process.wait()
            if away:
                await oracle.start()
        async with relay(oracle.url, to, tmp_path / "spool") as command:
            await drained(witness, feeder, TWO, 20)
            await stop(command, witness)
    verdict = witness.verdict(TWO)
    assert (verdict.missing, verdict.gaps, verdict.faults) == (0, 0, [])
    assert len({boot for _, boot in witness.runs}) == kills + 1
    proof(f"{kills} kills: {verdict}; publishing again at most {slowest:.1f} s after it listens")


@pytest.mark.promise(8)
async def test_what_waits_at_a_kill_is_delivered(
    oracle: OracleBroker, eight_ports: list[int], tmp_path: Path, proof: Callable[[str], None]
):
    """With the broker away: all that was received up to the commit interval before the kill arrives later."""
    witness, to = Witness(), eight_ports[:2]
    async with heard_by_oracle(oracle, witness), Feeder(to) as feeder:
        async with relay(oracle.url, to, tmp_path / "spool") as command:
            await drained(witness, feeder, TWO, 20)
            await oracle.stop()
            await asyncio.sleep(1.0)
            owed = feeder.sent
            await asyncio.sleep(COMMITTED)
            command.process.kill()
            await command.process.wait()
        await oracle.start()
        async with relay(oracle.url, to, tmp_path / "spool") as command:
            await drained(witness, feeder, TWO, 20)
            await stop(command, witness)
    first = {key: witness.numbers(key) for key in witness.runs if key[1] == witness.runs[0][1]}
    assert all(max(numbers) >= owed - 1 for numbers in first.values())
    assert witness.verdict(TWO).missing == 0
    proof(f"all of {owed * len(TWO)} received before the commit interval were delivered")


@pytest.mark.promise(21, 27)
@pytest.mark.parametrize("stops", [2, pytest.param(50, marks=[pytest.mark.long, pytest.mark.timeout(1200)])])
async def test_a_stop_under_load_loses_nothing(
    stops: int, oracle: OracleBroker, eight_ports: list[int], tmp_path: Path, proof: Callable[[str], None]
):
    """SIGTERM while records arrive, with the broker near or away: exit code 0 within five seconds, no hole after it."""
    witness, chance, to = Witness(), random.Random(21), eight_ports[:2]
    slowest = 0.0
    async with heard_by_oracle(oracle, witness), Feeder(to) as feeder:
        for turn in range(stops):
            async with relay(oracle.url, to, tmp_path / "spool") as command:
                await drained(witness, feeder, TWO, 20)
                if away := bool(turn % 2):
                    await oracle.stop()
                await asyncio.sleep(chance.uniform(0.2, 1.0))
                code, seconds = await command.stop()
                assert (code, seconds < 5) == (0, True), command.said
                slowest = max(slowest, seconds)
            if away:
                await oracle.start()
        async with relay(oracle.url, to, tmp_path / "spool") as command:
            await drained(witness, feeder, TWO, 20)
            await stop(command, witness)
    verdict = witness.verdict(TWO)
    assert (verdict.missing, verdict.gaps, verdict.faults) == (0, 0, [])
    await until(lambda: witness.sums["waiting"] == 0, 5)
    proof(f"{stops} stops, the slowest {slowest:.1f} s: {verdict}")
