"""The checks at intervals."""

from __future__ import annotations

import asyncio
import time
from typing import Any, cast

import pytest
from brokers import until

from klvrelay.relay import tick
from klvrelay.relay.stream import Stream


async def test_after_a_stop_of_the_process_what_arrived_is_read_before_silence_is_checked(
    monkeypatch: pytest.MonkeyPatch,
):
    """Else each stream would have an outage, which is one of the relay."""
    monkeypatch.setattr(tick, "LATE", 0.05)
    loop, order = asyncio.get_running_loop(), list[str]()
    streams = [cast("Stream", object())]

    def stop() -> None:
        time.sleep(tick.TICK + 0.1)  # the process stands still
        loop.call_later(tick.CATCH_UP / 2, order.append, "read")

    def check(stream: Any, is_due: bool) -> None:
        order.append("checked")

    checking = asyncio.create_task(tick.keep_checking(lambda: streams, lambda: None, check))
    await asyncio.sleep(0)
    loop.call_soon(stop)
    await until(lambda: "checked" in order)
    checking.cancel()
    await asyncio.gather(checking, return_exceptions=True)
    assert order == ["read", "checked"]
