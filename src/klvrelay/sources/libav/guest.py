"""Accept libav's connection to a local port; other users of this machine may find the port, and are disconnected."""

from __future__ import annotations

import select
import socket
import time

STRANGERS, FIRST_MOST = 16, 8192
"""Maximum unidentified connections at once, and bytes of a first request."""


def guest_with(token: bytes, listening: socket.socket, seconds: float) -> tuple[socket.socket, bytearray]:
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
                said = _said(one)
                held += said
                if token in held:
                    return one, waiting.pop(one)
                if not said or len(held) > FIRST_MOST:
                    _hang_up(one, waiting)
            while len(waiting) > STRANGERS:
                _hang_up(next(iter(waiting)), waiting)
        raise TimeoutError
    finally:
        for one in waiting:
            one.close()


def _said(one: socket.socket) -> bytes:
    try:
        return one.recv(FIRST_MOST)
    except OSError:
        return b""


def _hang_up(one: socket.socket, waiting: dict[socket.socket, bytearray]) -> None:
    waiting.pop(one)
    one.close()
