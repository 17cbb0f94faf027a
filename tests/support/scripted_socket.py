"""A socket with a scripted kernel: datagrams with arrival times, drop counts and senders as a test defines them.

`native/scripted_socket.c` is built with the core for it.
"""

from __future__ import annotations

import ctypes
import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

from test_core_purity import HERE_NATIVE, NATIVE, sources

US = 1_700_000_000_000_000
ALL, OVERDUE, EXPECTED = 0, 1, 2
DRY, FULL, HOLDS, NEWS = 0, 1, 4, 8
RTP = 1
ROOM, MOST = 1 << 20, 512


def built(folder: Path) -> ctypes.CDLL:
    """The library, compiled in a folder."""
    cc = shlex.split(os.environ.get("CC") or shutil.which("gcc") or "cc")
    library = folder / "scripted.so"
    files = [HERE_NATIVE / "scripted_socket.c", *sources()]
    flags = ["-std=c11", "-O0", "-shared", "-fPIC", "-fvisibility=hidden", "-I", NATIVE]
    subprocess.run([*cc, *flags, *files, "-o", library, "-lm"], check=True, timeout=240)
    lib = ctypes.CDLL(str(library))
    lib.scripted_add.argtypes = [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_int64, ctypes.c_uint32, ctypes.c_uint32]
    lib.scripted_open.argtypes = [ctypes.c_int, ctypes.c_uint32]
    lib.scripted_look.argtypes = [ctypes.c_int, ctypes.c_size_t, ctypes.c_size_t]
    lib.scripted_run.restype = ctypes.c_void_p
    lib.scripted_run.argtypes = [ctypes.c_size_t, ctypes.POINTER(ctypes.c_int64)]
    lib.scripted_runs.restype = lib.scripted_waiting.restype = ctypes.c_size_t
    return lib


def count_names() -> list[str]:
    """The members of struct klv_inlet_counts."""
    text = re.sub(r"/\*.*?\*/", "", (NATIVE / "socket.h").read_text(encoding="utf-8"), flags=re.DOTALL)
    body = re.search(r"struct klv_inlet_counts \{(.*?)\};", text, re.DOTALL)
    assert body
    return re.findall(r"\b(\w+)(?=[,;])", body[1])


class Run(NamedTuple):
    """Bytes that arrived together; times after US."""

    data: bytes
    us: int
    pts: int
    ts: bool
    damaged: bool


class Socket:
    """One receiver; `send` puts a datagram in its queue, `look` returns the output for all waiting ones."""

    def __init__(self, lib: ctypes.CDLL, flags: int = 0, sender: int = 0) -> None:
        self._lib = lib
        self.status = DRY
        lib.scripted_open(flags, sender)

    def send(self, data: bytes, us: int = 0, *, drops: int = 0, sender: int = 0x7F000001) -> None:
        self._lib.scripted_add(data, len(data), US + us, drops, sender)

    def look(self, how: int = ALL, *, room: int = ROOM, most: int = MOST) -> list[Run]:
        self.status = self._lib.scripted_look(how, room, most)
        return [self._run(i) for i in range(self._lib.scripted_runs())]

    def _run(self, i: int) -> Run:
        values = (ctypes.c_int64 * 5)()
        at = self._lib.scripted_run(i, values)
        size, us, pts, ts, damaged = values
        return Run(ctypes.string_at(at, size), us - US, pts, bool(ts), bool(damaged))

    @property
    def waiting(self) -> int:
        """Datagrams not received yet."""
        return int(self._lib.scripted_waiting())

    @property
    def counts(self) -> dict[str, int]:
        """The counters that are not 0, except size and datagrams."""
        names = count_names()
        values = (ctypes.c_uint64 * len(names))()
        self._lib.scripted_counts(values)
        found = dict(zip(names, values, strict=True))
        return {name: found[name] for name in names[2:] if found[name]}
