"""Many relays of one broker lose it at the same moment: they connect again at different times."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import Any, Self

import pytest
import virtual_time
from scripted_ends import sink_task_of
from virtual_time import now

from klvrelay.backoff import Backoff
from klvrelay.errors import SinkDown
from klvrelay.relay import sink_task as sink_task_module
from klvrelay.relay.sink_task import LONGEST

RELAYS = 200
MOMENT = 0.1
"""Seconds in which a broker should not have to accept many of them."""


class Broker:
    """Is lost at a time and back after `down` seconds; notes when connections are made, and attempted."""

    def __init__(self, at: float, down: float) -> None:
        self.lost, self.back = at, at + down
        self.made: list[float] = []
        self.tried: list[float] = []


class Client:
    """A sink that stays connected until its broker is lost."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    async def __aenter__(self) -> Self:
        self._broker.tried.append(now())
        if self._broker.lost <= now() < self._broker.back:
            raise SinkDown("refused")
        self._broker.made.append(now())
        return self

    async def __aexit__(self, *_: object) -> None:
        return None

    async def deliver(self, batch: Any) -> Any:
        raise AssertionError("there are no records")

    async def keep(self, notices: object) -> None:
        await asyncio.sleep(self._broker.lost - now() if now() < self._broker.lost else 1e9)
        raise SinkDown("closed")


def busiest(times: list[float]) -> int:
    """The largest number of times within a MOMENT."""
    times = sorted(times)
    return max(sum(start <= time < start + MOMENT for time in times) for start in times)


@pytest.mark.promise(15)
@pytest.mark.parametrize("down", [1.0, 60.0])
def test_two_hundred_relays_connect_again_at_different_times(
    down: float, monkeypatch: pytest.MonkeyPatch, proof: Callable[[str], None]
):
    """Soon after the broker is back, and spread: without jitter all of them would arrive in one moment."""
    chance = random.Random(15)
    monkeypatch.setattr(
        sink_task_module, "Backoff", lambda cap: Backoff(cap=cap, chance=random.Random(chance.random()))
    )

    async def main() -> Broker:
        broker = Broker(100.0, down)
        tasks = [asyncio.create_task(sink_task_of(Client(broker))[0].drain()) for _ in range(RELAYS)]
        await asyncio.sleep(broker.back + 60)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        return broker

    broker = virtual_time.run(main())
    again = [time for time in broker.made if time >= broker.lost]
    waited = max(again) - broker.back
    most = busiest(again)
    assert len(again) == RELAYS
    assert waited <= LONGEST
    assert most <= RELAYS / 4
    first = busiest([time for time in broker.tried if time >= broker.lost])
    proof(
        f"{RELAYS} relays after {down:g} s: all connected within {waited:.1f} s, at most {most} within {MOMENT} s"
        f" (attempts: {first})"
    )
