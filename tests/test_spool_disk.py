"""The log on disk: what is written at all, what a start finds again, and what damage costs."""

from __future__ import annotations

import asyncio
import json
import os
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random

import pytest
from cases import each_case
from forgetful_disk import ForgetfulFolder
from records import all_of, gaps_of, record, records_of

from klvrelay import threads
from klvrelay.errors import ConfigError
from klvrelay.gap import Gap, Item
from klvrelay.outcome import Outcome, Sums
from klvrelay.record import Record
from klvrelay.spool.contract import LogCursor
from klvrelay.spool.disk.cursor_file import OPEN_END, CursorFile
from klvrelay.spool.disk.format import HEADER_SIZE, Codec, new_id, pack_record, unpack_record
from klvrelay.spool.disk.log import COMMIT, DiskLog
from klvrelay.spool.disk.missing import Missing, PlacedGap, PlacedItem
from klvrelay.spool.disk.opening import open_log
from klvrelay.spool.disk.reader import Damage, SpoolReader
from klvrelay.spool.disk.readonly import ReadOnlyFolder
from klvrelay.spool.disk.segment_files import LARGEST
from klvrelay.spool.disk.segments import Segments
from klvrelay.spool.disk.store import Store

SIZE = 4 << 20


async def opened(folder: Path, **settings: float) -> DiskLog:
    return await open_log(folder / "spool", "relay", SIZE, **settings)


async def taken(cursor: LogCursor, count: int, most: int = 100) -> list[int]:
    """The numbers of the next records, each answered as it comes."""
    seqs: list[int] = []
    while len(seqs) < count:
        batch = await asyncio.wait_for(cursor.batch(most), 5)
        cursor.commit(batch, all_of(batch))
        seqs += [one.seq for one in records_of(batch)]
    return seqs


async def committed(log: DiskLog) -> None:
    """Wait until the records so far are durable."""
    async with asyncio.timeout(10):
        while log.pending:
            await asyncio.sleep(COMMIT / 5)


def segment_bytes(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in sorted((folder / "spool").glob("segment-*")))


@pytest.mark.parametrize(
    "one",
    [
        record(0),
        record(2**63, "ünï", raw=b"", boot=None, checksum="partial", transport="damaged", received_us=None),
        record(7, pts=2**33 - 1, pid=8191, pcr=0, program=65535, set="unknown", checksum="absent", received_us=-1),
    ],
    ids=["usual", "absent values", "extreme values"],
)
def test_a_record_is_read_as_it_was_written(one: Record):
    """Every field, `None` too."""
    assert unpack_record(pack_record(one)) == one


async def test_a_record_that_is_answered_in_time_is_never_written(tmp_path: Path):
    """A broker that is near costs no write, so an SD card lasts."""
    log = await opened(tmp_path)
    cursor = log.cursor("mqtt")
    for seq in range(100):
        log.append(record(seq))
    assert await taken(cursor, 100) == list(range(100))
    await committed(log)
    await log.close()
    assert segment_bytes(tmp_path) == b""


async def test_what_was_not_answered_is_delivered_after_a_restart(tmp_path: Path):
    """In order, with its boot and number, before the records of the new run; and nothing else."""
    log = await opened(tmp_path)
    cursor = log.cursor("mqtt")
    for seq in range(10):
        log.append(record(seq, boot="first"))
    await taken(cursor, 3, most=3)
    await log.close()

    log = await opened(tmp_path)
    cursor = log.cursor("mqtt")
    log.append(record(0, boot="second"))
    batch: list[Record] = []
    while len(batch) < 8:
        some = await asyncio.wait_for(cursor.batch(100), 5)
        cursor.commit(some, Outcome(len(some)))
        batch += some
    assert [(one.boot, one.seq) for one in batch] == [*(("first", seq) for seq in range(3, 10)), ("second", 0)]
    assert cursor.sums() == Sums(8, 8)
    await log.close()

    log = await opened(tmp_path)
    assert log.cursor("mqtt").waiting == 0
    await log.close()


async def test_a_process_that_is_killed_loses_nothing_that_was_committed(tmp_path: Path):
    """No close, no last write: what the log took more than a commit interval ago is there."""
    log = await opened(tmp_path)
    log.cursor("mqtt")
    for seq in range(50):
        log.append(record(seq))
    await committed(log)
    (tmp_path / "copy").mkdir()
    for file in (tmp_path / "spool").iterdir():
        (tmp_path / "copy" / file.name).write_bytes(file.read_bytes())
    await log.close()

    log = await open_log(tmp_path / "copy", "relay", SIZE)
    assert await taken(log.cursor("mqtt"), 50) == list(range(50))
    await log.close()


async def test_a_backlog_that_is_larger_than_memory_is_delivered_whole(tmp_path: Path):
    """The window holds ten records, the disk the others; each comes once, and per stream in order."""
    log = await opened(tmp_path, limit=10, commit=0.001)
    cursor = log.cursor("mqtt")
    for seq in range(500):
        log.append(record(seq // 3, f"uav{seq % 3}"))
        if seq % 5 == 0:
            await committed(log)
    got: list[Record] = []
    while len(got) < 500:
        batch = await asyncio.wait_for(cursor.batch(7), 5)
        assert cursor.live.window.waiting <= 20
        cursor.commit(batch, Outcome(len(batch)))
        got += batch
    for stream in range(3):
        assert [one.seq for one in got if one.stream == f"uav{stream}"] == list(range(len(range(stream, 500, 3))))
    assert cursor.sums() == Sums(500, 500)
    await log.close()


async def test_a_stream_that_floods_does_not_delay_another(tmp_path: Path):
    """Its own records wait on disk; those of the calm stream go straight to the window."""
    log = await opened(tmp_path, limit=100, commit=0.001)
    cursor = log.cursor("mqtt")
    for seq in range(3000):
        log.append(record(seq, "flood"))
        if seq % 50 == 0:
            await committed(log)
    log.append(record(0, "calm"))
    batch = await asyncio.wait_for(cursor.batch(20), 5)
    assert "calm" in {one.stream for one in batch}
    await log.close()


async def test_a_new_sink_gets_what_is_appended_from_now_on(tmp_path: Path):
    """It does not get the backlog of another one."""
    log = await opened(tmp_path)
    log.cursor("mqtt")
    for seq in range(5):
        log.append(record(seq))
    await log.close()

    log = await opened(tmp_path)
    old, new = log.cursor("mqtt"), log.cursor("new")
    log.append(record(5))
    assert await taken(new, 1) == [5]
    assert await taken(old, 6) == list(range(6))
    await log.close()


async def test_a_folder_is_used_by_one_relay_at_a_time(tmp_path: Path):
    """A second one is refused, with the reason, until the first is closed."""
    log = await opened(tmp_path)
    with pytest.raises(ConfigError, match="another klvrelay uses this spool"):
        await opened(tmp_path)
    await log.close()
    await (await opened(tmp_path)).close()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"version": 99}, "spool of version 99, this klvrelay uses 1"),
        ({"relay": "b"}, "spool of a relay with topic prefix 'b', this one has"),
    ],
)
async def test_a_spool_of_another_version_or_relay_is_refused(tmp_path: Path, change: dict[str, object], reason: str):
    """The message says what is different, and what to do."""
    await (await opened(tmp_path)).close()
    identity = tmp_path / "spool" / "spool.json"
    identity.write_text(json.dumps(json.loads(identity.read_text()) | change))
    with pytest.raises(ConfigError, match=f"{reason}.*: choose another folder"):
        await opened(tmp_path)


async def test_a_path_that_is_no_folder_is_refused(tmp_path: Path):
    """With the path and what the system says."""
    (tmp_path / "spool").write_text("")
    with pytest.raises(ConfigError, match="spool: not a folder: choose another path"):
        await opened(tmp_path)


def filled(count: int) -> tuple[ForgetfulFolder, Codec]:
    """A spool of `count` payloads, which say their position."""
    folder, codec = ForgetfulFolder(), Codec(new_id())
    segments = Segments(folder, codec, size=1 << 16, limit=1 << 20)
    segments.write({position: payload(position) for position in range(count)})
    segments.sync()
    return folder, codec


def payload(position: int) -> bytes:
    return Random(position).randbytes(100 + position % 50)


def found(folder: ForgetfulFolder, codec: Codec) -> set[int]:
    """The positions that a start finds; fails if a payload is not what was written."""
    segments = Segments(folder, codec, size=1 << 16, limit=1 << 20)
    positions: set[int] = set()
    position = 0
    while items := list(segments.read(position)):
        assert all(item.payload == payload(item.position) for item in items)
        positions.update(item.position for item in items)
        position = items[-1].position + 1
    return positions


@pytest.mark.parametrize("flips", [300, pytest.param(5000, marks=pytest.mark.long)])
def test_a_flipped_bit_costs_the_record_that_it_is_in(flips: int):
    """Headers, lengths, marks, payloads: each of hundreds of flips costs one record at most, and alters none."""
    folder, codec = filled(200)
    file = folder.files["segment-000"]
    whole, chance = bytes(file.data), Random(1)
    costs = []
    for _ in range(flips):
        file.data[chance.randrange(len(whole))] ^= 1 << chance.randrange(8)
        costs.append(200 - len(found(folder, codec)))
        file.data[:] = whole
    assert max(costs) == 1
    assert sum(costs) > 0.3 * flips


def test_a_segment_that_is_cut_anywhere_keeps_what_is_whole():
    """At each byte of the last entries, and at some of the others."""
    folder, codec = filled(100)
    file = folder.files["segment-000"]
    whole = bytes(file.data)
    ends = [whole.index(payload(position)) + len(payload(position)) for position in range(100)]
    for cut in [*range(0, ends[-1], 97), *range(ends[-1] - 300, ends[-1] + 1)]:
        file.data[:] = whole[:cut]
        kept = found(folder, codec)
        assert kept == set(range(len(kept)))
        assert len(kept) == sum(
            whole.index(payload(position)) + len(payload(position)) <= cut for position in range(100)
        )


@pytest.mark.parametrize("seed", range(4))
def test_the_last_entry_is_that_of_a_scan_whatever_is_damaged(seed: int):
    """A start looks for it without reading every payload: flips, lost sectors, cuts, and old entries behind it."""
    codec, chance = Codec(new_id()), Random(seed)
    old = b"".join(codec.pack(position, payload(position)) for position in range(40))
    new = b"".join(codec.pack(position, payload(chance.randrange(30)), position % 2) for position in range(100, 130))
    whole = new + old[len(new) - chance.randrange(100) :] + bytes(1000)
    places = set()
    for _ in range(400):
        data = bytearray(whole)
        for _ in range(chance.randrange(3)):
            at = chance.randrange(len(new))
            data[at] ^= 1 << chance.randrange(8)
        if chance.random() < 0.3:
            at = chance.randrange(len(new))
            data[at : at + 512] = bytes(len(data[at : at + 512]))
        if chance.random() < 0.2:
            del data[chance.randrange(len(data)) :]
        last = codec.last(bytes(data), 0, 100)
        assert last == next(reversed([*codec.scan(bytes(data), 0, 100)]), None)
        places.add(last and last.position)
    assert len(places) > 5


def test_a_start_reads_the_newest_segment_and_the_headers_of_the_others(monkeypatch: pytest.MonkeyPatch):
    """So that a spool with a million records that wait opens in milliseconds."""
    folder, codec = filled(4000)
    assert len(folder.files) > 5
    reads: list[tuple[str, int]] = []
    for name, file in folder.files.items():
        monkeypatch.setattr(file, "read", partial(counted_read, reads, name, file.read))
    segments = Segments(folder, codec, size=1 << 16, limit=1 << 20)
    assert segments.next == 4000
    newest = max(folder.files)
    assert {name: sum(size for found, size in reads if found == name) for name in folder.files} == {
        name: HEADER_SIZE + (1 << 16) * (name == newest) for name in folder.files
    }


def counted_read(
    reads: list[tuple[str, int]], name: str, read: Callable[[int, int], bytes], size: int, at: int
) -> bytes:
    reads.append((name, size))
    return read(size, at)


@each_case("seed", range(10))
def test_what_a_killed_process_wrote_is_durable_once_it_is_found(seed: int):
    """The kernel still had it; a loss of power after the restart would have taken it."""
    folder, codec = ForgetfulFolder(), Codec(new_id())
    Segments(folder, codec, size=1 << 16, limit=1 << 20).write({0: payload(0), 1: payload(1)})
    assert found(folder, codec) == {0, 1}
    folder.lose_power(Random(seed))
    assert found(folder, codec) == {0, 1}


def test_a_lost_identity_is_read_from_the_segments(tmp_path: Path):
    """A damaged or missing `spool.json` does not make the records unreadable."""
    folder = ForgetfulFolder()
    store = Store(folder, "relay", SIZE)
    store.commit({0: record(0)}, {"mqtt": [(0, OPEN_END)]}, hurry=False)
    for damage in (
        lambda: folder.remove("spool.json"),
        lambda: folder.files["spool.json"].data.clear(),
        lambda: folder.files["spool.json"].write(b"[" * 100_000, 0),
    ):
        damage()
        again = Store(folder, "relay", SIZE)
        assert again.id == store.id
        assert [placed.record for placed in again.read("mqtt", 0, 10).records] == [record(0)]


@pytest.mark.parametrize("flips", range(8))
def test_a_torn_cursor_leaves_the_one_before(flips: int):
    """And with both damaged there is none, so all is delivered again."""
    folder, spool = ForgetfulFolder(), new_id()
    cursor = CursorFile(folder, "mqtt", spool)
    cursor.save([(1, 5), (9, OPEN_END)])
    cursor.save([(2, 5), (9, OPEN_END)])
    data = folder.files["mqtt.cursor"].data
    data[100 + flips] ^= 1 << flips
    assert CursorFile(folder, "mqtt", spool).ranges == [(1, 5), (9, OPEN_END)]
    data[4096 + 100 + flips] ^= 1 << flips
    assert CursorFile(folder, "mqtt", spool).ranges is None


async def test_a_full_disk_stops_no_live_record():
    """Memory takes over, is bounded, and what it holds is written when there is room again."""
    folder = ForgetfulFolder()
    store = Store(folder, "relay", SIZE)
    folder.size = folder.used + 1000
    log = DiskLog(store, threads.Worker("spool of a test"), commit=0.001, limit=100)
    cursor = log.cursor("mqtt")
    for seq in range(100):
        log.append(record(seq))
        await asyncio.sleep(0)
    await until(lambda: log.fault is not None)
    assert await taken(cursor, 20, most=20) == list(range(20))
    for seq in range(100, 400):
        log.append(record(seq))
    assert cursor.waiting <= 200
    assert cursor.sums().numbered == 400 == sum(cursor.sums()[1:])
    folder.size = 1 << 40
    await until(lambda: log.fault is None)
    got = await taken(cursor, cursor.waiting)
    assert got[-100:] == list(range(300, 400))
    await log.close()


def test_a_gap_of_damaged_records_precedes_the_next_item_of_their_stream():
    """Whichever that is: a record, or a gap that is known. Numbers in known gaps are not named again."""
    known = PlacedGap(77, Gap("uav1", "a", 9, 9, "memory", None))
    missing = Missing([known])
    assert missing.between("a", 0, PlacedItem(70, record(2, boot="a"))) == [
        PlacedGap(69, Gap("uav1", "a", 0, 1, "damaged", None))
    ]
    assert missing.between("a", 5, PlacedItem(90, record(12, boot="a"))) == [
        PlacedGap(76, Gap("uav1", "a", 5, 8, "damaged", None)),
        PlacedGap(89, Gap("uav1", "a", 10, 11, "damaged", None)),
    ]
    assert missing.between("a", 9, PlacedItem(90, record(10, boot="a"))) == []


@pytest.mark.parametrize("place", [70, 73, 90])
def test_a_record_that_is_in_the_log_after_all_divides_its_gap(place: int):
    """The part before it stays before it, and the part after it comes after it, wherever the gap was."""
    missing = Missing([PlacedGap(place, Gap("uav1", "a", 0, 8, "memory", None))])
    missing.exclude(73, record(3, boot="a"))
    before, after = missing.gaps
    assert (before.gap.first, before.gap.last, after.gap.first, after.gap.last) == (0, 2, 4, 8)
    assert before.position <= 73 < after.position


async def test_damaged_records_leave_a_gap():
    """In this run and after a restart: between the records that are still there."""
    folder = ForgetfulFolder()
    log = DiskLog(Store(folder, "relay", SIZE), threads.Worker("spool of a test"), commit=0.001, limit=10)
    cursor = log.cursor("mqtt")
    for seq in range(60):
        log.append(record(seq))
        if seq % 5 == 0:
            await committed(log)
    await committed(log)
    segment = folder.files["segment-000"].data
    spool = Store(folder, "relay", SIZE).id
    entries = list(Codec(spool).scan(bytes(segment), 0, 0))
    for seq in (30, 31, 40):
        segment[next(entry.end for entry in entries if entry.position == seq) - 1] ^= 1
    batches = [await asyncio.wait_for(cursor.batch(30), 5)]
    await until(lambda: cursor.sums().shed)
    log.append(record(60))
    cursor.commit(batches[0], all_of(batches[0]))
    while cursor.waiting or cursor.live.window.gaps:
        batches.append(batch := await asyncio.wait_for(cursor.batch(30), 5))
        cursor.commit(batch, all_of(batch))
    items = [one for batch in batches for one in batch]
    assert gaps_of(items) == [("uav1", 30, 31, "damaged"), ("uav1", 40, 40, "damaged")]
    assert [one.seq for one in items] == [*range(31), *range(32, 61)]
    assert cursor.sums() == Sums(61, delivered=58, shed=3)
    await log.close()


async def test_gaps_that_were_not_published_survive_a_restart(tmp_path: Path):
    """The oldest segments were discarded while the broker was away: the next run publishes the gap first."""
    log = await open_log(tmp_path / "spool", "relay", 1 << 20, commit=0.001)
    cursor = log.cursor("mqtt")
    for seq in range(300):
        log.append(record(seq, raw=bytes(10_000)))
        if seq % 20 == 0:
            await committed(log)
    await committed(log)
    await log.close()
    log = await open_log(tmp_path / "spool", "relay", 1 << 20)
    cursor = log.cursor("mqtt")
    items: list[Item] = []
    while cursor.waiting or cursor.live.window.gaps:
        batch = await asyncio.wait_for(cursor.batch(100), 5)
        cursor.commit(batch, all_of(batch))
        items += batch
    ((stream, first, last, reason),) = gaps_of(items)
    assert (stream, first, reason) == ("uav1", 0, "size")
    assert 150 < last < 290
    assert [one.seq for one in items] == [0, *range(last + 1, 300)]
    await log.close()
    log = await open_log(tmp_path / "spool", "relay", 1 << 20)
    assert log.cursor("mqtt").live.window.gaps == 0
    await log.close()


async def test_a_spool_with_an_incomplete_cursor_file_opens_on_a_full_disk():
    """The disk became full as the file was made: all records are delivered."""
    folder = ForgetfulFolder()
    store = Store(folder, "relay", SIZE)
    folder.size = folder.used + SIZE
    store.commit({0: record(0)}, {}, hurry=False)
    folder.size = folder.used + 100
    assert store.commit({}, {"mqtt": [(0, OPEN_END)]}, hurry=False).fault is not None
    log = DiskLog(Store(folder, "relay", SIZE), threads.Worker("spool of a test"))
    assert await taken(log.cursor("mqtt"), 1) == [0]
    folder.size = 1 << 40
    await log.close()


async def until(happened) -> None:
    async with asyncio.timeout(10):
        while not happened():
            await asyncio.sleep(0.002)


@pytest.mark.parametrize(
    "stored", [b"[[1, 2]]", b'{"gaps": 1}', b'[["0", "uav1", null, 0, 1, "size", null]]', b"[7]", b"["]
)
async def test_stored_gaps_of_another_version_do_not_stop_the_relay(stored: bytes, tmp_path: Path):
    """They are ignored, as damaged ones are; the records are delivered."""
    log = await opened(tmp_path)
    log.cursor("mqtt")
    log.append(record(0))
    await log.close()
    (tmp_path / "spool" / "mqtt.gaps").write_bytes(b"%08x\n" % zlib.crc32(stored) + stored)
    log = await opened(tmp_path)
    assert await taken(log.cursor("mqtt"), 1) == [0]
    await log.close()


async def test_a_huge_file_with_the_name_of_a_segment_is_passed_over(tmp_path: Path):
    """It is not read into memory; the records are delivered, and the listing shows it as damage."""
    log = await opened(tmp_path)
    log.cursor("mqtt")
    log.append(record(0))
    await log.close()
    huge = tmp_path / "spool" / "segment-999"
    huge.touch()
    os.truncate(huge, LARGEST + 1)
    reader = SpoolReader(ReadOnlyFolder(huge.parent))
    assert reader.damage == [Damage("segment-999", 0, LARGEST + 1, "too large for a segment")]
    assert [name for name, _ in reader.segments] == ["segment-000"]
    log = await opened(tmp_path)
    assert await taken(log.cursor("mqtt"), 1) == [0]
    assert log.condition.unreadable == 1
    await log.close()
