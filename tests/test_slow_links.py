"""Connections that a slow link loses within seconds, in virtual time: what follows is not held up for long."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import Any

import pytest
import virtual_time
from uplink import Uplink
from uplink_flight import TABLES, Subscriber, packets, record_at, trip

from klvrelay.config.mqtt import MqttSettings
from klvrelay.config.outputs import output_of
from klvrelay.health import SinkHealth
from klvrelay.relay.notices import Notices
from klvrelay.relay.sink_task import SinkTask
from klvrelay.shape.shaper import Shaper
from klvrelay.sinks.mqtt.sink import MqttSink
from klvrelay.spool.memory import MemoryLog

RATE, DELAY = 8000, 0.3
"""Bytes per second, and half of the round trip in seconds."""
LARGE = 1500
"""Bytes of a packet at which the broker below closes the connection."""


def now() -> float:
    return asyncio.get_running_loop().time()


class CurtBroker(Subscriber):
    """It announces no limit, and closes the connection at a large packet, without an answer."""

    def _publish(self, guest: Any, flags: int, body: bytes) -> None:
        if len(body) > LARGE:
            self.cut(reset=True)
        else:
            super()._publish(guest, flags, body)


@asynccontextmanager
async def delivering(oracle: Subscriber, qos: int, count: int, **output: Any) -> Any:
    """A sink over the slow link, with so many records that wait."""
    async with oracle, Uplink(oracle.port, up=RATE, down=RATE, delay=DELAY) as link:
        settings = MqttSettings(host="127.0.0.1", port=link.port, qos=qos, timeout=30.0)
        sink = MqttSink(settings, boot="5f2c9a", shaper=Shaper([output_of(output)]))
        log, notices = MemoryLog(), Notices()
        task = SinkTask(sink, log.cursor("slow"), notices.cursor(), SinkHealth("slow"))
        drain = asyncio.create_task(task.drain())
        while not task.health.up:
            await asyncio.sleep(0.1)
        for seq in range(count):
            log.append(record_at(packets()[seq], "uav1", seq))
        yield task, link, log
        drain.cancel()
        await asyncio.gather(drain, return_exceptions=True)


async def time_to_deliver(qos: int, count: int, cuts: Sequence[float], **output: Any) -> float:
    """Seconds from the last lost connection until the sink has answered for all records."""
    async with delivering(Subscriber(), qos, count, **output) as (task, link, _):
        for seconds in cuts:
            await asyncio.sleep(seconds)
            link.cut(reset=True)
        begin = now()
        await asyncio.wait_for(task.cursor.wait_until_drained(), 900)
        assert link.connections > len(cuts)
        return now() - begin


@pytest.mark.parametrize("qos", [1, 2])
@pytest.mark.parametrize("cuts", [2, 3])
def test_a_slow_link_that_lost_connections_in_a_row_delivers_again(qos: int, cuts: int):
    """Hundreds of messages in flight are not sent one at a time for minutes. Without a loss it takes about 27 s."""
    assert virtual_time.run(time_to_deliver(qos, 40, [3.0] * cuts, preset="items")) < 90


@pytest.mark.parametrize("qos", [1, 2])
def test_a_record_at_which_a_broker_hangs_up_is_found_over_a_slow_link(qos: int):
    """All others are delivered, though many are in flight."""

    async def steps() -> None:
        async with delivering(CurtBroker(), qos, 60, preset="telemetry", format="klv") as (task, _, log):
            log.append(record_at(packets()[0] * 4, "uav1", 60))
            for seq in range(61, 120):
                log.append(record_at(packets()[seq % 60], "uav1", seq))
            await asyncio.wait_for(task.cursor.wait_until_drained(), 900)
            sums = task.sums()
            assert (sums.numbered, sums.delivered) == (120, 119)

    virtual_time.run(steps())


# ---- with a budget ----


@pytest.mark.parametrize("cuts", [(6, 1, 1), (6, 1.5, 1.5), (6, 2, 2, 2), (6, 1, 1, 1, 1)])
def test_positions_are_fresh_as_soon_as_a_lost_connection_is_back(cuts: tuple[float, ...]):
    """However many connections were lost within seconds; alerts and other records follow."""

    async def steps() -> None:
        async with trip(64_000, TABLES) as on:
            feeding = asyncio.create_task(on.feed(sum(cuts) + 22, 2))
            for seconds in cuts:
                await asyncio.sleep(seconds)
                on.link.cut(reset=True)
            await asyncio.sleep(0.1)
            while not on.tasks[0].health.up:
                await asyncio.sleep(0.05)
            begin = now()
            await feeding
            arrivals = [each for each in on.oracle.arrivals if each.at >= begin]
            for stream in ("uav0", "uav1"):
                positions = [each for each in arrivals if each.topic == f"klvrelay/{stream}/position"]
                times = [begin, *(each.at for each in positions), now()]
                assert max(late - early for early, late in pairwise(times)) <= 2.0
                assert max(each.age for each in positions[1:]) <= 2.0
            leaves = {each.topic.rpartition("/")[2] for each in arrivals if each.at < begin + 15}
            assert {"urgent", "telemetry"} <= leaves

    virtual_time.run(steps())


def test_with_a_budget_too_large_records_are_found_while_positions_continue():
    """The broker closes the connection at each of them, until they are left out."""

    async def steps() -> None:
        outputs = [*TABLES[:2], TABLES[2] | {"format": "json"}]
        async with trip(512_000, outputs, oracle=CurtBroker(), delay=0.05) as on:
            await on.feed(240, 2, hz=5)
            before = on.link.connections
            await on.feed(40, 2, hz=5)
            # 400 such records are due in this time; a try of each stream may take some connections.
            assert on.link.connections - before <= 8, "they are left out, but for a try of each stream"
            assert on.sink._breaking.is_active
            last = [each.at for each in on.oracle.arrivals if each.topic == "klvrelay/uav1/position"]
            assert len([at for at in last if at > now() - 20]) > 30

    virtual_time.run(steps())


def test_with_a_budget_a_forbidden_topic_of_positions_is_found():
    """A broker may close the connection at a topic. No position was accepted there, so they wait for the search."""

    class Forbidding(Subscriber):
        def _publish(self, guest: Any, flags: int, body: bytes) -> None:
            if b"/uav0/position" in body[:40]:
                self.cut(reset=True)
            else:
                super()._publish(guest, flags, body)

    async def steps() -> None:
        async with trip(512_000, TABLES, oracle=Forbidding(), delay=0.05) as on:
            await on.feed(120, 2, hz=5)
            assert "klvrelay/uav0/position" in on.tasks[0].health.suspended()
            before = on.link.connections
            await on.feed(20, 2, hz=5)
            assert on.link.connections - before <= 1
            assert [each for each in on.oracle.arrivals if each.at > now() - 5 and each.topic.endswith("/position")]

    virtual_time.run(steps())
