"""RTSP with GStreamer's server: KLV in MPEG-TS and as a separate track, by TCP and UDP, with a password, with TLS."""

from __future__ import annotations

import asyncio
import logging
import time
import traceback
from contextlib import aclosing

import feed
import pytest
from certificates import certified
from rtsp_servers import gst_server
from source_reading import fault_of, leaves_no_thread, reader_ended, records_of

from klvrelay.errors import SourceDown
from klvrelay.sources.open import open_source

pytestmark = pytest.mark.needs("gst-rtsp-server")

TAPE = feed.recording(count=30, padding=500, filler=3)
CANARY = "c4n4ry@/"
WRITTEN = "me:c4n4ry%40%2F@"
TRANSPORTS = ["tcp", "udp"]


def complete(records):
    """Every packet of the recording, in order, complete and valid."""
    assert [record.raw for record in records] == TAPE.klv
    assert all(record.good and record.checksum == "ok" for record in records)
    return True


@pytest.mark.parametrize("mtu", [1400, 250], ids=["whole", "fragments"])
@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("mount", ["ts", "klv"])
async def test_every_packet_comes_in_order(mount, transport, mtu, tmp_path):
    """In MPEG-TS or as a separate track, in one RTP packet or several; and the end of the session is the end."""
    async with gst_server(tmp_path, TAPE, mtu=mtu, seconds=0.5) as server:
        source = open_source(server.url(f"{mount}?transport={transport}"), timeout=2)
        records = await records_of(source)

    assert complete(records)
    assert {record.pid for record in records} == {feed.KLV_PID if mount == "ts" else 0}
    times = [record.pts for record in records]
    assert times == sorted(times)
    assert len(set(times)) == 30
    assert source.link.size >= len(TAPE.bare)
    assert source.live
    assert source.fixed


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_klv_beside_video_is_read(transport, tmp_path, shared):
    """H.264 as one track, KLV as another, in small fragments: the KLV does not wait for the video."""
    video = str(shared / "data" / "osh_sample_stream.ts")
    async with gst_server(tmp_path, TAPE, mtu=250, video=video) as server:
        source = open_source(server.url(f"both?transport={transport}"), timeout=2)
        records = await records_of(source, enough=30)

    assert complete(records)
    assert source.link.size > len(TAPE.bare) + 50_000


@pytest.mark.parametrize(("granted", "asked"), [("tcp", "udp"), ("udp", "tcp")])
async def test_the_other_transport_is_tried_where_one_is_refused(granted, asked, tmp_path, caplog):
    """A server that grants only one of them is read by it, and one line says so."""
    caplog.set_level(logging.INFO)
    async with gst_server(tmp_path, TAPE, transport=granted, seconds=0.3) as server:
        records = await records_of(open_source(server.url(f"klv?transport={asked}", WRITTEN), timeout=2))

    assert complete(records)
    said = [record.getMessage() for record in caplog.records if "refuses" in record.getMessage()]
    assert len(said) == 1
    assert f"refuses {asked}, so it is read by {granted}" in said[0]
    assert "c4n4ry" not in said[0]


@pytest.mark.parametrize("auth", ["basic", "digest"])
async def test_a_password_is_used_and_never_shown(auth, tmp_path, capfd, caplog):
    """The right one opens; a wrong one, or none, is one line that says 401; no output has either."""
    caplog.set_level(logging.DEBUG)
    faults = []
    async with gst_server(tmp_path, TAPE, auth=auth, user="me", password=CANARY, seconds=0.3) as server:
        records = await records_of(open_source(server.url("klv", WRITTEN), timeout=2))
        for wrong in ("", "me:c4n4ry-wrong@", "c4n4ry-nobody:x@"):
            with pytest.raises(SourceDown, match="401") as refused:
                await records_of(open_source(server.url("klv", wrong), timeout=2))
            faults.append(refused.value)

    assert complete(records)
    shown = [*capfd.readouterr(), caplog.text, *(line for f in faults for line in traceback.format_exception(f))]
    assert "c4n4ry" not in "".join(shown)
    assert not any("\n" in str(fault) for fault in faults)


@pytest.mark.needs("openssl")
async def test_tls_is_verified_by_the_authority_that_is_named(tmp_path):
    """rtsps:// refuses a certificate from an unknown authority, and reads with `ca_file`; a password may be used too.
    """
    ca, certificate = certified(tmp_path)
    async with gst_server(
        tmp_path, TAPE, certificate=certificate, auth="digest", user="me", password=CANARY, seconds=0.3
    ) as server:
        url = server.url("klv", WRITTEN, "rtsps")
        with pytest.raises(SourceDown, match="certificate") as refused:
            await records_of(open_source(url, timeout=2))
        records = await records_of(open_source(url, timeout=2, ca_file=ca))

    assert "c4n4ry" not in str(refused.value)
    assert complete(records)


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("mount", ["ts", "klv"])
async def test_a_server_that_is_killed_ends_the_source_at_once(mount, transport, tmp_path):
    """Not after a timeout: the control connection of the session is closed."""
    async with gst_server(tmp_path, TAPE, endless=True) as server:
        source = open_source(server.url(f"{mount}?transport={transport}"), timeout=5)
        async with asyncio.timeout(8), aclosing(source.packets()) as packets:
            await anext(packets)
            server.kill()
            began = time.monotonic()
            await fault_of(packets)

    assert time.monotonic() - began < 1


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_a_server_that_hangs_is_down_after_the_timeout(transport, tmp_path):
    """No byte arrives, no connection breaks: the timeout reports it; and closing is not delayed."""
    async with gst_server(tmp_path, TAPE, endless=True) as server:
        source = open_source(server.url(f"klv?transport={transport}"), timeout=0.6)
        async with asyncio.timeout(8), aclosing(source.packets()) as packets:
            await anext(packets)
            server.freeze()
            began = time.monotonic()
            fault = await fault_of(packets)
            took = time.monotonic() - began
        await reader_ended(within=2.2)

    assert "sent nothing for 0.6 s" in fault
    assert 0.5 < took < 1.6


async def test_a_source_that_is_closed_leaves_no_thread(tmp_path):
    """Closing returns at once; libav's thread ends within 2 x timeout + 1 s even where the server hangs."""
    async with gst_server(tmp_path, TAPE, endless=True) as server:
        await leaves_no_thread(server.url("ts"), server.freeze)


async def test_a_mount_that_does_not_exist_is_reported(tmp_path):
    """404, with the missing path."""
    async with gst_server(tmp_path, TAPE) as server:
        with pytest.raises(SourceDown, match="404"):
            await records_of(open_source(server.url("nothing"), timeout=2))
