"""Count datagrams that the kernel dropped before libav read them, which libav does not report.

/proc/self/net/udp, one line per socket:

    sl  local_address rem_address  st tx:rx tr:when retrnsmt uid timeout inode ref pointer drops
    12: 0100007F:C350 00000000:0000 07 ...                                                 17
"""

from __future__ import annotations

import time
from collections.abc import Collection
from contextlib import suppress

from klvrelay.link_stats import LinkStats

TABLES = ("/proc/self/net/udp", "/proc/self/net/udp6")
EVERY = 1.0
"""Seconds between two reads: the table has a line for each socket of the machine."""


def kernel_drops(ports: Collection[int]) -> int:
    """Datagrams dropped so far at these local ports; 0 if the kernel does not report them."""
    count = 0
    for table in TABLES:
        with suppress(OSError, ValueError, IndexError), open(table, encoding="ascii") as lines:
            next(lines, None)
            for line in lines:
                fields = line.split()
                if int(fields[1].rpartition(":")[2], 16) in ports:
                    count += int(fields[-1])
    return count


class UdpDrops:
    """Keeps `kernel_drops` of a link up to date while the sockets at `ports` are open."""

    def __init__(self, link: LinkStats, ports: Collection[int]) -> None:
        self._link, self._ports = link, frozenset(ports)
        self._before = link.kernel_drops
        self._next = 0.0

    def update(self, *, now: bool = False) -> None:
        """Update, at most once per EVERY, or `now`."""
        if not self._ports:
            return
        clock = time.monotonic()
        if now or clock >= self._next:
            self._next = clock + EVERY
            self._link.kernel_drops = max(self._link.kernel_drops, self._before + kernel_drops(self._ports))
