"""The only caller of `native/socket.h`: what the kernel holds for a datagram socket, as KLV units or as bytes.

Next door: `wire.py` is the same for `native/klv.h`; `sources/datagrams/inbox.py` asks here at each wake-up of the loop.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

from klvrelay import wire
from klvrelay._core import ffi, lib
from klvrelay.wire import Counters, Entry

DATAGRAM = 65536
"""Bytes that a datagram may have: none is longer."""

Run = tuple[bytes, int, int | None, bool, bool]
"""(bytes, received_us, pts, they are MPEG-TS, something is missing before or in them) of what came together."""

Look = Callable[[], int]

_POOL = 512 << 10
_ENTRIES, _RUNS = 1024, 256
_COUNTS = [name for name, _ in ffi.typeof("struct klv_inlet_counts").fields]
_NO_CLEAR = ffi.new_allocator(should_clear_after_alloc=False)

_HOLDS, _FULL, _LANE = lib.INLET_HOLDS, lib.INLET_FULL, lib.INLET_LANE


class _Basin(threading.local):
    """Where C receives and writes: one a thread, for all its sockets. Memory that no datagram reaches is not used."""

    def __init__(self) -> None:
        self.memory = _NO_CLEAR("uint8_t[]", lib.klv_basin_size(DATAGRAM))
        self.basin = ffi.cast("struct klv_basin *", self.memory)
        lib.klv_basin_init(self.basin, DATAGRAM)
        self.pool = _NO_CLEAR("uint8_t[]", _POOL)
        self.entries = _NO_CLEAR("struct klv_entry[]", _ENTRIES)
        self.runs = _NO_CLEAR("struct klv_run[]", _RUNS)
        self.count = ffi.new("size_t *")

    def pool_for(self, limit: int) -> Any:
        """Where results go, with room for a packet of that limit; an earlier one stays with who has it."""
        if len(self.pool) < limit + wire.PACKET_HEAD:
            self.pool = _NO_CLEAR("uint8_t[]", limit + wire.PACKET_HEAD)
        return self.pool


_basin = _Basin()


class Inlet:
    """One bound, non-blocking datagram socket, which stays the caller's; for one thread, that which made it.

    `look` takes what waits, in one C call; what it gives goes to `units` or `runs`, unless it is 0: then nothing came
    of it. No other inlet of the thread may look before that. `look_overdue` receives nothing, but what RTP was held for
    when `holds` was last seen is not waited for any more.

    units    finished units are wanted, else the bytes
    rtp      what comes is expected to be RTP; it is recognised without that where its payload is seen to be
             MPEG-TS or KLV
    sender   the address, 4 or 16 bytes, that all must come from
    limit    bytes that a packet's value may have

    Raises OSError, as do its methods, where the socket fails.
    """

    def __init__(
        self, fd: int, *, units: bool, rtp: bool = False, sender: bytes | None = None, limit: int = wire.LIMIT
    ) -> None:
        self._fd = fd
        self._limit = limit
        self._bytes = _NO_CLEAR("uint8_t[]", lib.klv_inlet_size())
        self._memory = _NO_CLEAR("uint8_t[]", lib.klv_inlet_memory())
        self._inlet = ffi.cast("struct klv_inlet *", self._bytes)
        self._lane: wire.Lane | None = None
        self._lanes_before = Counters()
        b = _basin
        self._count = b.count
        pool = b.pool_for(limit if units else 0)
        self._pool = ffi.buffer(pool)
        function = lib.klv_inlet_units if units else lib.klv_inlet_runs
        results = (b.entries, _ENTRIES) if units else (b.runs, _RUNS)
        self.look: Look = partial(function, self._inlet, b.basin, 0, pool, len(pool), *results, b.count)
        self.look_overdue: Look = partial(function, self._inlet, b.basin, 1, pool, len(pool), *results, b.count)
        self.holds = False
        """RTP is held for a datagram that is late: `look_overdue` in a moment."""
        address = ffi.NULL if sender is None else _MAPPED[: 16 - len(sender)] + sender
        _checked(lib.klv_inlet_init(self._inlet, fd, lib.INLET_RTP if rtp else 0, address, self._memory))

    def units(self, status: int) -> list[Entry]:
        """The KLV packets that are whole with what `look` took."""
        found: list[Entry] = []
        while True:
            if count := self._count[0]:
                found += wire.entries_of(self._pool, _basin.entries, count)
            if status == _LANE:
                found += self._other_lane()
            elif status != _FULL:
                self.holds = bool(_checked(status) & _HOLDS)
                return found
            status = self.look()

    def runs(self, status: int) -> list[Run]:
        """The payload bytes that `look` took, in order: one run for what came together."""
        found: list[Run] = []
        while True:
            for run in _basin.runs[0 : self._count[0]]:
                data, pts = self._pool[run.at : run.at + run.size], run.pts if run.pts >= 0 else None
                found.append((data, run.received_us, pts, bool(run.ts), bool(run.damaged)))
            if status != _FULL:
                self.holds = bool(_checked(status) & _HOLDS)
                return found
            status = self.look()

    def flush(self) -> list[Entry]:
        """No more will come: what began and never came to its end, as damaged."""
        if self._lane is None:
            return []
        self._lane.cut()
        return self._lane.packets(b"")

    def _other_lane(self) -> list[Entry]:
        """What comes is known now, or is another thing than before: the old lane gives out what it holds."""
        held = self.flush()
        if self._lane is not None:
            self._lanes_before += self._lane.counters
        self._lane = wire.Lane(ts=lib.klv_inlet_ts(self._inlet) == 1, limit=self._limit)
        lib.klv_inlet_lane(self._inlet, self._lane.pointer)
        return held

    @property
    def counters(self) -> Counters:
        """What has gone through its lane so far; none of it where only `runs` are asked for."""
        return self._lanes_before if self._lane is None else self._lanes_before + self._lane.counters

    @property
    def counts(self) -> dict[str, int]:
        """What the line told so far: the fields of `struct klv_inlet_counts`."""
        counts = ffi.new("struct klv_inlet_counts *")
        lib.klv_inlet_counts(self._inlet, counts)
        return {name: getattr(counts, name) for name in _COUNTS}

    @property
    def kernel_drops(self) -> int:
        """Datagrams that the kernel dropped since the socket was made: its buffer was full."""
        return int(_checked(lib.klv_inlet_drops(self._fd)))


_MAPPED = bytes(10) + b"\xff\xff"
"""What makes an IPv6 address of an IPv4 one (RFC 4291, 2.5.5.2)."""


def _checked(status: int) -> int:
    if status < 0:
        raise OSError(-status, os.strerror(-status))
    return status
