"""Web and RTSP servers are read by a separate process by default, and nothing is lost by it.

`test_source_hls.py` and `test_source_hls_losses.py` read playlists in this process.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import ssl
import subprocess
import sys

import feed
import pytest
from certificates import certified
from isolated_cases import children, fake, until
from scripted_web import Answer, ScriptedWeb, cut, playlist_of
from source_reading import records_of
from test_cli import ENVIRONMENT

from klvrelay.config.settings import SourceSettings
from klvrelay.config.url import Url
from klvrelay.errors import SourceDown
from klvrelay.record import Packet
from klvrelay.relay.build import open_input
from klvrelay.sources.isolated.position_reports import PositionReports
from klvrelay.sources.isolated.source import IsolatedSource
from klvrelay.sources.open import open_source
from klvrelay.sources.web.playlist import MediaSegment, PlaylistPart
from klvrelay.sources.web.position import HEADS, REMEMBERED, Position
from klvrelay.sources.web.resume import Resume

pytestmark = pytest.mark.usefixtures("no_process_is_left")

TAPE = feed.recording(count=90, filler=4)
PARTS = cut(TAPE.ts, 9)
NAMES = [f"{number}.ts" for number in range(9)]


@pytest.fixture
def isolated_when_asked() -> None:
    """The default of a user applies here."""


def site(playlist: Answer, **more: Answer) -> dict[str, Answer]:
    answers = {f"/{number}.ts": Answer(part) for number, part in enumerate(PARTS)}
    return answers | {f"/{name[1:]}.ts": answer for name, answer in more.items()} | {"/a.m3u8": playlist}


def live(first: int, last: int) -> Answer:
    return playlist_of(NAMES[first:last], first=first, ended=False)


@pytest.mark.parametrize(
    ("url", "apart"),
    [
        ("http://h/x", True), ("https://h/x", True), ("rtsp://h/x", True), ("rtsps://h/x", True),
        ("udp://:5000", False), ("rtp://:5000", False), ("tcp://h:5", False), ("x.ts", False), ("-", False),
    ],
)  # fmt: skip
def test_servers_are_isolated_by_default(url, apart):
    """In the library as in the relay's settings; an explicit option overrides it."""
    where = Url.parse(url)
    assert isinstance(open_source(url), IsolatedSource) is apart
    assert isinstance(open_input(SourceSettings(where)), IsolatedSource) is apart
    for asked in True, False:
        assert isinstance(open_source(url, isolate=asked), IsolatedSource) is asked
        assert isinstance(open_input(SourceSettings(where, isolate=asked)), IsolatedSource) is asked


async def test_a_playlist_continues_in_the_next_process_though_the_last_was_killed():
    """In the middle of its reading: delivered data is not repeated, and the rest is output, each record once."""
    resume = Resume()
    async with ScriptedWeb(site(live(2, 5), s5=Answer(hang=True))) as server:
        first = []
        reading = asyncio.create_task(records_of(open_source(server.url("/a.m3u8"), resume=resume), into=first))
        server.answers["/a.m3u8"] = [live(2, 5), live(3, 6)]
        await until(lambda: server.count("/5.ts"), 10)
        await until(lambda: len(first) >= 9)
        [pid] = children()
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(SourceDown, match="killed by SIGKILL"):
            await reading
        server.answers |= {"/5.ts": [Answer(PARTS[5])], "/a.m3u8": [playlist_of(NAMES[3:9], first=3)]}
        source = open_source(server.url("/a.m3u8"), resume=resume)
        second = await records_of(source)

    good = [record.raw for record in first + second if record.good]
    assert good == TAPE.klv[40:]
    assert source.link.hls_lost == 0


async def test_segments_that_left_the_playlist_between_two_processes_are_counted():
    """By the numbers of the segments, as within one process."""
    resume = Resume()
    async with ScriptedWeb(site(live(0, 3))) as server:
        server.answers["/a.m3u8"] = [live(0, 3), Answer(status="403 Forbidden")]
        with pytest.raises(SourceDown, match="403"):
            await records_of(open_source(server.url("/a.m3u8"), resume=resume))
        server.answers["/a.m3u8"] = [playlist_of(NAMES[5:9], first=5)]
        source = open_source(server.url("/a.m3u8"), resume=resume)
        records = await records_of(source)

    assert (source.link.hls_segments, source.link.hls_lost) == (4, 2)
    assert [record.raw for record in records if record.good][-39:] == TAPE.klv[51:]


@pytest.mark.parametrize("mark", ["bytes(60000)", "os.urandom(60000)", "b'[' * 60000", 'b\'{"next":-1}\''])
async def test_a_position_from_a_compromised_process_does_no_harm(mark):
    """The relay does not interpret it, and the next process begins as without one."""
    resume = Resume()
    with pytest.raises(SourceDown):
        await records_of(fake(f"say(pack_position({mark})); sys.exit(3)", "http://h/a.m3u8", resume=resume))
    assert resume.reported is not None

    async with ScriptedWeb(site(playlist_of(NAMES))) as server:
        records = await records_of(open_source(server.url("/a.m3u8"), resume=resume))

    assert [record.raw for record in records] == TAPE.klv


def test_a_position_follows_the_packets_it_describes():
    """The reader's thread is ahead: its position is sent after the first packet of that segment, not before."""
    source, place, sent = open_source("http://h/a.m3u8", isolate=False), Position(), []
    marks = PositionReports(source, place, lambda mark: sent.append(Position.unpack(mark).next))

    for number in range(3):  # segments of 100 bytes, read one after the other
        place.advance(MediaSegment(number, PlaylistPart(f"{number}.ts"), 2.0))
        place.note_head(MediaSegment(number, PlaylistPart(f"{number}.ts"), 2.0), b"G")
        source.link.size += 100
    positions = []
    for size in 60, 40, 1, 150:
        marks.sent(Packet(bytes(size)))
        positions.append(sent[-1])

    assert positions == [1, 1, 2, 3]
    assert sent == [1, 2, 3]
    place.advance(MediaSegment(3, PlaylistPart("3.ts"), 2.0))
    assert sent == [1, 2, 3]
    marks.rest()
    assert sent == [1, 2, 3, 4]


def place_after(count: int, name: str = "https://h/{n}.ts") -> Position:
    place = Position()
    for number in range(count):
        segment = MediaSegment(number, PlaylistPart(name.format(n=number)), 2.0)
        place.advance(segment)
        place.note_head(segment, b"G%d" % number)
    return place


def test_a_position_is_the_same_after_packing():
    """With the longest names and numbers it stays small."""
    segments = [MediaSegment(n, PlaylistPart(f"https://h/{n}.ts"), 2.0) for n in range(1000)]
    place = Position.unpack(place_after(1000).pack())

    assert place.next == 1000
    assert place.continues(segments[-5:])
    assert not place.continues([MediaSegment(999, PlaylistPart("https://h/other.ts"), 2.0)])
    assert place.known_segment(segments) == segments[-1]
    assert not place.is_other(segments[-1], b"G999")
    assert place.is_other(segments[-1], b"other")
    assert len(place_after(1000, "https://h/{n}" + "x" * 5000).pack()) < 32 << 10


def test_a_damaged_position_is_a_valid_position():
    """Any bytes instead of a packed one: no error, and never more than the maximum in one."""
    packed, choice = bytearray(place_after(20).pack()), random.Random(1)
    odd: list[object] = [
        None, [], {}, {"next": 1}, {"next": 1, "vary": 1, "names": [], "heads": []},
        {"next": True, "vary": True, "names": [], "heads": []},
        {"next": 1 << 63, "vary": True, "names": [], "heads": []},
        {"next": 1, "vary": True, "names": [[1, "x"]], "heads": []},
        {"next": 1, "vary": True, "names": [[1, "0" * 16]] * (REMEMBERED + 1), "heads": []},
        {"next": 1, "vary": True, "names": [], "heads": [[1, "0" * 16]] * (HEADS + 1)},
    ]  # fmt: skip
    for data in map(json.dumps, odd):
        assert Position.unpack(data.encode()).next is None
    for _ in range(2000):
        spoilt = packed.copy()
        for _ in range(choice.randint(1, 6)):
            spoilt[choice.randrange(len(spoilt))] = choice.randrange(256)
        place = Position.unpack(bytes(spoilt))
        assert place.next is None or 0 <= place.next < 1 << 62
        assert len(place.pack()) < 32 << 10


async def test_tls_is_verified_in_the_process(tmp_path):
    """With the named certificates, which the process can read, and not at all without."""
    ca, own = certified(tmp_path)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(own)
    async with ScriptedWeb(site(playlist_of(NAMES)), tls=tls) as server:
        records = await records_of(open_source(server.url("/a.m3u8"), ca_file=ca))
        with pytest.raises(SourceDown, match="certificate"):
            await records_of(open_source(server.url("/a.m3u8")))

    assert [record.raw for record in records] == TAPE.klv


async def command(*words: str) -> subprocess.CompletedProcess[str]:
    """A verb, beside the server in this loop."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "klvrelay", *words, env=ENVIRONMENT,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    out, said = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode is not None
    return subprocess.CompletedProcess(words, process.returncode, out.decode(), said.decode())


async def test_decode_and_probe_work_as_without_isolation():
    """The same records, messages and exit codes as for a source that is read in the command's own process."""
    page = Answer(b"<html>who are you?</html>", head={"Content-Type": "text/html"})
    async with ScriptedWeb({"/tape.ts": Answer(TAPE.ts), "/page": page}) as server:
        whole = await command("decode", server.url("/tape.ts"))
        gone = await command("decode", server.url("/none"))
        not_media = await command("decode", server.url("/page"))
        report = await command("probe", "--json", server.url("/tape.ts"))

    assert (whole.returncode, whole.stdout.count("\n")) == (0, 90)
    assert (gone.returncode, gone.stdout) == (3, "")
    assert gone.stderr == f"klvrelay: {server.url('/none')}: not found: check the path (404)\n"
    assert not_media.returncode == 3
    assert "a web page (HTML), not a stream" in not_media.stderr
    assert json.loads(report.stdout)["ended"] == "end"
