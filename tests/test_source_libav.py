"""Sources read by libav: RTSP, HTTP, containers, and how they stop."""

from __future__ import annotations

import asyncio
import logging
import ssl
import threading
import time
import traceback

import feed
import pytest
from source_reading import read

from klvrelay.decoder import Decoder
from klvrelay.errors import NotMedia, SourceDown
from klvrelay.sources.open import open_source

TAPE = feed.recording()
PAYLOADS = [(0, datagram) for datagram in feed.datagrams(TAPE.ts)]

# For localhost, self-signed, valid from 2000 to 2100; it protects nothing.
CERTIFICATE = """\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgFHcarc5onr/4MojT
EbPOhXBj82aT9tKS0YMgdhutHl+hRANCAATmiEth3XeVO+XXxR27HGFH0Gu2qwC5
5sXutS6g59Jn6GpXBN2a+ZzMXfGVWtnCHC94Ve8DYOs+7PKRLTXeui63
-----END PRIVATE KEY-----
-----BEGIN CERTIFICATE-----
MIIBZzCCAQ2gAwIBAgIBATAKBggqhkjOPQQDAjAUMRIwEAYDVQQDDAlsb2NhbGhv
c3QwIBcNMDAwMTAxMDAwMDAwWhgPMjEwMDAxMDEwMDAwMDBaMBQxEjAQBgNVBAMM
CWxvY2FsaG9zdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABOaIS2Hdd5U75dfF
HbscYUfQa7arALnmxe61LqDn0mfoalcE3Zr5nMxd8ZVa2cIcL3hV7wNg6z7s8pEt
Nd66LrejTjBMMA8GA1UdEwEB/wQFMAMBAf8wGgYDVR0RBBMwEYIJbG9jYWxob3N0
hwR/AAABMB0GA1UdDgQWBBQTiZS9w+9QoVReETA7wII9zptqujAKBggqhkjOPQQD
AgNIADBFAiBRHxf+ml2ZeulVD0g2TkKSEYWiVZl87ZLH5XVIfUdSdAIhAIc91KII
TXDa8Nrx3o7Nz6AnIVcErwYV+4rKKSvhbNmQ
-----END CERTIFICATE-----
"""


@pytest.fixture
def certificate(tmp_path):
    """(path of the certificate, the TLS settings of a server that has it)."""
    path = tmp_path / "certificate.pem"
    path.write_text(CERTIFICATE)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(path)
    return str(path), tls


def records_of(packets):
    decoder = Decoder("test", None)
    return [record for packet in packets for record in decoder.feed(packet)] + decoder.flush()


async def test_an_rtsp_camera_with_a_password_is_read():
    """User and password of the URL open the camera, and appear nowhere."""
    async with feed.RtspServer(PAYLOADS, credentials="user:c4n4ry@#/") as server:
        source = open_source(f"rtsp://user:c4n4ry%40%23%2F@127.0.0.1:{server.port}/live", timeout=1)
        got = await read(source)

    assert [record.raw for record in records_of(got)] == TAPE.klv
    assert {(packet.pid, packet.carriage) for packet in got} == {(feed.KLV_PID, "klv")}
    assert [packet.pts for packet in got] == [900_000 + 3000 * number for number in range(30)]


@pytest.mark.parametrize("user", ["", "user:c4n4ry@"], ids=["none", "wrong"])
async def test_a_wrong_password_is_reported_and_not_shown(user, capfd, caplog):
    """A refused login is one line without the login; neither libav nor the log repeats it."""
    caplog.set_level(logging.DEBUG)
    async with feed.RtspServer(PAYLOADS, credentials="user:right") as server:
        source = open_source(f"rtsp://{user}127.0.0.1:{server.port}/live?key=c4n4ry", timeout=1)
        with pytest.raises(SourceDown, match="401") as refused:
            await read(source)

    shown = "".join([*capfd.readouterr(), caplog.text, *traceback.format_exception(refused.value)])
    assert "c4n4ry" not in shown
    assert refused.value.__cause__ is refused.value.__context__ is None


async def test_klv_in_rtp_fragments_is_reassembled():
    """A KLV packet may be cut over several RTP payloads of one time stamp (RFC 6597)."""
    payloads = [
        (3000 * (number + 1), packet[at : at + 20])
        for number, packet in enumerate(TAPE.klv)
        for at in range(0, len(packet), 20)
    ]
    async with feed.RtspServer(payloads, feed.RtspServer.KLV) as server:
        got = await read(open_source(f"rtsp://127.0.0.1:{server.port}/live", timeout=1))

    records = records_of(got)
    assert [record.raw for record in records] == TAPE.klv
    assert all(record.good for record in records)
    # libav counts from the first time stamp of the RTP.
    assert [record.pts for record in records] == [3000 * number for number in range(30)]


async def test_a_lost_rtp_fragment_affects_only_its_packet():
    """libav does not flag the loss; the incomplete packet is not valid, and the next one is."""
    payloads = [
        (3000 * (number + 1), packet[at : at + 20])
        for number, packet in enumerate(TAPE.klv)
        for at in range(0, len(packet), 20)
        if (number, at) != (7, 20)
    ]
    async with feed.RtspServer(payloads, feed.RtspServer.KLV) as server:
        got = await read(open_source(f"rtsp://127.0.0.1:{server.port}/live", timeout=1))

    good = [record.raw for record in records_of(got) if record.good]
    assert good == TAPE.klv[:7] + TAPE.klv[8:]


async def test_a_camera_that_falls_silent_is_down_after_the_timeout():
    """Received data is yielded, then the error says for how long no data arrived."""
    got = []
    async with feed.RtspServer(PAYLOADS, hang=True) as server:
        source = open_source(f"rtsp://127.0.0.1:{server.port}/live", timeout=0.3)
        with pytest.raises(SourceDown, match=r"sent nothing for 0\.3 s"):
            await read(source, got)

    assert len(got) == 30


async def test_a_server_that_never_answers_is_down_after_the_timeout():
    """A host that accepts and stays silent costs the timeout, not more."""
    async with feed.tcp_server(b"", hang=True) as port:
        with pytest.raises(SourceDown, match=r"gave no answer for 0\.3 s"):
            await read(open_source(f"rtsp://127.0.0.1:{port}/live", timeout=0.3), within=3)


async def test_the_thread_of_a_source_that_is_closed_ends_in_bounded_time():
    """Closing does not wait for libav, and libav's thread ends within 2 x timeout + 1 s."""
    async with feed.RtspServer(PAYLOADS, hang=True) as server:
        source = open_source(f"rtsp://127.0.0.1:{server.port}/live", timeout=0.3)
        packets = source.packets()
        await anext(packets)
        began = time.monotonic()
        await packets.aclose()
        closed = time.monotonic()
        async with asyncio.timeout(1.6):
            while any(thread.name == "klvrelay-libav" for thread in threading.enumerate()):
                await asyncio.sleep(0.01)

    assert closed - began < 0.1


async def test_a_pause_in_the_klv_does_not_count_as_silence(shared):
    """While video continues, the source waits for KLV for longer than its timeout."""
    ts = (shared / "data" / "osh_sample_stream.ts").read_bytes()
    packets = [ts[at : at + 188] for at in range(0, len(ts), 188)]
    pids = [(packet[1] & 0x1F) << 8 | packet[2] for packet in packets]
    middle = len(packets) // 4
    quiet = packets[:middle] + [p for p, pid in zip(packets[middle:], pids[middle:], strict=True) if pid != 0x101]
    payloads = [(0, datagram) for datagram in feed.datagrams(b"".join(quiet), 40 * 188)]
    pause = 0.8

    async with feed.RtspServer(payloads, seconds=4 * pause / 3) as server:
        began = time.monotonic()
        got = await read(open_source(f"rtsp://127.0.0.1:{server.port}/live", timeout=0.2))

    assert time.monotonic() - began > pause
    assert len(records_of(got)) > 60


async def test_a_camera_without_klv_is_reported(shared):
    """A live stream of video only would never yield anything: the error lists its streams."""
    ts = (shared / "data" / "h264_no_klv.ts").read_bytes()
    payloads = [(0, datagram) for datagram in feed.datagrams(ts)]
    async with feed.RtspServer(payloads) as server:
        with pytest.raises(NotMedia, match="no KLV, only video"):
            await read(open_source(f"rtsp://127.0.0.1:{server.port}/live", timeout=1))


async def test_a_file_without_klv_just_ends(shared):
    """A file has a known end: its reader sees that there was nothing."""
    assert await read(open_source(str(shared / "data" / "h264_no_klv.ts"), demux="libav")) == []


@pytest.mark.parametrize(
    ("ranges", "length"),
    [(True, True), (False, True), (False, False)],
    ids=["a file", "a length and no ranges", "endless"],
)
async def test_a_recording_on_a_web_server_is_read(ranges, length):
    """Where the server announces more than a length, it is a file, which ends; otherwise it is live."""
    async with feed.http_server(TAPE.ts, ranges=ranges, length=length) as port:
        source = open_source(f"http://127.0.0.1:{port}/tape.ts", timeout=1)
        got = await read(source)

    assert [record.raw for record in records_of(got)] == TAPE.klv
    assert source.live is not (length and ranges)


async def test_a_missing_file_on_a_web_server_is_reported():
    """404 is in the message, the token is not."""
    async with feed.http_server(b"", status="404 Not Found") as port:
        with pytest.raises(SourceDown, match="404") as missing:
            await read(open_source(f"http://127.0.0.1:{port}/tape.ts?token=c4n4ry", timeout=1))

    assert "c4n4ry" not in str(missing.value)


async def test_a_web_page_is_not_media():
    """A login page in place of the stream."""
    async with feed.http_server(b"<html>" + b"hello " * 10_000) as port:
        with pytest.raises(NotMedia):
            await read(open_source(f"http://127.0.0.1:{port}/live", timeout=1))


async def test_a_playlist_can_not_reach_into_the_machine(tmp_path):
    """A far end that answers with a list of local files does not get any of them read."""
    (tmp_path / "tape.ts").write_bytes(TAPE.ts)
    lines = ["#EXTM3U", "#EXT-X-TARGETDURATION:1", "#EXTINF:1,", f"file://{tmp_path}/tape.ts", "#EXT-X-ENDLIST"]
    async with feed.http_server("\n".join(lines).encode()) as port:
        with pytest.raises((SourceDown, NotMedia)):
            await read(open_source(f"http://127.0.0.1:{port}/live.m3u8", timeout=1))


@pytest.mark.parametrize("scheme", ["https", "rtsps"])
async def test_tls_is_verified(scheme, certificate):
    """A certificate from an unknown authority is refused; one from ca_file is accepted."""
    trusted, tls = certificate
    server = feed.http_server(TAPE.ts, tls=tls) if scheme == "https" else feed.RtspServer(PAYLOADS, tls=tls)
    async with server as place:
        url = f"{scheme}://user:c4n4ry@127.0.0.1:{getattr(place, 'port', place)}/tape.ts"
        with pytest.raises(SourceDown, match="certificate") as refused:
            await read(open_source(url, timeout=1))
        got = await read(open_source(url, timeout=1, ca_file=trusted))

    assert "c4n4ry" not in str(refused.value)
    assert [record.raw for record in records_of(got)] == TAPE.klv


async def test_libav_flags_an_incomplete_packet(tmp_path):
    """Missing TS packets leave a mark on their packet: it is never valid."""
    tape = feed.recording(count=30, padding=600)
    packets = [tape.ts[at : at + 188] for at in range(0, len(tape.ts), 188)]
    klv = [number for number, packet in enumerate(packets) if packet[1:3] == b"\x01\x01"]
    del packets[klv[10]]
    (tmp_path / "torn.ts").write_bytes(b"".join(packets))

    got = await read(open_source(str(tmp_path / "torn.ts"), demux="libav"))

    assert any(packet.damaged for packet in got)
    good = [record.raw for record in records_of(got) if record.good]
    assert set(good) < set(tape.klv)
    assert len(good) >= 28
