"""10,000 records to Redis Streams and to NATS JetStream, with a restart of the server between them."""

from __future__ import annotations

import asyncio
from pathlib import Path

import far_ends
import pytest
from brokers import until
from far_ends import TrialFarEnd
from queue_servers import NatsServer, RedisServer
from test_sink_contract import Delivering

COUNT = 10_000
STREAMS = ("uav1", "uav2")


@pytest.mark.parametrize("kind", [RedisServer, NatsServer])
async def test_a_restart_among_many_records_loses_none(
    kind: type[RedisServer | NatsServer], tmp_path: Path, free_port: int
):
    """The server is killed while records are in flight. None is missing, and each stream has its order. Redis has those
    in flight twice; JetStream recognises them.
    """
    server: TrialFarEnd = kind(tmp_path, free_port)
    await server.start()
    trial = Delivering(server)
    async with trial.running():
        for first in range(0, COUNT, 250):
            trial.append(range(first // 2, first // 2 + 125), STREAMS)
            if first == COUNT // 2:
                await until(lambda: trial.sink_task.sums().delivered)
                await server.stop()
                await server.start()
            await asyncio.sleep(0)
        await trial.settled()
        found = await far_ends.arrived(server)
        await server.close()
    assert trial.sink_task.sums().delivered == COUNT
    for stream in STREAMS:
        numbers = [seq for name, _, seq in found if name == stream]
        assert list(dict.fromkeys(numbers)) == list(range(COUNT // 2))
        if kind is NatsServer:
            assert len(numbers) == COUNT // 2
