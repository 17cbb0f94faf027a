"""What datagram sources have of their own: RTP, multicast, senders, buffers."""

from __future__ import annotations

import asyncio
import socket
from contextlib import aclosing
from pathlib import Path

import feed
import pytest

from klvrelay.errors import SourceDown
from klvrelay.klv import Decoder
from klvrelay.sources import open_source, udp

TAPE = feed.recording()
DATAGRAMS = feed.datagrams(TAPE.ts)


async def packets_of(source, send, size, within=5):
    """The packets until `size` bytes have come; `send` is called once the port is bound."""
    got = []
    asyncio.get_running_loop().call_soon(send)
    async with asyncio.timeout(within), aclosing(source.packets()) as packets:
        async for packet in packets:
            got.append(packet)
            if sum(len(packet.data) for packet in got) >= size:
                return got


def records_of(packets):
    decoder = Decoder("test", None)
    return [record for packet in packets for record in decoder.feed(packet)] + decoder.flush()


def data_of(packets):
    return b"".join(packet.data for packet in packets)


async def test_datagrams_that_wait_become_one_packet(free_port):
    """The loop wakes once for all that came meanwhile, not once a datagram."""
    source = open_source(f"udp://127.0.0.1:{free_port}")

    got = await packets_of(source, lambda: feed.send_udp(DATAGRAMS, free_port), len(TAPE.ts))

    assert len(DATAGRAMS) == 18
    assert len(got) == 1


async def test_rtp_that_comes_to_a_udp_url_is_recognised(free_port):
    """Nobody has to know whether a camera puts RTP in front of its transport stream."""
    source = open_source(f"udp://127.0.0.1:{free_port}")
    datagrams = feed.rtp_datagrams(DATAGRAMS)

    got = await packets_of(source, lambda: feed.send_udp(datagrams, free_port), len(TAPE.ts))

    assert data_of(got) == TAPE.ts


async def test_a_gap_in_rtp_spoils_only_what_spans_it(free_port):
    """The packet behind a gap is marked; no record with bytes missing is good, and all others are."""
    ts = feed.recording(count=100).ts
    datagrams = feed.rtp_datagrams(feed.datagrams(ts))
    lost = datagrams.pop(20)
    size = len(ts) - len(lost) + 12

    source = open_source(f"rtp://127.0.0.1:{free_port}")
    got = await packets_of(source, lambda: feed.send_udp(datagrams, free_port), size)

    assert [packet.damaged for packet in got] == [False, True, False]
    whole = [record.raw for record in records_of(got) if record.good]
    wanted = feed.recording(count=100).klv
    assert set(whole) <= set(wanted)
    assert len(wanted) - 3 <= len(whole) < len(wanted)


async def test_swapped_rtp_datagrams_lose_nothing(free_port):
    """Order is restored by the sequence numbers."""
    datagrams = feed.rtp_datagrams(DATAGRAMS)
    datagrams[4], datagrams[5] = datagrams[5], datagrams[4]

    source = open_source(f"rtp://127.0.0.1:{free_port}")
    got = await packets_of(source, lambda: feed.send_udp(datagrams, free_port), len(TAPE.ts))

    assert data_of(got) == TAPE.ts
    assert not any(packet.damaged for packet in got)


async def test_what_is_held_for_a_lost_datagram_comes_out_soon(free_port):
    """A gap holds the rest up for a moment only, though nothing more is sent."""
    datagrams = feed.rtp_datagrams(DATAGRAMS)
    lost = datagrams.pop(3)

    source = open_source(f"rtp://127.0.0.1:{free_port}")
    size = len(TAPE.ts) - len(lost) + 12
    got = await packets_of(source, lambda: feed.send_udp(datagrams, free_port), size, within=1)

    assert sum(packet.damaged for packet in got) == 1


async def test_klv_without_a_container_is_recognised(free_port):
    """Some senders put bare KLV packets into datagrams."""
    source = open_source(f"udp://127.0.0.1:{free_port}")

    got = await packets_of(source, lambda: feed.send_udp(TAPE.klv, free_port), len(TAPE.bare))

    assert {packet.carriage for packet in got} == {"klv"}
    assert [record.raw for record in records_of(got)] == TAPE.klv


async def test_only_the_fixed_sender_is_heard(free_port):
    """With sender=, datagrams of anyone else on the segment are thrown away."""
    source = open_source(f"udp://127.0.0.1:{free_port}", sender="127.0.0.2")

    def send():
        feed.send_udp([b"\x47" + bytes(187)] * 5, free_port)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.bind(("127.0.0.2", 0))
            for datagram in DATAGRAMS:
                sock.sendto(datagram, ("127.0.0.1", free_port))

    got = await packets_of(source, send, len(TAPE.ts))

    assert data_of(got) == TAPE.ts


@pytest.mark.parametrize("interface", ["lo", "127.0.0.1"])
@pytest.mark.parametrize("sources", ["", "&sources=127.0.0.1"], ids=["any source", "one source"])
async def test_a_group_is_joined_on_the_named_interface(interface, sources, free_port):
    """Multicast is heard on the interface of that name or address, from any source or from those named."""
    source = open_source(f"udp://239.255.77.1:{free_port}?interface={interface}{sources}")

    got = await packets_of(source, lambda: feed.send_udp(DATAGRAMS, free_port, "239.255.77.1"), len(TAPE.ts))

    assert data_of(got) == TAPE.ts


async def test_two_programs_can_hear_one_group(free_port):
    """A group's port is shared, so a player beside the relay sees the same stream."""
    url = f"udp://239.255.77.2:{free_port}"
    one, other = open_source(url, interface="lo"), open_source(url, interface="lo")

    def send():
        feed.send_udp(DATAGRAMS, free_port, "239.255.77.2")

    got = await asyncio.gather(packets_of(one, lambda: None, len(TAPE.ts)), packets_of(other, send, len(TAPE.ts)))

    assert [data_of(packets) for packets in got] == [TAPE.ts, TAPE.ts]


async def test_an_ipv6_group_is_joined(free_port):
    """The kernel's list of groups has it while the source is read, and only then."""
    source = open_source(f"udp://[ff02::7701%lo]:{free_port}")
    groups = Path("/proc/net/igmp6")

    following = asyncio.ensure_future(anext(source.packets()))
    await asyncio.sleep(0)
    while_reading = groups.read_text()
    following.cancel()
    await asyncio.wait([following])

    assert "ff020000000000000000000000007701" in while_reading
    assert "ff020000000000000000000000007701" not in groups.read_text()


async def test_a_group_of_the_wrong_source_is_silent(free_port):
    """With sources=, the network lets through only what these send."""
    source = open_source(f"udp://239.255.77.3:{free_port}?interface=lo&sources=127.0.0.9")

    with pytest.raises(TimeoutError):
        await packets_of(source, lambda: feed.send_udp(DATAGRAMS, free_port, "239.255.77.3"), 1, within=0.1)


async def test_a_port_in_use_is_said_so(free_port):
    """Two listeners of one unicast port would steal each other's datagrams."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", free_port))

        with pytest.raises(SourceDown, match=f"port {free_port} is in use"):
            await anext(open_source(f"udp://127.0.0.1:{free_port}").packets())


async def test_an_unknown_host_is_said_so():
    """A name that no resolver knows is a SourceDown, not a traceback."""
    with pytest.raises(SourceDown, match="is not known"):
        await anext(open_source("udp://no-such-host.invalid:5000").packets())


async def test_silence_is_no_error(free_port):
    """A live source waits, however short the timeout."""
    source = open_source(f"udp://127.0.0.1:{free_port}", timeout=0.01)

    with pytest.raises(TimeoutError):
        await packets_of(source, lambda: None, 1, within=0.1)


async def test_a_buffer_smaller_than_asked_for_is_said_once(free_port, caplog):
    """The kernel cuts what it gives without a word; the operator learns it, and what to set."""
    udp._tell_small_buffer.cache_clear()
    source = open_source(f"udp://127.0.0.1:{free_port}?buffer_size=1073741824")

    for _ in range(2):
        await packets_of(source, lambda: feed.send_udp(DATAGRAMS, free_port), len(TAPE.ts))

    assert [record.message.split()[0] for record in caplog.records] == ["udp.small_buffer"]
    assert "net.core.rmem_max=1073741824" in caplog.text


async def test_what_the_kernel_drops_is_counted(free_port):
    """A reader that is too slow loses datagrams in the kernel, and the source says how many."""
    source = open_source(f"udp://127.0.0.1:{free_port}?buffer_size=65536")
    asyncio.get_running_loop().call_soon(lambda: feed.send_udp(DATAGRAMS * 50, free_port))

    async with aclosing(source.packets()) as packets:
        await anext(packets)
        while_reading = source.dropped

    assert 0 < while_reading == source.dropped < 50 * len(DATAGRAMS)


async def test_a_reader_that_stops_for_a_while_does_not_fill_the_memory(free_port, monkeypatch):
    """What waits for the reader is bounded; then the kernel's buffer fills."""
    monkeypatch.setattr("klvrelay.sources.inbox.WAITING_MOST", 10_000)
    source = open_source(f"udp://127.0.0.1:{free_port}")
    loop = asyncio.get_running_loop()
    loop.call_soon(lambda: feed.send_udp(DATAGRAMS[:1], free_port))

    async with asyncio.timeout(5), aclosing(source.packets()) as packets:
        await anext(packets)
        for _ in range(20):
            feed.send_udp(DATAGRAMS, free_port)
            await asyncio.sleep(0)
        waiting = source._inbox._bytes
        size = 0
        while size < 20 * len(TAPE.ts):
            size += len((await anext(packets)).data)

    assert 10_000 < waiting < 10_000 + 2 * len(TAPE.ts)
    assert size == 20 * len(TAPE.ts)


@pytest.mark.needs("ffmpeg")
@pytest.mark.parametrize(("kind", "format_", "sent"), [("udp", "mpegts", 20), ("rtp", "rtp_mpegts", 15)])
async def test_what_ffmpeg_sends_is_heard(kind, format_, sent, free_port, tmp_path):
    """A real sender in real time: every KLV packet from the first on (its RTP keeps the last few to itself)."""
    tape = tmp_path / "tape.ts"
    tape.write_bytes(feed.recording(count=20, hz=40).ts)
    source = open_source(f"{kind}://127.0.0.1:{free_port}")
    decoder, found = Decoder("test", None), []

    async with asyncio.timeout(10), aclosing(source.packets()) as packets:
        first = asyncio.ensure_future(anext(packets))
        await feed.listening(free_port)
        target = f"{kind}://127.0.0.1:{free_port}?pkt_size=1316"
        async with feed.ffmpeg(tape, "-flush_packets", "1", "-f", format_, target):
            found += decoder.feed(await first)
            while len(found) < sent:
                found += decoder.feed(await anext(packets))

    assert [record.raw for record in found] == feed.recording(count=20, hz=40).klv[: len(found)]
    assert all(record.good for record in found)
