"""Zeros before a stream (a hole, unwritten space, an erased medium) prove nothing and are skipped."""

from __future__ import annotations

import asyncio
import os
import resource
import subprocess
import sys
from contextlib import aclosing

import feed
import pytest
from cases import each_case

import klvrelay as library
from klvrelay.config.url import Url
from klvrelay.core.carriage import blank_before, blank_behind, carriage_of
from klvrelay.decoder import Decoder
from klvrelay.errors import NotMedia
from klvrelay.recordings import sniff
from klvrelay.sources.open import open_source

TAPE = feed.recording(count=60)
STREAMS = {"ts": TAPE.ts, "klv": TAPE.bare}
M2TS = b"".join(b"\0\0\0\0" + TAPE.ts[at : at + 188] for at in range(0, len(TAPE.ts), 188))
FRONTS = {
    "no zeros": b"",
    "64 KiB of zeros": bytes(64 << 10),
    "3 MB of zeros": bytes(3_000_001),
    "3 MB of FF": b"\xff" * 3_000_001,
    "zeros and FF": bytes(300_000) + b"\xff" * 300_000 + bytes(1),
    "200 kB of junk": b"junk" * 50_000,
    "junk, then 3 MB of zeros": b"junk" * 500 + bytes(3_000_000),
    "holes between junk": (b"junk" * 500 + bytes(500_000)) * 4,
}
fronts = pytest.mark.parametrize("front", FRONTS.values(), ids=list(FRONTS))
streams = pytest.mark.parametrize("kind", STREAMS)


async def records_of(source):
    decoder, found = Decoder("test", None), []
    async with asyncio.timeout(20), aclosing(source.packets()) as packets:
        async for packet in packets:
            found += decoder.feed(packet)
    return found + decoder.flush()


@fronts
@streams
def test_bytes_are_decoded_after_zeros(kind, front):
    """By every function of the library."""
    data = front + STREAMS[kind]

    assert carriage_of(data) == kind
    assert [record.raw for record in library.decode(data)] == TAPE.klv
    assert [record.raw for record in library.decode(memoryview(bytearray(data)))] == TAPE.klv
    assert library.json_lines(data).count(b"\n") == len(TAPE.klv)
    assert library.columns(data, ["precision_time_stamp"])["precision_time_stamp"].shape == (len(TAPE.klv),)


WAYS = [({}, name) for name in FRONTS]
WAYS += [(way, "3 MB of zeros") for way in ({"speed": 1000.0}, {"demux": "libav"}, {"isolate": True})]
WAYS += [({"speed": 1000.0}, "200 kB of junk")]


@pytest.mark.parametrize(("options", "front"), WAYS, ids=str)
@streams
async def test_a_file_is_read_after_zeros(kind, options, front, tmp_path):
    """At full speed, with original timing, by libav and in a separate process."""
    path = tmp_path / "tape"
    path.write_bytes(FRONTS[front] + STREAMS[kind])
    source = open_source(str(path), **options)

    found = await records_of(source)

    assert [record.raw for record in found] == TAPE.klv
    assert all(record.good for record in found)
    if options != {"speed": 1000.0}:
        assert source.link.size == len(FRONTS[front] + STREAMS[kind])


@pytest.mark.parametrize("kind", ["tape.ts", "tape.klv"])
async def test_a_pipe_is_read_after_zeros(kind, tmp_path):
    """However they are cut, and in little memory."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reading = asyncio.create_task(records_of(open_source(str(path))))

    def write():
        with path.open("wb", 0) as pipe:
            for _ in range(200):
                pipe.write(bytes(1 << 20))
            for at in range(0, len(TAPE.ts), 999):
                pipe.write((TAPE.ts if kind == "tape.ts" else TAPE.bare)[at : at + 999])

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    await asyncio.to_thread(write)
    found = await reading

    assert [record.raw for record in found] == TAPE.klv
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000


async def test_a_sender_of_zeros_is_waited_for(tmp_path):
    """tcp://: the first bytes may be empty; the stream after them is read."""

    async def serve(_reader, writer):
        for _ in range(10):
            writer.write(bytes(100_000))
            await writer.drain()
        writer.write(TAPE.ts)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    found = await records_of(open_source(f"tcp://127.0.0.1:{port}"))
    server.close()
    await server.wait_closed()

    assert [record.raw for record in found] == TAPE.klv


async def test_time_codes_of_zeros_are_kept(tmp_path):
    """The four bytes before a packet of M2TS may be zeros: it is not cut."""
    path = tmp_path / "tape.m2ts"
    path.write_bytes(bytes(100_000) + M2TS)

    assert [record.raw for record in await records_of(open_source(str(path), speed=1000.0))] == TAPE.klv


@pytest.mark.parametrize("content", [bytes(100), bytes(3_000_000), b"\xff" * 300_000])
@pytest.mark.parametrize("options", [{}, {"speed": 1.0}], ids=str)
async def test_nothing_but_zeros_is_reported(options, content, tmp_path):
    """The error does not call it an unknown format."""
    path = tmp_path / "blank.ts"
    path.write_bytes(content)

    with pytest.raises(NotMedia, match="only zeros"):
        await records_of(open_source(str(path), **options))


async def test_an_mp4_is_recognised_though_it_begins_with_zeros():
    """And though there is a key in it after a hole."""

    async def pieces():
        yield b"\0\0\0\x18ftypisom" + bytes(5000)
        yield bytes(400_000) + TAPE.bare

    carriage, head = await sniff.sniff(Url.parse("x"), pieces())

    assert carriage is None
    assert sniff.is_container(head)


@pytest.mark.parametrize("holes", [0, 1, 40])
def test_data_that_is_no_stream_is_refused_after_a_bounded_search(holes):
    """Text is no stream, with holes in it or not; no number of holes makes the search long."""
    text = b"no stream at all. " * 20_000
    data = b"".join([text[:9], bytes(8192)] * holes) + text
    sniffer = sniff.Sniffer()

    taken = 0
    for at in range(0, len(data), 1000):
        taken = at
        if sniffer.add(data[at : at + 1000]):
            break

    assert carriage_of(data) is None
    assert sniffer.is_rejected
    assert not sniffer.is_blank
    assert taken < sniff.MOST + holes * 9000 + 5000
    assert len(sniffer.head) <= sniff.MOST + 1000


@each_case("size", [0, 1, 4095, 4096, 4097, 65_535, 65_536, 65_537, 200_000])
@each_case("blank", [b"\0", b"\xff", b"\0\xff", b"\0\0\0\xff\xff"])
def test_zeros_are_counted_correctly(blank, size):
    """At both ends, of any number."""
    run = (blank * size)[:size]

    assert blank_before(run + b"x" + bytes(10)) == size
    assert blank_behind(bytes(10) + b"x" + run) == size
    assert blank_before(run) == blank_behind(run) == size


def klvrelay(*words: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([sys.executable, "-m", "klvrelay", *words], input=stdin, capture_output=True, timeout=30)


def test_the_verbs_read_after_zeros(tmp_path):
    """`decode` of a file and of standard input; and its message for a file of zeros."""
    path, blank = tmp_path / "tape.ts", tmp_path / "blank.ts"
    path.write_bytes(bytes(1 << 20) + TAPE.ts)
    blank.write_bytes(bytes(1 << 20))

    for done in (klvrelay("decode", str(path)), klvrelay("decode", "-", stdin=path.read_bytes())):
        assert done.stdout.count(b"\n") == len(TAPE.klv), done.stderr
        assert b" 0 bytes passed over" in done.stderr
    refused = klvrelay("decode", str(blank))
    assert refused.returncode == 3
    assert b"only zeros" in refused.stderr
    assert refused.stderr.count(b"\n") == 1
