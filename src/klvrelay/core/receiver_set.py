"""Receives datagrams of many sockets in one call of the C core."""

from __future__ import annotations

import select
import struct
from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple

from klvrelay.core._core import ffi, lib
from klvrelay.core.receiver import ENTRIES, NO_CLEAR, RUNS, Found, Receiver, buffers, check, entries_of, runs_of

OnResults = Callable[[list[Found], int], None]
"""Callback for the results of one socket and its status, to be passed to `Receiver.rest`."""

_READY = 256
_READY_ROW = struct.Struct("=IiII")
_MORE = lib.READ_MORE


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
        self._bytes = NO_CLEAR("uint8_t[]", lib.klv_receivers_size())
        self._set = ffi.cast("struct klv_receivers *", self._bytes)
        self._results = ffi.new("struct klv_results *")
        self._ready = NO_CLEAR("struct klv_ready[]", _READY)
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
        check(lib.klv_receivers_add(self._set, receiver.fd, slot))
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
        while check(lib.klv_receivers_read(self._set, buffers.buffers, how, self._results)) == _MORE:
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
        if self._buffers_of is not buffers.pool:
            self._buffers_of = buffers.pool
            results.pool, results.room = buffers.pool, len(buffers.pool)
            results.entries, results.most_entries = buffers.entries, ENTRIES
            results.runs, results.most_runs = buffers.runs, RUNS
            results.ready, results.most_ready = self._ready, _READY
            self._pool = ffi.buffer(buffers.pool)

    def _call_back(self) -> None:
        results, pending = self._results, self._pending
        ready, results.count_ready = results.count_ready, 0
        if ready:
            entries = entries_of(self._pool, results.count_entries)
            runs = runs_of(self._pool, results.count_runs) if results.count_runs else []
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
    return int(check(lib.klv_timer_open(int(seconds * 1e6))))
