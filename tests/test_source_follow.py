"""A file that is still being written: waited for, truncated, replaced, removed; and a recorder's folder."""

from __future__ import annotations

import asyncio
import logging
import os
import resource
import time
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import feed
import orjson
import pytest
from test_relay_process import klvrelay

from klvrelay.decoder import Decoder
from klvrelay.errors import ConfigError, NotMedia, SourceDown
from klvrelay.record import Packet
from klvrelay.sources.files import growing
from klvrelay.sources.files.written import WrittenFile
from klvrelay.sources.open import open_source

TAPE = feed.recording(count=60)
OTHER = feed.recording(count=20, first_pcr=5_000_000)


class Follower:
    """The output of a followed file so far."""

    def __init__(self) -> None:
        self.packets: list[Packet] = []

    @property
    def rounds(self) -> list[bytes]:
        """The bytes since each beginning."""
        rounds = [b""]
        for packet in self.packets:
            if packet.data:
                rounds[-1] += packet.data
            else:
                rounds.append(b"")
        return rounds

    async def has(self, *rounds: bytes, within: float = 5.0) -> None:
        """Return once exactly these bytes were output in these rounds."""
        async with asyncio.timeout(within):
            while self.rounds != list(rounds):
                await asyncio.sleep(0.005)

    async def take(self, source) -> None:
        async with aclosing(source.packets()) as packets:
            async for packet in packets:
                self.packets.append(packet)


@asynccontextmanager
async def following(path: Path) -> AsyncIterator[Follower]:
    follower, source = Follower(), open_source(str(path), follow=True)
    task = asyncio.create_task(follower.take(source))
    try:
        yield follower
        assert source.link.size == sum(len(packet.data) for packet in follower.packets)
        assert not task.done(), task.exception()
    finally:
        task.cancel()
        await asyncio.wait([task])


def add(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


async def test_data_written_later_is_read_too(tmp_path):
    """From the beginning, in pieces of any cut, one after the other."""
    path = tmp_path / "tape.ts"
    path.write_bytes(TAPE.ts[:5000])

    async with following(path) as follower:
        await follower.has(TAPE.ts[:5000])
        for at in range(5000, len(TAPE.ts), 7001):
            add(path, TAPE.ts[at : at + 7001])
            await follower.has(TAPE.ts[: at + 7001])

    decoder = Decoder("tape", None)
    records = [record for packet in follower.packets for record in decoder.feed(packet)] + decoder.flush()
    assert [record.raw for record in records] == TAPE.klv


async def test_a_packet_is_stamped_with_the_time_it_was_read(tmp_path):
    """A subscriber sees when it was read, not when the file was begun; earlier data has no known time."""
    path, backlog = tmp_path / "tape.ts", feed.recording(count=60, filler=150).ts
    assert len(backlog) > growing.PIECE  # it takes more than one check
    path.write_bytes(backlog)

    async with following(path) as follower:
        await follower.has(backlog)
        assert {packet.received_us for packet in follower.packets} == {None}
        before = time.time_ns() // 1000
        add(path, TAPE.ts)
        await follower.has(backlog + TAPE.ts)

    assert before <= follower.packets[-1].received_us <= time.time_ns() // 1000


async def test_new_bytes_are_output_within_a_tenth_of_a_second(tmp_path):
    """Even after a pause without data."""
    path = tmp_path / "tape.klv"
    path.write_bytes(TAPE.klv[0])
    waits = []

    async with following(path) as follower:
        await follower.has(TAPE.klv[0])
        for number, packet in enumerate(TAPE.klv[1:8], 2):
            await asyncio.sleep(0.15)
            begun = time.time_ns() // 1000
            add(path, packet)
            await follower.has(b"".join(TAPE.klv[:number]))
            waits.append((follower.packets[-1].received_us - begun) / 1e6)

    assert len(waits) == 7
    assert sorted(waits)[3] <= 0.1, waits


async def test_waiting_costs_little_cpu_time(tmp_path):
    """A second of silence takes less than two hundredths of a processor."""
    path = tmp_path / "tape.ts"
    path.write_bytes(TAPE.ts)

    async with following(path) as follower:
        await follower.has(TAPE.ts)
        before = resource.getrusage(resource.RUSAGE_SELF)
        await asyncio.sleep(1)
        after = resource.getrusage(resource.RUSAGE_SELF)

    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 0.02


@pytest.mark.parametrize("there", [False, True], ids=["does not exist yet", "empty"])
async def test_a_file_is_waited_for(there, tmp_path):
    """The relay may start before the writer does."""
    path = tmp_path / "tape.ts"
    if there:
        path.touch()

    async with following(path) as follower:
        await asyncio.sleep(0.08)
        assert follower.packets == []
        add(path, TAPE.ts)
        await follower.has(TAPE.ts)


async def test_a_missing_file_is_reported_once(tmp_path, monkeypatch, caplog):
    """Its name may be wrong, so one line is needed. An existing file gives none."""
    monkeypatch.setattr(logging.getLogger("klvrelay"), "propagate", True)
    missing, there = tmp_path / "missing.ts", tmp_path / "there.ts"
    there.touch()

    with caplog.at_level(logging.INFO, "klvrelay"):
        for path in (missing, there):
            async with following(path) as follower:
                await asyncio.sleep(0.15)
                add(path, TAPE.ts)
                await follower.has(TAPE.ts)

    assert [record.getMessage() for record in caplog.records] == [f"{missing}: does not exist yet, waiting for it"]


async def test_a_truncated_file_restarts(tmp_path):
    """As by a writer that opens it again; an empty packet marks the place."""
    path = tmp_path / "tape.ts"
    path.write_bytes(TAPE.ts)

    async with following(path) as follower:
        await follower.has(TAPE.ts)
        path.write_bytes(OTHER.ts)
        await follower.has(TAPE.ts, OTHER.ts)
        add(path, OTHER.ts)
        await follower.has(TAPE.ts, OTHER.ts * 2)


async def test_a_file_that_is_replaced_is_read_to_its_end_first(tmp_path):
    """As with logrotate: the writer writes a while to the old file under its new name, then to a new one."""
    path, old = tmp_path / "tape.ts", tmp_path / "tape.ts.1"
    path.write_bytes(TAPE.ts[:9400])

    async with following(path) as follower:
        await follower.has(TAPE.ts[:9400])
        path.rename(old)
        await asyncio.sleep(0.06)
        add(old, TAPE.ts[9400:18800])
        await follower.has(TAPE.ts[:18800])
        with old.open("ab") as file:
            file.write(TAPE.ts[18800:])
            path.write_bytes(OTHER.bare)
        await follower.has(TAPE.ts, OTHER.bare)

    assert {packet.carriage for packet in follower.packets[-1:]} == {"klv"}


def test_data_written_just_before_a_file_is_replaced_is_read(tmp_path, monkeypatch):
    """Between the check for new data and the check for another file."""
    path, begin, rest = tmp_path / "tape.ts", TAPE.ts[:9400], TAPE.ts[9400:]
    path.write_bytes(begin)
    file, stat = WrittenFile(str(path)), os.stat
    assert (file.poll(), file.poll()) == (begin, b"")

    def replaced(name: str) -> os.stat_result:
        monkeypatch.undo()
        add(path, rest)
        path.rename(tmp_path / "tape.ts.1")
        path.write_bytes(OTHER.ts)
        return stat(name)

    monkeypatch.setattr(os, "stat", replaced)
    try:
        assert (file.poll(), file.poll(), file.poll()) == (rest, None, OTHER.ts)
    finally:
        file.close()


async def test_a_file_that_is_removed_is_waited_for(tmp_path):
    """A removed file does not end the source."""
    path = tmp_path / "tape.ts"
    path.write_bytes(TAPE.ts)

    async with following(path) as follower:
        await follower.has(TAPE.ts)
        path.unlink()
        await asyncio.sleep(0.1)
        path.write_bytes(OTHER.ts)
        await follower.has(TAPE.ts, OTHER.ts)


async def test_a_named_pipe_accepts_one_writer_after_the_other(tmp_path):
    """A writer that closes does not end it; the next one's stream restarts."""
    path = tmp_path / "pipe"
    os.mkfifo(path)

    async with following(path) as follower:
        for count in (1, 2):
            with await asyncio.to_thread(path.open, "wb", 0) as writer:
                await asyncio.to_thread(writer.write, TAPE.ts)
            await follower.has(*[TAPE.ts] * count)
            await asyncio.sleep(0.06)


@pytest.mark.parametrize(
    "head", [b"\0\0\0\x18ftypisom" + bytes(100), b"\x1a\x45\xdf\xa3" + bytes(100)], ids=["mp4", "mkv"]
)
async def test_a_container_can_not_be_followed(head, tmp_path):
    """Its index comes last: an error at once, without waiting."""
    path = tmp_path / "film"
    path.write_bytes(head)

    with pytest.raises(NotMedia, match="omit --follow"):
        await asyncio.wait_for(Follower().take(open_source(str(path), follow=True)), 5)


async def test_data_that_is_no_stream_is_refused(tmp_path):
    """After as many bytes as the decision needs."""
    path = tmp_path / "text"
    path.write_bytes(b"hello " * 50_000)

    with pytest.raises(NotMedia, match="neither MPEG-TS nor KLV"):
        await asyncio.wait_for(Follower().take(open_source(str(path), follow=True)), 5)


async def test_an_unreadable_path_is_an_error(tmp_path):
    """Waiting would not help: here a link that leads to itself."""
    path = tmp_path / "tape.ts"
    path.symlink_to(path)

    with pytest.raises(SourceDown, match="can't be read"):
        await asyncio.wait_for(Follower().take(open_source(str(path), follow=True)), 5)


@pytest.mark.parametrize(
    ("url", "more"),
    [("-", {}), ("udp://127.0.0.1:5000", {}), ("tape.ts", {"speed": 2.0}), ("tape.ts", {"loop": True})],
    ids=["stdin", "udp", "speed", "loop"],
)
def test_only_a_file_can_be_followed(url, more):
    """And only with its own timing."""
    with pytest.raises(ConfigError, match="followed"):
        open_source(url, follow=True, **more)


async def test_nothing_is_left_open(tmp_path):
    """Neither the file nor its thread, even when no data ever came."""
    path = tmp_path / "tape.ts"
    before = len(os.listdir("/proc/self/fd"))
    for content in (b"", TAPE.ts):
        path.write_bytes(content)
        async with following(path) as follower:
            await follower.has(content)
            await asyncio.sleep(0.03)

    async with asyncio.timeout(2):
        while len(os.listdir("/proc/self/fd")) > before:
            await asyncio.sleep(0.005)


# ---- a recorder's folder ----


def segment(folder: Path, second: int, *, stream: str = "uav1", part: bool = False, kind: str = "ts") -> Path:
    return folder / f"{stream}-20261122T1815{second:02d}.123456Z.{kind}{'.part' if part else ''}"


async def test_a_folder_is_followed_from_its_newest_segment_on(tmp_path):
    """The rest of the current segment, and the later ones, are one stream."""
    thirds = [TAPE.ts[at : at + 18800] for at in range(0, len(TAPE.ts), 18800)][:3]
    segment(tmp_path, 1).write_bytes(OTHER.ts)
    now = segment(tmp_path, 2, part=True)
    now.write_bytes(thirds[0][:9000])

    async with following(tmp_path) as follower:
        await follower.has(thirds[0][:9000])
        add(now, thirds[0][9000:])
        now.rename(segment(tmp_path, 2))
        later = segment(tmp_path, 3, part=True)
        later.write_bytes(thirds[1])
        await follower.has(thirds[0] + thirds[1])
        later.rename(segment(tmp_path, 3))
        segment(tmp_path, 4, part=True).write_bytes(thirds[2])
        await follower.has(b"".join(thirds))


async def test_data_already_in_a_folder_is_not_stamped(tmp_path):
    """Its newest segment may be hours old; the next one is live."""
    segment(tmp_path, 1).write_bytes(TAPE.ts)

    async with following(tmp_path) as follower:
        await follower.has(TAPE.ts)
        assert {packet.received_us for packet in follower.packets} == {None}
        before = time.time_ns() // 1000
        segment(tmp_path, 2).write_bytes(TAPE.ts)
        await follower.has(TAPE.ts * 2)

    assert follower.packets[-1].received_us >= before


async def test_no_segment_is_skipped(tmp_path):
    """Several that appear at once are read one after the other."""
    segment(tmp_path, 0).write_bytes(TAPE.ts[:1880])

    async with following(tmp_path) as follower:
        await follower.has(TAPE.ts[:1880])
        for number in range(1, 20):
            segment(tmp_path, number).write_bytes(TAPE.ts[1880 * number : 1880 * (number + 1)])
        await follower.has(TAPE.ts[: 1880 * 20])


async def test_an_empty_or_missing_folder_is_waited_for(tmp_path):
    """The relay may start before the recorder does."""
    folder = tmp_path / "flights"

    async with following(folder) as follower:
        await asyncio.sleep(0.06)
        folder.mkdir()
        (folder / "notes.txt").write_text("not a segment")
        await asyncio.sleep(0.06)
        segment(folder, 1, part=True).write_bytes(TAPE.ts)
        await follower.has(TAPE.ts)


async def test_another_carriage_restarts_the_stream(tmp_path):
    """Bare KLV after MPEG-TS."""
    segment(tmp_path, 1).write_bytes(TAPE.ts)

    async with following(tmp_path) as follower:
        await follower.has(TAPE.ts)
        segment(tmp_path, 2, kind="klv").write_bytes(TAPE.bare)
        await follower.has(TAPE.ts, TAPE.bare)


async def test_two_streams_in_one_folder_are_not_mixed(tmp_path):
    """The intended one cannot be known."""
    segment(tmp_path, 1).write_bytes(TAPE.ts)
    segment(tmp_path, 1, stream="uav2").write_bytes(TAPE.ts)

    with pytest.raises(NotMedia, match="uav1, uav2"):
        await asyncio.wait_for(Follower().take(open_source(str(tmp_path), follow=True)), 5)


# ---- with real writers ----


@pytest.mark.needs("ffmpeg")
async def test_ffmpeg_is_followed_while_it_writes(tmp_path):
    """`decode --follow` of a file that ffmpeg writes in real time: each record soon, and all of them."""
    source, path = tmp_path / "in.ts", tmp_path / "out.ts"
    source.write_bytes(feed.recording(count=30, hz=30, filler=20).ts)
    arrivals = []

    async with klvrelay("decode", str(path), "--follow") as command:
        async with asyncio.timeout(10):
            while "out.ts: does not exist yet" not in command.said:
                await asyncio.sleep(0.01)
        async with feed.ffmpeg(source, "-f", "mpegts", "-flush_packets", "1", str(path)) as writer:
            async with asyncio.timeout(15):
                while command.printed.count("\n") < 30 and writer.returncode is None:
                    if (count := command.printed.count("\n")) > len(arrivals):
                        arrivals += [time.monotonic()] * (count - len(arrivals))
                    await asyncio.sleep(0.01)
            assert await writer.wait() == 0
        async with asyncio.timeout(5):
            while command.printed.count("\n") < 30:
                await asyncio.sleep(0.01)
        code, _ = await command.stop()
    assert code == 0
    records = [orjson.loads(line) for line in command.printed.splitlines()]
    assert [record["items"]["mission_id"] for record in records] == [str(number) for number in range(30)]
    assert None not in [record["received"] for record in records]  # it was waited for before its first byte
    assert len(set(arrivals)) >= 5  # not in one burst at the end
    assert "30 records" in command.said


def test_the_waits_have_their_documented_lengths():
    """A check every 20 to 50 ms, and at most a hundred batches a second."""
    assert 0.02 <= growing.QUICK <= growing.SLOW <= 0.05
    assert growing.GATHER + growing.SLOW <= 0.1
