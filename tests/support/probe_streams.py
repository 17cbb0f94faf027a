"""Streams for the probe, valid or with one deliberate fault, and the probe's findings."""

from __future__ import annotations

import asyncio
import struct
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from test_lane import ASYNC, KLV_PID, KLVA, SYNC, Wire, cell

from klvrelay import sample
from klvrelay.encode import encode
from klvrelay.probe import Report, inquire
from klvrelay.sources.open import open_source

VIDEO_PID = 0x100
HZ = 30
METADATA = b"\x26\x09\x01\x00\xffKLVA\x00\x0f"
STD = b"\x27\x09" + b"\xc0\x03\xe8\xc0\x00\x04\xc0\x00\x00"
START_US = 1_780_306_200_000_000

ITEMS: dict[str | int, object] = {
    "platform_heading_angle": 10.0,
    "platform_pitch_angle_full": 1.0,
    "platform_roll_angle_full": 1.0,
    "platform_designation": "Kestrel",
    "image_source_sensor": "EO",
    "sensor_latitude": 56.1,
    "sensor_longitude": 9.4,
    "sensor_true_altitude": 900.0,
    "sensor_horizontal_field_of_view": 10.0,
    "sensor_vertical_field_of_view": 6.0,
    "sensor_relative_azimuth_angle": 90.0,
    "sensor_relative_elevation_angle": -30.0,
    "sensor_relative_roll_angle": 0.0,
    "slant_range": 1500.0,
    "frame_center_latitude": 56.11,
    "frame_center_longitude": 9.41,
    "frame_center_elevation": 60.0,
    "security_local_set": {"security_classification": "Unclassified", "version": 12},
    "uas_datalink_ls_version_number": 19,
}
"""All items of ST 0902, and none that a rule would report."""


@cache
def good(number: int) -> bytes:
    """The `number`-th packet of a valid stream."""
    return record(number)


def record(number: int, changes: Mapping[str | int, object] | None = None, *, time_us: int | None = None) -> bytes:
    """A valid packet; `changes` add items, replace them, or remove them with None."""
    stamp = START_US + number * 1_000_000 // HZ if time_us is None else time_us
    items = {"precision_time_stamp": stamp, **ITEMS, **(changes or {})}
    return encode({key: value for key, value in items.items() if value is not None})


def raw(body: bytes, *, key: bytes | None = None, checksum: bool = True) -> bytes:
    """A packet of exactly these items, valid or not."""
    head = (key or record(0)[:16]) + b"\x82" + (len(body) + 4 * checksum).to_bytes(2) + body
    if not checksum:
        return head
    head += b"\x01\x02"
    return head + ((sum(head[::2]) << 8) + sum(head[1::2]) & 0xFFFF).to_bytes(2)


@dataclass
class Mux:
    """A stream of one video and one KLV stream; every field but `count` can introduce a fault."""

    count: int = 60
    kind: int = SYNC
    descriptors: bytes = METADATA + STD
    stream_id: int = 0xFC
    pts: bool = True
    cells: bool = True
    sized: bool = True
    listed: bool = True
    tables_every: int = 3
    pcr_every: int = 1
    video: bool = True
    pmt: bool = True
    pat: bool = True
    hz: float = HZ
    first_pts: int = 900_000
    klv_ahead: int = 0
    skip: tuple[int, ...] = ()
    packets: Callable[[int], bytes] = field(default=good)
    change: Callable[[int, list[bytes]], list[bytes]] = field(default=lambda number, ts: ts)

    def bytes(self) -> bytes:
        wire, parts = Wire(), []
        for number in range(self.count):
            ticks = (self.first_pts + round(number * 90_000 / self.hz)) % (1 << 33)
            ts = self._tables(wire) if number % self.tables_every == 0 else []
            if number % self.pcr_every == 0:
                ts.append(pcr((ticks - 9000) % (1 << 33), wire.counters.get(VIDEO_PID, 0)))
            if self.video:
                ts += wire.pes(b"\0\0\0\1\x09\xf0" + bytes(300), VIDEO_PID, pts=ticks, sid=0xE0)
            if number not in self.skip:
                ts += self._klv(wire, number, (ticks + self.klv_ahead) % (1 << 33))
            parts += self.change(number, ts)
        return b"".join(parts)

    def _klv(self, wire: Wire, number: int, ticks: int) -> list[bytes]:
        data = self.packets(number)
        data = cell(data, number) if self.cells else data
        return wire.pes(data, pts=ticks if self.pts else None, sid=self.stream_id, sized=self.sized)

    def _tables(self, wire: Wire) -> list[bytes]:
        streams = [(0x1B, VIDEO_PID, b"")] if self.video else []
        if self.listed:
            streams.append((self.kind, KLV_PID, self.descriptors))
        association, map_ = wire.tables(*streams)
        return [ts for ts, wanted in ((association, self.pat), (map_, self.pmt)) if wanted]


def asynchronous(**changes: object) -> Mux:
    """Valid asynchronous carriage except for the changes."""
    usual = {"kind": ASYNC, "descriptors": KLVA, "stream_id": 0xBD, "pts": False, "cells": False}
    return Mux(**{**usual, **changes})  # type: ignore[arg-type]


def pcr(ticks: int, counter: int, pid: int = VIDEO_PID) -> bytes:
    """A packet with a PCR and nothing else."""
    stamp = b"\x10" + struct.pack(">IH", ticks >> 1, (ticks & 1) << 15 | 0x7E00)
    return struct.pack(">BHB", 0x47, pid, 0x20 | counter & 15) + bytes([183]) + stamp.ljust(183, b"\xff")


def klv_only(packets: Iterable[bytes]) -> bytes:
    """Bare KLV."""
    return b"".join(packets)


def probed(data: bytes, folder: Path, **options: object) -> Report:
    """The probe's report of a file of these bytes."""
    path = folder / "probed.ts"
    path.write_bytes(data)
    return asyncio.run(inquire(open_source(path), **options))  # type: ignore[arg-type]


def findings_of(report: Report) -> dict[str, str]:
    """The findings that matter: id and severity, without the notes."""
    return {finding.id: finding.severity for finding in report.findings if finding.severity != "note"}


def noted(report: Report) -> set[str]:
    return {finding.id for finding in report.findings if finding.severity == "note"}


def sample_file(folder: Path, **options: object) -> Path:
    """A short recording of `klvrelay sample`."""
    path = folder / "sample.ts"
    path.write_bytes(_sample(**{"seconds": 2, "size": "160x96", "fps": 30, **options}))
    return path


@cache
def _sample(**options: Any) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sample.ts"
        sample.write(path, **options)
        return path.read_bytes()
