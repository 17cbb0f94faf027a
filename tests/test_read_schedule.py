"""Reading datagram sockets: each at once while few are busy, all together where that saves wake-ups."""

from __future__ import annotations

import asyncio
import gc
import socket
import time
import weakref
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from pathlib import Path

import feed
import pytest
from cases import each_case
from scripted_ends import Ear, Tape

from klvrelay.cli.options import parser
from klvrelay.cli.relay_settings import relay_settings
from klvrelay.core import Entry
from klvrelay.core.receiver import Receiver
from klvrelay.core.receiver_set import Load, ReceiverSet
from klvrelay.errors import ConfigError
from klvrelay.record import Packet, Units
from klvrelay.relay.relay import Relay
from klvrelay.sources.datagrams.reader import DatagramReader
from klvrelay.sources.datagrams.schedule import COALESCE, FEW, WINDOW, Coalesce, ReadSchedule, pause_of, schedule_of
from klvrelay.sources.datagrams.source import UdpSource
from klvrelay.sources.open import open_source

TAPE = feed.recording()
DATAGRAMS = feed.datagrams(TAPE.ts)
BUSY = [(b"\x47\x1f\xff\x10" + b"\xff" * 184) * 7]
"""A datagram of null packets, which changes nothing for those behind it."""
MANY = 40
"""Sockets, each on an address of its own."""
NEVER = 1000.0
"""Seconds of a pause that does not end while a test runs."""

RULES = [
    # (times ready, looks, busy sockets) in 0.1 s, the pause before, the pause behind; all times in milliseconds
    ("five sockets, however fast", (100_000, 100_000, 5), 0, 0),
    ("a single fast one beside idle ones", (1_000, 1_000, 1), 2, 0),
    ("six sockets of 480 datagrams a second", (288, 288, 6), 0, 0),
    ("sixteen of them", (768, 768, 16), 0, 0),
    ("twenty of them", (960, 960, 20), 0, 2),
    ("twenty that are gathered", (900, 50, 20), 2, 2),
    ("seven that are left of twenty", (320, 50, 7), 2, 2),
    ("a load between the limits, not gathered yet", (500, 500, 8), 0, 0),
    ("the same, gathered", (400, 50, 8), 2, 2),
    ("too little to go on", (290, 50, 8), 2, 0),
    ("silence", (0, 50, 0), 2, 0),
    ("a hundred", (4_800, 4_800, 100), 0, 2),
    ("fifty that are gathered", (2_400, 50, 50), 2, 4),
    ("fifty at twice the pause", (1_250, 25, 50), 4, 4),
    ("a hundred that are gathered", (4_800, 50, 100), 2, 8),
    ("a hundred at twice the pause", (2_500, 25, 100), 4, 8),
    ("a hundred at four times the pause", (1_200, 12, 100), 8, 8),
    ("fifty at four times the pause", (600, 12, 50), 8, 8),
    ("forty at four times the pause", (480, 12, 40), 8, 4),
    ("twenty at four times the pause", (240, 12, 20), 8, 2),
    ("twenty-eight at twice the pause", (700, 25, 28), 4, 4),
    ("twenty-eight at the pause", (1_400, 50, 28), 2, 2),
    ("twenty at twice the pause", (500, 25, 20), 4, 2),
]


@each_case(("load", "before", "behind"), [rule[1:] for rule in RULES], ids=[rule[0] for rule in RULES])
def test_the_pause_follows_from_the_load(load: tuple[int, int, int], before: int, behind: int):
    """Few sockets or wake-ups are not gathered; many sockets wait longer; between two limits nothing changes."""
    found = pause_of(Load(*load), 0.1, 0.008, pause=before / 1000)

    assert found == pytest.approx(behind / 1000)


@pytest.mark.parametrize("load", [Load(0, 0, 0), Load(1, 1, 1), Load(50_000, 500, 1_000)])
def test_switched_off_nothing_is_gathered(load: Load):
    """With `coalesce = 0`, whatever arrives; and no elapsed time is no load."""
    assert pause_of(load, 0.1, 0.0, pause=0.0) == 0.0
    assert pause_of(load, 0.0, 0.008, pause=0.0) == 0.0


@pytest.mark.parametrize(
    ("most", "expected"),
    [(1, {0, 1}), (2, {0, 2}), (3, {0, 2, 3}), (8, {0, 2, 4, 8}), (100, {0, 2, 4, 8, 16, 32, 64})],
)
def test_no_pause_is_longer_than_requested(most: int, expected: set[int]):
    """`coalesce` is the longest pause, in milliseconds, over a grid of loads; a larger one allows for more sockets."""
    pauses = {
        pause_of(Load(ready, looks, busy), 0.1, most / 1000, pause=before / 1000)
        for ready in (0, 10, 300, 3_000, 100_000) for looks in (0, 1, 50, 75, 150, 300, 700, 1_400, 5_000)
        for busy in (0, 5, 6, 100, 10_000) for before in expected
    }  # fmt: skip

    assert {round(1000 * pause, 6) for pause in pauses} == expected


class Looks:
    """Counts how often the sockets of a loop were read."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        real = ReceiverSet.look

        def look(inlets: ReceiverSet, *, gathered: bool) -> bool:
            self.count += 1
            return real(inlets, gathered=gathered)

        monkeypatch.setattr(ReceiverSet, "look", look)


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> Looks:
    return Looks(monkeypatch)


class Sockets:
    """Sources on neighbouring addresses of one port, each read by a separate task."""

    def __init__(self, port: int, count: int) -> None:
        self.port = port
        self.hosts = [f"127.0.1.{last}" for last in range(1, count + 1)]
        self.sources = [open_source(f"udp://{host}:{port}", demux="native") for host in self.hosts]
        self.entries: list[list[Entry]] = [[] for _ in self.hosts]
        self.tasks = [asyncio.create_task(self._read(number)) for number in range(count)]

    async def _read(self, number: int) -> None:
        async with aclosing(self.sources[number].packets()) as packets:
            async for units in packets:
                self.entries[number] += units.entries

    def send(self, datagrams: Sequence[bytes]) -> None:
        for host in self.hosts:
            feed.send_udp(datagrams, self.port, host)

    @property
    def taken(self) -> list[int]:
        return [source.link.datagrams for source in self.sources]

    async def gathered(self, hub: ReadSchedule, pause: float) -> None:
        """Send until they are gathered."""
        async with asyncio.timeout(20):
            while hub.pause != pause:
                self.send(BUSY)
                await asyncio.sleep(0)

    async def stop(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.wait(self.tasks)


@asynccontextmanager
async def sockets(port: int, count: int) -> AsyncIterator[Sockets]:
    found = Sockets(port, count)
    await asyncio.sleep(0)
    try:
        yield found
    finally:
        await found.stop()


@pytest.fixture
async def hub() -> ReadSchedule:
    return schedule_of(asyncio.get_running_loop())


async def turns(count: int = 5) -> None:
    """Let the loop poll its descriptors so many times."""
    for _ in range(count):
        await asyncio.sleep(0)


async def test_busy_sockets_are_read_together(free_port: int, hub: ReadSchedule, looks: Looks):
    """Until the pause is over no datagram wakes the loop; then one pass reads all datagrams of forty sockets."""
    hub.shortest = hub.coalesce = NEVER
    async with sockets(free_port, MANY) as many:
        await many.gathered(hub, NEVER)
        hub.look()
        before, count = many.taken, looks.count
        many.send(DATAGRAMS[:3])
        await turns()
        assert (many.taken, looks.count) == (before, count)

        hub.look()

        assert many.taken == [taken + 3 for taken in before]
        assert hub.pause == NEVER


async def test_a_pass_reads_more_than_was_expected(free_port: int, hub: ReadSchedule):
    """Sockets that had one datagram the last time, and now none, two, or more than one read returns: all are emptied.
    """
    hub.shortest = hub.coalesce = NEVER
    async with sockets(free_port, MANY) as many:
        await many.gathered(hub, NEVER)
        hub.look()
        before = many.taken
        sent = [(0, 1, 2, 31, 32, 33, 100)[number % 7] for number in range(MANY)]
        for host, count in zip(many.hosts, sent, strict=True):
            feed.send_udp([*DATAGRAMS * 6][:count], many.port, host)

        hub.look()

        assert [now - was for now, was in zip(many.taken, before, strict=True)] == sent


async def test_times_are_those_of_the_arrival(free_port: int, hub: ReadSchedule, kernel_stamps: None):
    """However long a datagram waited, its record has the kernel's arrival time. Nothing is lost."""
    hub.shortest = hub.coalesce = NEVER
    async with sockets(free_port, MANY) as many:
        await many.gathered(hub, NEVER)
        hub.look()
        await turns()
        for entries in many.entries:
            entries.clear()
        begin = time.time_ns() // 1000
        many.send(DATAGRAMS)
        end = time.time_ns() // 1000
        await turns()
        assert not any(many.entries)
        while time.time_ns() // 1000 <= end + 1000:  # so that a stamp of the look would be later
            pass

        hub.look()
        await turns()

        assert all([entry[0] for entry in entries] == TAPE.klv for entries in many.entries)
        assert all(begin <= entry[6] <= end for entries in many.entries for entry in entries)


async def test_the_kernel_ends_each_pause(free_port: int, hub: ReadSchedule):
    """A repeating timer, so that no pass is late by the work of earlier ones; the pause for many is twice as long."""
    hub.shortest, hub.coalesce = 0.05, 0.1
    async with sockets(free_port, MANY) as many:
        for pause in (0.05, 0.1):
            await many.gathered(hub, pause)
            facts = Path(f"/proc/self/fdinfo/{hub._timer}").read_text()
            assert f"it_interval: (0, {round(pause * 1e9)})" in facts


async def test_few_sockets_wake_the_loop_each_time(free_port: int, hub: ReadSchedule, looks: Looks):
    """One socket fewer than the limit, at full load: each datagram is read at once, by its own pass."""
    hub.shortest = hub.coalesce = NEVER
    loop = asyncio.get_running_loop()
    async with sockets(free_port, FEW - 1) as few:
        end = loop.time() + 2.5 * WINDOW
        while loop.time() < end:
            few.send(BUSY)
            await asyncio.sleep(0)
        assert hub.pause == 0.0
        await turns()

        count, before = looks.count, few.taken[0]
        for number, datagram in enumerate(DATAGRAMS, 1):
            feed.send_udp([datagram], free_port, few.hosts[0])
            await turns(2)
            assert few.taken[0] == before + number
        assert looks.count == count + len(DATAGRAMS)


async def test_in_silence_each_datagram_wakes_the_loop_again(free_port: int, hub: ReadSchedule):
    """Without data the timer ends, and the next datagram is read at once."""
    hub.shortest = hub.coalesce = 0.01
    async with sockets(free_port, FEW) as some:
        await some.gathered(hub, 0.01)
        async with asyncio.timeout(20):
            while hub.pause:
                await asyncio.sleep(0.01)
        before = some.taken

        some.send(DATAGRAMS[:1])
        await turns()

        assert some.taken == [taken + 1 for taken in before]
        assert hub._timer < 0


async def test_a_stop_waits_for_no_pause(free_port: int, hub: ReadSchedule):
    """Tasks cancelled while their sockets are gathered end at once, and leave no descriptor open."""
    fds = Path("/proc/self/fd")
    before = len(list(fds.iterdir()))
    hub.shortest = hub.coalesce = NEVER
    async with sockets(free_port, MANY) as many:
        await many.gathered(hub, NEVER)
        many.send(DATAGRAMS)
        async with asyncio.timeout(20):
            await many.stop()

    assert hub.pause == 0.0
    assert len(list(fds.iterdir())) <= before


async def read_whole(packets: AsyncGenerator[Packet, None]) -> bytes | list[bytes]:
    """The bytes of the tape, or its KLV packets: in several parts if the datagrams were sent more than 5 ms apart."""
    data, found = b"", []
    async for packet in packets:
        if isinstance(packet, Units):
            found += [entry[0] for entry in packet.entries]
        else:
            data += packet.data
        if len(data) >= len(TAPE.ts) or len(found) >= len(TAPE.klv):
            break
    return found or data


async def test_sockets_of_both_kinds_are_read_in_one_look(free_port: int, hub: ReadSchedule, looks: Looks):
    """Some yield KLV units, others bytes; each gets its own data, complete."""
    hub.coalesce = 0.0  # otherwise a slow first look starts a timer, and with it a second one
    hosts = [f"127.0.1.{last}" for last in range(1, 9)]
    kinds = [("native", None)[number % 2] for number in range(8)]
    sources = [open_source(f"udp://{host}:{free_port}", demux=kind) for host, kind in zip(hosts, kinds, strict=True)]
    async with AsyncExitStack() as stack:
        packets = [await stack.enter_async_context(aclosing(source.packets())) for source in sources]
        waiting = [asyncio.create_task(read_whole(each)) for each in packets]
        await turns()
        for host in hosts:
            feed.send_udp(DATAGRAMS, free_port, host)
        found = await asyncio.wait_for(asyncio.gather(*waiting), 20)

    assert looks.count == 1
    assert found == [TAPE.klv if kind else TAPE.ts for kind in kinds]


@pytest.fixture
def two_sockets() -> list[socket.socket]:
    found = [socket.socket(type=socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) for _ in range(2)]
    for one in found:
        one.bind(("127.0.0.1", 0))
    return found


def test_a_fault_in_one_stream_loses_nothing_of_another(two_sockets: list[socket.socket]):
    """Data that was already read from other sockets is delivered in the next pass."""
    inlets, taken = ReceiverSet(), []

    def failing(found: list[Entry], status: int) -> None:
        raise ZeroDivisionError

    first, second = (Receiver(one.fileno(), units=False) for one in two_sockets)
    inlets.add(first, failing)
    inlets.add(second, lambda found, status: taken.extend(found))
    for one in two_sockets:
        feed.send_udp(DATAGRAMS[:1], one.getsockname()[1])

    with pytest.raises(ZeroDivisionError):
        inlets.look(gathered=False)
    inlets.look(gathered=False)
    inlets.close()
    for one in two_sockets:
        one.close()

    assert [run[0] for run in taken] == DATAGRAMS[:1]


@pytest.mark.parametrize("gathered", [False, True])
def test_a_socket_may_be_removed_while_the_others_are_read(two_sockets: list[socket.socket], gathered: bool):
    """Processing of the first one's units interrupts the pass; the second is removed meanwhile, and not read."""
    inlets, calls = ReceiverSet(), []
    both = [Receiver(one.fileno(), units=True) for one in two_sockets]

    def removing(own: int) -> None:
        calls.append(own)
        inlets.remove(both[1 - own])

    for own, inlet in enumerate(both):
        inlets.add(inlet, lambda found, status, own=own: removing(own))
        feed.send_udp(DATAGRAMS[:1], two_sockets[own].getsockname()[1])
    inlets.look(gathered=gathered)
    left = len(inlets)
    inlets.close()
    for one in two_sockets:
        one.close()

    assert calls == [0]
    assert left == 1


class Opened(Tape):
    """A source that records the hub of its task."""

    def __init__(self) -> None:
        super().__init__(live=False)
        self.hubs: list[ReadSchedule] = []

    async def packets(self) -> AsyncGenerator[Packet, None]:
        self.hubs.append(schedule_of(asyncio.get_running_loop()))
        async for packet in super().packets():
            await asyncio.sleep(0.05)
            yield packet


async def test_each_relay_sets_the_pause_of_its_own_sockets():
    """`coalesce` of the settings takes effect; two relays on one loop do not change each other's."""
    tapes = {seconds: Opened() for seconds in (COALESCE, 0.0, 0.02)}
    relays = [
        Relay([(f"s{n}", lambda tape=tape: tape, "x")], [("ear", Ear())], boot="5f2c9a", coalesce=seconds)  # type: ignore[list-item]
        for n, (seconds, tape) in enumerate(tapes.items())
    ]
    async with asyncio.timeout(10):
        await asyncio.gather(*(relay.run() for relay in relays))

    assert [tape.hubs[0].coalesce for tape in tapes.values()] == list(tapes)
    assert len({tape.hubs[0] for tape in tapes.values()}) == 3
    assert schedule_of(asyncio.get_running_loop()).coalesce == COALESCE


async def test_the_pause_of_open_sockets_changes():
    """A reload changes `coalesce` of one relay: of its open sockets, and of those that it opens later."""
    loop, coalesce = asyncio.get_running_loop(), Coalesce(0.02)

    async def opened() -> ReadSchedule:
        coalesce.use()
        return schedule_of(loop)

    hub, other = await asyncio.create_task(opened()), schedule_of(loop)
    coalesce.change(0.0)
    assert (hub.coalesce, other.coalesce) == (0.0, COALESCE)
    assert await asyncio.create_task(opened()) is hub
    del hub
    gc.collect()
    assert (await asyncio.create_task(opened())).coalesce == 0.0


async def test_sockets_of_one_loop_are_read_together(free_port: int):
    """While one of them is open, all share a hub; after the last one nothing is kept of it."""
    async with sockets(free_port, 2):
        first, second = schedule_of(asyncio.get_running_loop()), schedule_of(asyncio.get_running_loop())
        assert first is second
    gone = weakref.ref(first)
    del first, second
    gc.collect()

    assert gone() is None


def test_a_closed_loop_is_released(free_port: int):
    """Even with sockets left open: neither loop, hub nor socket stays in memory."""
    loop = asyncio.new_event_loop()
    with socket.socket(type=socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", free_port))
        inbox = DatagramReader(loop, sock, None, is_rtp=False, units=True)
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()
        gone = [weakref.ref(loop), weakref.ref(inbox), weakref.ref(inbox._schedule)]
        del loop, inbox
        gc.collect()

    assert [ref() for ref in gone] == [None] * 3


def test_the_command_line_accepts_coalesce_too():
    """`--coalesce` overrides the file's setting; an invalid time is an error of the user."""
    command = ["run", "udp://127.0.0.1:5000", "--mqtt", "mqtt://127.0.0.1"]

    assert relay_settings(parser().parse_args(command)).coalesce == COALESCE
    assert relay_settings(parser().parse_args([*command, "--coalesce", "5ms"])).coalesce == 0.005
    assert relay_settings(parser().parse_args([*command, "--coalesce", "0"])).coalesce == 0.0
    with pytest.raises(ConfigError, match="--coalesce: must be a time"):
        relay_settings(parser().parse_args([*command, "--coalesce", "5"]))


async def test_bytes_received_are_those_of_the_link(free_port: int):
    """The frequent query is cheap, and returns the same number as the link report, over several openings."""
    source = open_source(f"udp://127.0.0.1:{free_port}", demux="native")
    assert isinstance(source, UdpSource)
    for opening in (1, 2):
        asyncio.get_running_loop().call_soon(feed.send_udp, DATAGRAMS, free_port)
        async with asyncio.timeout(20), aclosing(source.packets()) as packets:
            await anext(packets)
            assert source.received == source.link.size == opening * len(TAPE.ts)
    assert source.received == source.link.size == 2 * len(TAPE.ts)
