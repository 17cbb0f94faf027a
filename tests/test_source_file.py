"""Files and pipes as sources."""

from __future__ import annotations

import asyncio
import errno
import io
import mmap
import os
import time
from contextlib import aclosing, closing, contextmanager

import feed
import pytest
from klvrelay.core._core import ffi

from klvrelay.config.url import Url
from klvrelay.errors import NotMedia, SourceDown
from klvrelay.recordings import sniff
from klvrelay.sources.blocking import packets_blocking
from klvrelay.sources.files import file
from klvrelay.sources.files.blocking_file import PIECE, open_blocking
from klvrelay.sources.open import open_source

TAPE = feed.recording()


async def read(source, within=5):
    async with asyncio.timeout(within), aclosing(source.packets()) as packets:
        return [packet async for packet in packets]


def data_of(packets):
    return b"".join(packet.data for packet in packets)


async def test_a_file_longer_than_one_piece_is_complete(tmp_path, monkeypatch):
    """Pieces are read ahead, and output in order."""
    monkeypatch.setattr(file, "PIECE", 1000)
    (tmp_path / "tape.ts").write_bytes(TAPE.ts)

    got = await read(open_source(str(tmp_path / "tape.ts")))

    assert len(got) > 10
    assert data_of(got) == TAPE.ts


@pytest.mark.parametrize("way", ["packets", "blocking", "replay", "folder"])
async def test_the_link_counts_the_bytes(way, tmp_path):
    """All bytes read so far, over every opening; in the middle, those already output."""
    (tmp_path / "tape.ts").write_bytes(TAPE.ts)
    place = tmp_path if way == "folder" else tmp_path / "tape.ts"
    source = open_source(str(place), speed=1000 if way == "replay" else None)

    for opening in (1, 2):
        if way == "blocking":
            async with aclosing(packets_blocking(source, turn_every=4)) as packets:
                size = sum([len(packet.data) async for packet in packets])
        else:
            size = len(data_of(await read(source)))
        assert size == len(TAPE.ts)
        assert source.link.size == opening * len(TAPE.ts)


async def test_a_file_read_with_live_stamps_has_reading_times(tmp_path):
    """Each packet has the time at which it was read."""
    (tmp_path / "tape.ts").write_bytes(TAPE.ts)
    before = time.time_ns() // 1000

    (packet,) = await read(open_source(str(tmp_path / "tape.ts"), live_stamps=True))

    assert before <= packet.received_us <= time.time_ns() // 1000


async def test_a_named_pipe_is_waited_for(tmp_path):
    """A pipe may get its writer later, and data is output at once, in whatever pieces."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    got = []

    async with asyncio.timeout(5), aclosing(open_source(str(path)).packets()) as packets:
        first = asyncio.ensure_future(anext(packets))
        await asyncio.sleep(0)
        assert not first.done()
        with await asyncio.to_thread(open, path, "wb", 0) as writer:
            writer.write(TAPE.klv[0][:9])
            writer.write(TAPE.klv[0][9:])
            got.append(await first)
            writer.write(TAPE.klv[1])
            got.append(await anext(packets))
        assert await anext(packets, None) is None

    assert data_of(got) == TAPE.klv[0] + TAPE.klv[1]


async def test_a_silent_pipe_is_reported_once(tmp_path, monkeypatch, said):
    """A named pipe without a writer looks like a hang; one with a writer needs no message."""
    monkeypatch.setattr("klvrelay.sources.files.file.HINT_SECONDS", 0.05)
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reading = asyncio.create_task(read(open_source(str(path))))
    async with asyncio.timeout(5):
        while not said():
            await asyncio.sleep(0.01)
        with await asyncio.to_thread(open, path, "wb", 0) as writer:
            writer.write(TAPE.ts[:9400])
            await asyncio.sleep(0.15)
            writer.write(TAPE.ts[9400:])
        assert data_of(await reading) == TAPE.ts

    assert said() == [f"{path}: no data yet, waiting for it"]


async def test_a_pipe_is_released_at_cancellation(tmp_path):
    """Cancelled while it waits for a writer, a source leaves neither the pipe nor a thread open."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reading = asyncio.create_task(read(open_source(str(path))))
    async with asyncio.timeout(5):
        while not any(os.path.realpath(f"/proc/self/fd/{fd}") == str(path) for fd in os.listdir("/proc/self/fd")):
            await asyncio.sleep(0.001)

    reading.cancel()
    await asyncio.wait([reading])

    async with asyncio.timeout(2):
        while any(os.path.realpath(f"/proc/self/fd/{fd}") == str(path) for fd in os.listdir("/proc/self/fd")):
            await asyncio.sleep(0.001)


async def test_other_containers_cannot_be_read_from_a_pipe(tmp_path):
    """The index of an mp4 may be at its end, so libav needs the file itself, and the message says so."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reading = asyncio.create_task(read(open_source(str(path))))
    with await asyncio.to_thread(open, path, "wb") as writer:
        writer.write(b"\0\0\0\x18ftypisom" + bytes(1000))

    with pytest.raises(NotMedia, match="give the file itself"):
        await reading


async def test_a_terminal_is_no_stream():
    """`klvrelay decode -` without a pipe does not hang: it says what to type."""
    before, (ours, theirs) = os.dup(0), os.openpty()
    os.dup2(theirs, 0)
    try:
        with pytest.raises(NotMedia, match="terminal"):
            await read(open_source("-"))
    finally:
        os.dup2(before, 0)
        for descriptor in (before, ours, theirs):
            os.close(descriptor)


async def test_closed_standard_input_is_reported():
    """A service without standard input gets a message."""
    before = os.dup(0)
    os.close(0)
    try:
        with pytest.raises(SourceDown, match="standard input"):
            await read(open_source("-"))
    finally:
        os.dup2(before, 0)
        os.close(before)


@pytest.mark.parametrize("place", [1, 100, 187, 1000])
async def test_a_recording_that_begins_inside_a_packet_is_recognised(place, tmp_path):
    """Recordings are not cut at packets."""
    (tmp_path / "tape.ts").write_bytes(TAPE.ts[place:])

    got = await read(open_source(str(tmp_path / "tape.ts")))

    assert got[0].carriage == "ts"


@pytest.mark.parametrize(
    ("head", "carriage"),
    [
        (TAPE.ts, "ts"),
        (TAPE.bare, "klv"),
        (b"\0\0\0\x18ftypisom" + TAPE.bare, None),
        (b"\x1a\x45\xdf\xa3" + TAPE.bare, None),
        (bytes.fromhex("060e2b34020501010d01020101020400") + TAPE.bare, None),
        (b"hello" * 100, None),
    ],
    ids=["TS", "KLV", "mp4", "mkv", "MXF", "text"],
)
async def test_a_stream_is_recognised_by_its_bytes(head, carriage):
    """A container is one even with a KLV key near its beginning."""

    async def pieces():
        for at in range(0, len(head), 100):
            yield head[at : at + 100]

    found, taken = await sniff.sniff(Url.parse("x"), pieces())

    assert found == carriage
    assert head.startswith(taken)


@contextmanager
def opened(path):
    """The file's reader, which has its first piece, and its packets."""
    found = open_blocking(Url.parse(path))
    assert found is not None
    with closing(found):
        yield found, found.packets()


def test_a_file_is_read_into_one_page_aligned_buffer(tmp_path):
    """To any other address the kernel copies at half the speed."""
    (tmp_path / "tape.ts").write_bytes(TAPE.ts * (1 + 3 * PIECE // len(TAPE.ts)))
    with opened(tmp_path / "tape.ts") as (_, packets):
        places = [ffi.from_buffer(packet.data) for packet in packets]

    assert len(places) == 4
    [place] = {int(ffi.cast("uintptr_t", place)) for place in places}
    assert place % mmap.PAGESIZE == 0


def test_a_file_that_is_truncated_while_it_is_read_ends_there(tmp_path):
    """Bytes are read, never mapped: truncation is the end, and no signal."""
    path = tmp_path / "tape.ts"
    path.write_bytes(TAPE.ts * (1 + 3 * PIECE // len(TAPE.ts)))
    with opened(path) as (found, packets):
        sizes = [len(next(packets).data)]
        os.truncate(path, PIECE + 188)
        sizes += [len(packet.data) for packet in packets]

    assert (sizes, found.size) == ([PIECE, 188], PIECE + 188)


def test_an_error_in_the_middle_of_a_file_names_it(tmp_path, monkeypatch):
    """A disk that fails: one line, and the data before it is output."""
    (tmp_path / "tape.ts").write_bytes(TAPE.ts * (1 + PIECE // len(TAPE.ts)))

    class Failing(io.RawIOBase):
        def readinto(self, buffer):
            raise OSError(errno.EIO, "what the system says")

    with opened(tmp_path / "tape.ts") as (found, packets):
        assert len(next(packets).data) == PIECE
        with monkeypatch.context() as patch:
            patch.setattr(found, "_file", Failing())
            with pytest.raises(SourceDown, match=r"tape\.ts: can't be read: Input/output error"):
                next(packets)


@pytest.mark.parametrize("head", [b"", bytes(600_000), b"no stream\n" * 40, (b"\0\0\0\x18ftypmp42" + bytes(900))])
def test_the_fast_reader_leaves_other_formats_to_the_general_one(head, tmp_path):
    """Empty, only zeros, text, another container."""
    (tmp_path / "odd").write_bytes(head)
    assert open_blocking(Url.parse(tmp_path / "odd")) is None
    assert open_blocking(Url.parse(tmp_path)) is None
    assert open_blocking(Url.parse(tmp_path / "missing")) is None


@pytest.mark.parametrize("zeros", [0, 10, 64, 65, 5000])
def test_zeros_before_a_stream_are_skipped_alike(zeros, tmp_path):
    """More than may be a part of it: in one call and on the loop."""
    (tmp_path / "tape.ts").write_bytes(bytes(zeros) + TAPE.ts)
    with opened(tmp_path / "tape.ts") as (_, packets):
        data = data_of(packets)

    assert data == bytes(zeros if zeros <= sniff.FEW else 0) + TAPE.ts
