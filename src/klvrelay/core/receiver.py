"""Receives datagrams of a socket by the C core, as KLV packets or as bytes."""

from __future__ import annotations

import os
import threading
from functools import partial
from typing import Any

from klvrelay import core
from klvrelay.core import Counters
from klvrelay.core._core import ffi, lib

DATAGRAM = 65536
"""Maximum bytes of a datagram."""

Run = tuple[bytes, int, int | None, bool, bool]
"""(bytes, received_us, pts, is MPEG-TS, data is missing before or in them) of consecutive datagrams."""

Found = Any
"""A `core.Entry` if units are requested, else a `Run`."""

_POOL = 512 << 10
ENTRIES, RUNS = 1024, 256
_COUNTS = [name for name, _ in ffi.typeof("struct klv_receiver_counts").fields]
NO_CLEAR = ffi.new_allocator(should_clear_after_alloc=False)

ALL_READ: int = lib.RECEIVE_RESULTS
"""The usual status of a read: everything was read, and nothing is held."""
_HOLDS, _FULL, _LANE = lib.RECEIVE_HOLDING, lib.RECEIVE_FULL, lib.RECEIVE_NEEDS_LANE


class _Buffers(threading.local):
    """Receive and result buffers, one per thread, shared by its sockets. Unused parts take no physical memory."""

    def __init__(self) -> None:
        self.memory = NO_CLEAR("uint8_t[]", lib.klv_buffers_size(DATAGRAM))
        self.buffers = ffi.cast("struct klv_buffers *", self.memory)
        lib.klv_buffers_init(self.buffers, DATAGRAM)
        self.pool = NO_CLEAR("uint8_t[]", _POOL)
        self.entries = NO_CLEAR("struct klv_entry[]", ENTRIES)
        self.runs = NO_CLEAR("struct klv_run[]", RUNS)
        self.count = ffi.new("size_t *")

    def pool_for(self, limit: int) -> Any:
        """The result buffer, large enough for a packet of this limit. Earlier buffers remain valid for their users."""
        if len(self.pool) < limit + core.PACKET_HEAD:
            self.pool = NO_CLEAR("uint8_t[]", limit + core.PACKET_HEAD)
        return self.pool


buffers = _Buffers()


class Receiver:
    """One bound, non-blocking datagram socket, owned by the caller. Use it in the thread that created it.

    `ReceiverSet` reads it. `overdue` reads nothing; it releases the RTP packets that were held when `holds` was set.

    units    return KLV packets, else bytes
    rtp      expect RTP; without this, RTP is recognised if its payload is MPEG-TS or KLV
    sender   the only accepted sender address, 4 or 16 bytes
    limit    maximum bytes of a packet's value
    holds    RTP packets are held because an earlier one is late: call `overdue` soon

    The constructor and the methods raise OSError if the socket fails.
    """

    def __init__(
        self, fd: int, *, units: bool, rtp: bool = False, sender: bytes | None = None, limit: int = core.LIMIT
    ) -> None:
        self.fd = fd
        self.is_of_units = units
        self.holds = False
        self._limit = limit
        self._bytes = NO_CLEAR("uint8_t[]", lib.klv_receiver_size())
        self._memory = NO_CLEAR("uint8_t[]", lib.klv_receiver_memory())
        self._receiver = ffi.cast("struct klv_receiver *", self._bytes)
        self._lane: core.Lane | None = None
        self._earlier_counters: Counters | None = None
        b = buffers
        self._count = b.count
        pool = b.pool_for(limit if units else 0)
        self._pool = ffi.buffer(pool)
        function = lib.klv_receiver_units if units else lib.klv_receiver_runs
        results = (b.entries, ENTRIES) if units else (b.runs, RUNS)
        destination = (pool, len(pool), *results, b.count)
        self._read = partial(function, self._receiver, b.buffers, lib.RECEIVE_ALL, *destination)
        self._read_overdue = partial(function, self._receiver, b.buffers, lib.RECEIVE_OVERDUE, *destination)
        address = ffi.NULL if sender is None else _MAPPED[: 16 - len(sender)] + sender
        check(lib.klv_receiver_init(self._receiver, fd, lib.RECEIVE_RTP if rtp else 0, address, self._memory))

    @property
    def pointer(self) -> Any:
        """The C structure. Valid while this object exists."""
        return self._receiver

    def overdue(self) -> tuple[list[Found], int]:
        """The RTP packets no longer held, and the status for `rest`."""
        status = self._read_overdue()
        return self._written(), status

    def rest(self, status: int, found: list[Found]) -> list[Found]:
        """The results of a read, with those that did not fit in the buffer or needed a new lane."""
        while status in (_FULL, _LANE):
            if status == _LANE:
                found += self._change_lane()
            status = self._read()
            found += self._written()
        self.holds = bool(check(status) & _HOLDS)
        return found

    def _written(self) -> list[Found]:
        """The results of the last read of this socket alone."""
        count = self._count[0]
        if not count:
            return []
        return entries_of(self._pool, count) if self.is_of_units else runs_of(self._pool, count)

    def flush(self) -> list[Found]:
        """The source has ended: return incomplete packets as damaged."""
        if self._lane is None:
            return []
        self._lane.cut()
        return list(self._lane.packets(b""))

    def _change_lane(self) -> list[Found]:
        """The format is now known or has changed: create a lane, and return the packets held by the old one."""
        held = self.flush()
        if self._lane is not None:
            self._earlier_counters = self.counters
        self._lane = core.Lane(ts=lib.klv_receiver_ts(self._receiver) == 1, limit=self._limit)
        lib.klv_receiver_use_lane(self._receiver, self._lane.pointer)
        return held

    @property
    def counters(self) -> Counters:
        """Counters of its lane; all 0 if `units` is false."""
        if self._lane is None:
            return Counters()
        now = self._lane.counters
        return now if self._earlier_counters is None else self._earlier_counters + now

    @property
    def counts(self) -> dict[str, int]:
        """Transport counters: the fields of `struct klv_receiver_counts`."""
        counts = ffi.new("struct klv_receiver_counts *")
        lib.klv_receiver_counts(self._receiver, counts)
        return {name: getattr(counts, name) for name in _COUNTS}

    @property
    def size(self) -> int:
        """Bytes received, as in `counts`."""
        return int(lib.klv_receiver_received(self._receiver))

    @property
    def kernel_drops(self) -> int:
        """Datagrams dropped by the kernel since the socket was created, because its buffer was full."""
        return int(check(lib.klv_receiver_drops(self.fd)))


def entries_of(pool: Any, count: int) -> list[Any]:
    return core.entries_of(pool, buffers.entries, count)


def runs_of(pool: Any, count: int) -> list[Any]:
    return [
        (pool[run.at : run.at + run.size], run.received_us, run.pts if run.pts >= 0 else None, bool(run.ts),
         bool(run.damaged))
        for run in buffers.runs[0:count]
    ]  # fmt: skip


_MAPPED = bytes(10) + b"\xff\xff"
"""Prefix of an IPv4-mapped IPv6 address (RFC 4291, 2.5.5.2)."""


def check(status: int) -> int:
    if status < 0:
        raise OSError(-status, os.strerror(-status))
    return status
