"""The times of video frames from files and streams, compared with the metadata beside them."""

from __future__ import annotations

import asyncio
import traceback
from itertools import pairwise
from pathlib import Path

import av
import feed
import pytest
import stamped
from test_cli import CANARY

import klvrelay
from klvrelay import ConfigError, FrameTime, NotMedia, SourceDown, Stamp, frame_times, sample
from klvrelay.record import utc


@pytest.fixture(scope="module", params=["h264", "h265"])
def flight(request, tmp_path_factory) -> Path:
    """A second of the product's own sample."""
    path = tmp_path_factory.mktemp("flight") / f"{request.param}.ts"
    sample.write(path, seconds=1, size=(160, 90), codec=request.param)
    return path


def test_the_samples_frames_have_the_times_of_its_records(flight: Path):
    """H.264 and H.265: each frame's stamp is item 2 of the record with its presentation time."""
    records = {record.pts: record.time_us for record in klvrelay.open(flight)}

    frames = list(frame_times(flight))

    assert {frame.pts: frame.time_us for frame in frames} == records
    assert len(frames) == 30
    codec = {"h264.ts": "h264", "h265.ts": "hevc"}[flight.name]
    assert {(f.codec, f.pid, f.stream, f.damaged) for f in frames} == {(codec, 0x100, 0, False)}
    assert {(f.stamp.locked, f.stamp.nanoseconds, f.stamp.odd) for f in frames} == {(True, False, False)}
    assert frames[0].time == utc(frames[0].time_us)


def test_a_real_flights_frames_have_the_times_of_its_records(shared: Path):
    """A recording of 277 frames, each with the time of its ST 0601 packet."""
    path = shared / "data" / "osh_sample_stream.ts"
    records = {record.pts: record.time_us for record in klvrelay.open(path)}

    frames = list(frame_times(path))

    assert len(frames) == 277
    assert {frame.pts: frame.time_us for frame in frames} == records
    assert {(f.stamp.status, f.stamp.odd, f.damaged) for f in frames} == {(0x1F, False, False)}


@pytest.mark.parametrize("name", ["h264_klv.ts", "h264_no_klv.ts"])
def test_a_synthetic_recording_of_another_encoder_is_read(name: str, shared: Path):
    """Thirty frames, one every thirtieth of a second, whose clock is not locked."""
    frames = sorted(frame_times(shared / "data" / name), key=lambda frame: frame.pts or 0)

    times = [frame.time_us for frame in frames]
    assert [round((at - times[0]) * 3 / 1e5) for at in times] == list(range(30))
    assert {(f.stamp.status, f.stamp.locked) for f in frames} == {(0x9F, False)}


def test_a_real_flight_without_stamps_has_none(shared: Path):
    """MPEG-2 video of 2010, with metadata of EG 0104."""
    assert list(frame_times(shared / "data" / "aphill_klv_10s.ts")) == []


@pytest.mark.parametrize("form", ["mp4", "matroska"])
def test_another_container_gives_the_same_times(form: str, flight: Path, tmp_path: Path):
    """There, lengths precede the units, where MPEG-TS has start codes."""
    with av.open(str(flight)) as source, av.open(str(tmp_path / "flight"), "w", format=form) as target:
        video = source.streams.video[0]
        copy = target.add_stream_from_template(video)
        for packet in source.demux(video):
            if packet.size:
                packet.stream = copy
                target.mux(packet)
    with av.open(str(tmp_path / "flight")) as container:
        first = bytes(next(container.demux(video=0)))
    assert int.from_bytes(first[:4], "big") < len(first), "it does have lengths"

    there = list(frame_times(tmp_path / "flight"))

    assert [frame.stamp for frame in there] == [frame.stamp for frame in frame_times(flight)]


def test_mpeg_2_frames_have_their_times():
    """From user data, in bytes instead of a file."""
    frames = list(frame_times(stamped.mpeg2()))

    assert [frame.time_us for frame in frames] == [stamped.START + number for number in range(10)]
    assert [frame.pts for frame in frames] == [90_000 + 3000 * number for number in range(10)]
    assert {frame.codec for frame in frames} == {"mpeg2video"}


def test_nanoseconds_in_a_field_of_microseconds_are_detected():
    """Through a whole file: converted, and flagged."""
    frames = list(frame_times(stamped.mpeg2(stamped.body(stamped.START * 1000 + 789))))

    assert {frame.stamp for frame in frames} == {Stamp(stamped.START, stamped.START * 1000 + 789, 0x1F, True, False)}


def test_a_frame_that_lost_bytes_is_damaged(flight: Path):
    """A lost TS packet marks its frame, and no other."""
    data = flight.read_bytes()
    packets = [data[at : at + 188] for at in range(0, len(data), 188)]
    video = [n for n, p in enumerate(packets) if int.from_bytes(p[1:3], "big") & 0x1FFF == 0x100]
    begins = [n for n in video if packets[n][1] & 0x40]
    spans = list(enumerate(pairwise(begins)))[5:]
    number, lost = next((n, a + 1) for n, (a, b) in spans if b - a > 3 and a + 1 in video)

    frames = list(frame_times(b"".join(packets[:lost] + packets[lost + 1 :])))

    whole = list(frame_times(flight))
    assert [frame.pts for frame in frames if frame.damaged] == [whole[number].pts]
    assert {f._replace(damaged=False) for f in frames} <= set(whole)


async def test_a_web_server_can_be_read_too(flight: Path):
    """http:// as a file; a missing name is reported, without the password."""
    async with feed.http_server(flight.read_bytes()) as port:
        frames = await asyncio.to_thread(list, frame_times(f"http://127.0.0.1:{port}/flight.ts"))
    assert [frame.time_us for frame in frames] == [frame.time_us for frame in frame_times(flight)]

    async with feed.http_server(b"", status="404 Not Found") as port:
        with pytest.raises(SourceDown, match="404") as refused:
            await asyncio.to_thread(list, frame_times(f"http://u:{CANARY}@127.0.0.1:{port}/flight.ts"))
    assert CANARY not in "".join(traceback.format_exception(refused.value))


@pytest.mark.parametrize(
    ("source", "fault", "said"),
    [
        ("no/such/file.ts", SourceDown, "no such file"),
        (".", SourceDown, "is a folder"),
        (b"", NotMedia, "bytes://: contains no video"),
        (b"no video at all" * 999, NotMedia, "bytes://: contains no video"),
        (feed.recording().bare, NotMedia, "contains no video"),
        ("udp://127.0.0.1:5000", ConfigError, "read from a file"),
        (f"rtsp://user:{CANARY}@127.0.0.1:9/live", SourceDown, r"rtsp://\*\*\*@127.0.0.1:9/live: connection refused"),
    ],
    ids=["missing", "folder", "nothing", "junk", "bare KLV", "datagrams", "nobody there"],
)
def test_an_unreadable_source_is_one_line(source, fault, said):
    """As a klvrelay error, without the password and without a chained error of libav."""
    with pytest.raises(fault, match=said) as raised:
        list(frame_times(source))

    assert raised.value.__cause__ is raised.value.__context__ is None
    assert CANARY not in str(raised.value)


def test_a_stream_without_video_has_no_frame_times():
    """KLV alone in its transport stream."""
    assert list(frame_times(feed.recording().ts)) == []


def test_leaving_the_loop_closes_the_file(flight: Path):
    """The first frame is output before the rest is read."""
    frames = frame_times(flight)

    assert isinstance(next(iter(frames)), FrameTime)
    frames.close()  # type: ignore[attr-defined]
