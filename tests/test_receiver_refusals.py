"""Sockets at which a system call fails or returns what is rare, through the functions of `native/receivers.h`.

`test_read_schedule.py` has the pauses, `test_source_udp.py` a whole source.
"""

from __future__ import annotations

import errno
import os
import select
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import feed
import pytest
from klvrelay.core._core import ffi, lib

from klvrelay.core.receiver import Receiver, Run
from klvrelay.core.receiver_set import ReceiverSet

TAPE = feed.recording(count=30, padding=200)
DATAGRAMS = feed.datagrams(TAPE.ts)
NO_DESCRIPTOR = -1
IP_PKTINFO = 8  # Linux; the socket module has no name for it


@pytest.fixture
def sockets() -> Iterator[list[socket.socket]]:
    with ExitStack() as stack:
        kind = socket.SOCK_DGRAM | socket.SOCK_NONBLOCK
        made = [stack.enter_context(socket.socket(type=kind)) for _ in range(4)]
        for each in made:
            each.bind(("127.0.0.1", 0))
        yield made


@pytest.fixture
def one(sockets: list[socket.socket]) -> socket.socket:
    return sockets[0]


class NativeSet:
    """A `struct klv_receivers` with its memory; one call returns results of at most `ready` sockets."""

    def __init__(self, ready: int) -> None:
        self.epoll = select.epoll()
        self._bytes = ffi.new("uint8_t[]", lib.klv_receivers_size())
        self.set = ffi.cast("struct klv_receivers *", self._bytes)
        lib.klv_receivers_init(self.set, self.epoll.fileno())
        self._buffers = ffi.new("uint8_t[]", lib.klv_buffers_size(2048))
        self.buffers = ffi.cast("struct klv_buffers *", self._buffers)
        lib.klv_buffers_init(self.buffers, 2048)
        self._memory = [ffi.new("uint8_t[]", 1 << 19), ffi.new("struct klv_run[]", 64)]
        self._memory += [ffi.new("struct klv_entry[]", 64), ffi.new("struct klv_ready[]", ready)]
        pool, runs, entries, listed = self._memory
        self.results = ffi.new("struct klv_results *", {"pool": pool, "room": len(pool), "runs": runs,
                                                        "most_runs": 64, "entries": entries, "most_entries": 64,
                                                        "ready": listed, "most_ready": ready})  # fmt: skip

    def slot(self, receiver: Receiver, number: int) -> Any:
        """Add a receiver. Keep both it and the slot returned."""
        slot = ffi.new("struct klv_slot *", {"receiver": receiver.pointer, "number": number})
        assert lib.klv_receivers_add(self.set, receiver.fd, slot) == 0
        return slot

    def look(self, how: int) -> tuple[int, list[int]]:
        """The status, and the numbers of the sockets with data."""
        status = lib.klv_receivers_read(self.set, self.buffers, how, self.results)
        return status, [ready.number for ready in self.results.ready[0 : self.results.count_ready]]


def taken(one: socket.socket, datagrams: list[bytes]) -> list[Run]:
    """The data of these sockets, sent in a row."""
    receivers, found = ReceiverSet(), list[Run]()
    receivers.add(Receiver(one.fileno(), units=False), lambda runs, status: found.extend(runs))
    for datagram in datagrams:
        one.sendto(datagram, one.getsockname())
    receivers.look(gathered=False)
    receivers.close()
    return found


def test_an_invalid_descriptor_is_refused() -> None:
    """Each function that takes a descriptor returns the system's error as a negative number."""
    native, memory = NativeSet(1), ffi.new("uint8_t[]", lib.klv_receiver_memory())
    receiver = ffi.cast("struct klv_receiver *", held := ffi.new("uint8_t[]", lib.klv_receiver_size()))
    slot = ffi.new("struct klv_slot *")

    assert len(held) == lib.klv_receiver_size()
    assert lib.klv_receiver_init(receiver, NO_DESCRIPTOR, 0, ffi.NULL, memory) == -errno.EBADF
    assert lib.klv_receiver_drops(NO_DESCRIPTOR) == -errno.EBADF
    assert lib.klv_receivers_add(native.set, NO_DESCRIPTOR, slot) == -errno.EBADF
    assert lib.klv_receivers_remove(native.set, NO_DESCRIPTOR, slot) == -errno.EBADF
    native.epoll.close()


def test_reading_a_receiver_whose_socket_is_closed_is_an_error(one: socket.socket) -> None:
    """Of the next look at it, not silence."""
    receiver = Receiver(one.fileno(), units=False)
    one.close()

    with pytest.raises(OSError, match="Bad file descriptor"):
        receiver.rest(lib.RECEIVE_FULL, [])


def test_reading_a_set_whose_descriptor_is_closed_is_an_error() -> None:
    """A descriptor that epoll_wait refuses."""
    native = NativeSet(1)
    native.epoll.close()
    lib.klv_receivers_init(native.set, NO_DESCRIPTOR)

    assert native.look(lib.READ_ALL) == (-errno.EBADF, [])


def test_a_timer_needs_a_time() -> None:
    """A negative one is refused, and leaves no descriptor open."""
    before = len(os.listdir("/proc/self/fd"))

    assert lib.klv_timer_open(-1) == -errno.EINVAL
    assert len(os.listdir("/proc/self/fd")) == before


def test_more_sockets_than_results_need_several_calls(sockets: list[socket.socket]) -> None:
    """Of one pass; a socket removed between two calls is not read, the others are."""
    native, receivers = NativeSet(1), [Receiver(each.fileno(), units=False) for each in sockets]
    slots = [native.slot(receiver, number) for number, receiver in enumerate(receivers, 1)]
    for each in sockets:
        each.sendto(DATAGRAMS[0], each.getsockname())

    status, first = native.look(lib.READ_ALL)
    assert status == lib.READ_MORE
    gone = next(number for number in (3, 4) if number not in first)
    assert lib.klv_receivers_remove(native.set, sockets[gone - 1].fileno(), slots[gone - 1]) == 0
    found = first
    while status == lib.READ_MORE:
        status, numbers = native.look(lib.READ_CONTINUE)
        found += numbers

    assert sorted(found) == [number for number in range(1, 5) if number != gone]
    native.epoll.close()


def test_an_empty_datagram_is_nothing(one: socket.socket) -> None:
    """Neither bytes nor a gap; it is counted with the others."""
    found = taken(one, [DATAGRAMS[0], b"", DATAGRAMS[1]])

    assert b"".join(run[0] for run in found) == DATAGRAMS[0] + DATAGRAMS[1]
    assert not any(run[4] for run in found)


def test_other_control_messages_are_skipped(one: socket.socket) -> None:
    """A prepared socket returns more messages than requested; the arrival time is still the kernel's."""
    one.setsockopt(socket.IPPROTO_IP, IP_PKTINFO, 1)

    (run,) = taken(one, DATAGRAMS[:1])

    assert run[0] == DATAGRAMS[0]
    assert run[1] > 0


def test_a_datagram_longer_than_its_buffer_is_truncated(one: socket.socket) -> None:
    """It counts as truncated, and the next data follows a gap."""
    native, receiver = NativeSet(1), Receiver(one.fileno(), units=False)
    slot = native.slot(receiver, 7)
    for datagram in (b"".join(DATAGRAMS[:2]), DATAGRAMS[2]):
        one.sendto(datagram, one.getsockname())

    assert native.look(lib.READ_ALL) == (lib.READ_DONE, [slot.number])

    counts = ffi.new("struct klv_receiver_counts *")
    lib.klv_receiver_counts(receiver.pointer, counts)
    runs = native.results.runs[0 : native.results.count_runs]
    assert (counts.truncated, counts.datagrams) == (1, 2)
    assert [bool(run.damaged) for run in runs] == [False, True]
    native.epoll.close()


def test_early_large_packets_of_another_sender_are_not_kept(one: socket.socket) -> None:
    """RTP of a new SSRC is followed from its fourth packet; earlier ones are kept if they fit an Ethernet frame, else
    they count as foreign.
    """
    pieces = [TAPE.ts[at : at + 12 * 188] for at in range(0, 9 * 12 * 188, 12 * 188)]
    first, other = feed.rtp_datagrams(DATAGRAMS[:5]), feed.rtp_datagrams(pieces, ssrc=99, first=40_000)

    receiver, found = Receiver(one.fileno(), units=False, rtp=True), list[Run]()
    receivers = ReceiverSet()
    receivers.add(receiver, lambda runs, status: found.extend(receiver.rest(status, runs)))
    for datagram in [*first, *other]:
        one.sendto(datagram, one.getsockname())
    receivers.look(gathered=False)
    receivers.close()

    assert b"".join(run[0] for run in found) == b"".join([*DATAGRAMS[:5], *pieces[3:]])
    assert receiver.counts["rtp_foreign"] == 3

