"""The system clock is set while the relay runs, with the broker near or away: nothing is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from oracle_broker import OracleBroker
from relayed import STREAMS, relay, stop
from test_wrong_clocks import SHIFTS, faked, set_to
from witness import Feeder, Witness, drained, heard_by_oracle

TWO = STREAMS[:2]


@pytest.mark.promise(17, 27)
@pytest.mark.needs("faketime")
@pytest.mark.parametrize("rounds", [1, pytest.param(5, marks=[pytest.mark.long, pytest.mark.timeout(1200)])])
async def test_steps_of_the_clock_lose_nothing(
    rounds: int, oracle: OracleBroker, eight_ports: list[int], tmp_path: Path, proof: Callable[[str], None]
):
    """An hour and ten years, forth and back, with the broker near and during an outage."""
    (clock := tmp_path / "clock").write_text("+0s")
    witness, spool = Witness(), tmp_path / "spool"
    async with (
        heard_by_oracle(oracle, witness),
        relay(oracle.url, eight_ports[:2], spool, **faked(clock)) as command,
        Feeder(eight_ports[:2]) as feeder,
    ):
        for _ in range(rounds):
            for shift in SHIFTS:
                await drained(witness, feeder, TWO, 60)
                set_to(clock, shift)
            await drained(witness, feeder, TWO, 60)
            await oracle.stop()
            for shift in SHIFTS:
                set_to(clock, shift)
                await asyncio.sleep(0.1)
            await oracle.start()
        await drained(witness, feeder, TWO, 60)
        set_to(clock, "+0s")
        await stop(command, witness)
    verdict = witness.verdict(TWO)
    assert (verdict.missing, verdict.gaps, verdict.faults) == (0, 0, [])
    assert verdict.arrived >= 20
    assert min(witness.sums.values()) >= 0
    assert all(state["seconds"] >= 0 for state in witness.link["states"].values())
    proof(f"{rounds * (2 * len(SHIFTS) + 1)} steps of up to ten years: {verdict}")
