"""Web servers that never stop: the bounds of memory, requests and time, and the message."""

from __future__ import annotations

import asyncio
import itertools
import re
import sys
import time
import zlib
from contextlib import suppress

import feed
import pytest
from peak import run
from playlists import media, variants
from servers import Hostile, Line, Request, Script, dribbling, flooding, http, moved
from source_reading import reader_ended, records_of

from klvrelay.errors import NotMedia, SourceDown
from klvrelay.sources.open import open_source
from klvrelay.sources.web import follow
from klvrelay.sources.web.links import Links
from klvrelay.sources.web.playlist import LINES_MOST, SEGMENTS_MOST, parse
from klvrelay.transports.http import answer, header
from klvrelay.transports.http.reach import BURST, RATE, RequestRate

BASE, ROOM = 40, 64
"""MiB of a program that reads nothing, and what a server may cost beyond that."""
TS = feed.recording(count=30).ts
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
ENDLESS = b"HTTP/1.1 200 OK\r\n\r\n"
INTERIM = "response (header is larger than|is not HTTP)"
"""By the bytes, or by the number of responses: newer versions of http.client limit it."""


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def fast(begin: bytes, again: bytes) -> Script:
    """A chunked body without an end."""
    return flooding(CHUNKED + b"\r\n" + (chunk(begin) if begin else b""), chunk(again))


async def silent(line: Line, _: Request) -> None:
    """No response at all."""
    await asyncio.Event().wait()


def zipped(data: bytes) -> bytes:
    return zlib.compress(data, 9, 31)


def bomb(begin: bytes, again: bytes) -> Script:
    """64 MiB of the same letter behind `begin`, compressed."""

    async def script(line: Line, _: Request) -> None:
        await line.send(http(zipped(begin + again * (64 << 20)), more=GZIP[:-2]))

    return script


def leading_to(lines: list[str], there: Script | bytes) -> dict[str, Script | bytes]:
    """A playlist at /x, and a response at /y."""
    return {"/x": http(media(lines)), "/y": there, "/0.ts": http(TS)}


LONG = b"a" * 1000
GZIP = b"Content-Encoding: gzip\r\n\r\n"
MP4 = b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isomiso2" + b"\xff\xff\xff\xf0mdat"
INDEX = b"".join((0x7FFFFF00).to_bytes(4) + kind for kind in (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stts"))
NAMES = b"".join(b"#EXTINF:1,\n%s\n" % (b"n%06d" % number * 20) for number in range(SEGMENTS_MOST - 1))
MANY = http(b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n" + NAMES)
FLOODS: dict[str, tuple[Script | dict[str, Script | bytes], str]] = {
    "playlist": (fast(b"#EXTM3U\n", b"#EXTINF:1,\n" + LONG + b"\n"), "larger than the 8192 KiB limit"),
    "playlist of one line": (fast(b"#EXTM3U\n#", b"x" * 9000), "larger than the 8192 KiB limit"),
    "lines": ({"/x": http(b"#EXTM3U\n" + b"#\n" * (LINES_MOST + 1))}, f"has more than {LINES_MOST} lines"),
    "segments": (
        {"/x": http(b"#EXTM3U\n" + b"#EXTINF:1,\ns\n" * (SEGMENTS_MOST + 1))},
        f"has more than {SEGMENTS_MOST} segments",
    ),
    "header": (flooding(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"), "the response is not HTTP"),
    "header line": (flooding(b"HTTP/1.1 200 OK\r\nX: ", b"y"), "the response is not HTTP"),
    "cookies": (
        flooding(b"HTTP/1.1 200 OK\r\n", b"Set-Cookie: a=%s\r\n" % (b"b" * 60_000)), "response header is larger than"
    ),
    "interim answers": (flooding(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), INTERIM),
    "a redirect of a megabyte": (flooding(b"HTTP/1.1 302 Found\r\nLocation: /", b"a"), "the response is not HTTP"),
    "a chunk's size": (flooding(CHUNKED + b"\r\n", b"f"), "it ended before its announced length"),
    "a chunk's extension": (flooding(CHUNKED + b"\r\n1;", b"x"), "it ended before its announced length"),
    "junk": (fast(b"", b"\x12\x34" * 3000), "contains neither MPEG-TS nor KLV"),
    "gzip": (bomb(b"", b"\0"), "contains neither MPEG-TS nor KLV"),
    "gzip of a playlist": (bomb(b"#EXTM3U\n", b"#"), "larger than the 8192 KiB"),
    "bytes behind gzip": (
        flooding(b"HTTP/1.1 200 OK\r\n" + GZIP + zipped(b"#EXTM3U\n"), LONG), "none of what it should have"
    ),
    "a key": (
        leading_to(['#EXT-X-KEY:METHOD=AES-128,URI="/y"', "/0.ts"], fast(b"", LONG)), "larger than the 1 KiB limit"
    ),
    "what initialises": (leading_to(['#EXT-X-MAP:URI="/y"', "/0.ts"], fast(b"", LONG)), "larger than the 4096 KiB"),
    "an encrypted segment": (
        {"/x": http(media(['#EXT-X-KEY:METHOD=AES-128,URI="/k"', "/y"])), "/k": http(bytes(16)), "/y": fast(b"", LONG)},
        "larger than the 32768 KiB",
    ),
    "an index of mp4": (
        flooding(ENDLESS + MP4[:24] + INDEX + bytes(4) + b"\x08\0\0\0", b"\0\0\0\1" * 1000),
        "no data found in the container within 32 MiB",
    ),
    "an index of a file": (
        flooding(http(length=1 << 40) + MP4[:24] + INDEX + bytes(4) + b"\x08\0\0\0", b"\0\0\0\1" * 1000),
        "no data found in the container within 32 MiB",
    ),
    "a container without an end": (flooding(ENDLESS + MP4, LONG), "no data found in the container within 32 MiB"),
    "a fragment of mp4": (leading_to(["/y"], fast(MP4, LONG)), "larger than the 32768 KiB"),
}  # fmt: skip


@pytest.mark.parametrize(("flood", "reason"), FLOODS.values(), ids=FLOODS)
async def test_a_flood_ends_early_and_costs_little(flood: Script, reason: str) -> None:
    """After some megabytes, with one line that says why."""
    async with Hostile(flood) as server:
        outcome = await run("decode", server.url())

    assert outcome.code in (3, 4)
    if reason != "none of what it should have":
        assert re.search(reason, outcome.err)
    assert "Traceback" not in outcome.err
    assert outcome.peak < BASE + ROOM
    assert server.sent < 160 << 20
    assert len(server.requests) < 100


PLAYLISTS = {
    "other names at each load": lambda turn: media([f"/{turn}-{number}.ts" for number in range(50)], ended=False),
    "a new number at each load": lambda turn: media(["/0.ts"], first=turn * 10**9, ended=False),
    "a segment of a moment": lambda turn: media([f"/{turn}.ts"], first=turn, ended=False, seconds=0.0001),
    "as many segments as may be": lambda turn: b"#EXTM3U\n#EXTINF:1,\n/%d.ts\n" % turn + NAMES,
}


@pytest.mark.parametrize("playlist", PLAYLISTS.values(), ids=PLAYLISTS)
async def test_a_playlist_that_is_never_the_same_is_read_at_a_walk(playlist) -> None:
    """It is loaded at most a few times a second, in bounded memory, and Ctrl-C ends it at once."""
    loads = 0

    async def script(line: Line, request: Request) -> None:
        nonlocal loads
        loads += request.target == "/x"
        await line.send(http(playlist(loads)) if request.target == "/x" else http(TS))

    async with Hostile(script) as server:
        outcome = await run("decode", server.url(), interrupt=server.served(2.5))

    assert 1 <= loads <= 16
    assert outcome.peak < BASE + ROOM
    assert "Traceback" not in outcome.err


async def test_of_many_large_variants_one_is_kept() -> None:
    """Playlists of the largest size are inspected one after the other, and their segments do not exist."""
    answers = {f"/v{number}": MANY for number in range(16)}
    async with Hostile({"/x": http(variants(answers)), **answers}) as server:
        outcome = await run("decode", server.url(), interrupt=lambda: server.count("/v3") > 0)

    assert outcome.peak < 78  # two of them take 90


@pytest.mark.parametrize(
    "script",
    [
        fast(TS, TS), dribbling(ENDLESS + TS, b"\x47"), dribbling(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"),
        dribbling(CHUNKED + b"\r\n" + chunk(b"#EXTM3U\n"), b"1\r\n#\r\n"), silent,
    ],
    ids=["as fast as it goes", "a byte now and then", "in the header", "in a playlist", "not at all"],
)  # fmt: skip
async def test_an_endless_answer_can_be_interrupted(script: Script) -> None:
    """In every state, with the memory of the beginning."""
    async with Hostile(script) as server:
        outcome = await run("decode", server.url(), interrupt=server.served(1.0))

    assert outcome.peak < BASE + ROOM
    assert "Traceback" not in outcome.err


async def fault_of(script: Script | dict[str, Script | bytes], **options: object) -> str:
    async with Hostile(script) as server:
        with pytest.raises((SourceDown, NotMedia)) as fault:
            await records_of(open_source(server.url(), **{"timeout": 1, **options}))
    return str(fault.value).partition("/x: ")[2]


async def test_the_framing_of_a_body_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trailers without an end, or compressed nothing: bytes arrive, but none of them is body."""
    for module in (answer, header):
        monkeypatch.setattr(module, "SECONDS", 0.4)
    begin, again = CHUNKED + b"\r\n" + chunk(TS) + b"0\r\n", b"X: y\r\n"
    few = dribbling(begin, again, every=0.02)  # newer versions of http.client limit their number to 100
    assert "no complete response within" in await fault_of(few, timeout=0.4)
    await fault_of(flooding(begin, again), timeout=0.4)
    nothing = zlib.compressobj(9, wbits=31)
    begin = nothing.compress(b"x") + nothing.flush(zlib.Z_SYNC_FLUSH)
    again = nothing.flush(zlib.Z_SYNC_FLUSH) or b"\x00\x00\x00\xff\xff"
    assert "gzip data is empty" in await fault_of(flooding(b"HTTP/1.1 200 OK\r\n" + GZIP + begin, again), timeout=0.4)


@pytest.mark.parametrize("place", ["/x", "/k"])
async def test_a_small_file_must_arrive_in_time(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A playlist or a key, byte by byte, each within its time limit."""
    monkeypatch.setattr(answer, "SMALL_SECONDS", 0.3)
    slow = dribbling(ENDLESS + b"#EXTM3U\n", b"#", every=0.02)
    lines = ['#EXT-X-KEY:METHOD=AES-128,URI="/k"', "/0.ts"]
    fault = await fault_of({"/x": http(media(lines)), "/0.ts": http(TS), place: slow})

    assert "the response is too slow" in fault


LIES = {
    "another part": b"Content-Range: bytes 0-187/9999\r\n",
    "no part at all": b"Content-Range: bytes 9-8/0\r\n",
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
async def test_an_unrequested_range_is_refused(lie: bytes) -> None:
    """Bytes from another place would make a false record, or an endless one."""
    answers = {
        "/x": http(media(["#EXT-X-BYTERANGE:1880@188", "/y"])),
        "/y": http(TS[:188] * 100, status="206 Partial Content", more=lie),
    }
    assert "a different part of the file than requested" in await fault_of(answers)


async def test_no_more_of_a_range_is_read_than_requested() -> None:
    """Though the server sends more."""
    size = 188 * (len(TS) // 376)
    begin = b"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 188-/*\r\n\r\n"
    lines = [f"#EXT-X-BYTERANGE:{size}@188", "/y"]
    async with Hostile({"/x": http(media(lines)), "/y": flooding(begin, TS)}) as server:
        source = open_source(server.url(), timeout=1)
        await records_of(source)

    assert source.link.size == size


# ---- requests to others ----


async def test_three_thousand_variants_are_not_all_requested(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of variants on another host, a possible victim, 16 are loaded, and a few times each."""
    monkeypatch.setattr(follow, "PAUSES", (0.01, 0.01, 0.01))
    async with Hostile({}) as other:
        body = variants(other.url(f"/{number}") for number in range(3000))
        async with Hostile({"/x": http(body)}) as server:
            with pytest.raises(SourceDown, match="not found"):
                await records_of(open_source(server.url(), timeout=1), within=30)

    assert len({request.target for request in other.requests}) == 16
    assert len(other.requests) <= 48


async def test_requests_to_another_origin_come_at_a_walk() -> None:
    """However many segments a playlist lists; the playlist's own server has no such limit."""
    async with Hostile(lambda line, _: line.send(http(b"")), host="127.0.0.2") as other:
        body = media(other.url(f"/{number}") for number in range(5000))
        async with Hostile({"/x": http(body)}) as server:
            begun = time.monotonic()
            with suppress(TimeoutError):
                await records_of(open_source(server.url(), timeout=1), within=1.5)
            most = BURST + RATE * (time.monotonic() - begun) + 1
            await reader_ended(2)

    assert BURST <= len(other.requests) <= most


def test_a_rate_allows_a_burst_and_then_so_many_a_second() -> None:
    """Each request waits a little longer than the previous one."""
    pace = RequestRate(4, 0.001)

    waits = [pace.take() for _ in range(6)]
    assert waits[:4] == [0, 0, 0, 0]
    assert 900 < waits[4] < waits[5] <= 2000


@pytest.mark.parametrize("where", ["/x", "/{count}", "{other}/{count}"])
async def test_redirects_are_limited(where: str) -> None:
    """To itself, to ever other names, to another server and back."""
    count = 0

    async def on(line: Line, _: Request) -> None:
        nonlocal count
        count += 1
        other = there.url("") if count % 2 else here.url("")
        await line.send(moved(where.format(count=count, other=other)))

    async with Hostile(on) as here, Hostile(on) as there:
        with pytest.raises(SourceDown, match="too many redirects"):
            await records_of(open_source(here.url(), timeout=1))

    assert count == 9


def test_a_long_playlist_is_read_in_linear_time() -> None:
    """Ten thousand segments cost as many calls each as one thousand; their server is checked once."""

    def calls(count: int) -> int:
        made, joined = itertools.count(), []

        def join(_: str, reference: str) -> str:
            joined.append(reference)
            return reference

        data = b"#EXTM3U\n" + b"#EXTINF:2.0,\nhttps://host.example/a/b/segment.ts?token=0123456789\n" * count
        sys.setprofile(lambda *_: [next(made)])
        try:
            playlist = parse(data, Links("https://host.example/a.m3u8", join))
        finally:
            sys.setprofile(None)
        assert len(playlist.segments) == count
        assert joined == ["https://host.example/"]
        return next(made)

    assert calls(10_000) < 11 * calls(1000) < 11 * 50_000


async def test_unrequested_answers_end_the_connection() -> None:
    """Before the request, and between two answers, on a kept connection."""
    junk = http(b"#EXTM3U\n#EXT-X-ENDLIST\n")
    answers = {"/x": http(media(["/0.ts", "/1.ts"])) + junk, "/0.ts": http(TS) + b"junk", "/1.ts": http(TS)}
    for greeting in (b"", junk):
        async with Hostile(answers, greeting=greeting) as server:
            with suppress(SourceDown, NotMedia):
                await records_of(open_source(server.url(), timeout=1))
        assert len(server.requests) <= 12
