"""Receives datagrams by the C core, from many sockets in one call, as KLV packets or as bytes."""

from __future__ import annotations

import os
import select
import struct
import threading
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from klvrelay import core
from klvrelay.core import Counters
from klvrelay.core._core import ffi, lib

DATAGRAM = 65536
"""Maximum bytes of a datagram."""

Run = tuple[bytes, int, int | None, bool, bool]
"""(bytes, received_us, pts, is MPEG-TS, data is missing before or in them) of consecutive datagrams."""

Found = Any
"""A `core.Entry` if units are requested, else a `Run`."""

OnResults = Callable[[list[Found], int], None]
"""Callback for the results of one socket and its status, to be passed to `Receiver.rest`."""

_POOL = 512 << 10
_ENTRIES, _RUNS, _READY = 1024, 256, 256
_READY_ROW = struct.Struct("=IiII")
_COUNTS = [name for name, _ in ffi.typeof("struct klv_receiver_counts").fields]
_NO_CLEAR = ffi.new_allocator(should_clear_after_alloc=False)

ALL_READ: int = lib.RECEIVE_RESULTS
"""The usual status of a read: everything was read, and nothing is held."""
_HOLDS, _FULL, _LANE, _MORE = lib.RECEIVE_HOLDING, lib.RECEIVE_FULL, lib.RECEIVE_NEEDS_LANE, lib.READ_MORE


class _Buffers(threading.local):
    """Receive and result buffers, one per thread, shared by its sockets. Unused parts take no physical memory."""

    def __init__(self) -> None:
        self.memory = _NO_CLEAR("uint8_t[]", lib.klv_buffers_size(DATAGRAM))
        self.buffers = ffi.cast("struct klv_buffers *", self.memory)
        lib.klv_buffers_init(self.buffers, DATAGRAM)
        self.pool = _NO_CLEAR("uint8_t[]", _POOL)
        self.entries = _NO_CLEAR("struct klv_entry[]", _ENTRIES)
        self.runs = _NO_CLEAR("struct klv_run[]", _RUNS)
        self.count = ffi.new("size_t *")

    def pool_for(self, limit: int) -> Any:
        """The result buffer, large enough for a packet of this limit. Earlier buffers remain valid for their users."""
        if len(self.pool) < limit + core.PACKET_HEAD:
            self.pool = _NO_CLEAR("uint8_t[]", limit + core.PACKET_HEAD)
        return self.pool


_buffers = _Buffers()


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
        self._bytes = _NO_CLEAR("uint8_t[]", lib.klv_receiver_size())
        self._memory = _NO_CLEAR("uint8_t[]", lib.klv_receiver_memory())
        self._receiver = ffi.cast("struct klv_receiver *", self._bytes)
        self._lane: core.Lane | None = None
        self._earlier_counters: Counters | None = None
        b = _buffers
        self._count = b.count
        pool = b.pool_for(limit if units else 0)
        self._pool = ffi.buffer(pool)
        function = lib.klv_receiver_units if units else lib.klv_receiver_runs
        results = (b.entries, _ENTRIES) if units else (b.runs, _RUNS)
        destination = (pool, len(pool), *results, b.count)
        self._read = partial(function, self._receiver, b.buffers, lib.RECEIVE_ALL, *destination)
        self._read_overdue = partial(function, self._receiver, b.buffers, lib.RECEIVE_OVERDUE, *destination)
        address = ffi.NULL if sender is None else _MAPPED[: 16 - len(sender)] + sender
        _check(lib.klv_receiver_init(self._receiver, fd, lib.RECEIVE_RTP if rtp else 0, address, self._memory))

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
        self.holds = bool(_check(status) & _HOLDS)
        return found

    def _written(self) -> list[Found]:
        """The results of the last read of this socket alone."""
        count = self._count[0]
        if not count:
            return []
        return _entries_of(self._pool, count) if self.is_of_units else _runs_of(self._pool, count)

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
        return int(_check(lib.klv_receiver_drops(self.fd)))


def _entries_of(pool: Any, count: int) -> list[Any]:
    return core.entries_of(pool, _buffers.entries, count)


def _runs_of(pool: Any, count: int) -> list[Any]:
    return [
        (pool[run.at : run.at + run.size], run.received_us, run.pts if run.pts >= 0 else None, bool(run.ts),
         bool(run.damaged))
        for run in _buffers.runs[0:count]
    ]  # fmt: skip


class Load(NamedTuple):
    """The load of the sockets in an interval.

    ready   number of times that a socket had data
    looks   number of reads
    busy    number of sockets that had data
    """

    ready: int
    looks: int
    busy: int


class ReceiverSet:
    """The receivers of a thread behind one descriptor, which is readable when any of them has data.

    `look` reads all that have data, usually in one C call. Close the set when the last receiver is removed.
    """

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._bytes = _NO_CLEAR("uint8_t[]", lib.klv_receivers_size())
        self._set = ffi.cast("struct klv_receivers *", self._bytes)
        self._results = ffi.new("struct klv_results *")
        self._ready = _NO_CLEAR("struct klv_ready[]", _READY)
        self._load = ffi.new("struct klv_load *")
        self._slots: dict[int, tuple[Receiver, OnResults, Any]] = {}
        self._numbers: dict[int, int] = {}
        self._last = 0
        self._buffers_of: Any = None
        self._pending: deque[tuple[OnResults, list[Found], int]] = deque()
        lib.klv_receivers_init(self._set, self._epoll.fileno())

    def __len__(self) -> int:
        return len(self._slots)

    def fileno(self) -> int:
        return self._epoll.fileno()

    def close(self) -> None:
        self._epoll.close()

    def add(self, receiver: Receiver, on_results: OnResults) -> None:
        """Until `remove`, `look` calls `on_results` with the results of this receiver, if there are any."""
        self._last += 1
        first = {"receiver": receiver.pointer, "number": self._last, "units": receiver.is_of_units}
        slot = ffi.new("struct klv_slot *", first)
        _check(lib.klv_receivers_add(self._set, receiver.fd, slot))
        self._slots[self._last] = receiver, on_results, slot
        self._numbers[receiver.fd] = self._last

    def remove(self, receiver: Receiver) -> None:
        """Remove a receiver, if it is present."""
        number = self._numbers.pop(receiver.fd, None)
        if number is not None:
            lib.klv_receivers_remove(self._set, receiver.fd, self._slots.pop(number)[2])

    def look(self, *, gathered: bool) -> bool:
        """Read all receivers that have data, and pass the results to their callbacks.

        Returns true if datagrams remain, because a receiver had more than the limit per read (RECEIVE_BUDGET).

        gathered   expect about as much data as last time: cheaper, but results of a receiver may arrive in two parts
        """
        self._call_back()  # results left over if an earlier callback raised
        self._set_buffers()
        how = lib.READ_EXPECTED if gathered else lib.READ_ALL
        while _check(lib.klv_receivers_read(self._set, _buffers.buffers, how, self._results)) == _MORE:
            self._call_back()
            if self._epoll.closed:  # a callback removed the last receiver
                return False
            how = lib.READ_CONTINUE
        self._call_back()
        return bool(self._results.left)

    def load(self) -> Load:
        """The load since the last call."""
        lib.klv_receivers_load(self._set, self._load)
        return Load(self._load.ready, self._load.rounds, self._load.busy)

    def _set_buffers(self) -> None:
        """Let C write to the buffers of this thread."""
        results = self._results
        if self._buffers_of is not _buffers.pool:
            self._buffers_of = _buffers.pool
            results.pool, results.room = _buffers.pool, len(_buffers.pool)
            results.entries, results.most_entries = _buffers.entries, _ENTRIES
            results.runs, results.most_runs = _buffers.runs, _RUNS
            results.ready, results.most_ready = self._ready, _READY
            self._pool = ffi.buffer(_buffers.pool)

    def _call_back(self) -> None:
        results, pending = self._results, self._pending
        ready, results.count_ready = results.count_ready, 0
        if ready:
            entries = _entries_of(self._pool, results.count_entries)
            runs = _runs_of(self._pool, results.count_runs) if results.count_runs else []
            rows = ffi.buffer(self._ready, ready * _READY_ROW.size)
            for number, status, first, count in _READY_ROW.iter_unpack(rows):
                receiver, on_results, _ = self._slots[number]
                found = (entries if receiver.is_of_units else runs)[first : first + count]
                pending.append((on_results, found, status))
        while pending:
            on_results, found, status = pending.popleft()
            on_results(found, status)


def timer_of(seconds: float) -> int:
    """A descriptor that becomes readable (8 bytes) every so many seconds. The caller closes it."""
    return int(_check(lib.klv_timer_open(int(seconds * 1e6))))


_MAPPED = bytes(10) + b"\xff\xff"
"""Prefix of an IPv4-mapped IPv6 address (RFC 4291, 2.5.5.2)."""


def _check(status: int) -> int:
    if status < 0:
        raise OSError(-status, os.strerror(-status))
    return status
