"""`import klvrelay`: decode, open, stream, json_lines and columns, and no leaks after leaving a loop early."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import feed
import numpy as np
import orjson
import pytest
from brokers import until

import klvrelay
from klvrelay import Record
from klvrelay.encode import encode

TAPE = feed.recording(40)
VECTORS = Path(__file__).parent / "vectors" / "vectors.jsonl"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "flight.ts"
    path.write_bytes(TAPE.ts)
    return path


@pytest.fixture
def nothing_left_open() -> Iterator[None]:
    """As many descriptors and threads after the test as before."""

    def held() -> tuple[int, int]:
        gc.collect()
        return len(os.listdir("/proc/self/fd")), threading.active_count()

    before = held()
    yield
    for _ in range(200):
        if held() == before:
            return
        threading.Event().wait(0.01)
    assert held() == before


def test_every_public_name_is_there_and_documented():
    """All of `__all__`, each with its docstring."""
    assert {"decode", "open", "stream", "json_lines", "columns", "Record"} <= set(klvrelay.__all__)
    for name in klvrelay.__all__:
        assert getattr(klvrelay, name).__doc__, name
    assert Path(klvrelay.__file__).with_name("py.typed").is_file()


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
@pytest.mark.parametrize("data", [TAPE.ts, TAPE.bare], ids=["ts", "klv"])
def test_decode_gives_every_record(data: bytes, kind: type):
    """Of a transport stream or bare KLV, recognised by their bytes."""
    records = klvrelay.decode(kind(data))
    assert [r.raw for r in records] == TAPE.klv
    assert [r.seq for r in records] == list(range(40))
    assert all(isinstance(r, Record) and r.good for r in records)


def test_decode_without_klv_is_an_empty_list():
    """No bytes, or no KLV."""
    assert klvrelay.decode(b"") == klvrelay.decode(b"no KLV at all") == klvrelay.decode(b"\x47" * 5000) == []
    assert klvrelay.json_lines(b"") == b""


def test_a_record_has_its_items_and_times():
    """Items by key, item 2 as number and as UTC time, JSON of the published schema."""
    (record,) = klvrelay.decode(TAPE.klv[7], stream="uav1", boot="5f2c9a")
    assert record.items == {"mission_id": "7"}
    assert record.time_us == feed.FIRST_TIME + round(7 * 1_000_000 / 30)
    assert record.time == datetime.fromtimestamp(record.time_us / 1e6, UTC)
    document = orjson.loads(record.json())
    assert (document["stream"], document["boot"], document["seq"]) == ("uav1", "5f2c9a", 0)
    assert document["items"] == record.items
    assert (document["version"], document["time_us"]) == (19, record.time_us)


def test_records_are_values():
    """Equal where alike, hashable, immutable."""
    first, second = klvrelay.decode(TAPE.klv[0]) + klvrelay.decode(TAPE.klv[0])
    assert first == second
    assert len({first, second}) == 1
    with pytest.raises(AttributeError):
        first.seq = 7  # type: ignore[misc]


def test_json_lines_are_the_records_json():
    """Each line is the JSON of its record."""
    expected = b"".join(r.json() + b"\n" for r in klvrelay.decode(TAPE.ts, stream="uav1"))
    assert klvrelay.json_lines(TAPE.ts, stream="uav1") == expected


def test_open_is_a_plain_loop(path: Path, nothing_left_open: None):
    """Every record of a file, by its path as text, Path or file URL, with its default or an explicit name."""
    for source in (path, str(path), f"file://{path}"):
        records = list(klvrelay.open(source))
        assert [r.raw for r in records] == TAPE.klv
        assert {r.stream for r in records} == {"flight"}
    assert {r.stream for r in klvrelay.open(path, name="uav1")} == {"uav1"}


async def test_stream_is_an_async_loop(path: Path):
    """The same records, and seq without gaps."""
    records = [record async for record in klvrelay.stream(path)]
    assert [(r.raw, r.seq) for r in records] == list(zip(TAPE.klv, range(40), strict=True))


async def test_stream_reads_the_network(free_port: int):
    """Records of udp:// as they arrive, with their arrival times."""
    seen: list[Record] = []

    async def read() -> None:
        async for record in klvrelay.stream(f"udp://127.0.0.1:{free_port}", name="uav1"):
            seen.append(record)

    reading = asyncio.create_task(read())
    await feed.listening(free_port)
    feed.send_udp(feed.datagrams(TAPE.ts), free_port)
    await until(lambda: len(seen) == 40)
    reading.cancel()
    await asyncio.wait({reading})
    assert [r.raw for r in seen] == TAPE.klv
    assert all(r.received_us for r in seen)


def test_leaving_a_plain_loop_early_frees_everything(path: Path, nothing_left_open: None):
    """After break, return or an exception: no file, thread or loop stays; even after a hundred times."""
    for _ in range(100):
        for record in klvrelay.open(path):
            assert record.seq == 0
            break
    with pytest.raises(ZeroDivisionError):
        _divide_by_zero(path)


def _divide_by_zero(path: Path) -> None:
    for record in klvrelay.open(path, speed=5):
        record.seq / 0


def test_leaving_a_plain_loop_over_the_network_frees_the_port(free_port: int, nothing_left_open: None):
    """The port can be bound again at once."""
    for _ in range(3):
        sender = threading.Timer(0.05, _send_until_heard, (free_port,))
        sender.start()
        for record in klvrelay.open(f"udp://127.0.0.1:{free_port}"):
            assert record.good
            break
        sender.join()
        with socket.socket(type=socket.SOCK_DGRAM) as sock:
            sock.bind(("127.0.0.1", free_port))


def _send_until_heard(port: int) -> None:
    asyncio.run(feed.listening(port))
    feed.send_udp(feed.datagrams(TAPE.ts), port)


async def test_leaving_an_async_loop_early_frees_everything(free_port: int):
    """A task that ends in the middle of the loop leaves no socket, by break as by cancellation."""

    async def first() -> Record:
        async for record in klvrelay.stream(f"udp://127.0.0.1:{free_port}"):
            return record
        raise AssertionError

    for _ in range(3):
        task = asyncio.create_task(first())
        await feed.listening(free_port)
        feed.send_udp(feed.datagrams(TAPE.ts), free_port)
        assert (await task).raw == TAPE.klv[0]
        await _free(free_port)
    task = asyncio.create_task(first())
    await feed.listening(free_port)
    task.cancel()
    await asyncio.wait({task})
    await _free(free_port)


async def _free(port: int) -> None:
    def can_bind() -> bool:
        with socket.socket(type=socket.SOCK_DGRAM) as sock:
            return sock.connect_ex(("127.0.0.1", port)) == 0 and not _bound(port)

    await until(can_bind, 2)


def _bound(port: int) -> bool:
    with socket.socket(type=socket.SOCK_DGRAM) as sock:
        try:
            sock.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


async def test_open_inside_a_running_loop_names_the_alternative(path: Path):
    """It would block the loop."""
    with pytest.raises(klvrelay.KlvrelayError, match=r"async for record in klvrelay\.stream"):
        klvrelay.open(path)


def test_two_plain_loops_side_by_side(path: Path):
    """Nested, and both to their end."""
    assert [a.seq for a, _ in zip(klvrelay.open(path), klvrelay.open(path), strict=True)] == list(range(40))


def test_an_unreadable_source_is_a_klvrelay_error(tmp_path: Path):
    """Missing, a folder, no stream, an invalid address: each has its own class under one root."""
    (tmp_path / "text").write_text("no stream\n" * 50_000)
    for source, kind in (
        (tmp_path / "none.ts", klvrelay.SourceDown),
        (tmp_path, klvrelay.NotMedia),
        (tmp_path / "text", klvrelay.NotMedia),
        ("gopher://h", klvrelay.ConfigError),
    ):
        with pytest.raises(kind) as fault:
            list(klvrelay.open(source))
        assert isinstance(fault.value, klvrelay.KlvrelayError)


def flight() -> bytes:
    """Headings 0, 10, ...; every third packet has no latitude; one checksum is wrong."""
    parts = []
    for n in range(12):
        items: dict[str, object] = {"precision_time_stamp": 1_000_000 + n, "platform_heading_angle": n * 10.0}
        if n % 3:
            items["sensor_latitude"] = -n * 1.5
        parts.append(encode(items))
    parts[5] = parts[5][:-1] + bytes([parts[5][-1] ^ 1])
    return b"".join(parts)


def test_columns_are_arrays_with_nan_for_absent():
    """One array per item, one element per record; a record with a bad checksum only on request."""
    keys = ["precision_time_stamp", "platform_heading_angle", "sensor_latitude"]
    table = klvrelay.columns(flight(), keys)
    assert list(table) == keys
    assert {(a.dtype.name, a.shape) for a in table.values()} == {("float64", (11,))}
    rows = [n for n in range(12) if n != 5]
    assert table["precision_time_stamp"].tolist() == [1_000_000 + n for n in rows]
    np.testing.assert_allclose(table["platform_heading_angle"], [n * 10.0 for n in rows], atol=0.01)
    np.testing.assert_allclose(table["sensor_latitude"], [-n * 1.5 if n % 3 else np.nan for n in rows], atol=1e-6)
    assert klvrelay.columns(flight(), keys, every=True)["precision_time_stamp"].shape == (12,)


def test_columns_of_a_file_are_those_of_its_bytes(path: Path, tmp_path: Path):
    """Transport stream, bare KLV, bytes or path."""
    keys = ["precision_time_stamp"]
    expected = [feed.FIRST_TIME + round(n * 1_000_000 / 30) for n in range(40)]
    bare = tmp_path / "flight.klv"
    bare.write_bytes(TAPE.bare)
    for source in (TAPE.ts, TAPE.bare, bytearray(TAPE.ts), memoryview(TAPE.bare), path, str(path), bare):
        assert klvrelay.columns(source, keys)["precision_time_stamp"].tolist() == expected


def test_columns_agree_with_the_records(shared: Path):
    """Each number of a real recording, both ways."""
    data = (shared / "data" / "osh_sample_stream.ts").read_bytes()
    decimals = {"sensor_latitude": 8, "sensor_longitude": 8, "platform_heading_angle": 3, "slant_range": 3}
    table, records = klvrelay.columns(data, list(decimals)), klvrelay.decode(data)
    for key, places in decimals.items():
        values = [r.items.get(key) for r in records]
        near = 0.51 * 10.0**-places
        np.testing.assert_allclose(table[key], [np.nan if v is None else v for v in values], rtol=0, atol=near)


def test_columns_of_a_legacy_aircraft_are_those_of_any_other(shared: Path):
    """EG/ST 0104 sets fill the columns of ST 0601 items, from their floats."""
    data = (shared / "data" / "aphill_klv_10s.ts").read_bytes()
    keys = ["precision_time_stamp", "sensor_latitude", "slant_range", "event_start_time"]
    table, records = klvrelay.columns(data, keys), klvrelay.decode(data)

    assert table["precision_time_stamp"].tolist() == [record.time_us for record in records]
    for key in keys[1:3]:
        expected = [record.items[key] for record in records]
        assert np.allclose(table[key], expected, rtol=1e-7, atol=0), key
    assert np.isnan(table["event_start_time"]).all()


def test_a_date_of_a_legacy_aircraft_is_a_column_too():
    """Its text becomes the microseconds of ST 0601."""
    vectors = map(json.loads, VECTORS.read_text(encoding="utf-8").splitlines())
    (vector,) = (vector for vector in vectors if vector.get("set") == "EG0104")

    table = klvrelay.columns(bytes.fromhex(vector["hex"]), ["event_start_time", "platform_roll_angle"])

    assert table["event_start_time"].tolist() == [datetime(2005, 3, 31, 7, 50, 51, tzinfo=UTC).timestamp() * 1e6]
    assert np.allclose(table["platform_roll_angle"], [22.06])


def test_columns_exclude_damaged_packets():
    """What spans a loss is not in the arrays, checksum or not."""
    lossy = TAPE.ts[: 188 * 9] + TAPE.ts[188 * 10 :]
    kept = {r.time_us for r in klvrelay.decode(lossy) if r.good}
    assert set(klvrelay.columns(lossy, ["precision_time_stamp"])["precision_time_stamp"]) <= kept


def test_impossible_columns_are_refused(path: Path, tmp_path: Path):
    """An unknown key with the nearest known one, a key that is no number, a file without KLV."""
    with pytest.raises(klvrelay.ConfigError, match="sensor_latitude"):
        klvrelay.columns(TAPE.ts, ["latitude"])
    with pytest.raises(klvrelay.ConfigError, match="is not numeric"):
        klvrelay.columns(path, ["mission_id"])
    video = tmp_path / "video.ts"
    video.write_bytes((b"\x47\x1f\xff\x10" + b"\xff" * 184) * 50)
    with pytest.raises(klvrelay.NoKlv, match=r"video\.ts contains no KLV"):
        klvrelay.columns(video, ["sensor_latitude"])


def test_columns_of_no_items_is_no_array():
    """No keys, no columns."""
    assert klvrelay.columns(TAPE.ts, []) == {}
