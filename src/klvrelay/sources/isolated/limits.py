"""How much the process of an isolated source may use; `cell.py` sets it, `process.py` says where it was too little."""

from __future__ import annotations

import resource
from contextlib import suppress
from typing import NamedTuple

from klvrelay.config.url import Url
from klvrelay.core import LIMIT
from klvrelay.sources.isolated.messages import most_of

MEMORY, LIVE_MEMORY = 4 << 30, 256 << 20
"""Bytes of data of its own (RLIMIT_DATA): of a file's process, and of one that reads from a network.

The interpreter with libav has 35 MiB of them, and 8 MiB for the stack of each thread.
"""
SPACE = 1 << 30
"""Bytes of addresses beyond those data, and what is there at the start: for libraries, and for what the C library
reserves. Whoever took the process over can have memory that does not count as data, but none without an address.
"""
STREAMS = 16
"""KLV packets above the default limit that there is room for besides."""
FILE_SIZE = 0
"""Bytes of a file that it writes: of one in memory too, which no other limit would count."""
FILES = 256
OUT_OF_MEMORY = 75
"""The exit status of a process that had no more memory."""


class ProcessLimits(NamedTuple):
    """memory   bytes of data; parcel   octets of a packet on its way to the relay; packet   bytes of a KLV value."""

    memory: int
    parcel: int
    packet: int

    @classmethod
    def of(cls, url: Url, packet_limit: int) -> ProcessLimits:
        live = url.scheme not in ("file", "stdin")
        room = STREAMS * max(0, packet_limit - LIMIT)
        return cls(LIVE_MEMORY + room if live else MEMORY, most_of(packet_limit, live=live), packet_limit)

    @property
    def needs_more(self) -> str:
        """What became of a process that had not enough, and what to do."""
        return (
            f"needs more than {self.memory >> 20} MiB of memory, which is all that it may have; where you trust what it"
            " reads, --no-isolate (isolate = false) sets no limit"
        )

    def enforce(self) -> None:
        """In the process itself; its hard limits too, so that nothing in it can raise them."""
        most = {
            resource.RLIMIT_CORE: 0, resource.RLIMIT_DATA: self.memory, resource.RLIMIT_FSIZE: FILE_SIZE,
            resource.RLIMIT_NOFILE: FILES, resource.RLIMIT_AS: _size() + self.memory + SPACE,
        }  # fmt: skip
        for what, value in most.items():
            finite = [limit for limit in resource.getrlimit(what) if limit != resource.RLIM_INFINITY]
            least = min(value, *finite) if finite else value
            with suppress(OSError):  # a sandbox may forbid even this
                resource.setrlimit(what, (least, least))


def _size() -> int:
    """Bytes of addresses that this process has."""
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[0]) * resource.getpagesize()
