"""HLS from a web server: playlists of MPEG-TS segments, recorded and live."""

from __future__ import annotations

import asyncio
import logging
from contextlib import aclosing
from functools import partial
from itertools import pairwise

import feed
import pytest
from scripted_ends import stream_of
from source_reading import fault_of, reader_ended, records_of
from web_servers import master, playlist, segments, web_server

from klvrelay.decoder import decode
from klvrelay.errors import SourceDown
from klvrelay.relay import stream as stream_module
from klvrelay.sources.open import open_source
from klvrelay.sources.web import follow
from klvrelay.sources.web.resume import Resume

TAPE = feed.recording(count=90, filler=4)


async def test_a_recorded_playlist_is_read_to_its_end(tmp_path):
    """Segments cut anywhere give every packet, in order and with its time; then the source ends."""
    playlist(tmp_path / "a.m3u8", segments(TAPE.ts, tmp_path, 5))
    async with web_server(tmp_path) as server:
        source = open_source(server.url("a.m3u8"), timeout=2)
        records = await records_of(source)

    assert [record.raw for record in records] == TAPE.klv
    assert all(record.good for record in records)
    assert [record.pts for record in records] == [900_000 + 3000 * number for number in range(90)]
    assert not source.live
    assert source.link.size == len(TAPE.ts)
    assert (source.link.hls_segments, source.link.hls_lost) == (5, 0)


@pytest.mark.needs("ffmpeg")
async def test_a_playlist_made_by_ffmpeg_has_every_packet(tmp_path, shared):
    """ffmpeg's HLS muxer keeps the KLV beside the video."""
    recording = shared / "data" / "osh_sample_stream.ts"
    process = await asyncio.create_subprocess_exec(
        "ffmpeg", "-v", "error", "-nostdin", "-i", str(recording), "-map", "0", "-c", "copy", "-f", "hls",
        "-hls_time", "2", "-hls_list_size", "0", str(tmp_path / "a.m3u8"),
    )  # fmt: skip
    assert await process.wait() == 0
    async with web_server(tmp_path) as server:
        records = await records_of(open_source(server.url("a.m3u8"), timeout=2))

    assert len(server.asked) >= 5
    assert [record.raw for record in records] == [record.raw for record in decode(recording.read_bytes())]
    assert all(record.good and record.checksum == "ok" for record in records)


async def slide(path, names, pause=0.3, window=3):
    """A live playlist of the last few segments that never ends."""
    for end in range(window, len(names) + 1):
        playlist(path, names[end - window : end], first=end - window, seconds=pause, ended=False)
        await asyncio.sleep(pause)


async def test_a_live_playlist_is_followed_from_its_newest_segment(tmp_path):
    """It begins near the end, misses nothing from there on, and is live."""
    names = segments(TAPE.ts, tmp_path, 9)
    playlist(tmp_path / "a.m3u8", names[:3], seconds=0.3, ended=False)
    async with web_server(tmp_path) as server, asyncio.TaskGroup() as tasks:
        tasks.create_task(slide(tmp_path / "a.m3u8", names))
        source = open_source(server.url("a.m3u8"), timeout=1)
        records = await records_of(source, enough=60)

    first = TAPE.klv.index(records[0].raw)
    assert 18 <= first <= 22
    assert [record.raw for record in records] == TAPE.klv[first : first + len(records)]
    assert source.live
    assert all(record.received_us for record in records)


async def test_of_several_variants_one_is_read(tmp_path):
    """The same KLV is in each: it is output once, and the others are not loaded."""
    for name in ("low", "high"):
        playlist(tmp_path / f"{name}.m3u8", segments(TAPE.ts, tmp_path, 9, name))
    master(tmp_path / "a.m3u8", ["low.m3u8", "high.m3u8"])
    async with web_server(tmp_path) as server:
        records = await records_of(open_source(server.url("a.m3u8"), timeout=2))

    assert [record.raw for record in records] == TAPE.klv
    loaded = [sum(name in path for path in server.asked) for name in ("low", "high")]
    assert min(loaded) <= 3 < 9 <= max(loaded)


async def test_segments_may_have_any_name(tmp_path):
    """No ending, or a wrong one: the content counts."""
    names = segments(TAPE.ts, tmp_path, 3)
    for number, name in enumerate(names):
        (tmp_path / name).rename(tmp_path / f"piece{number}.php")
    playlist(tmp_path / "a.m3u8", [f"piece{number}.php?at={number}" for number in range(3)])
    async with web_server(tmp_path) as server:
        records = await records_of(open_source(server.url("a.m3u8?token=1"), timeout=2))

    assert [record.raw for record in records] == TAPE.klv


@pytest.mark.parametrize("auth", ["basic", "digest"])
async def test_user_and_password_open_the_segments_too(auth, tmp_path):
    """The login of the playlist is sent for each segment, and a missing segment is not the end."""
    playlist(tmp_path / "a.m3u8", segments(TAPE.ts, tmp_path, 3))
    async with web_server(tmp_path, auth=auth, user="me", password="c4n4ry@/") as server:
        records = await records_of(open_source(server.url("a.m3u8", "me:c4n4ry%40%2F@"), timeout=2))
        with pytest.raises(SourceDown, match="401"):
            await records_of(open_source(server.url("a.m3u8", "me:wrong@"), timeout=2))

    assert [record.raw for record in records] == TAPE.klv


async def test_a_missing_segment_costs_only_itself(tmp_path):
    """The next one is read; and a packet that spans the gap is never valid."""
    names = segments(TAPE.ts, tmp_path, 9)
    playlist(tmp_path / "a.m3u8", names)
    (tmp_path / names[4]).unlink()
    async with web_server(tmp_path) as server:
        records = await records_of(open_source(server.url("a.m3u8"), timeout=2))

    good = [record.raw for record in records if record.good]
    assert set(good) < set(TAPE.klv)
    assert 78 <= len(good) <= 80
    assert all(TAPE.klv.index(a) < TAPE.klv.index(b) for a, b in pairwise(good))


@pytest.mark.parametrize("fate", ["kill", "freeze"])
async def test_a_live_playlist_whose_server_is_down_or_hangs_ends(fate, tmp_path):
    """The next reload is refused, or gets no answer: the source ends or reports it, within seconds."""
    names = segments(TAPE.ts, tmp_path, 3)
    playlist(tmp_path / "a.m3u8", names, seconds=0.3, ended=False)
    async with web_server(tmp_path) as server:
        source = open_source(server.url("a.m3u8"), timeout=0.5)
        async with asyncio.timeout(6), aclosing(source.packets()) as packets:
            await anext(packets)
            getattr(server, fate)()
            await fault_of(packets)


async def test_a_live_playlist_that_is_closed_leaves_no_thread(tmp_path):
    """While it waits for the next segment, libav's thread ends within a segment's time."""
    names = segments(TAPE.ts, tmp_path, 9)
    playlist(tmp_path / "a.m3u8", names[:3], seconds=0.3, ended=False)
    async with web_server(tmp_path) as server, asyncio.TaskGroup() as tasks:
        sliding = tasks.create_task(slide(tmp_path / "a.m3u8", names))
        assert len(await records_of(open_source(server.url("a.m3u8"), timeout=0.5), enough=5)) >= 5
        await reader_ended(within=2)
        sliding.cancel()


async def test_a_live_playlist_that_does_not_grow_ends(tmp_path):
    """The server answers, but there is no new segment for three times its duration: the source is down."""
    playlist(tmp_path / "a.m3u8", segments(TAPE.ts, tmp_path, 3), seconds=0.3, ended=False)
    async with web_server(tmp_path) as server:
        packets, fault = await opening(open_source(server.url("a.m3u8"), timeout=1))

    assert len(packets) == 30
    assert fault.endswith("no new segment for 3 s: does its encoder still run?")


async def opening(source) -> tuple[list[bytes], str]:
    """The packets of one opening of a live playlist until it stalls, and its error."""
    found = []
    try:
        await records_of(source, within=8, into=found)
    except SourceDown as fault:
        return [record.raw for record in found], str(fault)
    return [record.raw for record in found], ""


@pytest.fixture
def hasty(monkeypatch):
    """A playlist that does not grow is closed after a second."""
    monkeypatch.setattr(follow, "STANDSTILL", 1.0)


@pytest.mark.usefixtures("hasty")
async def test_packets_are_not_repeated_at_the_next_opening(tmp_path):
    """A stalled playlist gives nothing, not even bytes; once it continues, its new data."""
    names = segments(TAPE.ts, tmp_path, 9)
    given, path = Resume(), tmp_path / "a.m3u8"
    playlist(path, names[:3], seconds=0.3, ended=False)
    async with web_server(tmp_path) as server:
        first, said = await opening(open_source(server.url("a.m3u8"), timeout=1, given=given))
        frozen = open_source(server.url("a.m3u8"), timeout=1, given=given)
        nothing, said_again = await opening(frozen)
        playlist(path, names[1:4], first=1, seconds=0.3, ended=False)
        more, _ = await opening(open_source(server.url("a.m3u8"), timeout=1, given=given))
        playlist(path, names[1:4], first=1, seconds=0.3)
        ended = await records_of(open_source(server.url("a.m3u8"), timeout=1, given=given))

    assert first == TAPE.klv[20:30]
    assert (nothing, frozen.link.size) == ([], 0)
    assert said == said_again  # so it is logged once
    assert more == TAPE.klv[30:40]
    assert ended == []  # data older than the first that came is not output after it


@pytest.mark.long
async def test_packets_are_not_repeated_by_a_separate_process(tmp_path):
    """A new process has no memory, so the relay keeps the position for it."""
    names = segments(TAPE.ts, tmp_path, 9)
    given, path = Resume(), tmp_path / "a.m3u8"
    playlist(path, names[:3], seconds=0.3, ended=False)
    async with web_server(tmp_path) as server:
        url = server.url("a.m3u8")
        first, said = await opening(open_source(url, timeout=2, isolate=True, given=given))
        frozen = open_source(url, timeout=2, isolate=True, given=given)
        nothing, _ = await opening(frozen)
        playlist(path, names[1:4], first=1, seconds=0.3, ended=False)
        more = open_source(url, timeout=2, isolate=True, given=given)
        following = await records_of(more, enough=1)

    assert first == TAPE.klv[20:30]
    assert "no new segment for 3 s" in said
    assert (nothing, frozen.link.size) == ([], 0)
    assert following[0].raw == TAPE.klv[30]


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("first", [0, 2], ids=["numbers restart", "numbers continue"])
async def test_an_encoder_that_restarts_is_followed(first, tmp_path):
    """The same times in other bytes, under the same names: all of it is output, from its newest segment on."""
    again = feed.recording(count=90, filler=4, padding=1)
    given, path = Resume(), tmp_path / "a.m3u8"
    playlist(path, segments(TAPE.ts, tmp_path, 9)[:3], seconds=0.3, ended=False)
    async with web_server(tmp_path) as server:
        await opening(open_source(server.url("a.m3u8"), timeout=1, given=given))
        playlist(path, segments(again.ts, tmp_path, 9)[:3], first=first, seconds=0.3, ended=False)
        packets, _ = await opening(open_source(server.url("a.m3u8"), timeout=1, given=given))

    assert packets == again.klv[20:30]


@pytest.mark.usefixtures("hasty")
async def test_a_relay_logs_once_that_a_playlist_stalls(tmp_path, monkeypatch, caplog):
    """However often it is reopened, the stream is down until there is new data, and live from then on."""
    monkeypatch.setattr(stream_module.Backoff, "next", lambda self: 0.05)
    monkeypatch.setattr(logging.getLogger("klvrelay"), "propagate", True)
    names, path = segments(TAPE.ts, tmp_path, 9), tmp_path / "a.m3u8"
    playlist(path, names[:3], seconds=0.3, ended=False)
    async with web_server(tmp_path) as server:
        url = server.url("a.m3u8")
        stream = stream_of(stream_module.Feed("cam", partial(open_source, url, timeout=1, given=Resume()), url))
        keeping, health = asyncio.create_task(stream.keep()), stream.health
        with caplog.at_level(logging.INFO, "klvrelay"):
            async with asyncio.timeout(12):
                while health.openings < 3:
                    stream.look()
                    await asyncio.sleep(0.02)
                still = health.records, health.changes["live"], health.changes["down"], health.state
                playlist(path, names[1:4], first=1, seconds=0.3, ended=False)
                while health.records < 20:
                    stream.look()
                    await asyncio.sleep(0.02)
        keeping.cancel()
        await asyncio.wait([keeping])

    assert still == (10, 1, 1, "down")
    assert (health.records, health.changes["live"]) == (20, 2)
    assert sum("no new segment" in record.getMessage() for record in caplog.records) == 1
