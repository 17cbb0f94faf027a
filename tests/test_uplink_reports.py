"""What a sink with a budget reports of its steps, and in what order: log, `uplink` and `status`."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import orjson
import virtual_time
from payload_schemas import faults
from uplink_flight import Trip, trip

from klvrelay.sinks.contract import Notice

RATE = 64_000


def _status(on: Trip) -> list[dict[str, Any]]:
    return [orjson.loads(each.message.payload) for each in on.oracle.arrivals if each.topic == "klvrelay/status"]


def test_a_change_of_step_is_logged_and_soon_in_status(caplog):
    """Also if nothing else of the status changes while the budget is exhausted."""
    caplog.set_level(logging.INFO, "klvrelay.sinks")

    async def steps() -> None:
        async with trip(RATE) as on:
            await on.feed(20)
            published = [each for each in on.oracle.arrivals if each.topic == "klvrelay/uplink"]
            changes = sum(step["reason"] != "the budget suffices" for step in map(_payload, published))
            lines = [each.getMessage() for each in caplog.records if "budget: step changed" in each.getMessage()]
            assert len(lines) >= changes > 1
            assert " step=1 name='without bulk items' halvings=0 reason='" in lines[0]
            assert _status(on)[-1]["uplink"]["step"] >= 1

    virtual_time.run(steps())


def _payload(arrival: Any) -> dict[str, Any]:
    return orjson.loads(arrival.message.payload)  # type: ignore[no-any-return]


def test_an_older_document_is_not_sent_after_a_more_urgent_one():
    """A change of state overtakes what waits on the same topic."""

    async def steps() -> None:
        async with trip(RATE) as on:
            feeding = asyncio.create_task(on.feed(30))
            await asyncio.sleep(5)
            for state, turn in (("live", 1001), ("live", 1002), ("stale", 1003)):
                document = b'{"state":"%s","at":%d}' % (state.encode(), turn)
                on.notices.put(Notice("link", "other", document))
                await asyncio.sleep(0.3)
            await feeding
            found = [_payload(each)["at"] for each in on.oracle.arrivals if each.topic == "klvrelay/other/link"]
            assert found[-1] == 1003
            assert found == sorted(found)

    virtual_time.run(steps())


def test_a_stop_ends_what_uplink_says():
    """It is retained: a later subscriber must not take an earlier step for the present one."""

    async def steps() -> None:
        async with trip(RATE) as on:
            await on.feed(12)
            assert on.uplink.ladder.rung.step > 0
            await on.tasks[0].settle()
        last = [_payload(each) for each in on.oracle.arrivals if each.topic == "klvrelay/uplink"][-1]
        assert (last["step"], last["used"], last["reason"]) == (0, 0, "the relay is stopped")
        assert faults("uplink", last) == []
        assert on.oracle.arrivals[-1].topic == "klvrelay/status"

    virtual_time.run(steps())
