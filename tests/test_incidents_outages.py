"""Outages that a test makes, and what the ledger of a relay process has of them: its times agree within 100 ms."""

from __future__ import annotations

import asyncio
import shutil
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from itertools import islice
from pathlib import Path

import feed
import pytest
from broker_proxy import BrokerProxy
from brokers import Mosquitto, until
from oracle_broker import OracleBroker
from outages import HZ, check, opened, recorded, relaying, restored, seconds_of, sending
from test_relay_process import Command

from klvrelay.incidents.alive import read_alive

pytestmark = pytest.mark.needs("mosquitto")


async def live(command: Command) -> None:
    await until(lambda: "uav1: live" in command.said or "uav1: back" in command.said)


async def test_a_source_that_is_killed_was_out_from_its_last_datagram(free_port: int, tmp_path: Path):
    """Only a time-out shows it: the outage begins with the last good byte, and ends with the first record."""
    url = f"udp://127.0.0.1:{free_port}"
    async with relaying(tmp_path, url, "--sink", "-") as command:
        await feed.listening(free_port)
        async with sending(free_port) as sender:
            await live(command)
            await asyncio.sleep(2)  # for the rate before
            began = sender.stop()
            one = await opened(tmp_path)
            assert one["cause"] == "source"
            sender.resume()
            one = await restored(tmp_path)
            check(one, began, sender.first)
            assert one["estimated"]
            assert 0 < one["lost"] < 1.25 * HZ * one["duration_s"], "the sender is slower on a loaded machine"
        assert len(recorded(tmp_path)) == 1


@asynccontextmanager
async def tcp_sender() -> AsyncIterator[tuple[int, list[float]]]:
    """A TCP server that sends KLV at HZ to each client; its port, and the wall times of what it sent."""
    sent: list[float] = []
    serving: list[asyncio.Task[None] | None] = []

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.append(asyncio.current_task())
        with suppress(OSError, asyncio.CancelledError):
            for _, piece in islice(feed.endless(HZ), 3000):
                writer.write(piece)
                sent.append(time.time())
                await asyncio.sleep(1 / HZ)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], sent
        for task in serving:
            assert task is not None
            task.cancel()
        await asyncio.gather(*(task for task in serving if task is not None), return_exceptions=True)


async def test_a_network_that_is_cut_was_out_until_the_first_record_after_it(tmp_path: Path):
    """The connection of the source ends at once, and the next one delivers again."""
    async with (
        tcp_sender() as (port, _),
        BrokerProxy(port) as network,
        relaying(tmp_path, f"tcp://127.0.0.1:{network.port}", "--sink", "-") as command,
    ):
        await live(command)
        await asyncio.sleep(0.5)
        began = time.time()
        network.cut(reset=True)
        await until(lambda: recorded(tmp_path))
        one = await restored(tmp_path)
        assert abs(seconds_of(one["since"]) - began) <= 0.1
        assert one["detection_s"] <= 0.1
        assert one["end"] == "restored"


async def test_a_network_that_stalls_was_out_from_the_last_byte(tmp_path: Path):
    """Nothing passes, and no connection ends."""
    async with tcp_sender() as (port, _), BrokerProxy(port) as network:
        more = ("--sink", "-", "--source-timeout", "20")
        async with relaying(tmp_path, f"tcp://127.0.0.1:{network.port}", *more) as command:
            await live(command)
            await asyncio.sleep(0.5)
            network.stall(True)
            await opened(tmp_path)
            began = network.passed[False]
            ended = time.time()
            network.stall(False)
            check(await restored(tmp_path), began, ended)


async def test_a_broker_that_is_stopped_was_out_until_it_is_connected_again(
    mosquitto: Mosquitto, free_port: int, tmp_path: Path
):
    """mosquitto: the records that waited meanwhile are delayed, none is lost."""
    state = tmp_path / "state"
    async with relaying(state, f"udp://127.0.0.1:{free_port}", "--mqtt", mosquitto.url) as command:
        await feed.listening(free_port)
        async with sending(free_port):
            await live(command)
            began = time.time()
            await mosquitto.stop()
            stopped = time.time()
            one = await opened(state, "sink")
            assert (one["name"], one["cause"]) == ("mqtt", "broker")
            await asyncio.sleep(0.5)
            await mosquitto.start()
            await until(lambda: "reconnected" in command.said)
            ended = time.time()
            one = await restored(state, "sink")
            assert began - 0.1 <= seconds_of(one["since"]) <= stopped + 0.1
            assert abs(seconds_of(one["restored"]) - ended) <= 0.1
            assert one["lost"] == 0
            assert one["delayed"] > 5


async def test_a_broker_that_answers_nothing_was_out_from_its_last_answer(
    oracle: OracleBroker, free_port: int, tmp_path: Path
):
    """The connection stays: only missing answers show it."""
    async with (
        BrokerProxy(oracle.port) as network,
        relaying(tmp_path, f"udp://127.0.0.1:{free_port}", "--mqtt", network.url) as command,
    ):
        await feed.listening(free_port)
        async with sending(free_port):
            await live(command)
            await until(lambda: "connected" in command.said)
            await asyncio.sleep(0.5)
            network.stall(True)
            one = await opened(tmp_path, "sink")
            assert one["cause"] == "network"
            began = network.passed[False]
            ended = time.time()
            network.stall(False)
            check(await restored(tmp_path, "sink"), began, ended)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 3 MB. Skips where none can be mounted."""
    mount, folder = shutil.which("mount"), tmp_path / "disk"
    folder.mkdir()
    made = mount and subprocess.run(
        [mount, "-t", "tmpfs", "-o", "size=3m", "none", folder], stderr=subprocess.PIPE, text=True, check=False
    )
    if not made or made.returncode:
        pytest.skip(f"no tmpfs can be mounted here: {made.stderr.strip() if made else 'no mount'}")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def last_write(spool: Path) -> float:
    """Wall time of the last write to the spool."""
    return max(path.stat().st_mtime for path in spool.iterdir())


async def test_a_disk_that_is_full_was_out_until_records_were_written_again(
    free_port: int, tmp_path: Path, small_disk: Path
):
    """The disk of the spool; the ledger is on another one. After its last write there was no room for the next one."""
    state, spool = tmp_path / "state", small_disk / "spool"
    more = ("--mqtt", "mqtt://127.0.0.1:1", "--spool", str(spool))
    async with relaying(state, f"udp://127.0.0.1:{free_port}", *more, KLVRELAY_SPOOL_SIZE="1M") as command:
        await feed.listening(free_port)
        async with sending(free_port, padding=4000):
            await live(command)
            await asyncio.sleep(0.3)
            assert recorded(state, "spool") == []
            filler = small_disk / "filler"
            with suppress(OSError), filler.open("wb", buffering=0) as file:
                while file.write(bytes(4096)) == 4096:
                    pass
            writes = [last_write(spool)]
            await until(lambda: "cannot write" in command.said or writes.append(last_write(spool)))
            began = writes[-1]  # later, attempts to write change the files too
            one = await opened(state, "spool")
            assert one["cause"] == "disk"
            await asyncio.sleep(0.3)
            filler.unlink()
            await until(lambda: "writing again" in command.said)
            ended = time.time()
            check(await restored(state, "spool"), began, ended, agrees=0.15)  # it is written every 50 ms only


async def killed(state: Path, port: int, after: float) -> float:
    """A relay that is killed; the wall time of its death."""
    async with relaying(state, f"udp://127.0.0.1:{port}", "--sink", "-") as command:
        await feed.listening(port)
        await live(command)
        await asyncio.sleep(after)
        command.process.send_signal(signal.SIGKILL)
        died = time.time()
        await command.process.wait()
    return died


async def test_a_relay_that_is_killed_was_out_from_its_death_until_it_runs_again(free_port: int, tmp_path: Path):
    """The next start knows the time of death; a stop in order is no incident."""
    async with sending(free_port):
        died = await killed(tmp_path, free_port, 1.2)
        assert recorded(tmp_path, "relay") == []
        await asyncio.sleep(0.5)
        async with relaying(tmp_path, f"udp://127.0.0.1:{free_port}", "--sink", "-") as command:
            await feed.listening(free_port)
            runs = time.time()
            one = await restored(tmp_path, "relay")
            check(one, died, runs, agrees=0.15)
            assert abs(seconds_of(one["since"]) - died) <= 0.1
            assert one["cause"] == "relay"
            assert one["lost"] == pytest.approx(HZ * one["duration_s"], rel=0.35)
            await command.stop()
        async with relaying(tmp_path, f"udp://127.0.0.1:{free_port}", "--sink", "-") as command:
            await live(command)
    assert len(recorded(tmp_path, "relay")) == 1


async def test_an_outage_that_is_open_at_a_kill_ends_when_the_stream_is_good_again(free_port: int, tmp_path: Path):
    """It is one incident over both runs, with the true times."""
    url = f"udp://127.0.0.1:{free_port}"
    async with sending(free_port) as sender:
        async with relaying(tmp_path, url, "--sink", "-", "--stall", "1") as command:
            await live(command)
            began = sender.stop()
            one = await opened(tmp_path)
            command.process.send_signal(signal.SIGKILL)
            await command.process.wait()
        assert recorded(tmp_path)[0]["end"] is None
        async with relaying(tmp_path, url, "--sink", "-") as command:
            await feed.listening(free_port)
            await restored(tmp_path, "relay")
            sender.resume()
            again = await restored(tmp_path)
            assert again["id"] == one["id"]
            check(again, began, sender.first)
    assert len(recorded(tmp_path)) == 1


async def test_two_relays_do_not_share_a_state_directory(free_port: int, tmp_path: Path):
    """The second one names the first, and does not start."""
    url = f"udp://127.0.0.1:{free_port}"
    async with relaying(tmp_path, url, "--sink", "-") as first:
        await feed.listening(free_port)
        async with relaying(tmp_path, "tcp://127.0.0.1:1", "--sink", "-") as second:
            assert await asyncio.wait_for(second.process.wait(), 10) == 2
            assert f"is used by another relay (process {first.process.pid})" in second.said


@pytest.mark.long
@pytest.mark.timeout(240)
async def test_a_kill_at_any_moment_leaves_a_readable_ledger(free_port: int, tmp_path: Path):
    """Twenty moments while incidents are being written: each start reads the ledger and knows the death."""
    import random

    chance, deaths = random.Random(11), []
    async with sending(free_port):
        for _ in range(20):
            deaths.append(await killed(tmp_path, free_port, chance.random() * 1.5))
            last = read_alive(tmp_path)
            assert last is not None
            assert abs(last.at.us / 1e6 - deaths[-1]) <= 0.1
    found = list(reversed(recorded(tmp_path, "relay")))
    assert len(found) == 19
    for one, died in zip(found, deaths, strict=False):
        assert abs(seconds_of(one["since"]) - died) <= 0.1
        assert one["end"] == "restored"
