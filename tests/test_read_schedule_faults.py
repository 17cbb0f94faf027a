"""Many sockets in trouble: a flood among them, RTP out of order, no descriptor left, sockets that go during a look.

`test_read_schedule.py` has the usual course of things.
"""

from __future__ import annotations

import asyncio
import errno
import gc
import os
import socket
import weakref
from contextlib import aclosing

import feed
import pytest
from test_read_schedule import BUSY, DATAGRAMS, MANY, NEVER, TAPE, Looks, sockets, turns

from klvrelay.core import Entry
from klvrelay.core.receiver import Receiver
from klvrelay.core.receiver_set import ReceiverSet
from klvrelay.errors import SourceDown
from klvrelay.sources.datagrams import schedule as hub_module
from klvrelay.sources.datagrams.schedule import ReadSchedule, schedule_of
from klvrelay.sources.open import open_source

NULL = b"\x47\x1f\xff\x10" + b"\xff" * 184
"""A small datagram: 400 of them fit into the kernel's default buffer."""
FLOOD = 400
"""More datagrams than a look takes of one socket."""


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> Looks:
    return Looks(monkeypatch)


@pytest.fixture
async def hub() -> ReadSchedule:
    return schedule_of(asyncio.get_running_loop())


async def test_a_flood_does_not_wait_for_the_next_pass(free_port: int, hub: ReadSchedule):
    """A socket with more data than its share of a pass is read again at once, so that the kernel's buffer does not
    fill.
    """
    hub.coalesce = hub.shortest = NEVER
    async with sockets(free_port, MANY) as many:
        await many.gathered(hub, NEVER)
        hub.look()
        await turns()
        before = many.taken[0]
        feed.send_udp([NULL] * FLOOD, many.port, many.hosts[0])

        hub.look()
        await turns()

        assert many.taken[0] == before + FLOOD
        assert hub.pause == NEVER


async def test_a_flood_leaves_the_loop_to_others(free_port: int, hub: ReadSchedule, looks: Looks):
    """However often it is read meanwhile, one further pass at a time is scheduled."""
    hub.coalesce = hub.shortest = NEVER
    async with sockets(free_port, MANY) as many:
        await many.gathered(hub, NEVER)
        hub.look()
        await turns()
        for host in many.hosts[:2]:
            feed.send_udp([NULL] * FLOOD, many.port, host)
        hub.look()
        feed.send_udp([NULL] * FLOOD, many.port, many.hosts[2])
        hub.look()
        count = looks.count

        await turns()

        assert looks.count == count + 1


async def test_late_rtp_is_read_before_it_counts_as_lost(free_port: int, hub: ReadSchedule):
    """It may have arrived in time, after the last pass, and be in the kernel's buffer."""
    hub.coalesce = hub.shortest = NEVER
    packets = feed.rtp_datagrams(DATAGRAMS)
    source = open_source(f"rtp://127.0.0.1:{free_port}", demux="native")
    taken: list[Entry] = []

    async def read() -> None:
        async with aclosing(source.packets()) as units:
            async for found in units:
                taken.extend(found.entries)

    async with sockets(free_port, MANY) as many:
        many.tasks.append(asyncio.create_task(read()))
        await many.gathered(hub, NEVER)
        feed.send_udp([packets[0], *packets[2:]], free_port)
        hub.look()
        feed.send_udp([packets[1]], free_port)
        async with asyncio.timeout(20):
            while len(taken) < len(TAPE.klv) and not source.link.rtp_lost:
                await asyncio.sleep(0.01)

        assert source.link.rtp_lost == 0
        assert [entry[0] for entry in taken] == TAPE.klv
        assert hub.pause == NEVER


async def test_without_a_descriptor_for_the_timer_each_datagram_is_read(
    free_port: int, hub: ReadSchedule, monkeypatch: pytest.MonkeyPatch
):
    """A full descriptor table (EMFILE) stops no existing stream."""
    refused: list[float] = []

    def timer_of(seconds: float) -> int:
        refused.append(seconds)
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr(hub_module, "timer_of", timer_of)
    async with sockets(free_port, MANY) as many:
        async with asyncio.timeout(20):
            while not refused:
                many.send(BUSY)
                await asyncio.sleep(0)
        await turns()
        before = many.taken

        many.send(DATAGRAMS[:1])
        await turns()

        assert many.taken == [taken + 1 for taken in before]
        assert hub.pause == 0.0


async def test_a_socket_that_epoll_refuses_leaks_nothing(hub: ReadSchedule, monkeypatch: pytest.MonkeyPatch):
    """Neither a descriptor nor a hub without sockets."""

    def refuse(inlets: ReceiverSet, *_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(ReceiverSet, "add", refuse)
    with socket.socket(type=socket.SOCK_DGRAM) as one:
        inlet = Receiver(one.fileno(), units=False)
        with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)):
            hub.add(inlet, lambda found, status: None)

    assert hub._receivers is None


def test_the_last_socket_may_be_removed_during_a_pass():
    """A slow reader's socket is removed; if it was the last one, the pass ends with its descriptor."""
    loop = asyncio.new_event_loop()
    hub, calls = ReadSchedule(loop), []
    hub.pause = NEVER  # two passes
    with socket.socket(type=socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as one:
        one.bind(("127.0.0.1", 0))
        inlet = Receiver(one.fileno(), units=True)

        def removing(found: list[Entry], status: int) -> None:
            calls.append(status)
            hub.remove(inlet)

        hub.add(inlet, removing)
        feed.send_udp(DATAGRAMS[:1], one.getsockname()[1])  # its lane interrupts the look
        hub.look()
    loop.close()

    assert len(calls) == 1
    assert hub._receivers is None


async def test_a_socket_that_fails_yields_earlier_data(free_port: int):
    """Units that were read are delivered, then the error is raised."""
    source = open_source(f"udp://127.0.0.1:{free_port}", demux="native")
    async with aclosing(source.packets()) as packets:
        first = asyncio.ensure_future(anext(packets))
        await turns()
        feed.send_udp(DATAGRAMS, free_port)
        found = (await asyncio.wait_for(first, 20)).entries
        source._reader._wake(list(found), -errno.ENETDOWN)

        assert (await anext(packets)).entries == found
        with pytest.raises(SourceDown):
            await anext(packets)


def test_an_ended_loop_is_released(free_port: int):
    """A library that reads a source now and then, each time in a new loop, keeps no list of loops."""

    async def read() -> weakref.ref[asyncio.AbstractEventLoop]:
        async with sockets(free_port, 1):
            return weakref.ref(asyncio.get_running_loop())

    found = asyncio.run(read())
    gc.collect()

    assert found() is None
