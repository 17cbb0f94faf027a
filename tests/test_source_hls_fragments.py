"""HLS whose segments are mp4 fragments with an initialisation section (EXT-X-MAP)."""

from __future__ import annotations

import struct

import feed
import pytest
from scripted_web import Answer, ScriptedWeb, playlist_of
from source_reading import records_of
from test_source_container import box

from klvrelay.errors import SourceDown
from klvrelay.sources.open import open_source

TAPE = feed.recording()
FULL = bytes(4)
STEP = 3000


def initial() -> bytes:
    """One track of timed metadata, whose packets come in fragments (ISO/IEC 14496-12)."""
    matrix = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
    nothing = (box(name, FULL, bytes(4)) for name in (b"stts", b"stsc", b"stco"))
    described = box(b"stsd", FULL, b"\0\0\0\1", box(b"KLVA", bytes(6), b"\0\1"))
    table = box(b"stbl", described, *nothing, box(b"stsz", FULL, bytes(8)))
    here = box(b"dinf", box(b"dref", FULL, b"\0\0\0\1", box(b"url ", b"\0\0\0\1")))
    media = box(
        b"mdia",
        box(b"mdhd", FULL, bytes(8), (90_000).to_bytes(4), bytes(4), b"\x55\xc4\0\0"),
        box(b"hdlr", FULL, bytes(4), b"meta", bytes(12), b"klv\0"),
        box(b"minf", box(b"nmhd", FULL), here, table),
    )
    head = box(b"tkhd", b"\0\0\0\7", bytes(8), b"\0\0\0\1", bytes(8), bytes(16), matrix, bytes(8))
    movie = box(b"mvhd", FULL, bytes(8), (90_000).to_bytes(4), bytes(4), b"\0\1\0\0\1\0", bytes(10), matrix, bytes(24),
                b"\0\0\0\2")  # fmt: skip
    extended = box(b"mvex", box(b"trex", FULL, b"\0\0\0\1", b"\0\0\0\1", bytes(12)))
    return box(b"ftyp", b"iso6", FULL, b"iso6") + box(b"moov", movie, box(b"trak", head, media), extended)


def fragment(number: int, packets: list[bytes], begin: int) -> bytes:
    """A segment: packets, each `STEP` ticks long, the first at `begin`."""

    def moof(offset: int) -> bytes:
        samples = b"".join(STEP.to_bytes(4) + len(packet).to_bytes(4) for packet in packets)
        run = box(b"trun", b"\0\0\3\1", len(packets).to_bytes(4), offset.to_bytes(4), samples)
        track = box(b"tfhd", b"\0\2\0\0", b"\0\0\0\1")
        time = box(b"tfdt", b"\1\0\0\0", begin.to_bytes(8))
        return box(b"moof", box(b"mfhd", FULL, number.to_bytes(4)), box(b"traf", track, time, run))

    head = box(b"styp", b"msdh", FULL, b"msdh")
    return head + moof(len(moof(0)) + 8) + box(b"mdat", b"".join(packets))


def answers() -> dict[str, Answer]:
    thirds = [TAPE.klv[at : at + 10] for at in (0, 10, 20)]
    parts = [fragment(number, part, 10 * number * STEP) for number, part in enumerate(thirds)]
    lines = ['#EXT-X-MAP:URI="init.mp4"', *(f"{number}.m4s" for number in range(3))]
    return {
        "/a.m3u8": playlist_of(lines),
        "/init.mp4": Answer(initial()),
        **{f"/{number}.m4s": Answer(part) for number, part in enumerate(parts)},
    }


async def test_fragments_are_read_with_their_initialisation_section():
    """All packets with their times; and the section is fetched once."""
    async with ScriptedWeb(answers()) as server:
        records = await records_of(open_source(server.url("/a.m3u8"), timeout=2))

    assert [record.raw for record in records] == TAPE.klv
    assert [record.pts for record in records] == [STEP * number for number in range(30)]
    assert server.count("/init.mp4") == 1


async def test_without_the_initialisation_section_none_is_read():
    """The cause is the server's refusal."""
    gone = {**answers(), "/init.mp4": Answer(status="404 Not Found")}
    async with ScriptedWeb(gone) as server:
        with pytest.raises(SourceDown, match="not found"):
            await records_of(open_source(server.url("/a.m3u8"), timeout=2))
