"""Limits on the resources of an isolated source's process."""

from __future__ import annotations

import resource
from contextlib import suppress
from typing import NamedTuple

from klvrelay.config.url import Url
from klvrelay.core import LIMIT
from klvrelay.sources.isolated.messages import most_of

MEMORY, LIVE_MEMORY = 4 << 30, 256 << 20
"""Maximum bytes of private data (RLIMIT_DATA): for reading a file, and for reading from a network.

The interpreter with libav takes 35 MiB of this, and each thread's stack 8 MiB.
"""
SPACE = 1 << 30
"""Bytes of address space beyond these data and the initial size: for libraries, and for reservations by the C library.
An attacker can obtain memory that does not count as data, but none without address space.
"""
STREAMS = 16
"""KLV packets above the default size limit for which additional memory is allowed."""
FILE_SIZE = 0
"""Maximum bytes of any file it writes, including memory files, which no other limit counts."""
FILES = 256
OUT_OF_MEMORY = 75
"""Exit status of a process that ran out of memory."""


class ProcessLimits(NamedTuple):
    """memory   bytes of data; message   octets of one packet message to the relay; packet   bytes of a KLV value"""

    memory: int
    message: int
    packet: int

    @classmethod
    def of(cls, url: Url, packet_limit: int) -> ProcessLimits:
        live = url.scheme not in ("file", "stdin")
        extra = STREAMS * max(0, packet_limit - LIMIT)
        return cls(LIVE_MEMORY + extra if live else MEMORY, most_of(packet_limit, live=live), packet_limit)

    @property
    def needs_more(self) -> str:
        """The error message for a process that ran out of memory, with a remedy."""
        return (
            f"needs more than {self.memory >> 20} MiB of memory, which is its limit; if you trust what it"
            " reads, --no-isolate (isolate = false) sets no limit"
        )

    def enforce(self) -> None:
        """Apply to the current process; also to its hard limits, so that nothing in it can raise them."""
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
    """Bytes of address space in use."""
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[0]) * resource.getpagesize()
