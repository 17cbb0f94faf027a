"""A source that is relayed and recorded at the same time."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import threading
from pathlib import Path

import feed
import pytest
from brokers import until
from test_relay_process import klvrelay

from klvrelay.config.settings_file import read_settings
from klvrelay.decoder import decode
from klvrelay.errors import ConfigError
from klvrelay.record import Packet, Units
from klvrelay.recordings.limits import RecordingLimits
from klvrelay.relay import source_recording
from klvrelay.relay.build import CHECKS
from klvrelay.relay.source_recording import SourceRecording

LIMITS = RecordingLimits(size=100_000, keep_size=1e9)


def bytes_in(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.iterdir()))


async def test_what_is_received_is_recorded_and_relayed(tmp_path: Path, free_port: int):
    """The recording has every byte; the records are those of a relay that does not record."""
    sent = feed.recording(count=60)
    tapes, flights = tmp_path / "tapes", tmp_path / "flights"
    config = tmp_path / "relay.toml"
    config.write_text(
        f'[[sink]]\nurl = "{flights}"\nsync = 0\n'
        f'[[source]]\nurl = "udp://127.0.0.1:{free_port}"\nstream = "a/1"\nrecord = "{tapes}"\n'
    )
    async with klvrelay("run", "-c", str(config)) as command:
        await feed.listening(free_port)
        feed.send_udp(feed.datagrams(sent.ts), free_port)
        await until(lambda: len(lines_of(flights)) >= 60, 15)
        code, _ = await command.stop()
    assert code == 0
    (tape,) = tapes.iterdir()
    assert re.fullmatch(r"a%2F1-\d{8}T\d{6}\.\d{6}Z\.ts", tape.name)
    assert tape.read_bytes() == sent.ts
    records = [json.loads(line) for line in lines_of(flights)]
    assert [one["items"]["mission_id"] for one in records] == [str(number) for number in range(60)]
    assert [one.raw for one in decode(tape.read_bytes())] == sent.klv
    assert f"recorded: bytes={len(sent.ts)} segments=1" in command.said


def lines_of(folder: Path) -> list[bytes]:
    return [line for path in folder.glob("*/*/*.jsonl*") for line in path.read_bytes().splitlines()]


async def test_a_disk_that_hangs_delays_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """What waits for it is bounded; the gap is counted, and ends a segment."""
    release = threading.Event()
    write = source_recording.SegmentStore.write

    def slow(store: object, waiting: object) -> None:
        release.wait(20)
        write(store, waiting)  # type: ignore[arg-type]

    monkeypatch.setattr(source_recording.SegmentStore, "write", slow)
    monkeypatch.setattr(source_recording, "WAITING_MOST", 3 * 188)
    recording = SourceRecording(str(tmp_path), "uav1", LIMITS)
    async with recording:
        for number in range(10):
            recording.take(Packet(bytes([number]) * 188))
            await asyncio.sleep(0)
        assert recording.lost == 7 * 188
        release.set()
        await until(lambda: recording.size == 3 * 188, 5)
        recording.take(Packet(b"\xff" * 188))
    assert bytes_in(tmp_path) == b"".join(bytes([number]) * 188 for number in (0, 1, 2, 255))
    assert len(list(tmp_path.iterdir())) == 2


async def test_write_errors_cost_only_what_arrives_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    """The log says so once, and when it succeeds again."""
    monkeypatch.setattr(source_recording, "TICK", 0.02)
    folder = tmp_path / "tapes"
    folder.write_text("in the way")
    recording = SourceRecording(str(folder), "uav1", LIMITS)
    async with recording:
        recording.take(Packet(b"a" * 188))
        await until(lambda: recording.lost == 188, 5)
        folder.unlink()
        recording.take(Packet(b"b" * 188))
        await until(lambda: recording.size == 188, 5)
    assert bytes_in(folder) == b"b" * 188
    faults = [line for line in caplog.messages if "not recorded" in line]
    assert len(faults) == 1
    assert "recording again: lost_bytes=188" in " ".join(caplog.messages)


async def test_a_folder_that_is_removed_is_created_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """It is noticed at the next bytes, not at the end of the segment, and no file stays open."""
    monkeypatch.setattr(source_recording, "TICK", 0.05)
    tapes = tmp_path / "tapes"
    open_before = len(os.listdir("/proc/self/fd"))
    async with SourceRecording(str(tapes), "uav1", LIMITS) as recording:
        for _ in range(3):
            written = recording.size + 188
            recording.take(Packet(b"a" * 188))
            await until(lambda written=written: recording.size >= written, 5)
            shutil.rmtree(tapes)
            recording.take(Packet(b"b" * 188))
            await until(lambda: bool(recording.fault), 5)
            recording.take(Packet(b"c" * 188))
            await until(lambda: not recording.fault, 5)
            recording.cut()
        assert recording.lost == 3 * 188
    assert bytes_in(tapes) == b"c" * 188
    assert len(os.listdir("/proc/self/fd")) <= open_before


async def test_a_source_without_transport_bytes_is_named_once(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    """KLV that a container or the source itself yields cannot be recorded."""
    async with SourceRecording(str(tmp_path), "uav1", LIMITS) as recording:
        for _ in range(3):
            recording.take(Units(()))
            recording.take(Packet(b"x", carriage="klv", pid=1))
    assert len([line for line in caplog.messages if "has no transport bytes" in line]) == 1
    assert list(tmp_path.iterdir()) == []


async def test_each_opening_of_the_source_begins_a_segment(tmp_path: Path):
    """So does nothing else, however often the source is opened."""
    recording = SourceRecording(str(tmp_path), "uav1", LIMITS)
    async with recording:
        for number in range(3):
            recording.cut()
            recording.take(Packet(bytes([number]) * 188))
        recording.cut()
        recording.cut()
    assert [path.read_bytes() for path in sorted(tmp_path.iterdir())] == [bytes([n]) * 188 for n in range(3)]


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ('url = "flight.ts"', "only MPEG-TS or KLV that is received live"),
        ('url = "rtsp://camera/live"', "only MPEG-TS or KLV that is received live"),
        ('url = "udp://0.0.0.0:5000"\ndemux = "libav"', "needs demux"),
    ],
)
def test_what_cannot_be_recorded_is_a_fault_of_the_settings(source: str, text: str, tmp_path: Path):
    """With the key `record`."""
    config = tmp_path / "relay.toml"
    config.write_text(f'[[sink]]\nurl = "mqtt://127.0.0.1"\n[[source]]\n{source}\nrecord = "tapes"\n')
    with pytest.raises(ConfigError, match=rf"source\.(record|demux): .*{text}"):
        read_settings(config, checks=CHECKS)
