"""HLS segments that are missing, late, partial, encrypted or out of order: each lost one is counted."""

from __future__ import annotations

import gzip
import logging
import subprocess
from functools import partial

import feed
import pytest
from scripted_web import Answer, ScriptedWeb, cut, playlist_of
from source_reading import records_of

from klvrelay.errors import SourceDown
from klvrelay.sources.open import open_source
from klvrelay.sources.web import follow
from klvrelay.sources.web.resume import Resume

TAPE = feed.recording(count=90, filler=4)
PARTS = cut(TAPE.ts, 9)
NAMES = [f"{number}.ts" for number in range(9)]
GONE = Answer(status="404 Not Found")


def site(parts=PARTS, **more):
    """A recorded playlist and its segments, some of them replaced by `s4=...`."""
    answers = {"/a.m3u8": playlist_of(NAMES)} | {f"/{n}.ts": Answer(part) for n, part in enumerate(parts)}
    return answers | {f"/{name[1:]}.ts": answer for name, answer in more.items()}


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    """Requests are repeated without long pauses."""
    monkeypatch.setattr(follow, "PAUSES", (0.02, 0.02, 0.02))


@pytest.fixture
def said(caplog, monkeypatch):
    """The log, line by line."""
    monkeypatch.setattr(logging.getLogger("klvrelay"), "propagate", True)
    caplog.set_level(logging.INFO, "klvrelay")
    return lambda: [record.getMessage() for record in caplog.records]


async def read(answers, path="/a.m3u8", **options):
    """(the valid packets, the source) of what is at `path`."""
    async with ScriptedWeb(answers) as server:
        source = open_source(server.url(path), timeout=1, **options)
        records = await records_of(source)
    return [record.raw for record in records if record.good], source


def is_in_order(good) -> bool:
    places = [TAPE.klv.index(raw) for raw in good]
    return places == sorted(set(places))


FATES = {
    "404": GONE,
    "410": Answer(status="410 Gone"),
    "500, always": Answer(status="500 Internal Server Error"),
    "503, always": Answer(status="503 Service Unavailable", head={"Retry-After": "0"}),
    "torn at the same place, always": Answer(PARTS[4], torn=len(PARTS[4]) // 2),
    "a login page": Answer(b"<html>who are you?</html>", head={"Content-Type": "text/html"}),
}


@pytest.mark.parametrize("fate", FATES.values(), ids=FATES)
async def test_a_segment_that_never_arrives_is_counted_and_logged(fate, said):
    """The others are complete and in order; no record joins data from before and after."""
    good, source = await read(site(s4=fate))

    assert is_in_order(good)
    assert 78 <= len(good) <= 85
    assert (source.link.hls_segments, source.link.hls_lost) == (8, 1)
    (line,) = [line for line in said() if "lost" in line]
    assert "a segment was lost, 1 in all: " in line


@pytest.mark.parametrize("parts", [60, 30])
async def test_each_of_many_is_counted_and_the_log_stays_short(parts, said):
    """Every sixth segment is missing, as in the field: losses are counted, in at most a few lines."""
    names = [f"{number}.ts" for number in range(parts)]
    answers = {f"/{n}.ts": GONE if n % 6 == 5 else Answer(part) for n, part in enumerate(cut(TAPE.ts, parts))}
    good, source = await read(answers | {"/a.m3u8": playlist_of(names)})

    assert is_in_order(good)
    assert (source.link.hls_segments, source.link.hls_lost) == (parts * 5 // 6, parts // 6)
    lines = [line for line in said() if "lost" in line]
    assert 1 <= len(lines) <= 3
    assert f"{parts // 6} in all" in lines[-1]


PASSING = {
    "404 at first": [GONE, Answer(PARTS[4])],
    "500 at first": [Answer(status="500 Internal Server Error"), Answer(PARTS[4])],
    "429 at first": [Answer(status="429 Too Many Requests", head={"Retry-After": "0"}), Answer(PARTS[4])],
    "torn at first": [Answer(PARTS[4], torn=70 * 188), Answer(PARTS[4])],
    "torn twice": [Answer(PARTS[4], torn=70 * 188), Answer(PARTS[4], torn=1), Answer(PARTS[4])],
}


@pytest.mark.parametrize("answers", PASSING.values(), ids=PASSING)
async def test_a_segment_that_arrives_at_the_second_attempt_is_not_lost(answers, said):
    """Nothing of it is repeated, nothing is missing."""
    good, source = await read(site(s4=answers))

    assert good == TAPE.klv
    assert (source.link.hls_segments, source.link.hls_lost) == (9, 0)
    assert not [line for line in said() if "lost" in line]


async def test_a_segment_that_the_playlist_marks_as_missing_is_not_requested():
    """EXT-X-GAP: it is counted as lost."""
    lines = [*NAMES[:4], "#EXT-X-GAP", *NAMES[4:]]
    async with ScriptedWeb(site() | {"/a.m3u8": playlist_of(lines)}) as server:
        source = open_source(server.url("/a.m3u8"), timeout=1)
        await records_of(source)

    assert (source.link.hls_segments, source.link.hls_lost) == (8, 1)
    assert server.count("/4.ts") == 0


async def test_a_playlist_without_a_readable_segment_is_an_error():
    """Not an end without KLV: the reason is reported."""
    with pytest.raises(SourceDown, match=r"not found: check the path \(404\)"):
        await read({"/a.m3u8": playlist_of(NAMES)})


def live(first, last):
    return playlist_of(NAMES[first:last], first=first, ended=False)


async def test_segments_that_leave_a_live_playlist_unread_are_lost(said):
    """The window moved by more than its length between two loads: the numbers show how many segments."""
    ended = playlist_of(NAMES[7:9], first=7)
    good, source = await read(site() | {"/a.m3u8": [live(0, 3), live(0, 3), live(1, 4), ended]})

    assert is_in_order(good)
    assert (source.link.hls_segments, source.link.hls_lost) == (4, 3)
    assert good[:20] == TAPE.klv[20:40]
    assert [line for line in said() if "3 segments were lost, 3 in all: gone from the playlist" in line]


async def test_segments_that_leave_it_while_it_is_down_are_lost_too(monkeypatch):
    """The next opening continues where the last ended, and counts the missing ones."""
    monkeypatch.setattr(follow, "STANDSTILL", 0.3)
    given = Resume()
    opened = partial(open_source, timeout=1, given=given)
    async with ScriptedWeb(site() | {"/a.m3u8": live(0, 3)}) as server:
        with pytest.raises(SourceDown, match="no new segment"):
            await records_of(opened(server.url("/a.m3u8")))
        server.answers["/a.m3u8"] = [live(3, 6)]
        second, third = [], opened(server.url("/a.m3u8"))
        with pytest.raises(SourceDown, match="no new segment"):
            await records_of(opened(server.url("/a.m3u8")), into=second)
        server.answers["/a.m3u8"] = [playlist_of(NAMES[7:9], first=7)]
        last = await records_of(third)

    assert [record.raw for record in second] == TAPE.klv[30:60]
    assert (third.link.hls_segments, third.link.hls_lost) == (2, 1)
    assert [record.raw for record in last if record.good][-19:] == TAPE.klv[71:]


async def test_a_live_segment_that_is_late_is_waited_for():
    """It is announced before it is available: within a target duration it is requested again."""
    late = [GONE] * 5 + [Answer(PARTS[3])]
    good, source = await read(site(s3=late) | {"/a.m3u8": [live(0, 3), live(1, 4), playlist_of(NAMES[1:5], first=1)]})

    assert good == TAPE.klv[20:50]
    assert source.link.hls_lost == 0


@pytest.mark.parametrize("form", ["{n}.ts?token={t}", "chunk?n={n}&token={t}", "t{t}/{n}.ts"])
async def test_names_that_change_with_each_load_are_no_other_segments(form):
    """A token that is signed again each time: the bytes show that the stream did not restart."""

    def window(first, last, token):
        names = [form.format(n=n, t=token) for n in range(first, last)]
        return playlist_of(names, first=first, ended=token == 4)

    answers = {f"/t{t}/{n}.ts": Answer(part) for n, part in enumerate(PARTS) for t in range(1, 5)}
    loads = [window(0, 3, 1), window(0, 3, 2), window(1, 4, 3), window(2, 6, 4)]
    async with ScriptedWeb(site() | answers | {"/a.m3u8": loads}) as server:
        server.by_number = {"/chunk": PARTS}
        source = open_source(server.url("/a.m3u8"), timeout=1)
        records = await records_of(source)

    assert [record.raw for record in records if record.good] == TAPE.klv[20:60]
    assert source.link.hls_lost == 0


async def test_an_older_copy_of_the_playlist_is_no_restart():
    """A cache that is behind: nothing is repeated."""
    stale = [live(0, 3), live(1, 4), live(0, 3), live(1, 4), playlist_of(NAMES[2:6], first=2)]
    good, source = await read(site() | {"/a.m3u8": stale})

    assert good == TAPE.klv[20:60]
    assert source.link.hls_lost == 0


async def test_a_temporary_error_at_the_playlist_is_retried():
    """Two bad answers to a reload do not end the source."""
    bad = Answer(status="502 Bad Gateway")
    good, _ = await read(site() | {"/a.m3u8": [live(0, 3), bad, bad, playlist_of(NAMES[1:5], first=1)]})

    assert good == TAPE.klv[20:50]


async def test_a_server_that_is_down_costs_no_segment():
    """A segment that may still be available is not counted as lost: the next opening begins with it."""
    given = Resume()
    async with ScriptedWeb(site(s5=Answer(hang=True))) as server:
        first = []
        with pytest.raises(SourceDown, match="gave no answer"):
            await records_of(open_source(server.url("/a.m3u8"), timeout=0.2, given=given), into=first)
        server.answers["/5.ts"] = [Answer(PARTS[5])]
        source = open_source(server.url("/a.m3u8"), timeout=0.2, given=given)
        second = await records_of(source)

    good = [record.raw for record in first + second if record.good]
    assert is_in_order(good)
    assert len(good) >= 89
    assert source.link.hls_lost == 0


async def test_byte_ranges_are_parts_of_one_file():
    """Each segment is a part of the same file, with and without an offset (RFC 8216, 4.3.2.2)."""
    lines, at = [], 0
    for number, part in enumerate(PARTS):
        lines += [f"#EXT-X-BYTERANGE:{len(part)}" + ("" if number % 2 else f"@{at}"), "all.ts"]
        at += len(part)
    good, source = await read({"/a.m3u8": playlist_of(lines), "/all.ts": Answer(TAPE.ts)})

    assert good == TAPE.klv
    assert source.link.hls_segments == 9


async def test_a_compressed_playlist_is_read():
    """Some servers compress it without a request."""
    plain = playlist_of(NAMES).body
    zipped = Answer(gzip.compress(plain), head={"Content-Encoding": "gzip"})

    assert (await read(site() | {"/a.m3u8": zipped}))[0] == TAPE.klv


async def test_a_discontinuity_is_no_loss():
    """Another encoder continues with other times and counters: both parts are complete."""
    other = feed.recording(count=30, filler=4, padding=1)
    lines = [*NAMES[:3], "#EXT-X-DISCONTINUITY", "other.ts"]
    good, source = await read(site() | {"/a.m3u8": playlist_of(lines), "/other.ts": Answer(other.ts)})

    assert good == TAPE.klv[:30] + other.klv
    assert source.link.hls_lost == 0


KEY, IV = bytes(range(16)), bytes(range(16, 32))


def encrypted(part, iv):
    return subprocess.run(
        ["openssl", "enc", "-aes-128-cbc", "-K", KEY.hex(), "-iv", iv.hex()],
        input=part, capture_output=True, check=True,
    ).stdout  # fmt: skip


@pytest.mark.needs("openssl")
@pytest.mark.parametrize("iv", [IV, None], ids=["with an IV", "by number"])
async def test_segments_encrypted_by_aes_128_are_read(iv):
    """The key is fetched once; without an IV in the playlist it is the number of the segment (RFC 8216, 5.2)."""
    tag = '#EXT-X-KEY:METHOD=AES-128,URI="k"' + ("" if iv is None else f",IV=0x{iv.hex()}")
    parts = [encrypted(part, iv or (5 + number).to_bytes(16)) for number, part in enumerate(PARTS)]
    answers = site(parts) | {"/a.m3u8": playlist_of([tag, *NAMES], first=5), "/k": Answer(KEY)}
    async with ScriptedWeb(answers) as server:
        records = await records_of(open_source(server.url("/a.m3u8"), timeout=1))

    assert [record.raw for record in records if record.good] == TAPE.klv
    assert server.count("/k") == 1


KEYLESS = {
    "401": (
        Answer(status="401 Unauthorized"),
        r"the key of its segments: the server wants a user and a password \(401\)",
    ),
    "404": (GONE, r"the key of its segments: not found: check the path \(404\)"),
    "too short": (Answer(b"short"), "the key of its segments has 5 bytes instead of 16"),
}


@pytest.mark.parametrize(("answer", "reason"), KEYLESS.values(), ids=KEYLESS)
async def test_a_key_that_is_not_available_is_named(answer, reason):
    """The segments are available, but useless without it."""
    tag = '#EXT-X-KEY:METHOD=AES-128,URI="k"'
    with pytest.raises(SourceDown, match=reason):
        await read(site() | {"/a.m3u8": playlist_of([tag, *NAMES]), "/k": answer})


async def test_an_unsupported_encryption_is_named():
    """SAMPLE-AES leaves the transport stream in the clear, but not its payloads."""
    tag = '#EXT-X-KEY:METHOD=SAMPLE-AES,URI="k"'
    with pytest.raises(SourceDown, match="encrypted by SAMPLE-AES, which klvrelay does not read"):
        await read(site() | {"/a.m3u8": playlist_of([tag, *NAMES])})


async def test_the_variant_that_has_the_klv_is_found():
    """A transcoder may have dropped it from the first; and a missing one is skipped."""
    bare = (b"G\x1f\xff\x10" + bytes(184)) * 40
    master = Answer(b"#EXTM3U\n" + b"".join(
        b"#EXT-X-STREAM-INF:BANDWIDTH=%d\n%b\n" % (n, name) for n, name in enumerate([b"no", b"low", b"high"], 1)
    ))  # fmt: skip
    answers = site() | {"/a.m3u8": master, "/low": playlist_of(["bare.ts"]), "/high": playlist_of(NAMES)}

    assert (await read(answers | {"/bare.ts": Answer(bare)}))[0] == TAPE.klv
