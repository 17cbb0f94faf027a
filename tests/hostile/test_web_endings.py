"""When a source ends for good: after a file was read completely, and not because of a live server's answer."""

from __future__ import annotations

import asyncio
from functools import partial

import feed
import pytest
from peak import run
from playlists import media
from scripted_ends import stream_of
from servers import Hostile, Line, Request, Script, http

from klvrelay.relay import stream as stream_module
from klvrelay.sources.open import open_source
from klvrelay.sources.web.resume import Resume

TS = feed.recording(count=30).ts
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(TS), TS)
SIGNS = {
    "ETag": b'ETag: "7"\r\n',
    "Last-Modified": b"Last-Modified: Mon, 01 Jan 2024 00:00:00 GMT\r\n",
    "Accept-Ranges": b"Accept-Ranges: bytes\r\n",
}


def in_turn(*answers: bytes) -> Script:
    """Each opening gets the next answer, later ones the last; segments are always served."""
    left = list(answers)

    async def script(line: Line, request: Request) -> None:
        if request.target != "/x":
            await line.send(http(TS))
        else:
            await line.send(left.pop(0) if len(left) > 1 else left[0])

    return script


async def openings(script: Script, monkeypatch: pytest.MonkeyPatch, most: int = 5) -> int:
    """How often a relay opens it: until it has finished, or `most` times."""
    ends, enough = 0, asyncio.Event()

    def pause(_: object) -> float:
        nonlocal ends
        ends += 1
        if ends < most:
            return 0.01
        enough.set()
        return 3600

    monkeypatch.setattr(stream_module.Backoff, "next", pause)
    given = Resume()
    async with Hostile(script) as server:
        opened = partial(open_source, server.url(), timeout=1, given=given)
        stream = stream_of(stream_module.Feed("cam", opened, server.url()))
        keeping = asyncio.create_task(stream.keep())
        waiting = asyncio.create_task(enough.wait())
        done, _ = await asyncio.wait({keeping, waiting}, timeout=10, return_when=asyncio.FIRST_COMPLETED)
        assert done
        keeping.cancel()
        waiting.cancel()
        await asyncio.wait({keeping, waiting})
    return stream.health.openings


@pytest.mark.parametrize("sign", SIGNS)
async def test_a_file_is_read_once(sign: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a file server shows it: `run http://server/flight.ts` ends with the flight."""
    assert await openings(in_turn(http(TS, more=SIGNS[sign])), monkeypatch) == 1


async def test_a_file_that_broke_off_is_opened_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """And is read once it arrives complete."""

    async def script(line: Line, _: Request) -> None:
        torn = len(server) < 2
        server.append(torn)
        await line.send(http(TS[: len(TS) // 2] if torn else TS, length=len(TS), more=SIGNS["ETag"]))
        line.close()

    server: list[bool] = []
    assert await openings(script, monkeypatch) == 3


@pytest.mark.parametrize(
    "answer", [http(TS), http(TS, more=b"Accept-Ranges: none\r\n"), CHUNKED], ids=["a length", "no ranges", "chunks"]
)
async def test_a_length_alone_is_not_the_end(answer: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """A camera or gateway may announce one: the stream is opened again."""
    assert await openings(in_turn(answer), monkeypatch) == 5


@pytest.mark.parametrize(
    "later",
    [http(TS, more=SIGNS["ETag"]), http(media(["/0.ts"])), http(b"", more=SIGNS["ETag"])],
    ids=["a file", "a playlist that ended", "an empty file"],
)
@pytest.mark.parametrize("first", [CHUNKED, http(media(["/0.ts"], ended=False))], ids=["stream", "playlist"])
async def test_an_answer_does_not_end_a_live_source(
    first: bytes, later: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise one answer in a live source's name could end its stream for good."""
    assert await openings(in_turn(first, later), monkeypatch) == 5


async def test_decode_ends_with_the_answer() -> None:
    """Nothing is opened a second time where one reading was requested."""
    async with Hostile(in_turn(http(TS))) as server:
        outcome = await run("decode", server.url())

    assert outcome.code == 0
    assert len(server.requests) == 1
