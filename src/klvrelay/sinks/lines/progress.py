"""Sends bytes over a TCP or Unix socket for as long as the far end takes some of them."""

from __future__ import annotations

import asyncio
import fcntl
import socket
import struct
import sys
import termios

FIRST_CHECK, LAST_CHECK = 0.0005, 0.02
"""Seconds to the first check whether the far end has taken more, and at most between two."""
_COUNT = struct.Struct("=i")


async def send_all(sock: socket.socket, data: bytes, timeout: float) -> None:
    """Send all bytes; over TCP, return once the kernel of the far end has acknowledged them.

    timeout   seconds without any progress until TimeoutError is raised; a far end that reads slowly may take longer

    Raises OSError if the connection is lost.
    """
    loop = asyncio.get_running_loop()
    rest, least, pause, limit = memoryview(data), sys.maxsize, FIRST_CHECK, 0.0
    while True:
        taken = _put(sock, rest)
        rest = rest[taken:]
        queued = _queued(sock)
        if not rest and (queued == 0 or sock.family == socket.AF_UNIX):
            return
        if len(rest) + queued < least:
            least, limit = len(rest) + queued, loop.time() + timeout
        elif loop.time() > limit:
            raise TimeoutError
        pause = FIRST_CHECK if taken else min(2 * pause, LAST_CHECK)
        await asyncio.sleep(pause)


def _put(sock: socket.socket, data: memoryview) -> int:
    """Bytes that the kernel takes now."""
    try:
        return sock.send(data) if data else 0
    except BlockingIOError:
        return 0


def _queued(sock: socket.socket) -> int:
    """Bytes in the kernel that the far end has not acknowledged (TCP), or not read (Unix): SIOCOUTQ."""
    return int(_COUNT.unpack(fcntl.ioctl(sock, termios.TIOCOUTQ, bytes(_COUNT.size)))[0])
