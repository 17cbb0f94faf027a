"""Records that no broker received: the summary of the relay reports them, and so does its exit code."""

from __future__ import annotations

import asyncio
import re
import signal
from pathlib import Path

import feed
import pytest
from brokers import Mosquitto, until
from test_relay_process import Command, klvrelay

pytestmark = pytest.mark.needs("mosquitto")
TAPE = feed.recording(30)


def lost(command: Command) -> tuple[int, int, int]:
    """All records, the shed ones, and the unconfirmed ones, as in the last two lines."""
    found = re.search(
        r" (\d+) records?, .*\n.* records lost: sink=\S+ shed=(\d+) rejected=0 left_out=0 waiting=(\d+)\n$",
        command.said,
    )
    assert found, command.said
    return int(found[1]), int(found[2]), int(found[3])


async def test_records_that_wait_at_the_stop_are_lost_and_exit_code_8(mosquitto: Mosquitto, free_port: int):
    """The broker stopped, records arrived, and the relay is stopped: the waiting records are counted."""
    async with klvrelay("run", f"udp://127.0.0.1:{free_port}", "--stream", "uav1", "--mqtt", mosquitto.url) as command:
        await feed.listening(free_port)
        await until(lambda: "connected" in command.said)
        await mosquitto.stop()
        await until(lambda: "retrying" in command.said)
        feed.send_udp(feed.datagrams(TAPE.ts), free_port)
        await until(lambda: "uav1: live" in command.said)
        code, _ = await command.stop(signal.SIGINT)
    assert code == 8, command.said
    records, shed, unconfirmed = lost(command)
    assert (shed, unconfirmed) == (0, records)


async def test_records_that_were_shed_are_exit_code_8(mosquitto: Mosquitto, free_port: int, tmp_path: Path):
    """Even where the broker returned, and all the others arrived."""
    settings = tmp_path / "relay.toml"
    settings.write_text(
        f'[relay]\nwaiting = 10\n[[sink]]\nurl = "{mosquitto.url}"\n'
        f'[[source]]\nurl = "udp://127.0.0.1:{free_port}"\nstream = "uav1"\n'
    )
    async with klvrelay("run", "-c", str(settings)) as command:
        await feed.listening(free_port)
        await until(lambda: "connected" in command.said)
        await mosquitto.stop()
        await until(lambda: "retrying" in command.said)
        feed.send_udp(feed.datagrams(TAPE.ts), free_port)
        await until(lambda: "uav1: live" in command.said)
        await mosquitto.start()
        await until(lambda: "reconnected" in command.said, 40)
        code, _ = await command.stop(signal.SIGTERM)
    assert code == 8, command.said
    records, shed, unconfirmed = lost(command)
    assert (shed, unconfirmed) == (records - 10, 0)
    assert shed > 0


async def test_a_replay_that_lost_nothing_is_exit_code_0(mosquitto: Mosquitto, tmp_path: Path):
    """A file waits for the broker; nothing is lost, and no line reports a loss."""
    (tmp_path / "flight.ts").write_bytes(TAPE.ts)
    async with klvrelay("replay", "flight.ts", "--speed", "100", "--mqtt", mosquitto.url, cwd=tmp_path) as command:
        assert await asyncio.wait_for(command.process.wait(), 20) == 0
    assert "lost" not in command.said
