"""Loopback ports for tests, reserved across workers and across test runs side by side."""

from __future__ import annotations

import random
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress

# Below the ephemeral ports of Linux: no other socket is bound to one of these by chance.
_RANGE = range(10_000, 23_000)
_ANY = random.SystemRandom()


@contextmanager
def reserved() -> Iterator[int]:
    """A port of 127.0.0.1 that is free for TCP and UDP, and reserved until the block ends."""
    for port in _ANY.sample(_RANGE, min(1000, len(_RANGE))):
        with socket.socket(socket.AF_UNIX) as lock:
            if _bound(lock, f"\0klvrelay-test-port-{port}") and _is_free(port):
                yield port
                return
    raise RuntimeError("no port is free on 127.0.0.1")


def _is_free(port: int) -> bool:
    with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
        return all(_bound(each, ("127.0.0.1", port)) for each in (tcp, udp))


def _bound(sock: socket.socket, address: str | tuple[str, int]) -> bool:
    with suppress(OSError):
        sock.bind(address)
        return True
    return False
