"""The kernel's receive buffer of UDP sockets: a warning if it is smaller than requested."""

from __future__ import annotations

import logging
import socket
from contextlib import suppress
from functools import cache

LOG = logging.getLogger("klvrelay.sources")

SIZE = 4 << 20
"""Default size to request: 6 s of a stream of 5 Mbit/s."""
_SO_RCVBUFFORCE = 33


def enlarge(sock: socket.socket, size: int) -> None:
    """Request a receive buffer of `size` bytes for this socket; it may exceed net.core.rmem_max, if permitted."""
    try:
        sock.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, size)
    except PermissionError:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, size)
    _check(sock, size)


def check_libav(size: int) -> None:
    """Warn if libav's sockets get less than `size` bytes: its requests are limited by net.core.rmem_max."""
    with suppress(OSError), socket.socket(type=socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, size)
        _check(sock, size)


def _check(sock: socket.socket, size: int) -> None:
    granted = sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) // 2  # the kernel doubles it for bookkeeping
    if granted < size:
        _log_small_buffer(size, granted)


@cache
def _log_small_buffer(asked: int, got: int) -> None:
    """Logged once, not per stream or reconnect."""
    LOG.warning(
        "udp.small_buffer: bursts may be lost; run `sysctl -w net.core.rmem_max=%d`: requested=%d granted=%d",
        asked,
        got,
        asked,
    )
