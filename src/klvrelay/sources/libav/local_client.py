"""Accept libav's connection to a local port; other users of this machine may find the port, and are disconnected."""

from __future__ import annotations

import select
import socket
import time

STRANGERS, FIRST_MOST = 16, 8192
"""Maximum unidentified connections at once, and bytes of a first request."""


def accept_client(token: bytes, listening: socket.socket, seconds: float) -> tuple[socket.socket, bytearray]:
    """The first connection whose first request contains the token, and that request; all others are closed.

    Raises OSError if there is none within `seconds`, or if the port is closed.
    """
    waiting: dict[socket.socket, bytearray] = {}
    until = time.monotonic() + seconds
    try:
        while (left := until - time.monotonic()) > 0:
            for one in select.select([listening, *waiting], [], [], left)[0]:
                if one is listening:
                    waiting[one.accept()[0]] = bytearray()
                    continue
                held = waiting[one]
                received = _receive(one)
                held += received
                if token in held:
                    return one, waiting.pop(one)
                if not received or len(held) > FIRST_MOST:
                    _disconnect(one, waiting)
            while len(waiting) > STRANGERS:
                _disconnect(next(iter(waiting)), waiting)
        raise TimeoutError
    finally:
        for one in waiting:
            one.close()


def _receive(one: socket.socket) -> bytes:
    try:
        return one.recv(FIRST_MOST)
    except OSError:
        return b""


def _disconnect(one: socket.socket, waiting: dict[socket.socket, bytearray]) -> None:
    waiting.pop(one)
    one.close()
