"""Requests that no usual client sends: each gets one answer, and hurts no one."""

from __future__ import annotations

import asyncio
import re
from urllib.parse import quote

import pytest
from served_relay import Served, board_of, connected, flown, serving
from yarl import URL

from klvrelay.web.observed import Observed


def observed() -> Observed:
    return Observed(board_of([flown()], [connected()]))


async def raw(served: Served, data: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    writer.write(data)
    return reader, writer


HOST = b"Host: 127.0.0.1\r\n"
JSON = HOST + b"Content-Type: application/json\r\n"
ODD = {
    "HTTP/1.0": (b"GET /healthz HTTP/1.0\r\n" + HOST, b"200"),
    "two hosts": (b"GET /metrics HTTP/1.1\r\nHost: evil.example\r\n" + HOST, b"400"),
    "no host": (b"GET /metrics HTTP/1.1\r\n", b"400"),
    "target of a proxy": (b"GET http://evil.example/metrics HTTP/1.1\r\n" + HOST, b"400"),
    "length and chunks": (b"POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n" + JSON, b"400"),
    "two lengths": (b"POST / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n" + JSON, b"400"),
    "negative length": (b"POST / HTTP/1.1\r\nContent-Length: -5\r\n" + JSON, b"400"),
    "space before the colon": (b"POST / HTTP/1.1\r\nTransfer-Encoding : chunked\r\n" + JSON, b"400"),
    "unknown coding": (b"POST / HTTP/1.1\r\nTransfer-Encoding: xchunked\r\n" + JSON, b"400"),
    "continued line": (b"GET /healthz HTTP/1.1\r\nX: a\r\n b\r\n" + HOST, b"400"),
    "path that leads up": (b"GET /../../etc/passwd HTTP/1.1\r\n" + HOST, b"404"),
    "encoded path that leads up": (b"GET /api/v1/streams/..%2f..%2fetc%2fpasswd HTTP/1.1\r\n" + HOST, b"404"),
    "two slashes": (b"GET //metrics HTTP/1.1\r\n" + HOST, b"404"),
    "NUL": (b"GET /api/v1/streams/a\0b HTTP/1.1\r\n" + HOST, b"400"),
    "encoded NUL": (b"GET /api/v1/streams/%00 HTTP/1.1\r\n" + HOST, b"404"),
    "no UTF-8": (b"GET /api/v1/streams/%ff%fe HTTP/1.1\r\n" + HOST, b"404"),
    "half an escape": (b"GET /api/v1/streams/% HTTP/1.1\r\n" + HOST, b"404"),
    "OPTIONS": (b"OPTIONS /metrics HTTP/1.1\r\n" + HOST, b"405"),
    "OPTIONS of all": (b"OPTIONS * HTTP/1.1\r\n" + HOST, b"400"),
    "TRACE": (b"TRACE /metrics HTTP/1.1\r\n" + HOST, b"405"),
    "CONNECT": (b"CONNECT evil.example:443 HTTP/1.1\r\n" + HOST, b"400"),
    "compressed body": (b"POST / HTTP/1.1\r\nContent-Encoding: gzip\r\nContent-Length: 0\r\n" + JSON, b"415"),
    "upgrade": (b"GET /healthz HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" + HOST, b"200"),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n", b"400"),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"400"),
}


@pytest.mark.parametrize("name", ODD)
async def test_an_odd_request_gets_one_answer(name: str, caplog: pytest.LogCaptureFixture):
    """Whatever follows it is not another request by mistake; and nothing is logged."""
    request, status = ODD[name]
    async with serving(observed()) as served:
        reader, writer = await raw(served, request + b"Connection: close\r\n\r\n")
        async with asyncio.timeout(10):
            answer = await reader.read()
        writer.close()
    assert (answer.split(b" ", 2)[1], len(re.findall(rb"HTTP/1.[01] \d{3} ", answer))) == (status, 1)
    assert b"Traceback" not in answer
    assert not caplog.records or "listens" in caplog.text


async def test_requests_in_one_packet_are_answered_in_order():
    """Pipelining (RFC 9112, 9.3.2)."""
    request = b"GET /%s HTTP/1.1\r\n" + HOST
    async with serving(observed()) as served:
        both = request % b"healthz" + b"\r\n" + request % b"x" + b"Connection: close\r\n\r\n"
        reader, writer = await raw(served, both)
        async with asyncio.timeout(10):
            answer = await reader.read()
        writer.close()
    assert [part[:3] for part in answer.split(b"HTTP/1.1 ")[1:]] == [b"200", b"404"]


async def test_odd_names_and_many_streams_are_served():
    """A thousand streams; a name of any characters is found by its encoded form."""
    names = ["a b", "a?b=c#d", "a/../b", "%2F", "\u202e\u00e9", "+", "&;\"'<>", "x" * 200]
    board = board_of([*map(flown, names), *(flown(f"uav{number}", 1) for number in range(1000))], [connected()])
    async with serving(Observed(board)) as served:
        assert len(await served.json("/api/v1/streams")) == 1008
        for name in names:
            url = URL(f"{served.url}/api/v1/streams/{quote(name, safe='')}", encoded=True)
            async with served.session.get(url) as response:
                assert (await response.json())["health"]["stream"] == name
        text = await (await served.ask("/metrics")).text()
    assert text.count("\nklvrelay_stream_records_total{") == 1008
