"""The limits of an isolated source's process, read from the kernel; its errors show no form of a secret."""

from __future__ import annotations

import asyncio
import resource
import sys
from collections.abc import AsyncIterator
from contextlib import aclosing
from urllib.parse import quote

import feed
import pytest
from isolated_cases import children, isolated, records

from klvrelay.config.url import Url
from klvrelay.core import LIMIT
from klvrelay.errors import SourceDown
from klvrelay.sources.isolated.limits import ProcessLimits
from klvrelay.sources.isolated.source import IsolatedSource
from klvrelay.sources.open import open_source
from klvrelay.text import Secret

pytestmark = pytest.mark.usefixtures("no_process_is_left")

MIB = 1 << 20
PASSWORD = "p@ss/w:rd ünd%more"


# ---- resource limits ----


@pytest.fixture
async def child(free_port: int) -> AsyncIterator[int]:
    """The process of a UDP source that listens."""
    source = isolated(f"udp://127.0.0.1:{free_port}")
    async with aclosing(source.packets()) as packets:
        waiting = asyncio.ensure_future(anext(packets))
        await feed.listening(free_port)
        [pid] = children()
        yield pid
        waiting.cancel()
        await asyncio.wait([waiting])


@pytest.mark.parametrize(
    ("what", "most"),
    [
        pytest.param(resource.RLIMIT_DATA, 256 * MIB, id="memory"),
        pytest.param(resource.RLIMIT_NOFILE, 256, id="open files"),
        pytest.param(resource.RLIMIT_FSIZE, 0, id="bytes of a file"),
        pytest.param(resource.RLIMIT_CORE, 0, id="core file"),
    ],
)
async def test_the_kernel_limits_what_a_process_uses(what: int, most: int, child: int):
    """The hard limits too, which the process cannot raise; a lower one set before stays."""
    ours = [limit for limit in resource.getrlimit(what) if limit != resource.RLIM_INFINITY]

    assert resource.prlimit(child, what) == (min([most, *ours]),) * 2


async def test_the_addresses_of_a_process_are_limited(child: int):
    """To its data, its libraries, and what was mapped at the start."""
    soft, hard = resource.prlimit(child, resource.RLIMIT_AS)

    assert soft == hard
    assert 256 * MIB + (1 << 30) < soft < 16 << 30


@pytest.mark.parametrize(
    ("url", "packet_limit", "memory"),
    [
        ("udp://:5000", LIMIT, 256 * MIB),
        ("udp://:5000", LIMIT - 1, 256 * MIB),
        ("udp://:5000", LIMIT + MIB, 272 * MIB),
        ("https://h/x.m3u8", LIMIT, 256 * MIB),
        ("-", LIMIT, 4096 * MIB),
        ("flight.ts", LIMIT + MIB, 4096 * MIB),
    ],
)
def test_a_network_gets_less_memory_than_a_file(url: str, packet_limit: int, memory: int):
    """Plus space for sixteen packets where they may exceed the default limit."""
    limits = ProcessLimits.of(Url.parse(url), packet_limit)

    assert (limits.memory, limits.packet) == (memory, packet_limit)


# ---- secrets ----


async def fault(url: str, said: str, **options: object) -> str:
    """The error raised where the process fails with this text."""
    script = (
        "import socket, sys; from klvrelay.errors import SourceDown;"
        " from klvrelay.sources.isolated.messages import packed_end;"
        " line = socket.socket(fileno=int(sys.argv[1])); line.recv(65536);"
        f" line.sendall(packed_end(SourceDown({said!r}))); line.recv(1)"
    )
    plain = open_source(url, isolate=False)
    source = IsolatedSource(plain, {"timeout": 5.0, **options}, command=[sys.executable, "-c", script])
    with pytest.raises(SourceDown) as down:
        await records(source)
    return str(down.value)


@pytest.mark.parametrize(
    "form", [PASSWORD, quote(PASSWORD, safe=""), quote(PASSWORD)], ids=["plain", "percent-coded", "but for slashes"]
)
async def test_an_error_shows_a_password_in_no_form(form: str):
    """A library may repeat its URL with some characters coded."""
    url = f"rtsp://pilot:{quote(PASSWORD, safe='')}@127.0.0.1/live"

    assert await fault(url, f"can't open <{form}>") == "can't open <***>"


async def test_a_secret_that_holds_another_is_hidden_whole():
    """If the shorter one were replaced first, the rest would be visible."""
    url = "rtsp://pilot:hunter@127.0.0.1/live"

    assert await fault(url, "hunter, hunter-two", passphrase=Secret("hunter-two")) == "***, ***"


@pytest.mark.parametrize(("value", "shown"), [("abcde", "abcde"), ("abcdef", "***")])
async def test_a_short_value_of_an_option_is_no_secret(value: str, shown: str):
    """Values such as "1" or "pull" would fill an error with stars."""
    assert await fault(f"rtsp://127.0.0.1/live?token={value}", f"no {value} there") == f"no {shown} there"
