"""What writers do to a followed file besides appending: truncation, holes, preallocation, rotation."""

from __future__ import annotations

import asyncio
import os
import resource
from contextlib import asynccontextmanager
from itertools import pairwise

import feed
import pytest

from klvrelay.decoder import Decoder
from klvrelay.errors import NotMedia
from klvrelay.sources.files import written
from klvrelay.sources.files.written import WrittenFile
from klvrelay.sources.open import open_source

TAPE = feed.recording(count=360)
OTHER = feed.recording(count=60, first_pcr=5_000_000)
STREAMS = {"ts": TAPE.ts, "klv": TAPE.bare}


class Records:
    """The records of a followed file so far, and where it restarted."""

    def __init__(self) -> None:
        self.raw: list[bytes] = []
        self.bad = 0
        self.beginnings = 0

    async def have(self, wanted: list[bytes], within: float = 5.0) -> None:
        async with asyncio.timeout(within):
            while self.raw != wanted:
                await asyncio.sleep(0.005)

    async def read(self, source) -> None:
        decoder = Decoder("test", None)
        async for packet in source.packets():
            self.beginnings += not packet.data
            for record in decoder.feed(packet):
                self.raw += [record.raw] if record.good else []
                self.bad += not record.good


@asynccontextmanager
async def followed(path, **options):
    records = Records()
    task = asyncio.create_task(records.read(open_source(str(path), follow=True, **options)))
    try:
        yield records
        assert not task.done(), task.exception()
    finally:
        task.cancel()
        await asyncio.wait([task])


def write_at(path, at, data):
    with path.open("r+b") as file:
        file.seek(at)
        file.write(data)


def in_steps(data, count):
    bounds = [len(data) * step // count for step in range(count + 1)]
    return [(begin, data[begin:end]) for begin, end in pairwise(bounds)]


def allocate(path, size):
    with path.open("r+b") as file:
        os.posix_fallocate(file.fileno(), 0, size)


ROOMS = {
    "fallocate": allocate,
    "truncate": lambda path, size: os.truncate(path, size),
    "written zeros": lambda path, size: path.write_bytes(bytes(size)),
    "erased flash": lambda path, size: path.write_bytes(b"\xff" * size),
}


@pytest.mark.parametrize("room", ROOMS)
@pytest.mark.parametrize("kind", STREAMS)
async def test_preallocated_space_is_read_as_it_is_filled(kind, room, tmp_path):
    """Every record, soon after it was written, and none of the zeros; even when it is filled to its end."""
    path, data = tmp_path / "tape", STREAMS[kind]
    path.touch()
    ROOMS[room](path, len(data) + 3_000_000)
    done = 0

    async with followed(path) as records:
        await asyncio.sleep(0.05)
        for begin, part in in_steps(data, 8):
            write_at(path, begin, part)
            done = len(TAPE.klv) * (begin + len(part)) // len(data)
            async with asyncio.timeout(5):
                while len(records.raw) < done - 2:
                    await asyncio.sleep(0.005)
        await records.have(TAPE.klv)

    assert (records.beginnings, records.bad) == (0, 0)


async def test_preallocated_space_that_is_filled_is_read_to_its_end(tmp_path):
    """The last bytes may be zeros: they are output once nothing has changed for a second."""
    path, data = tmp_path / "tape", TAPE.bare + bytes(20)
    path.write_bytes(bytes(len(data)))
    source, size = open_source(str(path), follow=True), 0

    async def read():
        nonlocal size
        async for packet in source.packets():
            size += len(packet.data)

    task = asyncio.create_task(read())
    await asyncio.sleep(0.05)
    write_at(path, 0, data)
    async with asyncio.timeout(5):
        while size < len(data):
            await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.wait([task])

    assert size == len(data)


@pytest.mark.parametrize("kind", STREAMS)
async def test_a_file_truncated_to_zero_and_written_again_restarts(kind, tmp_path, said):
    """As `> FILE` does; it is logged once each time."""
    path, data = tmp_path / "tape", STREAMS[kind]
    path.write_bytes(data)

    async with followed(path) as records:
        await records.have(TAPE.klv)
        for count in (1, 2):
            os.truncate(path, 0)
            await asyncio.sleep(0.06)
            path.write_bytes(OTHER.ts)
            await records.have(TAPE.klv + OTHER.klv * count)
            path.write_bytes(OTHER.ts[:94_000] if count == 2 else OTHER.ts)

    assert records.beginnings == 2
    assert records.bad == 0
    assert said() == [f"{path} was cut short: it begins again"] * 2


@pytest.mark.parametrize("wait", [True, False], ids=["seen while it was empty", "between two looks"])
@pytest.mark.parametrize("place", [100_000, 100_050])
async def test_a_writer_that_keeps_its_offset_loses_nothing(place, wait, tmp_path, said):
    """copytruncate: the file is emptied, the writer continues at its offset, after a hole; packets span the place."""
    path = tmp_path / "tape"
    path.write_bytes(TAPE.ts[:place])
    before = sum(packet in TAPE.ts[:place] for packet in TAPE.klv) - 1

    async with followed(path) as records:
        async with asyncio.timeout(5):
            while len(records.raw) < before:
                await asyncio.sleep(0.005)
        await asyncio.sleep(0.06)
        os.truncate(path, 0)
        if wait:
            await asyncio.sleep(0.12)
        with path.open("r+b") as file:
            file.seek(place)
            file.write(TAPE.ts[place : place + 50_000])
            file.flush()
            await asyncio.sleep(0.06)
            file.write(TAPE.ts[place + 50_000 :])
        await records.have(TAPE.klv)

    assert (records.beginnings, records.bad) == (0, 0)
    assert said() == [f"{path} was cut short; it goes on where it was"]


async def test_a_writer_that_continued_meanwhile_is_read_from_there(tmp_path, said):
    """What it wrote before the truncation is lost; the data after the hole is read."""
    path = tmp_path / "tape"
    path.write_bytes(TAPE.ts[:94_000])

    async with followed(path) as records:
        async with asyncio.timeout(5):
            while len(records.raw) < 100:
                await asyncio.sleep(0.005)
        seen = list(records.raw)
        os.truncate(path, 0)
        await asyncio.sleep(0.12)
        write_at(path, 188_000, TAPE.ts[188_000:])
        async with asyncio.timeout(5):
            while records.raw[-1] != TAPE.klv[-1]:
                await asyncio.sleep(0.005)

    assert records.raw[: len(seen)] == seen
    assert set(records.raw) <= set(TAPE.klv)
    assert len(records.raw) > 180
    assert records.beginnings == 1
    assert said() == [f"{path} was cut short: it begins again"]


async def test_a_partly_truncated_file_restarts(tmp_path, said):
    """Shorter than the data read: its current content is read from the beginning."""
    path = tmp_path / "tape"
    path.write_bytes(TAPE.ts)

    async with followed(path) as records:
        await records.have(TAPE.klv)
        write_at(path, 0, OTHER.ts)
        os.truncate(path, len(OTHER.ts))
        await records.have(TAPE.klv + OTHER.klv)

    assert records.beginnings == 1
    assert len(said()) == 1


async def test_a_file_rewritten_between_two_checks_restarts(tmp_path, said):
    """It is no shorter than before: the last bytes read show it."""
    path = tmp_path / "tape"
    path.write_bytes(OTHER.ts)

    async with followed(path) as records:
        await records.have(OTHER.klv)
        path.write_bytes(TAPE.ts)
        await records.have(OTHER.klv + TAPE.klv)

    assert records.beginnings == 1
    assert said() == [f"{path} was written from its beginning: it begins again"]


async def test_a_replaced_file_is_logged_as_a_restart(tmp_path, said):
    """Rotation by another name."""
    path = tmp_path / "tape"
    path.write_bytes(TAPE.ts)

    async with followed(path) as records:
        await records.have(TAPE.klv)
        (tmp_path / "new").write_bytes(OTHER.ts)
        os.replace(tmp_path / "new", path)
        await records.have(TAPE.klv + OTHER.klv)

    assert said() == [f"{path} was replaced by another file: it begins again"]


async def test_an_earlier_stream_is_never_abandoned(tmp_path, said):
    """Text for a while, then a stream again: it is logged once, and waited for."""
    path = tmp_path / "tape"
    path.write_bytes(TAPE.ts)

    async with followed(path) as records:
        await records.have(TAPE.klv)
        path.write_bytes(b"no stream " * 90_000)
        async with asyncio.timeout(5):
            while len(said()) < 2:
                await asyncio.sleep(0.01)
        path.write_bytes(OTHER.ts)
        await records.have(TAPE.klv + OTHER.klv)

    assert [line for line in said() if "neither" in line] == [
        f"{path} holds neither MPEG-TS nor KLV since it began again: waiting for either"
    ]


async def test_a_hole_within_a_file_is_skipped(tmp_path):
    """A long one costs neither time nor memory; the records on both sides are valid."""
    path = tmp_path / "tape"
    path.write_bytes(TAPE.ts)
    write_at(path, 20 << 30, OTHER.ts)

    async with followed(path) as records:
        await records.have(TAPE.klv + OTHER.klv)

    assert records.bad == 0


async def test_long_zeros_before_a_followed_stream_are_skipped(tmp_path):
    """Written zeros, not a hole: more of them than the format detection reads."""
    path = tmp_path / "tape"
    path.write_bytes(bytes(3_000_000) + TAPE.ts[:50_000])

    async with followed(path) as records:
        async with asyncio.timeout(5):
            while len(records.raw) < 40:
                await asyncio.sleep(0.005)
        with path.open("ab") as file:
            file.write(TAPE.ts[50_000:])
        await records.have(TAPE.klv)


async def test_text_is_refused_where_it_was_never_a_stream(tmp_path):
    """Zeros before it change nothing."""
    path = tmp_path / "text"
    path.write_bytes(bytes(500_000) + b"hello " * 60_000)

    with pytest.raises(NotMedia, match="neither MPEG-TS nor KLV"):
        await asyncio.wait_for(Records().read(open_source(str(path), follow=True)), 5)


async def test_waiting_at_preallocated_space_costs_little_cpu_time(tmp_path):
    """100 MB of written zeros after the stream: a second of silence costs no more than at the end of an ordinary file.
    """
    path = tmp_path / "tape"
    path.write_bytes(TAPE.ts + bytes(100_000_000))

    async with followed(path) as records:
        await records.have(TAPE.klv)
        await asyncio.sleep(1.2)
        before = resource.getrusage(resource.RUSAGE_SELF)
        await asyncio.sleep(1)
        after = resource.getrusage(resource.RUSAGE_SELF)

    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 0.03


def test_a_hole_is_found_without_reading_it(tmp_path, monkeypatch):
    """The file system knows where data is; where it does not, the zeros are read."""
    path = tmp_path / "tape"
    path.write_bytes(b"x")
    write_at(path, 5_000_000, b"data")
    reads = []
    pread = os.pread
    monkeypatch.setattr(os, "pread", lambda *args: reads.append(args) or pread(*args))

    file = WrittenFile(str(path))
    found = [file.look(), file.look(), file.look()]
    file.close()

    assert found == [b"x", bytes(written.HOLE), b"data"]
    assert len(reads) < 20
