"""Several sinks: a slow or dead one affects no other."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from statistics import quantiles

import pytest
from broker_proxy import BrokerProxy
from oracle_broker import OracleBroker
from relayed import STREAMS, relay_of, stop
from test_relay_process import Command
from witness import Feeder, Witness, drained, heard_by_oracle


def memory(command: Command) -> float:
    """MiB of a process."""
    lines = Path(f"/proc/{command.process.pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) / 1024


@pytest.mark.promise(12, 27)
@pytest.mark.parametrize("seconds", [2.0, pytest.param(60.0, marks=[pytest.mark.long, pytest.mark.timeout(300)])])
@pytest.mark.parametrize("fault", ["stalled", "a byte at a time"])
async def test_a_sink_that_is_stuck_affects_no_other(
    seconds: float, fault: str, eight_ports: list[int], tmp_path: Path, proof: Callable[[str], None]
):
    """The other broker gets every record as before; the stuck one gets all of them later."""
    near, far = Witness(), Witness()
    async with OracleBroker() as first, OracleBroker() as second, BrokerProxy(second.port) as proxy:
        path = tmp_path / "relay.toml"
        sinks = "".join(f'[[sink]]\nname = "{n}"\nurl = "{u}"\n' for n, u in (("a", first.url), ("b", proxy.url)))
        path.write_text(f'{sinks}[spool]\npath = "{tmp_path / "spool"}"\n')
        async with heard_by_oracle(first, near), heard_by_oracle(second, far), relay_of(path, eight_ports) as command:
            async with Feeder(eight_ports) as feeder:
                await drained(near, feeder, STREAMS, 20)
                await drained(far, feeder, STREAMS, 20)
                near.timed = True
                await asyncio.sleep(seconds)
                calm, before = near.delays, memory(command)
                near.delays = []
                if fault == "stalled":
                    proxy.stall(True)
                else:
                    proxy.rate = 20
                await asyncio.sleep(seconds)
                stuck, after = near.delays, memory(command)
                await drained(near, feeder, STREAMS, 2)
                proxy.stall(False)
                proxy.rate = None
                await drained(far, feeder, STREAMS, 60)
            await stop(command, near)
    for witness in (near, far):
        verdict = witness.verdict(STREAMS)
        assert (verdict.missing, verdict.gaps, verdict.faults) == (0, 0, [])
    assert near.verdict(STREAMS).duplicates == 0
    assert len(stuck) > 0.8 * len(calm) > 100
    p99 = [quantiles([delay.ms for delay in delays], n=100)[98] for delays in (calm, stuck)]
    growth = after - before
    proof(f"{fault}, {seconds:g} s: p99 of the other {p99[0]:.1f} and {p99[1]:.1f} ms; memory {growth:+.1f} MiB")
    assert growth <= 8
