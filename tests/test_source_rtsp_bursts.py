"""Bursts over RTSP: by TCP the server is held back and nothing is lost; by UDP the kernel's drops are counted."""

from __future__ import annotations

import asyncio
import threading
from contextlib import aclosing
from pathlib import Path

import feed
import pytest
from rtsp_camera import Camera, rtp
from rtsp_servers import gst_server
from source_reading import records_of

from klvrelay.decoder import Decoder
from klvrelay.link_stats import LinkStats
from klvrelay.sources import receive_buffer, thread_queue
from klvrelay.sources.libav import demuxer, udp_drops
from klvrelay.sources.libav.udp_drops import kernel_drops
from klvrelay.sources.open import open_source

COUNT = 600
TAPE = feed.recording(count=COUNT, padding=500)


def burst():
    """All packets of the recording, each in one datagram, without a pause."""
    return rtp([(3000 * number, unit) for number, unit in enumerate(TAPE.klv, 1)])


async def test_a_burst_by_tcp_is_received_completely():
    """Six hundred packets at once, more than may wait for the loop."""
    for _ in range(3):
        async with Camera(burst()) as camera:
            source = open_source(camera.url("?transport=tcp"), timeout=5)
            records = await records_of(source)

        assert [record.raw for record in records] == TAPE.klv
        assert all(record.good for record in records)
        assert source.dropped == 0


async def test_a_blocked_loop_holds_the_server_back(monkeypatch):
    """By TCP the reader waits for the relay, the socket fills, and nothing is lost however few packets may wait."""
    monkeypatch.setattr(thread_queue.ThreadQueue.__init__, "__defaults__", (4, thread_queue.MOST_BYTES))
    async with Camera(burst()) as camera:
        source = open_source(camera.url("?transport=tcp"), timeout=5)
        decoder, records = Decoder("a", None), []
        async with asyncio.timeout(20), aclosing(source.packets()) as packets:
            async for packet in packets:
                assert packet.data
                records += decoder.feed(packet)
                if len(records) % 50 == 0:
                    threading.Event().wait(0.01)

    assert [record.raw for record in records] == TAPE.klv
    assert source.dropped == 0


@pytest.mark.parametrize("buffered", [True, False])
async def test_kernel_drops_by_udp_are_counted(buffered, monkeypatch):
    """Each datagram arrived or was counted, whatever buffer size the system grants."""
    if not buffered:
        monkeypatch.setitem(demuxer._UDP_OPTIONS, "buffer_size", "2048")
    async with Camera(burst()) as camera:
        source = open_source(camera.url("?transport=udp"), timeout=1)
        records = await records_of(source)

    lost = source.link.kernel_drops
    assert all(record.good for record in records)
    assert source.dropped == 0
    assert COUNT <= len(records) + lost <= COUNT + 2  # the last RTCP may be dropped too
    assert buffered or lost > 0


@pytest.mark.parametrize(("transport", "warnings"), [("udp", ["udp.small_buffer"]), ("tcp", [])])
async def test_a_buffer_smaller_than_requested_is_logged(transport, warnings, caplog, monkeypatch):
    """Once, with the setting to change, as for udp://; over TCP there is no such buffer."""
    receive_buffer._log_small_buffer.cache_clear()
    monkeypatch.setitem(demuxer._UDP_OPTIONS, "buffer_size", "1073741824")
    async with Camera(burst()) as camera:
        for _ in range(2):
            await records_of(open_source(camera.url(f"?transport={transport}"), timeout=1))

    assert [record.message.partition(":")[0] for record in caplog.records] == warnings
    assert ("net.core.rmem_max=1073741824" in caplog.text) == bool(warnings)


@pytest.mark.needs("gst-rtsp-server")
@pytest.mark.parametrize("transport", ["tcp", "udp"])
@pytest.mark.parametrize("isolate", [False, True], ids=["thread", "process"])
async def test_a_burst_of_gstreamer_is_received_completely(transport, isolate, tmp_path: Path):
    """A recording of 20 s in a tenth of a second."""
    async with gst_server(tmp_path, TAPE, seconds=0.1) as server:
        source = open_source(server.url(f"klv?transport={transport}"), timeout=3, isolate=isolate)
        records = await records_of(source, enough=COUNT)

    assert [record.raw for record in records] == TAPE.klv
    assert source.dropped == 0


def test_drops_are_those_of_the_requested_ports(monkeypatch, tmp_path: Path):
    """By their local port, of IPv4 and IPv6; without the tables nothing is counted."""
    head = "sl local rem st tx_queue rx_queue tr tm->when retrnsmt uid timeout inode ref pointer drops\n"
    line = "  1: {host}:{port:04X} 00000000:0000 07 00000000:00000000 00:00000000 00000000 0 0 1 2 0000 {drops}\n"
    four, six = tmp_path / "udp", tmp_path / "udp6"
    four.write_text(head + line.format(host="0100007F", port=5000, drops=3) + line.format(host="0", port=5001, drops=9))
    six.write_text(head + line.format(host="0" * 32, port=5002, drops=4))
    monkeypatch.setattr("klvrelay.sources.libav.udp_drops.TABLES", (str(four), str(six)))

    assert [kernel_drops({5000}), kernel_drops({5000, 5002}), kernel_drops({1})] == [3, 7, 0]
    four.unlink()
    assert kernel_drops({5000, 5002}) == 4


def test_drops_add_up_over_the_openings_of_a_source(monkeypatch):
    """The sockets of each opening begin at 0; earlier counts stay."""
    counts = iter([0, 3, 3])
    monkeypatch.setattr(udp_drops, "kernel_drops", lambda _: next(counts))
    link = LinkStats(kernel_drops=5)
    drops = udp_drops.UdpDrops(link, {5000})
    drops.update()
    drops.update()  # too early to check again
    before = link.kernel_drops
    drops.update(now=True)
    after = link.kernel_drops
    udp_drops.UdpDrops(link, {5000}).update(now=True)

    assert (before, after, link.kernel_drops) == (5, 8, 11)
