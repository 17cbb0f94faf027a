"""A compromised source process is confined: no files, no programs, no other processes."""

from __future__ import annotations

import asyncio
import ctypes
import json
import os
import platform
import socket
import subprocess
import sys
from contextlib import aclosing
from pathlib import Path

import feed
import pytest
from isolated_cases import children, records
from test_cli import ENVIRONMENT

from klvrelay.config.url import Url
from klvrelay.core import LIMIT
from klvrelay.errors import SourceDown
from klvrelay.relay.supervise import is_retryable, standing_of
from klvrelay.sources.isolated.limits import LIVE_MEMORY, MEMORY, ProcessLimits
from klvrelay.sources.isolated.prctl import DAC_READ_SEARCH, NET_ADMIN, NET_BIND_SERVICE, NET_RAW
from klvrelay.sources.isolated.source import IsolatedSource
from klvrelay.sources.open import open_source

LANDLOCK = ctypes.CDLL(None).syscall(444, None, ctypes.c_size_t(0), 1)
confined = pytest.mark.skipif(
    LANDLOCK < 6 or platform.machine() not in ("x86_64", "aarch64"), reason="this kernel does not confine in full"
)
HERE = Path(__file__).parent


@pytest.fixture
def notes(tmp_path: Path, free_port: int):
    (tmp_path / "secret").write_text("c4n4ry")
    (tmp_path / "secret").chmod(0o600)
    (tmp_path / "open").mkdir(mode=0o777)
    (tmp_path / "open" / "there").write_text("there")
    (tmp_path / "open" / "there").chmod(0o640)
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.socket(socket.AF_UNIX) as service,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as log,
    ):
        service.bind(str(tmp_path / "service"))
        service.listen()
        log.bind(str(tmp_path / "log"))
        yield {
            "folder": str(tmp_path), "relay": os.getpid(), "service": str(tmp_path / "service"),
            "log": str(tmp_path / "log"), "port": server.getsockname()[1], "library": "libz.so.1", "only": [],
        }  # fmt: skip


def taken_over(url: str, *command: str) -> IsolatedSource:
    """A source whose process runs a script from this folder."""
    options = {"timeout": 5.0, "packet_limit": 1 << 20, "demux": None, "ca_file": None, "follow": False}
    script = str(HERE / command[0])
    return IsolatedSource(open_source(url, isolate=False), options, command=[sys.executable, script, *command[1:]])


async def found_by(notes, url: str = "http://127.0.0.1/live") -> dict[str, dict[str, str]]:
    """The results of the attempts of a prisoner that reads `url`."""
    path = Path(notes["folder"]) / "notes.json"
    path.write_text(json.dumps(notes))
    source = taken_over(url, "prisoner.py", str(path))
    async with asyncio.timeout(30), aclosing(source.packets()) as packets:
        return json.loads(bytes((await anext(packets)).data))


@confined
@pytest.mark.parametrize("url", ["http://127.0.0.1/live", "tcp://127.0.0.1:1", "udp://127.0.0.1:1"])
async def test_a_compromised_process_reaches_nothing(notes, url):
    """No thread of the process can read secrets of the same user, write files, run programs or reach other processes.
    """
    found = await found_by(notes, url)

    assert len(found["attempts"]) > 60
    assert [name for name, how in found["attempts"].items() if how == "done"] == []
    assert (Path(notes["folder"]) / "open" / "there").read_text() == "there"


@confined
async def test_a_confined_process_can_do_what_a_source_needs(notes):
    """Name look-ups, sockets, threads and late loading of libraries work."""
    found = await found_by(notes)

    assert len(found["still"]) > 15
    assert [name for name, how in found["still"].items() if how != "done"] == []


async def test_the_attempts_succeed_where_nothing_is_confined(notes):
    """Without confinement the attempts succeed: so confinement is what stops them."""
    only = [
        "read a secret", "list a folder", "read the relay's command line", "write a file", "append to a file",
        "make a folder", "start a program", "show its memory to others", "fork",
        "ask whether the relay is there", "talk to a service", "listen", "have memory that no limit counts",
        "change the mode of a file", "give a file away", "give a link away", "change the times of a file",
        "slow the relay down", "take the relay's turns", "choose the relay's processors",
        "have the kernel signal the relay", "talk to a service that takes datagrams",
        "listen without a port", "see what happens in a folder",
        "have gigabytes in files in memory", "have gigabytes that are only read",
    ]  # fmt: skip
    found = await found_by(notes | {"only": only})

    assert [name for name in only if found["attempts"][name] != "done"] == []


@confined
async def test_a_file_is_read_and_its_neighbours_are_not(notes, tmp_path):
    """A file source can read its file only, and has no network."""
    found = await found_by(notes | {"folder": str(tmp_path)}, str(tmp_path / "open" / "there"))

    assert found["attempts"]["read a secret"] == "PermissionError"
    assert found["still"]["connect"] == found["still"]["use UDP"] == "OSError"


@pytest.mark.parametrize("way", ["task", "thread", "callback"])
async def test_a_process_beyond_its_memory_limit_is_reported(way):
    """The process ends at its limit, far below the machine's memory; the relay opens the source again."""
    source = taken_over("rtsp://127.0.0.1/live", "glutton.py", way)
    packets = source.packets()
    assert (await anext(packets)).data == b"G" * 188

    with pytest.raises(SourceDown) as fault:
        await anext(packets)

    assert str(fault.value) == (
        "rtsp://127.0.0.1/live: its process needs more than 256 MiB of memory, which is its limit; if you"
        " trust what it reads, --no-isolate (isolate = false) sets no limit"
    )
    assert is_retryable(fault.value, standing_of(source.url.scheme, live=source.live, read=True))


async def test_a_file_source_may_use_more_memory_than_a_network_source():
    """An index of hours is legitimate, and the limit grows with the maximum packet size."""
    assert ProcessLimits.of(Url.parse("flight.mp4"), LIMIT).memory == MEMORY
    assert ProcessLimits.of(Url.parse("https://h/flight.mp4"), LIMIT).memory == LIVE_MEMORY
    assert ProcessLimits.of(Url.parse("udp://:5000"), 8 << 20).memory > LIVE_MEMORY


def test_no_other_user_can_read_the_memory_of_the_relay(tmp_path):
    """Only root can read its environment and memory, from its start."""
    script = "import sys; from klvrelay.cli.main import main; main(['items', 'slant_range']); import ctypes;"
    done = subprocess.run(
        [sys.executable, "-c", script + "print('dumpable', ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))"],
        capture_output=True, text=True, timeout=30, env=ENVIRONMENT, check=True,
    )  # fmt: skip

    assert done.stdout.splitlines()[-1] == "dumpable 0"


@confined
async def test_a_confined_process_shows_that_it_is_confined(free_port):
    """Its name shows where it listens; its status shows that system calls are filtered."""
    source = open_source(f"udp://127.0.0.1:{free_port}", isolate=True)
    reading = asyncio.create_task(records(source))
    await feed.listening(free_port)
    [pid] = children()

    status = Path(f"/proc/{pid}/status").read_text()
    assert "NoNewPrivs:\t1" in status
    assert "Seccomp:\t2" in status
    held = int(status.partition("CapPrm:\t")[2].split()[0], 16)
    assert held & ~(1 << DAC_READ_SEARCH | 1 << NET_BIND_SERVICE | 1 << NET_ADMIN | 1 << NET_RAW) == 0
    assert Path(f"/proc/{pid}/comm").read_text() == f"klv udp:{free_port}\n"
    reading.cancel()
    await asyncio.wait([reading])
