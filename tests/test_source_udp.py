"""Datagram sources: RTP, multicast, senders, buffers."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import socket
import subprocess
import sys
import time
from contextlib import aclosing
from pathlib import Path

import feed
import pytest

from klvrelay.decoder import Decoder
from klvrelay.errors import SourceDown
from klvrelay.record import Units
from klvrelay.sources import receive_buffer
from klvrelay.sources.open import open_source

TAPE = feed.recording()
DATAGRAMS = feed.datagrams(TAPE.ts)


def round_of(number):
    """The datagrams of the same KLV with other times: no two rounds share one."""
    return feed.datagrams(feed.recording(first_pcr=10_000_000 * (number + 1)).ts)


async def packets_of(source, send, size, within=5):
    """The packets until `size` bytes have arrived; `send` is called once the port is bound."""
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


async def units_of(source, send, enough, within=5):
    """The units until there are `enough` KLV packets in them; `send` is called once the port is bound."""
    got = []
    asyncio.get_running_loop().call_soon(send)
    async with asyncio.timeout(within), aclosing(source.packets()) as packets:
        async for units in packets:
            assert isinstance(units, Units)
            assert units.entries
            got.append(units)
            if sum(len(units.entries) for units in got) >= enough:
                return got


async def test_waiting_datagrams_become_one_packet(free_port):
    """The loop wakes once for all that arrived meanwhile, not once per datagram."""
    source = open_source(f"udp://127.0.0.1:{free_port}")

    got = await packets_of(source, lambda: feed.send_udp(DATAGRAMS, free_port), len(TAPE.ts))

    assert len(DATAGRAMS) == 18
    assert len(got) == 1


async def test_rtp_at_a_udp_url_is_recognised(free_port):
    """The user need not know whether a camera uses RTP for its transport stream."""
    source = open_source(f"udp://127.0.0.1:{free_port}")
    datagrams = feed.rtp_datagrams(DATAGRAMS)

    got = await packets_of(source, lambda: feed.send_udp(datagrams, free_port), len(TAPE.ts))

    assert data_of(got) == TAPE.ts


async def test_a_gap_in_rtp_affects_only_what_spans_it(free_port):
    """The packet after a gap is marked; no record with missing bytes is valid, and all others are."""
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


async def test_data_held_for_a_lost_datagram_is_output_soon(free_port):
    """A gap delays the rest for a moment only, though nothing more is sent."""
    datagrams = feed.rtp_datagrams(DATAGRAMS)
    lost = datagrams.pop(3)

    source = open_source(f"rtp://127.0.0.1:{free_port}")
    size = len(TAPE.ts) - len(lost) + 12
    got = await packets_of(source, lambda: feed.send_udp(datagrams, free_port), size, within=1)

    assert sum(packet.damaged for packet in got) == 1


@pytest.mark.parametrize("scheme", ["udp", "rtp"])
async def test_a_wake_up_gives_one_batch_of_units(scheme, free_port):
    """With demux="native" the socket outputs complete KLV: one `Units` for all waiting data, stamped, with PTS and PID.
    """
    source = open_source(f"{scheme}://127.0.0.1:{free_port}", demux="native")
    sent = DATAGRAMS if scheme == "udp" else feed.rtp_datagrams(DATAGRAMS)

    got = await units_of(source, lambda: feed.send_udp(sent, free_port), len(TAPE.klv))

    assert len(got) == 1
    raw, pts, pid, set_, checksum, transport, received_us, *_ = zip(*got[0].entries, strict=True)
    assert list(raw) == TAPE.klv
    assert pts == tuple(900_000 + 3000 * count for count in range(len(TAPE.klv)))
    assert {(*pid, *set_, *checksum, *transport)} == {(*[feed.KLV_PID] * 30, *["ST0601"] * 30, *["ok"] * 60)}
    assert all(abs(stamp - time.time_ns() // 1000) < 5_000_000 for stamp in received_us)
    assert (source.link.datagrams, source.link.size) == (len(sent), sum(map(len, sent)))
    assert source.link.lane.packets == len(TAPE.klv)
    assert source.link.lane.ts_packets == len(TAPE.ts) // 188


@pytest.mark.parametrize("demux", ["native", None])
async def test_more_than_the_capacity_is_output_all_the_same(demux, free_port):
    """One wake-up may bring more units, and more bytes, than C has capacity for at once."""
    source, decoder, found = open_source(f"udp://127.0.0.1:{free_port}", demux=demux), Decoder("test", None), []
    each = 65_000 // len(feed.klv_packet(99_999, feed.FIRST_TIME))
    klv = [feed.klv_packet(number, feed.FIRST_TIME + number) for number in range(20 * each)]
    fill = [b"".join(klv[at : at + each]) for at in range(0, len(klv), each)]
    asyncio.get_running_loop().call_soon(feed.send_udp, fill, free_port)

    async with asyncio.timeout(5), aclosing(source.packets()) as packets:
        async for packet in packets:
            found += decoder.feed(packet)
            if len(found) == len(klv):
                break

    assert len(found) > 20_000
    assert [record.raw for record in found] == klv
    assert all(record.good for record in found)


async def test_a_wake_up_without_klv_gives_nothing(free_port):
    """Video does not wake the reader: output has entries, and the link counts all."""
    source = open_source(f"udp://127.0.0.1:{free_port}", demux="native")
    null = b"\x47\x1f\xff\x10" + b"\xff" * 184

    async with asyncio.timeout(5), aclosing(source.packets()) as packets:
        first = asyncio.ensure_future(anext(packets))
        await asyncio.sleep(0)
        for _ in range(5):
            feed.send_udp([null * 7], free_port)
            while source.link.datagrams < 1:
                await asyncio.sleep(0)
        assert not first.done()
        feed.send_udp(DATAGRAMS, free_port)
        assert [entry[0] for entry in (await first).entries] == TAPE.klv

    assert source.link.datagrams == 5 + len(DATAGRAMS)


@pytest.mark.parametrize("demux", ["native", None])
async def test_the_stamp_is_the_arrival_at_the_kernel(demux, free_port, kernel_stamps):
    """A loop that was blocked for 300 ms changes no arrival time."""
    source, decoder = open_source(f"udp://127.0.0.1:{free_port}", demux=demux), Decoder("test", None)
    sent = []

    def send_and_block():
        for at in range(3):
            sent.append(time.time_ns() // 1000)
            feed.send_udp(TAPE.klv[10 * at : 10 * at + 10], free_port)
            time.sleep(0.1)

    records = []
    asyncio.get_running_loop().call_soon(send_and_block)
    async with asyncio.timeout(5), aclosing(source.packets()) as packets:
        while len(records) < len(TAPE.klv):
            records += decoder.feed(await anext(packets))

    ages = [record.received_us - sent[count // 10] for count, record in enumerate(records)]
    assert all(-1000 < age < 90_000 for age in ages), ages
    assert records[-1].received_us - records[0].received_us > 150_000
    assert time.time_ns() // 1000 - records[0].received_us > 290_000


async def test_any_cut_of_the_stream_into_datagrams_is_accepted(free_port):
    """A sender may cut MPEG-TS anywhere: 1,000 bytes per datagram, the first in the middle of the first PAT."""
    source = open_source(f"udp://127.0.0.1:{free_port}", demux="native")
    ragged = feed.datagrams(TAPE.ts[100:], 1000)

    got = await units_of(source, lambda: feed.send_udp(ragged, free_port), len(TAPE.klv))

    assert [entry[0] for units in got for entry in units.entries] == TAPE.klv


@pytest.mark.parametrize("demux", ["native", None])
async def test_another_kind_of_sender_is_followed(demux, free_port):
    """A new sender, with RTP or without, MPEG-TS or bare KLV, is recognised within four datagrams."""
    source, decoder = open_source(f"udp://127.0.0.1:{free_port}", demux=demux), Decoder("test", None)
    parts = [DATAGRAMS, feed.rtp_datagrams(DATAGRAMS), TAPE.klv, DATAGRAMS, TAPE.klv, feed.rtp_datagrams(TAPE.klv)]
    records, seen = [], []

    async with asyncio.timeout(5), aclosing(source.packets()) as packets:
        for part in parts:
            records = []
            asyncio.get_running_loop().call_soon(feed.send_udp, part, free_port)
            while not records or records[-1].raw != TAPE.klv[-1]:
                records += decoder.feed(await anext(packets))
            seen.append([record.raw for record in records if record.good])

    for of_one in seen:
        assert set(of_one) <= set(TAPE.klv)
        assert of_one[-15:] == TAPE.klv[-15:]
    assert source.link.datagrams == sum(map(len, parts))
    if demux == "native":
        assert source.link.lane.packets >= sum(map(len, seen))


async def test_other_data_is_passed_on_without_units(free_port):
    """`probe` gets to see all data; a relay does not need it, and counts it."""
    url = f"udp://127.0.0.1:{free_port}"
    noise = [bytes([0xFF, count]) * 50 for count in range(5)]

    got = await packets_of(open_source(url), lambda: feed.send_udp(noise, free_port), 500)
    source = open_source(url, demux="native")
    units = await units_of(source, lambda: feed.send_udp([*noise, *DATAGRAMS], free_port), len(TAPE.klv))

    assert data_of(got) == b"".join(noise)
    assert len(units) == 1
    assert source.link.datagrams == len(noise) + len(DATAGRAMS)


async def test_klv_without_a_container_is_recognised(free_port):
    """Some senders put bare KLV packets into datagrams."""
    source = open_source(f"udp://127.0.0.1:{free_port}")

    got = await packets_of(source, lambda: feed.send_udp(TAPE.klv, free_port), len(TAPE.bare))

    assert {packet.carriage for packet in got} == {"klv"}
    assert [record.raw for record in records_of(got)] == TAPE.klv


async def test_only_the_fixed_sender_is_read(free_port):
    """With sender=, datagrams of any other host are ignored."""
    source = open_source(f"udp://127.0.0.1:{free_port}", sender="127.0.0.2")

    def send():
        feed.send_udp([b"\x47" + bytes(187)] * 5, free_port)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.bind(("127.0.0.2", 0))
            for datagram in DATAGRAMS:
                sock.sendto(datagram, ("127.0.0.1", free_port))

    got = await packets_of(source, send, len(TAPE.ts))

    assert data_of(got) == TAPE.ts
    assert (source.link.strangers, source.link.datagrams) == (5, len(DATAGRAMS))


async def test_a_fixed_sender_applies_to_its_own_socket(free_port):
    """Two sockets take turns: one reads a single sender, the other any; neither sees the other's addresses."""
    choosy = open_source(f"udp://127.0.0.1:{free_port}?sender=127.0.0.2", demux="native")
    open_to_all = open_source(f"udp://127.0.0.3:{free_port}", demux="native")
    both = choosy, open_to_all
    tasks = [asyncio.create_task(units_of(source, lambda: None, len(TAPE.klv))) for source in both]
    await asyncio.sleep(0)

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as theirs:
        theirs.bind(("127.0.0.2", 0))
        for datagram in DATAGRAMS:
            for host in ("127.0.0.1", "127.0.0.3"):
                feed.send_udp([datagram], free_port, host)
            theirs.sendto(datagram, ("127.0.0.1", free_port))
            await asyncio.sleep(0)
    async with asyncio.timeout(5):
        heard = await asyncio.gather(*tasks)

    assert [[entry[0] for units in found for entry in units.entries] for found in heard] == [TAPE.klv, TAPE.klv]
    assert [source.link.strangers for source in both] == [len(DATAGRAMS), 0]


@pytest.mark.parametrize(
    ("host", "sender", "heard"),
    [("[::1]", "::1", True), ("[::1]", "::2", False), ("[::]", "127.0.0.1", True), ("[::]", "127.0.0.2", False)],
    ids=["IPv6", "another IPv6", "IPv4 through IPv6", "another IPv4 through IPv6"],
)
async def test_a_sender_is_recognised_by_an_ipv4_or_ipv6_address(host, sender, heard, free_port):
    """IPv6 too, and IPv4 on a dual-stack socket."""
    source = open_source(f"udp://{host}:{free_port}?sender={sender}", demux="native")
    to = "::1" if host == "[::1]" else "127.0.0.1"

    task = asyncio.create_task(units_of(source, lambda: feed.send_udp(DATAGRAMS, free_port, to), len(TAPE.klv)))
    async with asyncio.timeout(5):
        while source.link.datagrams + source.link.strangers < len(DATAGRAMS):
            await asyncio.sleep(0.001)
    task.cancel()
    await asyncio.wait([task])

    counts = (source.link.datagrams, source.link.strangers)
    assert counts == ((len(DATAGRAMS), 0) if heard else (0, len(DATAGRAMS)))


@pytest.mark.parametrize("interface", ["lo", "127.0.0.1"])
@pytest.mark.parametrize("sources", ["", "&sources=127.0.0.1"], ids=["any source", "one source"])
async def test_a_group_is_joined_on_the_named_interface(interface, sources, free_port):
    """Multicast is received on the interface of that name or address, from any source or from those named."""
    source = open_source(f"udp://239.255.77.1:{free_port}?interface={interface}{sources}")

    got = await packets_of(source, lambda: feed.send_udp(DATAGRAMS, free_port, "239.255.77.1"), len(TAPE.ts))

    assert data_of(got) == TAPE.ts


async def test_two_programs_can_receive_one_group(free_port):
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
    """With sources=, the network delivers only what these send."""
    source = open_source(f"udp://239.255.77.3:{free_port}?interface=lo&sources=127.0.0.9")

    with pytest.raises(TimeoutError):
        await packets_of(source, lambda: feed.send_udp(DATAGRAMS, free_port, "239.255.77.3"), 1, within=0.1)


async def test_a_group_joined_by_another_program_is_not_read(free_port):
    """A group joined for one sender: that another program joined it for all changes nothing."""
    source = open_source(f"udp://239.255.77.4:{free_port}?interface=lo&sources=127.0.0.9")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("239.255.77.4", free_port))
        group = socket.inet_aton("239.255.77.4") + socket.inet_aton("127.0.0.1")
        other.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, group)
        other.setblocking(False)

        with pytest.raises(TimeoutError):
            await packets_of(source, lambda: feed.send_udp(DATAGRAMS, free_port, "239.255.77.4"), 1, within=0.2)

        assert other.recv(2000) == DATAGRAMS[0]


async def test_a_port_in_use_is_reported(free_port):
    """Two listeners on one unicast port would take each other's datagrams."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", free_port))

        with pytest.raises(SourceDown, match=f"port {free_port} is already in use"):
            await anext(open_source(f"udp://127.0.0.1:{free_port}").packets())


async def test_an_unknown_host_is_reported():
    """An unresolvable name is a SourceDown, not a traceback."""
    with pytest.raises(SourceDown, match="unknown host name"):
        await anext(open_source("udp://no-such-host.invalid:5000").packets())


async def test_silence_is_no_error(free_port):
    """A live source waits, however short the timeout."""
    source = open_source(f"udp://127.0.0.1:{free_port}", timeout=0.01)

    with pytest.raises(TimeoutError):
        await packets_of(source, lambda: None, 1, within=0.1)


async def test_a_smaller_buffer_than_requested_is_reported_once(free_port, caplog, monkeypatch):
    """The kernel reduces the size silently; the log says so, and what to set."""
    receive_buffer._log_small_buffer.cache_clear()
    monkeypatch.setattr(receive_buffer, "_SO_RCVBUFFORCE", socket.SO_RCVBUF)  # as for a user without rights
    source = open_source(f"udp://127.0.0.1:{free_port}?buffer_size=1073741824")

    for _ in range(2):
        await packets_of(source, lambda: feed.send_udp(DATAGRAMS, free_port), len(TAPE.ts))

    assert [record.message.partition(":")[0] for record in caplog.records] == ["udp.small_buffer"]
    assert "net.core.rmem_max=1073741824" in caplog.text


def test_a_buffer_is_not_checked_without_a_free_descriptor(caplog, monkeypatch):
    """The check opens a socket; if that fails, there is no warning, and the source is not affected."""

    def refuse(*_, **__):
        raise OSError(errno.EMFILE, "too many open files")

    monkeypatch.setattr(receive_buffer.socket, "socket", refuse)
    receive_buffer.check_libav(1 << 30)

    assert not caplog.records


@pytest.mark.parametrize("rights", [True, False], ids=["with the right to more", "without"])
def test_the_buffer_is_as_large_as_rights_allow(rights, caplog):
    """With rights it exceeds net.core.rmem_max; otherwise it gets that maximum."""
    receive_buffer._log_small_buffer.cache_clear()

    class Recorder:
        def __init__(self):
            self.asked = []

        def setsockopt(self, level, option, size):
            if option == 33 and not rights:
                raise PermissionError
            self.asked.append((option, size))

        def getsockopt(self, level, option):
            return 2 * 8_000_000

    sock = Recorder()
    receive_buffer.enlarge(sock, 8_000_000)

    assert sock.asked[-1:] == [(33 if rights else socket.SO_RCVBUF, 8_000_000)]
    assert not caplog.records


@pytest.mark.parametrize("demux", ["native", None])
async def test_kernel_drops_are_counted(demux, free_port):
    """A reader that is too slow loses datagrams in the kernel, and the source reports how many."""
    source = open_source(f"udp://127.0.0.1:{free_port}?buffer_size=65536", demux=demux)
    asyncio.get_running_loop().call_soon(lambda: feed.send_udp(DATAGRAMS * 50, free_port))

    async with aclosing(source.packets()) as packets:
        await anext(packets)
        while_reading = source.dropped

    assert 0 < while_reading == source.dropped == source.link.kernel_drops < 50 * len(DATAGRAMS)


@pytest.mark.parametrize("demux", ["native", None])
async def test_no_record_spans_a_kernel_drop(demux, free_port):
    """After any drop the stream is cut: its bytes may match, and its counters may wrap."""
    head, tail = (feed.klv_packet(9, feed.FIRST_TIME, 300) for _ in range(2))
    source = open_source(f"udp://127.0.0.1:{free_port}?buffer_size=4096&sender=127.0.0.1", demux=demux)
    decoder, records = Decoder("test", None), []

    def send():
        feed.send_udp([TAPE.klv[0], head[:170]], free_port)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            stranger.bind(("127.0.0.2", 0))
            for _ in range(50):
                stranger.sendto(bytes(1400), ("127.0.0.1", free_port))

    async with asyncio.timeout(5), aclosing(source.packets()) as packets:
        asyncio.get_running_loop().call_soon(send)
        records += decoder.feed(await anext(packets))
        feed.send_udp([tail[170:], TAPE.klv[1]], free_port)
        while not records or records[-1].raw != TAPE.klv[1]:
            records += decoder.feed(await anext(packets))

    assert source.link.kernel_drops > 0
    assert source.link.strangers + source.link.kernel_drops == 50
    assert [record.raw for record in records if record.good] == TAPE.klv[:2]


async def test_a_paused_reader_does_not_fill_the_memory(free_port, monkeypatch):
    """The queue of the reader is bounded; then the kernel's buffer fills."""
    monkeypatch.setattr("klvrelay.sources.datagrams.reader.WAITING_MOST", 10_000)
    source = open_source(f"udp://127.0.0.1:{free_port}")
    loop = asyncio.get_running_loop()
    loop.call_soon(lambda: feed.send_udp(DATAGRAMS[:1], free_port))

    async with asyncio.timeout(5), aclosing(source.packets()) as packets:
        await anext(packets)
        for number in range(20):
            feed.send_udp(round_of(number), free_port)
            await asyncio.sleep(0)
        waiting = source._reader._bytes
        size = 0
        while size < 20 * len(TAPE.ts):
            size += len((await anext(packets)).data)

    assert 10_000 < waiting < 10_000 + 2 * len(TAPE.ts)
    assert size == 20 * len(TAPE.ts)


async def test_waiting_units_are_bounded_too(free_port, monkeypatch):
    """A paused reader of units leaves the rest in the kernel, and gets it all afterwards."""
    monkeypatch.setattr("klvrelay.sources.datagrams.reader.WAITING_MOST", 10_000)
    source, klv = open_source(f"udp://127.0.0.1:{free_port}", demux="native"), []
    loop = asyncio.get_running_loop()
    loop.call_soon(lambda: feed.send_udp(DATAGRAMS[:1], free_port))

    async with asyncio.timeout(5), aclosing(source.packets()) as packets:
        klv += [entry[0] for entry in (await anext(packets)).entries]
        feed.send_udp(DATAGRAMS[1:], free_port)
        await asyncio.sleep(0)
        for number in range(20):
            feed.send_udp(round_of(number), free_port)
            await asyncio.sleep(0)
        taken = source.link.datagrams
        while len(klv) < 21 * len(TAPE.klv):
            klv += [entry[0] for entry in (await anext(packets)).entries]

    assert taken < 5 * len(DATAGRAMS)
    assert klv == 21 * TAPE.klv
    assert source.link.datagrams == 21 * len(DATAGRAMS)


async def test_a_flood_on_one_port_does_not_stop_another(free_port):
    """However much waits on one socket, a wake-up reads a bounded number, and the others get their turn."""
    flooded = open_source(f"udp://127.0.0.2:{free_port}?buffer_size=4000000", demux="native")
    quiet = open_source(f"udp://127.0.0.3:{free_port}", demux="native")
    klv = iter(TAPE.klv)
    taken = []

    async def read(source, of_each):
        async with aclosing(source.packets()) as packets:
            async for units in packets:
                of_each(units)

    def of_the_quiet(units):
        taken.append(flooded.link.datagrams)
        if (following := next(klv, None)) is not None:
            feed.send_udp([following], free_port, "127.0.0.3")

    tasks = [asyncio.create_task(read(*each)) for each in ((flooded, lambda units: None), (quiet, of_the_quiet))]
    await asyncio.sleep(0)
    feed.send_udp(DATAGRAMS * 60, free_port, "127.0.0.2")
    feed.send_udp([next(klv)], free_port, "127.0.0.3")
    async with asyncio.timeout(5):
        while len(taken) < 4 or flooded.link.datagrams + flooded.dropped < 60 * len(DATAGRAMS):
            await asyncio.sleep(0)
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)

    assert flooded.link.datagrams > 4 * 256
    assert taken[0] <= 256
    assert taken[1] <= 3 * 256


async def test_closing_while_datagrams_wait_leaks_nothing(free_port):
    """A thousand times opened and closed in the middle of a stream, no descriptor and no timer stays."""
    loop = asyncio.get_running_loop()
    before = len(os.listdir("/proc/self/fd"))
    for count in range(1000):
        source = open_source(f"udp://127.0.0.1:{free_port}", demux=("native", None)[count % 2])
        loop.call_soon(feed.send_udp, DATAGRAMS[:3], free_port)
        async with aclosing(source.packets()) as packets:
            await anext(packets)
            if count % 100 == 0:
                feed.send_udp(DATAGRAMS, free_port)
                await asyncio.sleep(0)

    assert len(os.listdir("/proc/self/fd")) <= before  # fewer: an earlier test's libsrt closes late
    assert not [timer for timer in loop._scheduled if not timer.cancelled()]


async def test_the_link_continues_to_count_when_a_source_is_reopened(free_port):
    """The transport counters are the sum of all openings."""
    source = open_source(f"udp://127.0.0.1:{free_port}", demux="native")
    for _ in range(2):
        await units_of(source, lambda: feed.send_udp(DATAGRAMS, free_port), len(TAPE.klv))

    assert source.link.datagrams == 2 * len(DATAGRAMS)
    assert source.link.size == 2 * len(TAPE.ts)
    assert source.link.lane.packets == 2 * len(TAPE.klv)


async def test_a_socket_that_fails_is_a_source_that_is_down(free_port):
    """The incomplete packet is output as damaged; then the error is raised, and the socket is closed."""
    source, decoder, records = open_source(f"udp://127.0.0.1:{free_port}", demux="native"), Decoder("test", None), []
    asyncio.get_running_loop().call_soon(feed.send_udp, [TAPE.klv[0], TAPE.klv[1][:30]], free_port)

    async with asyncio.timeout(5), aclosing(source.packets()) as packets:
        records += decoder.feed(await anext(packets))
        source._reader.fail(OSError(100, "network is down"))
        records += decoder.feed(await anext(packets))
        with pytest.raises(SourceDown, match=f"udp://127.0.0.1:{free_port}: cannot listen there: "):
            await anext(packets)

    assert [record.transport for record in records] == ["ok", "damaged"]
    assert source.link.datagrams == 2


NETWORKS = Path(__file__).parent / "support" / "network_scenes.py"


@pytest.fixture(scope="module")
def network():
    """Run a scene of network_scenes.py in a separate network namespace; returns its JSON output."""
    command = ["unshare", "-rn"]
    link = ["ip", "link", "add", "a0", "type", "veth", "peer", "a1"]
    if subprocess.run([*command, *link], capture_output=True).returncode:
        pytest.skip("this machine gives no private network to make interfaces in")

    def play(scene):
        done = subprocess.run([*command, sys.executable, NETWORKS, scene], capture_output=True, text=True, timeout=30)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return play


@pytest.mark.needs("unshare", "ip")
@pytest.mark.parametrize("kind", ["any", "one", "ipv6"])
def test_a_group_is_received_on_its_interface_only(kind, network):
    """Of two networks with the group only the named one is used, by name or by address; with a selected source (2) only
    that; IPv6 too.
    """
    senders = ["2", "9"] if kind == "any" else ["2"]
    heard_a, heard_b = ([cable + sender for sender in senders] for cable in "ab")
    assert network(f"choice-{kind}") == {"by name": heard_a, "by address": heard_a, "the other": heard_b}


@pytest.mark.needs("unshare", "ip")
def test_a_removed_interface_is_reported_and_joined_again(network):
    """The kernel silently drops groups with their interface: the source detects it, and receives again when reopened.
    """
    seen = network("taken-away")

    assert seen["before"] == seen["after"] == ["a2", "a9"]
    assert "no network interface a0" in seen["while away"][0]
    assert "a0 was removed, and has been added again" in seen["when back"][0]


@pytest.mark.needs("unshare", "ip")
def test_a_group_on_the_default_interface_is_joined_again(network):
    """Without a named interface the group is joined again automatically, once there is a route."""
    assert network("default-route") == {"before": ["a2", "a9"], "after": ["b2", "b9"]}


@pytest.mark.needs("ffmpeg")
@pytest.mark.parametrize("demux", ["native", None])
@pytest.mark.parametrize(("kind", "format_", "sent"), [("udp", "mpegts", 20), ("rtp", "rtp_mpegts", 15)])
async def test_data_sent_by_ffmpeg_is_received(kind, format_, sent, demux, free_port, tmp_path):
    """A real sender in real time: every KLV packet from the first on (its RTP muxer holds the last few)."""
    tape = tmp_path / "tape.ts"
    tape.write_bytes(feed.recording(count=20, hz=40).ts)
    source = open_source(f"{kind}://127.0.0.1:{free_port}", demux=demux)
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
