"""Accept libav's connection to a local port; other users of this machine may find the port, and are disconnected."""

from __future__ import annotations

import select
import socket
import time

UNIDENTIFIED_MOST, REQUEST_MOST = 16, 8192
"""Maximum unidentified connections at once, and bytes of a first request."""


def accept_client(token: bytes, listening: socket.socket, seconds: float) -> tuple[socket.socket, bytearray]:
    """The first connection whose first request contains the token, and that request; all others are closed.

    Raises OSError if there is none within `seconds`, or if the port is closed.
    """
    waiting: dict[socket.socket, bytearray] = {}
    until = time.monotonic() + seconds
    try:
        while (left := until - time.monotonic()) > 0:
            for client in select.select([listening, *waiting], [], [], left)[0]:
                if client is listening:
                    waiting[client.accept()[0]] = bytearray()
                    continue
                request = waiting[client]
                received = _receive(client)
                request += received
                if token in request:
                    return client, waiting.pop(client)
                if not received or len(request) > REQUEST_MOST:
                    _disconnect(client, waiting)
            while len(waiting) > UNIDENTIFIED_MOST:
                _disconnect(next(iter(waiting)), waiting)
        raise TimeoutError
    finally:
        for client in waiting:
            client.close()


def _receive(client: socket.socket) -> bytes:
    try:
        return client.recv(REQUEST_MOST)
    except OSError:
        return b""


def _disconnect(client: socket.socket, waiting: dict[socket.socket, bytearray]) -> None:
    waiting.pop(client)
    client.close()
