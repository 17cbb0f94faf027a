"""Whoever takes the process of a source over is locked in there: no files, no programs, no other processes."""

from __future__ import annotations

import asyncio
import ctypes
import json
import os
import platform
import socket
import sys
from contextlib import aclosing
from pathlib import Path

import pytest

from klvrelay.sources import open_source
from klvrelay.sources.isolated.source import IsolatedSource

LANDLOCK = ctypes.CDLL(None).syscall(444, None, ctypes.c_size_t(0), 1)
confined = pytest.mark.skipif(
    LANDLOCK < 6 or platform.machine() not in ("x86_64", "aarch64"), reason="this kernel does not confine in full"
)
PRISONER = Path(__file__).with_name("prisoner.py")


@pytest.fixture
def notes(tmp_path: Path, free_port: int):
    (tmp_path / "secret").write_text("c4n4ry")
    (tmp_path / "secret").chmod(0o600)
    (tmp_path / "open").mkdir(mode=0o777)
    (tmp_path / "open" / "there").write_text("there")
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket(socket.AF_UNIX) as service:
        service.bind(str(tmp_path / "service"))
        service.listen()
        yield {
            "folder": str(tmp_path), "relay": os.getpid(), "service": str(tmp_path / "service"),
            "port": server.getsockname()[1], "library": "libz.so.1", "only": [],
        }  # fmt: skip


async def found_by(notes, url: str = "http://127.0.0.1/live") -> dict[str, dict[str, str]]:
    """What became of the attempts of a prisoner who reads `url`."""
    path = Path(notes["folder"]) / "notes.json"
    path.write_text(json.dumps(notes))
    plain = open_source(url, isolate=False)
    options = {"timeout": 5.0, "packet_limit": 1 << 20, "demux": None, "ca_file": None, "follow": False}
    source = IsolatedSource(plain, options, command=[sys.executable, str(PRISONER), str(path)])
    async with asyncio.timeout(30), aclosing(source.packets()) as packets:
        return json.loads(bytes((await anext(packets)).data))


@confined
@pytest.mark.parametrize("url", ["http://127.0.0.1/live", "udp://127.0.0.1:5000"])
async def test_a_cell_that_was_taken_over_reaches_nothing(notes, url):
    """No secret of the same user, no place to write to, no program, no other process; in none of its threads."""
    found = await found_by(notes, url)

    assert len(found["attempts"]) > 60
    assert [name for name, how in found["attempts"].items() if how == "done"] == []
    assert (Path(notes["folder"]) / "open" / "there").read_text() == "there"


@confined
async def test_a_cell_can_do_what_a_source_needs(notes):
    """Names, sockets, threads, libraries that are loaded late."""
    found = await found_by(notes)

    assert len(found["still"]) > 15
    assert [name for name, how in found["still"].items() if how != "done"] == []


async def test_the_attempts_succeed_where_nothing_is_confined(notes):
    """So that it is the confinement that they fail at."""
    only = [
        "read a secret", "list a folder", "read the relay's command line", "write a file", "append to a file",
        "make a folder", "start a program", "fork", "ask whether the relay is there", "talk to a service", "listen",
        "have memory that no limit counts",
    ]  # fmt: skip
    found = await found_by(notes | {"only": only})

    assert [name for name in only if found["attempts"][name] != "done"] == []


@confined
async def test_a_file_is_read_and_its_neighbours_are_not(notes, tmp_path):
    """A source that is a file has itself, and no network."""
    found = await found_by(notes | {"folder": str(tmp_path)}, str(tmp_path / "open" / "there"))

    assert found["attempts"]["read a secret"] == "PermissionError"
    assert found["still"]["connect"] == found["still"]["use UDP"] == "OSError"
