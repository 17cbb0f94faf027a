"""Bindings to the system's libsrt, loaded on first use: non-blocking SRT sockets.

soname      libsrt-gnutls.so.1.5 (Debian, Ubuntu), libsrt.so.1.5 (OpenSSL; other systems)
threads     libsrt receives, acknowledges and retransmits on its own threads, in parallel with Python. No call blocks,
            and libsrt never calls back into Python
ids         libsrt does not reuse a socket id soon; even so, no call is made with a closed one
"""

from __future__ import annotations

import atexit
import errno
import os
import struct
from functools import cache
from typing import Any, NamedTuple

from klvrelay.errors import ConfigError
from klvrelay.transports.srt_header import DECLARATIONS, Fault, Option

MESSAGE_LIMIT = 1456
"""Maximum bytes of a live-mode message."""

_SONAMES = ("libsrt-gnutls.so.1.5", "libsrt.so.1.5")

_FATAL_ONLY = 2
_DISCONNECTED = (Fault.LOST, Fault.UNCONNECTED, Fault.NO_SOCKET)
_WOULD_BLOCK = (Fault.SEND_BUFFER_FULL, Fault.NO_DATA, Fault.CONGESTED)

_SYSTEM_FAULTS = {
    errno.EADDRINUSE: "the port is already in use",
    errno.EADDRNOTAVAIL: "not an address of this machine",
    errno.EACCES: "not permitted: ports below 1024 require privileges",
}


class ConnectionLost(Exception):
    """The connection failed or was lost. The text gives the reason and contains no secret."""


class SrtMessage(NamedTuple):
    """One SRT message.

    number   sequence number of its first packet, 31 bits; increments by one per message
    due_us   delivery time: send time plus latency, in microseconds of libsrt's clock
    """

    data: bytes
    number: int
    due_us: int


class SrtCounts(NamedTuple):
    """libsrt's counters of a connection, in packets, and the round-trip time in milliseconds."""

    lost: int
    retransmitted: int
    dropped: int
    rtt_ms: float


@cache
def library() -> tuple[Any, Any]:
    """(ffi, libsrt); raises ConfigError if libsrt is not installed."""
    from cffi import FFI

    ffi = FFI()
    ffi.cdef(DECLARATIONS)
    for name in _SONAMES:
        try:
            return ffi, ffi.dlopen(name)
        except OSError:
            continue
    raise ConfigError(
        "srt:// requires libsrt 1.5, which is not installed: `sudo apt-get install libsrt1.5-gnutls`; or run"
        " `srt-live-transmit 'srt://HOST:PORT' udp://127.0.0.1:5000`, and use udp://127.0.0.1:5000 as the source"
    )


@cache
def _start() -> tuple[Any, Any]:
    """The library with its threads running. They run until the process ends, because starting and stopping is slow."""
    ffi, lib = library()
    lib.srt_setloglevel(_FATAL_ONLY)
    if lib.srt_startup() < 0:
        raise ConnectionLost("libsrt cannot start its threads")
    atexit.register(lib.srt_cleanup)
    return ffi, lib


class SrtSocket:
    """One libsrt socket. Its calls never block, and one thread makes them all. The caller closes it."""

    def __init__(self, number: int | None = None) -> None:
        self._ffi, self._lib = _start()
        self._id = self._lib.srt_create_socket() if number is None else number
        self._open = True
        if self._id < 0:
            raise ConnectionLost(self._fault()[1])
        self._buffer = self._ffi.new("char[]", MESSAGE_LIMIT)
        self._control = self._ffi.new("SRT_MSGCTRL *")
        self._statistics = self._ffi.new("SRT_TRACEBSTATS *")
        if number is None:
            self.set(Option.SNDSYN, 0)
            self.set(Option.RCVSYN, 0)

    def set(self, option: Option, value: int | bytes) -> None:
        data = struct.pack("=i", value) if isinstance(value, int) else value
        self._check(self._lib.srt_setsockflag(self._id, option, data, len(data)))

    def number(self, option: Option) -> int:
        """The value of an integer option."""
        value, length = self._ffi.new("int *"), self._ffi.new("int *", 4)
        self._check(self._lib.srt_getsockflag(self._id, option, value, length))
        return int(value[0])

    def text(self, option: Option) -> str:
        """The value of a string option."""
        value, length = self._ffi.new("char[]", 1024), self._ffi.new("int *", 1024)
        self._check(self._lib.srt_getsockflag(self._id, option, value, length))
        return bytes(self._ffi.buffer(value, length[0])).decode("utf-8", "replace")

    def bind(self, address: bytes) -> None:
        self._check(self._lib.srt_bind(self._id, address, len(address)))

    def listen(self) -> None:
        self._check(self._lib.srt_listen(self._id, 1))

    def connect(self, address: bytes) -> None:
        """Start to connect; `state` shows when this is done, and `refusal` why it failed."""
        self._check(self._lib.srt_connect(self._id, address, len(address)))

    def accept(self) -> SrtSocket | None:
        """Accept an incoming connection; None if there is none."""
        number = self._lib.srt_accept(self._id, self._ffi.NULL, self._ffi.NULL)
        return SrtSocket(number) if self._succeeded(number) else None

    @property
    def state(self) -> int:
        return int(self._lib.srt_getsockstate(self._id))

    @property
    def refusal(self) -> int:
        """The SRT_REJECT_REASON of a failed connection."""
        return int(self._lib.srt_getrejectreason(self._id))

    def receive(self) -> SrtMessage | None:
        """The next message that is due; None if there is none. Raises ConnectionLost."""
        control = self._control
        size = self._lib.srt_recvmsg2(self._id, self._buffer, MESSAGE_LIMIT, control)
        if not self._succeeded(size):
            return None
        return SrtMessage(self._ffi.buffer(self._buffer, size)[:], control.pktseq, control.srctime)

    @property
    def now_us(self) -> int:
        """Microseconds of libsrt's clock."""
        return int(self._lib.srt_time_now())

    def send(self, data: bytes | bytearray | memoryview) -> bool:
        """Queue a message; false if the send buffer is full. Raises ConnectionLost."""
        return self._succeeded(self._lib.srt_sendmsg2(self._id, self._ffi.from_buffer(data), len(data), self._ffi.NULL))

    def counts(self) -> SrtCounts | None:
        """The counters; None once the connection is lost."""
        totals = self._statistics
        if not self._open or self._lib.srt_bstats(self._id, totals, 0) < 0:
            return None
        return SrtCounts(totals.pktRcvLossTotal, totals.pktRcvRetrans, totals.pktRcvDropTotal, totals.msRTT)

    def close(self) -> None:
        """Close the connection and discard undelivered data. libsrt releases its UDP port 2 to 5 s later."""
        if self._open:
            self._open = False
            self._lib.srt_close(self._id)

    def _check(self, result: int) -> None:
        if result < 0:
            raise ConnectionLost(self._fault()[1])

    def _succeeded(self, result: int) -> bool:
        """Did the call succeed? False if it would have blocked; any other failure is raised."""
        if result >= 0:
            return True
        code, text = self._fault()
        if code in _WOULD_BLOCK:
            return False
        raise ConnectionLost(text)

    def _fault(self) -> tuple[int, str]:
        number = self._ffi.new("int *")
        code = self._lib.srt_getlasterror(number)
        match code:
            case _ if code in _DISCONNECTED:
                return code, "the far end disconnected"
            case Fault.PORT_IN_USE:
                return code, "the port is already in use"
            case _ if number[0]:
                return code, _SYSTEM_FAULTS.get(number[0]) or os.strerror(number[0])
            case _:
                return code, self._ffi.string(self._lib.srt_strerror(code, 0)).decode("ascii", "replace").rstrip(" .")


def refusal_text(reason: int) -> str:
    """libsrt's text for an SRT_REJECT_REASON."""
    ffi, lib = library()
    return str(ffi.string(lib.srt_rejectreason_str(reason)).decode("ascii", "replace"))
