"""Web servers that never stop: what one may cost in memory, requests and time, and that the message says so."""

from __future__ import annotations

import pytest
from peak import run
from servers import Hostile, flooding

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
ROOM = 64
"""MiB above those of a program that reads nothing: what a server may cost."""
BASE = 32


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


FLOODS = {
    "playlist": (
        flooding(CHUNKED + chunk(b"#EXTM3U\n"), chunk(b"#EXTINF:1,\n" + b"a" * 1000 + b".ts\n")),
        "larger than the 8192 KiB that it may have",
    ),
    "header": (flooding(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"), "the answer is not HTTP"),
    "header line": (flooding(b"HTTP/1.1 200 OK\r\nX: ", b"y"), "the answer is not HTTP"),
    "cookies": (
        flooding(b"HTTP/1.1 200 OK\r\n", b"Set-Cookie: a=%s\r\n" % (b"b" * 60_000)), "header of its answer is larger",
    ),
    "junk": (flooding(CHUNKED, chunk(b"\x12\x34" * 3000)), "holds neither MPEG-TS nor KLV"),
}


@pytest.mark.parametrize(("flood", "reason"), FLOODS.values(), ids=FLOODS)
async def test_a_flood_ends_early_and_costs_little(flood, reason):
    """After a few megabytes, with a message."""
    async with Hostile(flood) as server:
        outcome = await run("decode", server.url())

    assert reason in outcome.err
    assert outcome.code == 3
    assert outcome.peak < BASE + ROOM
    assert server.sent < 64 << 20
