"""The recorder's internals: unchanged bytes, where they are cut, what is kept."""

from __future__ import annotations

import asyncio
import errno
import gc
import logging
import os
import re
import threading
import time
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from functools import partial
from itertools import pairwise

import feed
import pytest
from cases import each_case
from hypothesis import given
from hypothesis import strategies as st

import klvrelay
from klvrelay import backoff as repeats
from klvrelay.config.url import Url
from klvrelay.decoder import Decoder
from klvrelay.errors import ConfigError, KlvrelayError, NotMedia, SourceDown, SourceError
from klvrelay.link_stats import LinkStats
from klvrelay.record import Packet
from klvrelay.recording import Recorder, recorder
from klvrelay.recordings import segmenter
from klvrelay.recordings.limits import RecordingLimits
from klvrelay.recordings.segment_names import RecordedSegment, segments
from klvrelay.recordings.segment_store import SegmentStore
from klvrelay.recordings.segmenter import Segmenter
from klvrelay.sources.open import open_source

TAPE = feed.recording(count=100, filler=3)
NAME = re.compile(r"uav1-\d{8}T\d{6}\.\d{6}Z\.(ts|klv)")
DAY = 86_400_000_000


async def recorded(source, folder, *, stream="uav1", **limits):
    """Record a source that ends by itself."""
    made = Recorder(lambda: source, str(folder), stream, RecordingLimits(**limits))
    await asyncio.wait_for(made.run(), 40)
    return made


@asynccontextmanager
async def recording(opened, folder, **limits) -> AsyncIterator[Recorder]:
    made = Recorder(opened, str(folder), "uav1", RecordingLimits(**limits))
    task = asyncio.create_task(made.run())
    try:
        yield made
        assert not task.done()
    finally:
        task.cancel()
        await asyncio.wait([task], timeout=10)
        assert task.cancelled()


async def until(holds, within=5.0):
    async with asyncio.timeout(within):
        while not holds():
            await asyncio.sleep(0.005)


def files(folder):
    return sorted(folder.iterdir())


def joined(folder):
    return b"".join(path.read_bytes() for path in files(folder))


class Pieces:
    """A scripted source: packets that a test passes, None to end it, an exception to raise."""

    url = Url.parse("tcp://camera:5000")
    fixed = False
    dropped = 0

    def __init__(self, *given, live=False) -> None:
        self.live = live
        self.link = LinkStats()
        self._queue: asyncio.Queue = asyncio.Queue()
        for item in given:
            self._queue.put_nowait(item)

    def put(self, item):
        self._queue.put_nowait(item)

    async def packets(self):
        while (item := await self._queue.get()) is not None:
            if isinstance(item, Exception):
                raise item
            self.link.size += len(item.data)
            yield item


class Tape(Pieces):
    url = Url.parse("tape.ts")


def of_file(*given):
    """Pieces of a source that ends."""
    return Tape(*given, None)


# ---- the bytes ----


async def test_the_recorded_bytes_are_unchanged(tmp_path):
    """Joined, the segments are the stream, bit by bit, whatever the pieces were."""
    pieces = [TAPE.ts[at : at + 997] for at in range(0, len(TAPE.ts), 997)]

    made = await recorded(of_file(*map(Packet, pieces)), tmp_path, size=16_384)

    assert joined(tmp_path) == TAPE.ts
    assert made.size == len(TAPE.ts)
    assert made.segments == len(files(tmp_path)) >= 8
    assert all(NAME.fullmatch(path.name) for path in files(tmp_path))


async def test_each_segment_can_be_decoded_alone(tmp_path):
    """It begins with a PAT: the segments decode to all records, one by one and together."""
    await recorded(of_file(Packet(TAPE.ts)), tmp_path, size=16_384)

    alone = [klvrelay.decode(path.read_bytes()) for path in files(tmp_path)]
    assert [record.raw for records in alone for record in records] == TAPE.klv
    assert all(alone)
    async with aclosing(open_source(str(tmp_path)).packets()) as packets:
        decoder = Decoder("uav1", None)
        together = [record.raw async for packet in packets for record in decoder.feed(packet)]
    assert together + [record.raw for record in decoder.flush()] == TAPE.klv
    assert decoder.counters.discontinuities == 0


async def test_a_udp_stream_is_recorded_unchanged(tmp_path, free_port):
    """Datagrams of a real socket, RTP without its headers."""
    for scheme in ("udp", "rtp"):
        url, folder = f"{scheme}://127.0.0.1:{free_port}", tmp_path / scheme
        sent = feed.datagrams(TAPE.ts)
        async with recording(partial(open_source, url), folder, size=32_768) as made:
            await feed.listening(free_port)
            for at in range(0, len(sent), 10):
                feed.send_udp((feed.rtp_datagrams(sent) if scheme == "rtp" else sent)[at : at + 10], free_port)
                await asyncio.sleep(0.001)
            await until(lambda made=made: made.size == len(TAPE.ts))
        assert joined(folder) == TAPE.ts
        assert len(files(folder)) >= 4
        assert not [path for path in files(folder) if path.suffix == ".part"]


async def test_bare_klv_is_cut_between_two_packets(tmp_path):
    """And its segments are called .klv."""
    bare = feed.recording(count=100, padding=200)
    await recorded(of_file(Packet(bare.bare, None, "klv")), tmp_path, size=4096)

    assert joined(tmp_path) == bare.bare
    assert len(files(tmp_path)) >= 4
    assert {path.suffix for path in files(tmp_path)} == {".klv"}
    alone = [record.raw for path in files(tmp_path) for record in klvrelay.decode(path.read_bytes())]
    assert alone == bare.klv


async def test_a_change_of_format_begins_a_new_segment(tmp_path):
    """A port on which another sender begins."""
    await recorded(of_file(Packet(TAPE.ts), Packet(TAPE.bare, None, "klv"), Packet(TAPE.ts)), tmp_path)

    assert [path.suffix for path in files(tmp_path)] == [".ts", ".klv", ".ts"]
    assert joined(tmp_path) == TAPE.ts + TAPE.bare + TAPE.ts


@pytest.mark.parametrize("size", [188, 192, 204])
@given(cuts=st.lists(st.integers(0, 60_000), max_size=30), junk=st.integers(0, 300))
def test_a_cut_is_where_a_packet_with_a_pat_begins(size, cuts, junk):
    """In packets of every size, in pieces of any cut, after any data."""
    packets = [TAPE.ts[at : at + 188] for at in range(0, 300 * 188, 188)]
    packets = [bytes(size - 188) + packet if size == 192 else packet + bytes(size - 188) for packet in packets]
    data = bytes(junk) + b"".join(packets)
    bounds = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    found, at = [], 0
    work = Segmenter(RecordingLimits(size=10_000, keep_size=1e9))

    for begin, end in pairwise(bounds):
        for piece in work.feed(data[begin:end], "ts", 0.0):
            if piece is None:
                found.append(at)
            else:
                assert data[at : at + len(piece)] == piece
                at += len(piece)

    assert at == len(data)
    assert len(found) >= 3
    for place in found:
        packet, inside = divmod(place - junk, size)
        assert inside == 0
        assert packets[packet][4 * (size == 192) :][1:3] == b"\x40\x00"
    assert all(10_000 <= end - begin <= 12_500 for begin, end in pairwise([0, *found]))


def test_without_a_pat_a_segment_ends_between_two_packets():
    """A quarter of its size later, or two seconds: the limit also holds for a stream without tables."""
    nulls = (b"\x47\x1f\xff\x10" + bytes(184)) * 400
    by_size, by_time = Segmenter(RecordingLimits(size=10_000, keep_size=1e9)), Segmenter(RecordingLimits(seconds=5))

    sizes = [len(piece) for piece in by_size.feed(nulls, "ts", 0.0) if piece is not None]
    early = list(by_time.feed(nulls, "ts", 0.0)) + list(by_time.feed(nulls, "ts", 5 + segmenter.GRACE - 0.1))
    early += list(by_time.feed(nulls[:1000], "ts", 5 + segmenter.GRACE - 0.1))
    late = list(by_time.feed(nulls[1000:], "ts", 5 + segmenter.GRACE + 0.1))

    assert all(size % 188 == 0 and 12_500 <= size < 12_700 for size in sizes[:-1])
    assert len(sizes) > 4
    assert None not in early
    assert late == [nulls[1000:1128], None, nulls[1128:]]


# ---- names ----


async def test_names_sort_by_time(tmp_path):
    """UTC of the first byte; where two have the same, or the clock was set back, they still sort."""
    day = 1_795_371_300_123_456
    stamps = [day, day + 60_000_000, day + 60_000_000, day - DAY, day + 2 * DAY]

    packets = [Packet(feed.recording(count=9, filler=1).ts, stamp) for stamp in stamps]
    made = await recorded(of_file(*packets), tmp_path, size=4096)

    names = [path.name for path in files(tmp_path)]
    assert made.segments == len(names)
    assert names[0] == "uav1-20261122T181500.123456Z.ts"
    assert joined(tmp_path) == b"".join(packet.data for packet in packets)
    times = [segment.time_us for segment in segments(str(tmp_path))]
    assert times == sorted(set(times))
    assert [segment.name for segment in segments(str(tmp_path))] == names


@given(
    st.builds(
        RecordedSegment,
        st.text("abcZ019_.%-", min_size=1, max_size=30),
        st.integers(0, 250_000_000_000_000_000),
        st.sampled_from(["ts", "klv"]),
        st.booleans(),
    )
)
def test_a_name_can_be_parsed(segment):
    """In both directions; even for a stream whose name looks like a time."""
    assert RecordedSegment.of(segment.name) == segment


@pytest.mark.parametrize(
    "name",
    ["flight.ts", "uav1-20261122T181500Z.ts", "uav1-20261322T181500.123456Z.ts", "uav1-20261122T181500.123456Z.mp4",
     "-20261122T181500.123456Z.ts", "uav1-20261122T181500.123456Z.ts.part.bak", "uav1-20261122T181500.123456Z.ts\n"],
)  # fmt: skip
def test_other_names_are_not_segments(name):
    """So such a file is never touched."""
    assert RecordedSegment.of(name) is None


# ---- what is kept ----


def put_old(folder, count, *, days=0.0, stream="uav1", size=10_000):
    """Segments of an earlier run, an hour apart, the newest so many days ago."""
    now = time.time_ns() // 1000
    made = []
    for number in range(count):
        us = round(now - days * DAY - (count - number) * 3_600_000_000)
        made.append(folder / RecordedSegment(stream, us, "ts").name)
        made[-1].write_bytes(bytes(size))
    return made


async def test_the_oldest_are_removed_when_all_together_are_too_large(tmp_path):
    """Only those of this stream, and no file with another name, however similar."""
    old = put_old(tmp_path, 10)
    other = put_old(tmp_path, 3, stream="uav2") + put_old(tmp_path, 3, stream="uav1-b")
    foreign = [tmp_path / name for name in ("flight.ts", "uav1.ts", f"{old[0].name}.txt", f"copy of {old[0].name}")]
    foreign[-1] = tmp_path / f"uav1{old[0].name.removeprefix('uav1').replace('Z.ts', '.ts')}"
    for path in foreign:
        path.write_bytes(bytes(50_000))

    made = await recorded(of_file(Packet(TAPE.ts[:18_800])), tmp_path, size=20_480, keep_size=81_920)

    assert [path.exists() for path in old] == [False] * 4 + [True] * 6
    assert all(path.exists() for path in other + foreign)
    assert "1 segment, 4 old ones removed" in made.summary()


async def test_the_limit_holds_at_every_moment(tmp_path):
    """Including the segment that is being written."""
    largest = 0
    source = Pieces(live=True)
    async with recording(lambda: source, tmp_path, size=8192, keep_size=40_960) as made:
        for number in range(30):
            source.put(Packet(TAPE.ts[: 40 * 188]))
            await until(lambda number=number: made.size >= 40 * 188 * (number + 1) - 1)
            largest = max(largest, sum(path.stat().st_size for path in files(tmp_path)))

    assert made.segments > 15
    assert 30_000 < largest <= 40_960 + 8192 // 4


async def test_segments_beyond_the_age_limit_are_removed(tmp_path):
    """By the time in the name; infinite keeps all."""
    old, young = put_old(tmp_path, 3, days=8), put_old(tmp_path, 2, days=6)

    await recorded(of_file(Packet(TAPE.ts)), tmp_path, keep_age=float("inf"))
    assert all(path.exists() for path in old)
    await recorded(of_file(Packet(TAPE.ts)), tmp_path, keep_age=7 * 86400.0)

    assert not any(path.exists() for path in old)
    assert all(path.exists() for path in young)


async def test_a_clock_correction_removes_nothing(tmp_path):
    """What was recorded a minute ago by a clock of 1970 is not 56 years old."""
    packets = [Packet(TAPE.ts, 60_000_000), Packet(TAPE.ts, time.time_ns() // 1000)]

    await recorded(of_file(*packets), tmp_path, size=16_384, keep_age=60.0)

    assert joined(tmp_path) == TAPE.ts * 2


async def test_a_clock_that_is_set_forward_removes_nothing(tmp_path, monkeypatch):
    """Segments of earlier runs do not become ten years old at that moment."""
    old, now = put_old(tmp_path, 3), time.time
    store = SegmentStore(str(tmp_path), "uav1", RecordingLimits(size=16_384, keep_size=1 << 30, keep_age=7 * 86400.0))
    store.open()
    monkeypatch.setattr(time, "time", lambda: now() + 3650 * 86400)
    store.remove_old()
    assert all(path.exists() for path in old)


async def test_a_thousand_segments_are_handled_quickly(tmp_path, monkeypatch):
    """A thousand names, a hundred kept, in seconds of CPU time; each segment and its name are synced to disk."""
    synced = []
    monkeypatch.setattr(os, "fsync", synced.append)  # the speed of the disk is not tested
    begun = time.process_time()
    packets = [Packet(TAPE.ts[: 24 * 188])] * 1000

    made = await recorded(of_file(*packets), tmp_path, size=4096, keep_size=100 * 4600)

    assert made.segments >= 900
    assert 70 <= len(files(tmp_path)) <= 110
    assert len(synced) == 2 * made.segments
    assert time.process_time() - begun < 5


async def test_a_segment_of_a_killed_run_is_completed(tmp_path):
    """Its bytes stay, under their name; an empty one is removed."""
    left, empty = (put_old(tmp_path, 1, days=day)[0] for day in (1, 2))
    left = left.rename(f"{left}.part")
    empty.write_bytes(b"")
    empty.rename(f"{empty}.part")
    other = put_old(tmp_path, 1, stream="uav2")[0]
    other = other.rename(f"{other}.part")

    await recorded(of_file(Packet(TAPE.ts)), tmp_path)

    assert left.with_suffix("").read_bytes() == bytes(10_000)
    assert [path for path in files(tmp_path) if path.suffix == ".part"] == [other]
    assert len(files(tmp_path)) == 3


async def test_two_recorders_do_not_share_a_stream(tmp_path):
    """The second gets an error, and the first continues."""
    source = Pieces(Packet(TAPE.ts), live=True)
    async with recording(lambda: source, tmp_path) as made:
        await until(lambda: made.size)
        with pytest.raises(ConfigError, match="another recorder is writing uav1"):
            await recorded(of_file(Packet(TAPE.ts)), tmp_path)
        await recorded(of_file(Packet(TAPE.ts)), tmp_path, stream="uav2")
    assert len(files(tmp_path)) == 2


# ---- recovery ----


async def test_a_broken_source_is_reopened(tmp_path, monkeypatch, caplog):
    """Automatically, as often as needed; later data is a new segment, and it is logged once."""
    monkeypatch.setattr(recorder.Backoff, "next", lambda self: 0.01)
    monkeypatch.setattr(repeats, "PACE", 0.0)
    monkeypatch.setattr(logging.getLogger("klvrelay"), "propagate", True)
    falls = [SourceDown("tcp://camera:5000: nobody listens there")] * 5
    sources = [Pieces(Packet(TAPE.ts), falls[0], live=True), *[Pieces(fall, live=True) for fall in falls]]
    sources += [Pieces(Packet(TAPE.ts), None, live=True), Pieces(Packet(TAPE.ts), RuntimeError("x"), live=True)]
    left = iter([*sources, Pieces(live=True)])

    with caplog.at_level(logging.INFO, "klvrelay"):
        async with recording(lambda: next(left), tmp_path) as made:
            await until(lambda: made.size == 3 * len(TAPE.ts) and next(left, None) is None)

    assert len(files(tmp_path)) == 3
    assert {path.read_bytes() for path in files(tmp_path)} == {TAPE.ts}
    come = "tcp://camera:5000: receiving data"
    down = "tcp://camera:5000: nobody listens there; retrying until it is back"
    ended = "tcp://camera:5000: ended; retrying until it is back"
    ours = "tcp://camera:5000: internal error: RuntimeError in "
    said = [record.getMessage() for record in caplog.records]
    assert said[:-1] == [f"recording to {tmp_path} as uav1-*", come, down, come, ended, come]
    assert said[-1].startswith(ours)


@pytest.mark.parametrize("read", [False, True], ids=["nothing read", "begun"])
async def test_a_file_is_opened_again_for_want_of_a_descriptor_only_before_it_is_read(read, tmp_path, monkeypatch):
    """What was recorded is recorded once."""
    monkeypatch.setattr(recorder.Backoff, "next", lambda self: 0.0)
    short, packet = OSError(errno.EMFILE, "x"), Packet(TAPE.ts)
    left = iter([Tape(packet, short) if read else Tape(short), of_file(packet), of_file(packet)])
    folder = str(tmp_path)
    made = Recorder(lambda: next(left), folder, "uav1", RecordingLimits(size=1 << 20, keep_size=1 << 30))
    if read:
        with pytest.raises(SourceError, match="too many open files"):
            await asyncio.wait_for(made.run(), 10)
    else:
        await asyncio.wait_for(made.run(), 10)
    assert joined(tmp_path) == TAPE.ts


async def test_a_source_that_falls_silent_gets_its_segment_completed(tmp_path, monkeypatch):
    """The last minute before a fault is available without waiting for the next data."""
    monkeypatch.setattr(segmenter, "GRACE", 0.1)
    source = Pieces(Packet(TAPE.ts), live=True)
    async with recording(lambda: source, tmp_path, seconds=0.1) as made:
        await until(lambda: [path.suffix for path in files(tmp_path)] == [".ts"])
        source.put(Packet(TAPE.ts))
        await until(lambda: made.size == 2 * len(TAPE.ts))
    assert [path.read_bytes() for path in files(tmp_path)] == [TAPE.ts] * 2


async def test_recorded_data_can_be_read_at_once(tmp_path):
    """Not at the segment's end, but within a few hundredths of a second, for a relay that follows."""
    source = Pieces(Packet(TAPE.ts), live=True)
    async with recording(lambda: source, tmp_path) as made:
        await until(lambda: made.size == len(TAPE.ts), within=1)
        (path,) = files(tmp_path)
        assert path.name.endswith(".ts.part")
        assert path.read_bytes() == TAPE.ts


async def test_a_missing_file_is_an_error(tmp_path):
    """Nothing is recorded, and it is not retried."""
    with pytest.raises(SourceDown, match="no such file"):
        await recorded(open_source(str(tmp_path / "none.ts")), tmp_path / "out")
    assert files(tmp_path / "out") == []


async def test_a_container_has_no_transport_bytes(tmp_path):
    """A container that libav demultiplexes cannot be recorded unchanged."""
    with pytest.raises(NotMedia, match="copy the file"):
        await recorded(of_file(Packet(TAPE.klv[0], None, "klv", 0, 1)), tmp_path)


async def test_a_flapping_source_leaks_nothing(tmp_path, monkeypatch):
    """Three hundred disconnects: threads and descriptors return to their numbers, and no byte is missing."""
    monkeypatch.setattr(recorder.Backoff, "next", lambda self: 0.0)
    falls = [Pieces(Packet(TAPE.ts[:1880]), SourceDown("x"), live=True) for _ in range(300)]
    left = iter([*falls, Pieces(live=True)])
    async with recording(lambda: next(left), tmp_path, keep_size=1 << 30) as made:
        await until(lambda: made.segments >= 1)
        gc.collect()  # what earlier tests left
        before = len(os.listdir("/proc/self/fd")), threading.active_count()
        await until(lambda: made.size == 300 * 1880, 20)
        assert len(os.listdir("/proc/self/fd")) <= before[0] + 1  # a segment may be open
        assert threading.active_count() == before[1]
    assert len(files(tmp_path)) == 300
    assert joined(tmp_path) == TAPE.ts[:1880] * 300


# ---- a relay that follows a recorder ----


async def test_a_relay_may_follow_the_folder(tmp_path, free_port):
    """The folder yields every sent record while it is recorded, over many segments."""
    raws: list[bytes] = []

    async def follow():
        decoder = Decoder("uav1", None)
        async with aclosing(open_source(str(tmp_path), follow=True).packets()) as packets:
            async for packet in packets:
                raws.extend(record.raw for record in decoder.feed(packet))

    following = asyncio.create_task(follow())
    try:
        async with recording(partial(open_source, f"udp://127.0.0.1:{free_port}"), tmp_path, size=16_384) as made:
            await feed.listening(free_port)
            for datagram in feed.datagrams(TAPE.ts):
                feed.send_udp([datagram], free_port)
                await asyncio.sleep(0.002)
            await until(lambda: made.size == len(TAPE.ts))
        await until(lambda: len(raws) >= 99)
    finally:
        following.cancel()
        await asyncio.wait([following])
    assert len(files(tmp_path)) >= 8
    assert raws == TAPE.klv[: len(raws)]


async def test_a_folder_is_replayed_as_one_stream(tmp_path):
    """`replay DIR`: its segments with their original timing, one after the other."""
    tape = feed.recording(count=15, hz=30, filler=60)
    await recorded(of_file(Packet(tape.ts)), tmp_path, size=32_768)
    assert len(files(tmp_path)) >= 4
    source = open_source(str(tmp_path), speed=1.0)

    begun = time.monotonic()
    async with aclosing(source.packets()) as packets:
        got = b"".join([packet.data async for packet in packets])

    assert got == tape.ts
    assert source.link.size == len(tape.ts)
    assert 0.4 <= time.monotonic() - begun < 3


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ([], "without a .ts or .klv file"),
        (["notes.txt"], "without a .ts or .klv file"),
        (["a.ts", "b.klv"], "both MPEG-TS and bare KLV files"),
        ([RecordedSegment("a", 0, "ts").name, RecordedSegment("b", 0, "ts").name], r"2 streams \(a, b\)"),
    ],
)
async def test_a_folder_that_is_no_stream_is_an_error(names, said, tmp_path):
    """What is wrong, and what to pass instead."""
    for name in names:
        (tmp_path / name).write_bytes(TAPE.ts)

    with pytest.raises(NotMedia, match=said):
        async with aclosing(open_source(str(tmp_path)).packets()) as packets:
            await anext(packets)


# ---- the text form of limits ----


@pytest.mark.parametrize(
    ("given_", "limits"),
    [
        ((None, None, None, None), RecordingLimits(60.0, 64 << 20, 10 << 30, 7 * 86400)),
        (("0.5", "4K", "8k", "90m"), RecordingLimits(0.5, 4096, 8192, 5400)),
        (("3600", "1.5G", "2T", "12h"), RecordingLimits(3600.0, 3 << 29, 2 << 40, 43200)),
        (("60", "1000000", "1GiB", "30s"), RecordingLimits(60.0, 1_000_000, 1 << 30, 30)),
        (("60", "64MB", "none", "none"), RecordingLimits(60.0, 64 << 20, float("inf"), float("inf"))),
    ],
)
def test_limits_are_read(given_, limits):
    """Sizes in units of 1,024, ages with a unit."""
    assert RecordingLimits.parse(*given_) == limits


@each_case(
    ("given_", "said"),
    [
        (("0", None, None, None), "--segment-seconds 0: give seconds"),
        (("nan", None, None, None), "--segment-seconds"),
        (("a minute", None, None, None), "--segment-seconds"),
        ((None, "64X", None, None), "--segment-size 64X: give bytes"),
        ((None, "none", None, None), "--segment-size none"),
        ((None, "-1M", None, None), "--segment-size"),
        ((None, "100", None, None), "at least 4K"),
        ((None, None, "lots\n", None), r"--keep-size lots\\n"),
        ((None, None, "100M", None), "--keep-size: 100 MiB is less than two segments of 64 MiB"),
        ((None, None, None, "7"), "--keep-age 7: give an age"),
        ((None, None, None, "7w"), "as in 90m, 12h or 7d, or none"),
        ((None, None, None, "0s"), "--keep-age"),
    ],
)
def test_an_invalid_limit_is_named(given_, said):
    """The option, its value, and the valid form."""
    with pytest.raises(ConfigError, match=said):
        RecordingLimits.parse(*given_)


async def test_an_unusable_folder_is_an_error(tmp_path):
    """Before anything is opened."""
    (tmp_path / "file").touch()

    with pytest.raises(ConfigError, match="cannot record there"):
        await recorded(of_file(Packet(TAPE.ts)), tmp_path / "file")


def test_no_thread_is_left_by_a_recorder_that_never_ran(tmp_path):
    """Nothing is opened before it runs."""

    async def make():
        Recorder(lambda: of_file(), str(tmp_path / "new"), "uav1", RecordingLimits())

    asyncio.run(make())
    assert os.listdir(tmp_path) == []


async def test_a_file_is_not_copied_to_a_full_disk_without_end(tmp_path, monkeypatch):
    """A pipe waits, since its writer does; a file can be copied later, and the error ends the command."""

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(recorder, "GIVE_UP", 0.05)
    monkeypatch.setattr(recorder, "RETRY", 0.01)
    monkeypatch.setattr("klvrelay.recordings.segment_store.SegmentStore._put", full)
    (tmp_path / "flight.ts").write_bytes(TAPE.ts)
    made = Recorder(lambda: open_source(str(tmp_path / "flight.ts")), str(tmp_path / "to"), "uav1", RecordingLimits())
    with pytest.raises(KlvrelayError, match="cannot write: No space left on device"):
        await asyncio.wait_for(made.run(), 10)

    assert (made.size, made.lost, files(tmp_path / "to")) == (0, len(TAPE.ts), [])
