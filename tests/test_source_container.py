"""KLV in other containers than MPEG-TS: a hand-made MP4 with timed metadata."""

from __future__ import annotations

import asyncio
import struct
import time
from contextlib import aclosing

import feed
import pytest

from klvrelay.decoder import Decoder
from klvrelay.sources.open import open_source

TAPE = feed.recording()


async def read(source):
    async with asyncio.timeout(5), aclosing(source.packets()) as packets:
        return [packet async for packet in packets]


def records_of(packets):
    decoder = Decoder("test", None)
    return [record for packet in packets for record in decoder.feed(packet)] + decoder.flush()


def box(kind: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return (len(body) + 8).to_bytes(4) + kind + body


def mp4(klv: list[bytes], hz: int) -> bytes:
    """A minimal MP4 with one track of timed metadata (ISO/IEC 14496-12)."""
    full, count = bytes(4), len(klv).to_bytes(4)
    matrix = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
    start = box(b"ftyp", b"isom", full, b"isom") + (8 + sum(map(len, klv))).to_bytes(4) + b"mdat"
    table = box(
        b"stbl",
        box(b"stsd", full, b"\0\0\0\1", box(b"KLVA", bytes(6), b"\0\1")),
        box(b"stts", full, b"\0\0\0\1", count, (90_000 // hz).to_bytes(4)),
        box(b"stsc", full, b"\0\0\0\1", b"\0\0\0\1", count, b"\0\0\0\1"),
        box(b"stsz", full, bytes(4), count, *(len(packet).to_bytes(4) for packet in klv)),
        box(b"stco", full, b"\0\0\0\1", len(start).to_bytes(4)),
    )
    length = (len(klv) * 90_000 // hz).to_bytes(4)
    here = box(b"dinf", box(b"dref", full, b"\0\0\0\1", box(b"url ", b"\0\0\0\1")))
    media = box(
        b"mdia",
        box(b"mdhd", full, bytes(8), (90_000).to_bytes(4), length, b"\x55\xc4\0\0"),
        box(b"hdlr", full, bytes(4), b"meta", bytes(12), b"klv\0"),
        box(b"minf", box(b"nmhd", full), here, table),
    )
    head = box(b"tkhd", b"\0\0\0\7", bytes(8), b"\0\0\0\1", bytes(4), length, bytes(16), matrix, bytes(8))
    movie = box(
        b"mvhd", full, bytes(8), (90_000).to_bytes(4), length, b"\0\1\0\0\1\0", bytes(10), matrix, bytes(24),
        b"\0\0\0\2",
    )  # fmt: skip
    return start + b"".join(klv) + box(b"moov", movie, box(b"trak", head, media))


@pytest.mark.parametrize("speed", [None, 20])
async def test_klv_in_an_mp4_is_read_and_replayed(speed, tmp_path):
    """The same packets as from MPEG-TS, with their times, also with the original timing."""
    (tmp_path / "tape.mp4").write_bytes(mp4(TAPE.klv, hz=30))
    began = time.monotonic()

    got = await read(open_source(str(tmp_path / "tape.mp4"), speed=speed))

    records = records_of(got)
    assert [record.raw for record in records] == TAPE.klv
    assert [record.pts for record in records] == [3000 * number for number in range(30)]
    if speed:
        assert time.monotonic() - began > 29 / 30 / speed
        assert all(packet.received_us for packet in got)
