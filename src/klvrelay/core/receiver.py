"""The only caller of `native/socket.h` and `hub.h`: what the kernel holds for datagram sockets, as KLV units or bytes.

`wire.py` does the same for `native/klv.h`; `sources/datagrams/hub.py` decides when the sockets are read.
"""

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
"""Bytes that a datagram may have: none is longer."""

Run = tuple[bytes, int, int | None, bool, bool]
"""(bytes, received_us, pts, they are MPEG-TS, something is missing before or in them) of what came together."""

Found = Any
"""A `wire.Entry` where units are wanted, else a `Run`."""

Took = Callable[[list[Found], int], None]
"""What is called with what a look found of a socket, and its status, for `Inlet.rest`."""

_POOL = 512 << 10
_ENTRIES, _RUNS, _READY = 1024, 256, 256
_READY_ROW = struct.Struct("=IiII")
_COUNTS = [name for name, _ in ffi.typeof("struct klv_inlet_counts").fields]
_NO_CLEAR = ffi.new_allocator(should_clear_after_alloc=False)

NEWS: int = lib.INLET_NEWS
"""The usual status of a look: all that came is found, and nothing is held."""
_HOLDS, _FULL, _LANE, _MORE = lib.INLET_HOLDS, lib.INLET_FULL, lib.INLET_LANE, lib.HUB_MORE


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
        if len(self.pool) < limit + core.PACKET_HEAD:
            self.pool = _NO_CLEAR("uint8_t[]", limit + core.PACKET_HEAD)
        return self.pool


_basin = _Basin()


class Receiver:
    """One bound, non-blocking datagram socket, which stays the caller's; for one thread, that which made it.

    `Inlets` reads it; `overdue` receives nothing, but what RTP was held for when `holds` was last seen is not waited
    for any more.

    units    finished units are wanted, else the bytes
    rtp      what comes is expected to be RTP; it is recognised without that where its payload is seen to be
             MPEG-TS or KLV
    sender   the address, 4 or 16 bytes, that all must come from
    limit    bytes that a packet's value may have
    holds    RTP is held for a datagram that is late: call `overdue` in a moment

    Raises OSError, as do its methods, where the socket fails.
    """

    def __init__(
        self, fd: int, *, units: bool, rtp: bool = False, sender: bytes | None = None, limit: int = core.LIMIT
    ) -> None:
        self.fd = fd
        self.is_of_units = units
        self.holds = False
        self._limit = limit
        self._bytes = _NO_CLEAR("uint8_t[]", lib.klv_inlet_size())
        self._memory = _NO_CLEAR("uint8_t[]", lib.klv_inlet_memory())
        self._inlet = ffi.cast("struct klv_inlet *", self._bytes)
        self._lane: core.Lane | None = None
        self._lanes_before: Counters | None = None
        b = _basin
        self._count = b.count
        pool = b.pool_for(limit if units else 0)
        self._pool = ffi.buffer(pool)
        function = lib.klv_inlet_units if units else lib.klv_inlet_runs
        results = (b.entries, _ENTRIES) if units else (b.runs, _RUNS)
        self._look = partial(function, self._inlet, b.basin, lib.INLET_ALL, pool, len(pool), *results, b.count)
        self._overdue = partial(function, self._inlet, b.basin, lib.INLET_OVERDUE, pool, len(pool), *results, b.count)
        address = ffi.NULL if sender is None else _MAPPED[: 16 - len(sender)] + sender
        _checked(lib.klv_inlet_init(self._inlet, fd, lib.INLET_RTP if rtp else 0, address, self._memory))

    @property
    def pointer(self) -> Any:
        """The inlet as C knows it; good while this object is."""
        return self._inlet

    def overdue(self) -> tuple[list[Found], int]:
        """What RTP was held and is not any more, and the status, for `rest`."""
        status = self._overdue()
        return self._written(), status

    def rest(self, status: int, found: list[Found]) -> list[Found]:
        """What a look found, and what there was no room for, or no lane yet."""
        while status in (_FULL, _LANE):
            if status == _LANE:
                found += self._other_lane()
            status = self._look()
            found += self._written()
        self.holds = bool(_checked(status) & _HOLDS)
        return found

    def _written(self) -> list[Found]:
        """What the last look of this inlet alone gave."""
        count = self._count[0]
        if not count:
            return []
        return _entries_of(self._pool, count) if self.is_of_units else _runs_of(self._pool, count)

    def flush(self) -> list[Found]:
        """No more will come: what began and never came to its end, as damaged."""
        if self._lane is None:
            return []
        self._lane.cut()
        return list(self._lane.packets(b""))

    def _other_lane(self) -> list[Found]:
        """What comes is known now, or is another thing than before: the old lane gives out what it holds."""
        held = self.flush()
        if self._lane is not None:
            self._lanes_before = self.counters
        self._lane = core.Lane(ts=lib.klv_inlet_ts(self._inlet) == 1, limit=self._limit)
        lib.klv_inlet_lane(self._inlet, self._lane.pointer)
        return held

    @property
    def counters(self) -> Counters:
        """What has gone through its lane so far; none of it where only `runs` are asked for."""
        if self._lane is None:
            return Counters()
        now = self._lane.counters
        return now if self._lanes_before is None else self._lanes_before + now

    @property
    def counts(self) -> dict[str, int]:
        """What the line told so far: the fields of `struct klv_inlet_counts`."""
        counts = ffi.new("struct klv_inlet_counts *")
        lib.klv_inlet_counts(self._inlet, counts)
        return {name: getattr(counts, name) for name in _COUNTS}

    @property
    def size(self) -> int:
        """Bytes of transport so far, as in `counts`."""
        return int(lib.klv_inlet_received(self._inlet))

    @property
    def kernel_drops(self) -> int:
        """Datagrams that the kernel dropped since the socket was made: its buffer was full."""
        return int(_checked(lib.klv_inlet_drops(self.fd)))


def _entries_of(pool: Any, count: int) -> list[Any]:
    return core.entries_of(pool, _basin.entries, count)


def _runs_of(pool: Any, count: int) -> list[Any]:
    return [
        (pool[run.at : run.at + run.size], run.received_us, run.pts if run.pts >= 0 else None, bool(run.ts),
         bool(run.damaged))
        for run in _basin.runs[0:count]
    ]  # fmt: skip


class Load(NamedTuple):
    """How busy the sockets were for a while.

    ready   times that one was found to have something
    looks   how often it was looked
    busy    sockets that had something
    """

    ready: int
    looks: int
    busy: int


class ReceiverSet:
    """The inlets of a thread behind one descriptor, which is readable when one of them has something.

    `look` reads all that have, in one C call as a rule. Close it when the last inlet is removed.
    """

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._bytes = _NO_CLEAR("uint8_t[]", lib.klv_hub_size())
        self._hub = ffi.cast("struct klv_hub *", self._bytes)
        self._results = ffi.new("struct klv_results *")
        self._ready = _NO_CLEAR("struct klv_ready[]", _READY)
        self._load = ffi.new("struct klv_load *")
        self._slots: dict[int, tuple[Receiver, Took, Any]] = {}
        self._numbers: dict[int, int] = {}
        self._last = 0
        self._aimed: Any = None
        self._pending: deque[tuple[Took, list[Found], int]] = deque()
        lib.klv_hub_init(self._hub, self._epoll.fileno())

    def __len__(self) -> int:
        return len(self._slots)

    def fileno(self) -> int:
        return self._epoll.fileno()

    def close(self) -> None:
        self._epoll.close()

    def add(self, inlet: Receiver, took: Took) -> None:
        """From now on, until `remove`, a look calls `took` where something came of the inlet's datagrams."""
        self._last += 1
        slot = ffi.new("struct klv_slot *", {"inlet": inlet.pointer, "number": self._last, "units": inlet.is_of_units})
        _checked(lib.klv_hub_add(self._hub, inlet.fd, slot))
        self._slots[self._last] = inlet, took, slot
        self._numbers[inlet.fd] = self._last

    def remove(self, inlet: Receiver) -> None:
        """Nothing happens if it is not there."""
        number = self._numbers.pop(inlet.fd, None)
        if number is not None:
            lib.klv_hub_remove(self._hub, inlet.fd, self._slots.pop(number)[2])

    def look(self, *, gathered: bool) -> bool:
        """Read all inlets that have something, and call what each was added with, where something came of it.

        Gives true where one had more than a look takes of each (INLET_BUDGET), so that datagrams still wait.

        gathered   many have about as much as the last time: cheaper, but what one gave may come in two parts
        """
        self._hand_on()  # results that are left where a call before them raised
        self._aim()
        how = lib.HUB_EXPECTED if gathered else lib.HUB_ALL
        while _checked(lib.klv_hub_look(self._hub, _basin.basin, how, self._results)) == _MORE:
            self._hand_on()
            if self._epoll.closed:  # what was handed on removed the last of them
                return False
            how = lib.HUB_GO_ON
        self._hand_on()
        return bool(self._results.left)

    def load(self) -> Load:
        """How busy the inlets were since the last call."""
        lib.klv_hub_load(self._hub, self._load)
        return Load(self._load.ready, self._load.looks, self._load.busy)

    def _aim(self) -> None:
        """Let C write to the memory of this thread."""
        results = self._results
        if self._aimed is not _basin.pool:
            self._aimed = _basin.pool
            results.pool, results.room = _basin.pool, len(_basin.pool)
            results.entries, results.most_entries = _basin.entries, _ENTRIES
            results.runs, results.most_runs = _basin.runs, _RUNS
            results.ready, results.most_ready = self._ready, _READY
            self._pool = ffi.buffer(_basin.pool)

    def _hand_on(self) -> None:
        results, pending = self._results, self._pending
        ready, results.count_ready = results.count_ready, 0
        if ready:
            entries = _entries_of(self._pool, results.count_entries)
            runs = _runs_of(self._pool, results.count_runs) if results.count_runs else []
            rows = ffi.buffer(self._ready, ready * _READY_ROW.size)
            for number, status, first, count in _READY_ROW.iter_unpack(rows):
                inlet, took, _ = self._slots[number]
                found = (entries if inlet.is_of_units else runs)[first : first + count]
                pending.append((took, found, status))
        while pending:
            took, found, status = pending.popleft()
            took(found, status)


def timer_of(seconds: float) -> int:
    """A descriptor that is readable (8 bytes) once in so many seconds; the caller closes it."""
    return int(_checked(lib.klv_hub_timer(int(seconds * 1e6))))


_MAPPED = bytes(10) + b"\xff\xff"
"""What makes an IPv6 address of an IPv4 one (RFC 4291, 2.5.5.2)."""


def _checked(status: int) -> int:
    if status < 0:
        raise OSError(-status, os.strerror(-status))
    return status
