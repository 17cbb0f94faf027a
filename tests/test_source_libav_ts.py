"""A byte source demultiplexed by libav: arrival times, losses, and stopping."""

from __future__ import annotations

import asyncio
import threading
from contextlib import aclosing

import feed
import pytest
from damaged_tapes import Pieces, records_of
from servers import Hostile
from source_reading import read
from test_lane import ASYNC, KLVA, NULL, Wire, klv_packet, raws

from klvrelay.decoder import Decoder
from klvrelay.errors import NotMedia, SourceDown
from klvrelay.record import Packet
from klvrelay.sources.libav.ts_input import LibavInput
from klvrelay.sources.libav.ts_source import LibavTsSource
from klvrelay.sources.open import open_source
from klvrelay.sources.thread_queue import MOST_BYTES, ThreadQueue

TAPE = feed.recording(40, padding=300)
PACKETS = [TAPE.ts[at : at + 188] for at in range(0, len(TAPE.ts), 188)]


def datagrams(data: bytes) -> list[Packet]:
    """Live pieces, each with its arrival time."""
    return [Packet(piece, 1_000_000 + number) for number, piece in enumerate(feed.datagrams(data))]


class Open(Pieces):
    """Pieces, and then silence, or an error."""

    def __init__(self, data, fault=None):
        super().__init__(data, live=True)
        self.fault, self.closed = fault, 0

    async def packets(self):
        try:
            async for packet in super().packets():
                yield packet
            if self.fault:
                raise self.fault
            await asyncio.get_running_loop().create_future()
        finally:
            self.closed += 1


async def test_each_packet_has_the_arrival_of_the_datagram_it_began_in():
    """Though libav had held the first of them while it inspected the stream: age is counted from the arrival."""
    pieces = datagrams(TAPE.ts)
    starts = [at for at, packet in enumerate(PACKETS) if packet[1:3] == b"\x41\x01"]

    got = await read(LibavTsSource(Pieces(pieces, live=True)))

    assert [packet.received_us for packet in got] == [1_000_000 + start // 7 for start in starts]


async def test_data_that_was_never_live_has_no_arrival_time():
    """Bytes without a stamp give packets without one."""
    got = await read(LibavTsSource(Pieces([Packet(TAPE.ts)])))

    assert {packet.received_us for packet in got} == {None}
    assert [packet.data for packet in got] == TAPE.klv


@pytest.mark.parametrize("mark", [True, False], ids=["by its own packet", "by the one behind it"])
async def test_missing_bytes_affect_only_packets_that_span_them(mark):
    """A loss reported by the source counts, though no counter shows it."""
    wire, sent = Wire(), [klv_packet(number, 3200) for number in range(6)]
    ts = wire.tables((ASYNC, 0x101, KLVA))
    parts = [wire.pes(packet, pts=9) for packet in sent]
    before = b"".join(ts + parts[0] + parts[1] + parts[2][:2])
    behind = b"".join(parts[2][2:] + parts[3] + parts[4] + parts[5] + [NULL] * 4)
    gap = [Packet(b"", damaged=True), Packet(behind, 2)] if mark else [Packet(behind, 2, damaged=True)]

    records = await records_of(LibavTsSource(Pieces([Packet(before, 1), *gap])))

    assert raws(r for r in records if r.good) == sent[:2] + sent[3:]
    assert [r.transport for r in records] == ["ok", "ok", "damaged", "ok", "ok", "ok"]


async def test_where_the_bytes_restart_libav_does_too():
    """A replay in a loop: each round is complete, with the mark between them that the decoder needs."""
    again = Packet(b"", 1)
    source = LibavTsSource(Pieces([Packet(TAPE.ts), again, Packet(TAPE.ts)]))

    got = await read(source)

    assert [packet.data for packet in got] == [*TAPE.klv, b"", *TAPE.klv]


async def test_bare_klv_passes_through():
    """Bare KLV needs no demultiplexer."""
    pieces = [Packet(TAPE.bare, None, "klv")]
    assert await read(LibavTsSource(Pieces(pieces))) == pieces


async def test_a_live_stream_without_klv_is_reported(shared):
    """libav would never output any: reopening is better than waiting."""
    ts = (shared / "data" / "h264_no_klv.ts").read_bytes()
    with pytest.raises(NotMedia, match="no data stream"):
        await read(LibavTsSource(Pieces(datagrams(ts), live=True)))


async def test_an_error_of_the_inner_source_follows_its_packets():
    """Packets before the error are output; then the source's error text is raised."""
    source, got = LibavTsSource(Open(datagrams(TAPE.ts), SourceDown("the far end broke off"))), []
    with pytest.raises(SourceDown, match="the far end broke off"):
        await read(source, got)

    assert [packet.data for packet in got] == TAPE.klv


async def test_an_error_before_libav_knew_the_stream_is_reported_too():
    """A connection that breaks after two packets is down; it is not an unknown format."""
    source = LibavTsSource(Open([Packet(TAPE.ts[:300], 1)], SourceDown("the far end broke off")))
    with pytest.raises(SourceDown, match="the far end broke off"):
        await read(source)


@pytest.mark.parametrize("opened", [True, False], ids=["reading", "opening"])
async def test_closing_ends_the_thread_at_once(opened):
    """libav reads from a file object of klvrelay's, which can end at any time."""
    inner = Open(datagrams(TAPE.ts) if opened else datagrams(TAPE.ts[:188]))
    packets = LibavTsSource(inner).packets()
    first = asyncio.create_task(anext(packets))
    while not any(thread.name == "klvrelay-libav" for thread in threading.enumerate()):
        await asyncio.sleep(0.001)
    if opened:
        await first
    else:
        first.cancel()
        await asyncio.wait([first])

    began = asyncio.get_running_loop().time()
    await packets.aclose()
    while any(thread.name == "klvrelay-libav" for thread in threading.enumerate()):
        await asyncio.sleep(0.001)

    assert asyncio.get_running_loop().time() - began < 0.3
    assert inner.closed == 1


async def test_the_newest_bytes_win_where_the_source_is_live():
    """A slow libav loses the oldest pieces, counted, and the data after them is marked."""
    libav_input = LibavInput(newest_wins=True, most=1000)
    for number in range(10):
        assert await libav_input.put(Packet(bytes([number]) * 400, number))
    libav_input.end()

    got = await asyncio.to_thread(lambda: list(iter(lambda: libav_input.read(4096), b"")))

    assert libav_input.dropped == 7
    assert [piece[0] for piece in got] == [7, 8, 9]
    assert libav_input.origin(0) == (7, False)
    assert libav_input.origin(401) == (8, False)


async def test_a_file_waits_for_libav():
    """Where nothing may be lost, the reader of the file waits for capacity, and then continues."""
    libav_input = LibavInput(newest_wins=False, most=1000)
    for number in range(3):
        await libav_input.put(Packet(bytes([number]) * 400))
    waiting = asyncio.create_task(libav_input.put(Packet(b"\x03" * 400)))
    await asyncio.sleep(0)
    assert not waiting.done()

    assert len(await asyncio.to_thread(libav_input.read, 4096)) == 400
    assert await asyncio.wait_for(waiting, 2)
    assert libav_input.dropped == 0
    libav_input.end(now=True)
    assert libav_input.read(4096) == b""
    assert not await libav_input.put(Packet(b"late"))


@pytest.mark.parametrize("scheme", ["tcp", "http"])
async def test_a_far_end_that_can_wait_is_held_back(scheme, monkeypatch):
    """However slow libav and its reader are, and however little may wait for them, nothing of the stream is lost."""
    monkeypatch.setattr(ThreadQueue.__init__, "__defaults__", (2, MOST_BYTES))
    monkeypatch.setitem(LibavInput.__init__.__kwdefaults__, "most", 1000)
    burst, records = feed.recording(300, padding=300), []

    async def answer(line, _):
        await line.send(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + burst.ts)
        line.close()

    async with feed.tcp_server(burst.ts) as port, Hostile(answer) as server, asyncio.timeout(20):
        url = server.url() if scheme == "http" else f"tcp://127.0.0.1:{port}"
        source = open_source(url, demux="libav", timeout=5)
        decoder = Decoder("x", None)
        async with aclosing(source.packets()) as packets:
            async for packet in packets:
                records += decoder.feed(packet)
                threading.Event().wait(0.002)

    assert source.live
    assert raws(records + decoder.flush()) == burst.klv
    assert source.dropped == 0


@pytest.mark.parametrize("scheme", ["udp", "rtp", "tcp", "-"])
def test_every_source_of_bytes_can_be_demultiplexed_by_libav(scheme):
    """`demux="libav"` works the same for all of them."""
    source = open_source(scheme if scheme == "-" else f"{scheme}://127.0.0.1:5000", demux="libav")
    assert isinstance(source, LibavTsSource)
    assert source.fixed
    assert source.live is (scheme != "-")


async def test_udp_is_read_through_libav(free_port):
    """klvrelay's socket with libav behind it: each packet has the datagram's arrival time, and the link counts."""
    source = open_source(f"udp://127.0.0.1:{free_port}", demux="libav")
    decoder, records = Decoder("x", None), []
    async with asyncio.timeout(5), aclosing(source.packets()) as packets:
        reading = asyncio.create_task(anext(packets))
        await feed.listening(free_port)
        await asyncio.to_thread(feed.send_udp, feed.datagrams(TAPE.ts + NULL * 700), free_port)
        records += decoder.feed(await reading)
        while len(records) < len(TAPE.klv):
            records += decoder.feed(await anext(packets))

    assert raws(records) == TAPE.klv
    assert all(1e15 < record.received_us < 4e15 for record in records)
