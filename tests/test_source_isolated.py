"""A source in a process of its own is the same source: contract, records, secrets, and nothing left behind.

Next door: `test_source_isolated_faults.py` for what may befall the process, `test_source_isolated_parcel.py` for what
goes between.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, suppress
from functools import partial
from pathlib import Path

import feed
import pytest
import test_sources
from test_sources import (
    KINDS,
    TAPE,
    Case,
    freed,
    name_of,
    open_files,
    records,
    replay_case,
    stdin_case,
)

from klvrelay.errors import ConfigError, NotMedia, SourceDown
from klvrelay.names import Secret, Url
from klvrelay.record import Packet
from klvrelay.sources import open_source

isolated = partial(open_source, isolate=True)
CANARY = "c4n4ry-s3cret"


@pytest.fixture
async def case(request, tmp_path: Path, free_port: int, monkeypatch) -> AsyncIterator[Case]:
    """Each kind of `test_sources.py` in a process of its own; who sends by UDP waits until that process listens."""
    beginning: set[asyncio.Task[None]] = set()

    async def begin(case: Case) -> None:
        if "udp" in request.param.__name__ or "rtp_" in request.param.__name__:
            await feed.listening(free_port)
        case.begin()

    def begun(case: Case) -> AsyncGenerator[Packet, None]:
        beginning.add(asyncio.create_task(begin(case)))
        return case.source.packets()

    monkeypatch.setattr(test_sources, "open_source", isolated)
    monkeypatch.setattr(test_sources, "begun", begun)
    async with request.param(tmp_path, free_port) as case:
        yield case
        for task in beginning:
            task.cancel()


every_kind = pytest.mark.parametrize("case", KINDS, ids=name_of, indirect=True)


@every_kind
async def test_what_was_sent_is_yielded(case):
    """Of every kind: each byte, once, in order, and the same records."""
    await test_sources.test_what_was_sent_is_yielded(case)


@pytest.mark.parametrize("case", [kind for kind in KINDS if kind is not stdin_case], ids=name_of, indirect=True)
async def test_a_source_can_be_read_again(case):
    """With a new process for each reading."""
    await test_sources.test_a_source_can_be_read_again(case)


@pytest.mark.parametrize("case", [kind for kind in KINDS if kind is not replay_case], ids=name_of, indirect=True)
async def test_live_sources_stamp_their_packets_with_the_arrival(case):
    """The arrival at the process, not here."""
    await test_sources.test_live_sources_stamp_their_packets_with_the_arrival(case)


@every_kind
async def test_closing_frees_sockets_files_and_threads(case):
    """And the process: see `no_process_is_left`."""
    await test_sources.test_closing_frees_sockets_files_and_threads(case)


@every_kind
async def test_cancelling_its_task_frees_sockets_files_and_threads(case):
    await test_sources.test_cancelling_its_task_frees_sockets_files_and_threads(case)


def children() -> set[int]:
    """The processes that this one started and that are not reaped yet."""
    found: set[int] = set()
    for task in os.listdir("/proc/self/task"):
        with suppress(FileNotFoundError):
            found |= {int(pid) for pid in Path(f"/proc/self/task/{task}/children").read_text().split()}
    return found


@pytest.fixture(autouse=True)
async def no_process_is_left():
    before = children()
    yield
    assert children() <= before
