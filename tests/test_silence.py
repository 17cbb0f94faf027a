"""`decode` and `record` of a silent source say that nothing is received."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import feed
import pytest
from brokers import until

from klvrelay.cli import silence
from klvrelay.cli.verbs.decode import decode_source
from klvrelay.cli.verbs.record import record
from klvrelay.config.url import Url

LIMITS = (None, None, None, None)


@pytest.mark.parametrize("verb", ["decode", "record"])
@pytest.mark.parametrize("is_sent", [False, True], ids=["silent", "sent"])
async def test_a_silent_source_is_reported_once(
    verb: str, is_sent: bool, free_port: int, tmp_path: Path, said: Callable[[], list[str]],
    monkeypatch: pytest.MonkeyPatch,
):  # fmt: skip
    """Within seconds, with the address. A source that sends is not."""
    due, got = asyncio.Event(), bytearray()

    async def wait(seconds: float) -> None:
        await due.wait()

    monkeypatch.setattr(silence, "asyncio", _Asyncio(wait))
    url = Url.parse(f"udp://127.0.0.1:{free_port}")
    if verb == "decode":
        task: asyncio.Task[object] = asyncio.create_task(decode_source(url, got.extend, None))
    else:
        task = asyncio.create_task(record(url, str(tmp_path), None, LIMITS, quiet=True))
    await feed.listening(free_port)
    if is_sent:
        feed.send_udp(feed.datagrams(feed.recording(30).ts), free_port)
        await until(lambda: got or list(tmp_path.iterdir()))
    due.set()
    hint = f"nothing received yet from {url}; check that the sender is running"
    if not is_sent:
        await until(lambda: hint in said())
    task.cancel()
    await asyncio.wait({task}, timeout=5)
    assert said().count(hint) == (not is_sent)


class _Asyncio:
    """asyncio with another `sleep`, for one module."""

    def __init__(self, sleep: object) -> None:
        self.sleep = sleep

    def __getattr__(self, name: str) -> object:
        return getattr(asyncio, name)
