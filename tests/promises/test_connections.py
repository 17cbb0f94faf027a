"""Faults of the connection to the broker: lost acknowledgements, resets, half-open links, a slow link, a take-over."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from broker_proxy import BrokerProxy
from brokers import until
from oracle_broker import OracleBroker
from relayed import IMPATIENT, STREAMS, relay, stop
from witness import Feeder, Witness, drained, heard_by_oracle

TWO = STREAMS[:2]


async def cut_by_rst(proxy: BrokerProxy) -> None:
    """RST."""
    proxy.cut(reset=True)


async def cut_by_fin(proxy: BrokerProxy) -> None:
    """FIN."""
    proxy.cut()


async def lose_answers(proxy: BrokerProxy) -> None:
    """The broker gets all messages, and its answers get lost, until the connection is cut."""
    proxy.swallowing = True
    await asyncio.sleep(0.3)
    proxy.cut(reset=True)
    proxy.swallowing = False


async def stall(proxy: BrokerProxy) -> None:
    """Nothing passes for a while, in either direction."""
    proxy.stall(True)
    await asyncio.sleep(0.5)
    proxy.stall(False)


async def trickle(proxy: BrokerProxy) -> None:
    """A byte at a time."""
    proxy.rate = 20
    await asyncio.sleep(0.5)
    proxy.rate = None


FAULTS = [cut_by_rst, cut_by_fin, lose_answers, stall, trickle]


@pytest.mark.promise(7, 27)
@pytest.mark.parametrize("rounds", [1, pytest.param(20, marks=[pytest.mark.long, pytest.mark.timeout(600)])])
async def test_faults_of_the_connection_lose_nothing(
    rounds: int, oracle: OracleBroker, eight_ports: list[int], tmp_path: Path, proof: Callable[[str], None]
):
    """Each kind of fault in random order: every record arrives, in order."""
    witness = Witness()
    chance = random.Random(7)
    async with (
        BrokerProxy(oracle.port) as proxy,
        heard_by_oracle(oracle, witness),
        relay(proxy.url, eight_ports[:2], tmp_path / "spool") as command,
    ):
        async with Feeder(eight_ports[:2]) as feeder:
            for _ in range(rounds):
                for fault in chance.sample(FAULTS, len(FAULTS)):
                    await drained(witness, feeder, TWO, 20)
                    await fault(proxy)
            await drained(witness, feeder, TWO, 20)
        await stop(command, witness)
        connections = proxy.connections
    verdict = witness.verdict(TWO)
    assert (verdict.missing, verdict.gaps, verdict.faults) == (0, 0, [])
    assert verdict.duplicates > 0  # those whose answers were lost
    assert connections > 3 * rounds
    proof(f"{rounds * len(FAULTS)} faults: {verdict}")


@pytest.mark.promise(7)
@pytest.mark.long
@pytest.mark.timeout(120)
async def test_a_half_open_connection_is_noticed_in_time(
    oracle: OracleBroker, eight_ports: list[int], tmp_path: Path, proof: Callable[[str], None]
):
    """Nothing passes any more, and nobody closes: within 1.5 keep-alives the relay connects again."""
    keepalive = 6
    witness = Witness()
    settings = tmp_path / "relay.toml"
    async with BrokerProxy(oracle.port) as proxy, heard_by_oracle(oracle, witness):
        settings.write_text(f'[mqtt]\nurl = "{proxy.url}"\nkeepalive = {keepalive}\n')
        async with relay(proxy.url, eight_ports[:2], tmp_path / "spool", "-c", str(settings)) as command:
            loop = asyncio.get_running_loop()
            async with Feeder(eight_ports[:2]) as feeder:
                await drained(witness, feeder, TWO, 20)
            before = proxy.connections
            proxy.stall(True)
            start = loop.time()
            await until(lambda: proxy.connections > before, 30)
            took = loop.time() - start
            proxy.stall(False)
            async with Feeder(eight_ports[:2]) as feeder:
                await until(lambda: witness.arrived > 60, 20)
            await stop(command, witness)
    assert took <= 1.5 * keepalive + 1, took
    proof(f"half-open connection noticed after {took / keepalive:.1f} x keep-alive")


@pytest.mark.promise(7)
async def test_a_second_client_with_the_same_id_loses_nothing(
    oracle: OracleBroker, eight_ports: list[int], tmp_path: Path, proof: Callable[[str], None]
):
    """The broker closes the first connection of a client id when a second one arrives (take-over)."""
    witness = Witness()
    async with heard_by_oracle(oracle, witness), relay(oracle.url, eight_ports[:1], tmp_path / "spool") as command:
        async with Feeder(eight_ports[:1]) as feeder:
            await drained(witness, feeder, TWO[:1], 20)
            for _ in range(2):
                oracle.dismiss(0x8E)
                await drained(witness, feeder, TWO[:1], 20)
        await stop(command, witness)
    verdict = witness.verdict(TWO[:1])
    assert (verdict.missing, verdict.gaps, verdict.faults) == (0, 0, [])
    assert "another client" in command.said
    proof(f"take-over: {verdict}")


def sockets_and_pipes(pid: int) -> int:
    """Number of open descriptors of a process, without files, which the spool opens at its first write."""
    links = []
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(OSError):
            links.append(os.readlink(link))
    return sum(not link.startswith("/") for link in links)


@pytest.mark.promise(15)
@pytest.mark.parametrize("cuts", [4, pytest.param(1000, marks=[pytest.mark.long, pytest.mark.timeout(1800)])])
async def test_forced_disconnects_lose_nothing_and_leak_nothing(
    cuts: int, oracle: OracleBroker, eight_ports: list[int], tmp_path: Path, proof: Callable[[str], None]
):
    """Each connection is cut soon, from its very beginning on. The number of descriptors stays constant."""
    witness, chance, two, spool = Witness(), random.Random(15), eight_ports[:2], tmp_path / "spool"
    loop = asyncio.get_running_loop()
    async with heard_by_oracle(oracle, witness), relay(oracle.url, two, spool, program=IMPATIENT) as command:
        async with Feeder(two) as feeder:
            await drained(witness, feeder, TWO, 20)
            before = sockets_and_pipes(command.process.pid)
            for number in range(cuts):
                seen = len(oracle.guests)
                oracle.cut(reset=bool(number % 2))
                await until(lambda seen=seen: len(oracle.guests) > seen, 20)
                await asyncio.sleep(chance.choice((0, 0.02, 0.1, 0.3)))
            start = loop.time()
            await drained(witness, feeder, TWO, 120)
            took = loop.time() - start
            await until(lambda: sockets_and_pipes(command.process.pid) <= before, 10)
        await stop(command, witness)
    verdict = witness.verdict(TWO)
    assert (verdict.missing, verdict.gaps, verdict.faults) == (0, 0, [])
    assert witness.sums["left_out"] == witness.sums["shed"] == 0
    proof(
        f"{cuts} disconnects: {verdict}, none left out, caught up in {took:.1f} s; {before} descriptors before and"
        " after"
    )
