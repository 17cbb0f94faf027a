"""MPEG-TS from a web server: recorded and live, access control, and the end."""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import aclosing

import feed
import pytest
from certificates import certified
from servers import Hostile
from source_reading import fault_of, leaves_no_thread, records_of
from test_source_hls_fragments import STEP, fragment, initial
from web_servers import web_server

from klvrelay.decoder import Decoder
from klvrelay.errors import SourceDown
from klvrelay.sources import thread_queue
from klvrelay.sources.libav import source as libav_source
from klvrelay.sources.open import open_source

TAPE = feed.recording(count=60, filler=20)
BURST = feed.recording(count=600, filler=20)
CANARY = "c4n4ry@/"
WRITTEN = "me:c4n4ry%40%2F@"


@pytest.fixture
def folder(tmp_path):
    """A folder with a recording in it."""
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "tape.ts").write_bytes(TAPE.ts)
    return tmp_path / "web"


@pytest.mark.parametrize("path", ["tape.ts", "moved/tape.ts", "moved/moved/tape.ts"])
async def test_a_recording_is_read_after_a_redirect(path, folder):
    """A redirect is followed, and each packet is output once and in order."""
    async with web_server(folder) as server:
        source = open_source(server.url(path), timeout=2)
        records = await records_of(source)

    assert [record.raw for record in records] == TAPE.klv
    assert all(record.good for record in records)
    assert not source.live


@pytest.mark.parametrize("auth", ["basic", "digest"])
@pytest.mark.parametrize("path", ["tape.ts", "moved/tape.ts"])
async def test_user_and_password_open_it(auth, path, folder):
    """Both authentication schemes work, even after a redirect."""
    async with web_server(folder, auth=auth, user="me", password=CANARY) as server:
        records = await records_of(open_source(server.url(path, WRITTEN), timeout=2))

    assert [record.raw for record in records] == TAPE.klv


@pytest.mark.parametrize("auth", ["basic", "digest"])
@pytest.mark.parametrize("credentials", ["", "me:c4n4ry-wrong@"], ids=["none", "wrong"])
async def test_a_wrong_password_is_reported_and_not_shown(auth, credentials, folder, capfd):
    """One line says 401; no output has the password."""
    async with web_server(folder, auth=auth, user="me", password=CANARY) as server:
        with pytest.raises(SourceDown, match="401") as refused:
            await records_of(open_source(server.url("tape.ts", credentials), timeout=2))

    shown = f"{refused.value} {refused.value!r} {refused.value.__cause__} {''.join(capfd.readouterr())}"
    assert "c4n4ry" not in shown


async def test_a_truncated_recording_is_reported(folder):
    """A recording that ends before its announced length: the data before it is output, then the error."""
    records = []
    async with web_server(folder) as server:
        with pytest.raises(SourceDown, match="broke off"):
            await records_of(open_source(server.url("torn/tape.ts"), timeout=1), into=records)

    good = [record.raw for record in records if record.good]
    assert good == TAPE.klv[: len(good)]
    assert 28 <= len(good) <= 31


async def test_a_live_stream_is_output_as_it_is_sent(folder):
    """Chunks without a length are live: the first record is output within a second, and all follow."""
    async with web_server(folder, seconds=1.0) as server:
        source = open_source(server.url("live/tape.ts"), timeout=2)
        began = time.monotonic()
        records = await records_of(source, enough=1)
        joined = time.monotonic() - began
        more = await records_of(open_source(server.url("live/tape.ts"), timeout=2), enough=100)

    assert joined < 0.9
    assert source.live
    assert [record.raw for record in more][:100] == (TAPE.klv * 2)[:100]
    assert all(record.good for record in more if record.raw != TAPE.klv[0])
    assert records[0].received_us


def in_fragments(packets: list[bytes]) -> bytes:
    """An mp4 that is sent while it is made: ten packets per fragment."""
    tens = [packets[at : at + 10] for at in range(0, len(packets), 10)]
    return initial() + b"".join(fragment(number, ten, 10 * number * STEP) for number, ten in enumerate(tens))


@pytest.mark.parametrize(
    ("head", "body"),
    [
        ("", BURST.ts),
        (f"Content-Length: {len(BURST.ts)}\r\n", BURST.ts),
        ("", in_fragments(BURST.klv)),
    ],
    ids=["TS", "TS with a length", "mp4"],
)
async def test_a_blocked_loop_holds_a_live_server_back(head, body, monkeypatch):
    """By TCP the reader waits for the relay, the socket fills, and nothing is lost however few pieces may wait."""
    monkeypatch.setattr(thread_queue.ThreadQueue.__init__, "__defaults__", (2, thread_queue.MOST_BYTES))
    # libav assumes the length of the first fragment for the whole.
    monkeypatch.setattr(libav_source, "_has_end", lambda _: False)

    async def burst(line, _):
        await line.send(f"HTTP/1.1 200 OK\r\nConnection: close\r\n{head}\r\n".encode() + body)
        line.close()

    decoder, records = Decoder("test", None), []
    async with Hostile(burst) as server, asyncio.timeout(20):
        source = open_source(server.url(), timeout=5)
        async with aclosing(source.packets()) as packets:
            async for packet in packets:
                records += decoder.feed(packet)
                threading.Event().wait(0.002)

    assert source.live
    assert [record.raw for record in records + decoder.flush()] == BURST.klv
    assert source.dropped == 0


async def test_a_live_stream_whose_server_is_killed_ends_at_once(folder):
    """The connection is closed, and so is the source."""
    async with (
        web_server(folder) as server,
        asyncio.timeout(5),
        aclosing(open_source(server.url("live/tape.ts"), timeout=3).packets()) as packets,
    ):
        await anext(packets)
        server.kill()
        began = time.monotonic()
        await fault_of(packets)

    assert time.monotonic() - began < 1


async def test_a_live_stream_whose_server_hangs_is_down_after_the_timeout(folder):
    """No byte arrives, no connection breaks: the timeout reports it."""
    async with (
        web_server(folder) as server,
        asyncio.timeout(5),
        aclosing(open_source(server.url("live/tape.ts"), timeout=0.5).packets()) as packets,
    ):
        await anext(packets)
        server.freeze()
        began = time.monotonic()
        assert "sent nothing for 0.5 s" in await fault_of(packets)

    assert time.monotonic() - began < 1.5


async def test_a_live_stream_that_is_closed_leaves_no_thread(folder):
    """Closing returns at once; libav's thread ends within 2 x timeout + 1 s even where the server hangs."""
    async with web_server(folder) as server:
        await leaves_no_thread(server.url("live/tape.ts"), server.freeze)


@pytest.mark.needs("openssl")
async def test_a_private_authority_is_trusted_if_it_is_named(folder, tmp_path):
    """https:// without `ca_file` refuses what it cannot verify; with it, the recording is read."""
    ca, certificate = certified(tmp_path)
    async with web_server(folder, certificate=certificate) as server:
        with pytest.raises(SourceDown, match="certificate"):
            await records_of(open_source(server.url("tape.ts"), timeout=2))
        records = await records_of(open_source(server.url("tape.ts"), timeout=2, ca_file=ca))

    assert [record.raw for record in records] == TAPE.klv


@pytest.mark.needs("openssl")
async def test_a_certificate_for_another_host_is_refused(folder, tmp_path):
    """The right authority is not enough."""
    ca, certificate = certified(tmp_path, "127.0.0.2")
    async with web_server(folder, certificate=certificate) as server:
        with pytest.raises(SourceDown, match="certificate"):
            await records_of(open_source(server.url("tape.ts"), timeout=2, ca_file=ca))
