"""A service manager in place of systemd: a socket that notes each notification with its time.

It reads in a thread, since a test may block the event loop.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class ServiceManager:
    """Notifications as dictionaries, each with its time on the monotonic clock."""

    address: str
    heard: list[tuple[float, dict[str, str]]] = field(default_factory=list)

    def times(self, name: str) -> list[float]:
        """When notifications with this variable arrived."""
        return [at for at, lines in self.heard if name in lines]

    def values(self, name: str) -> list[str]:
        return [lines[name] for _, lines in self.heard if name in lines]

    @property
    def states(self) -> list[str]:
        """READY, RELOADING and STOPPING in their order."""
        return [name for _, lines in self.heard for name in lines if name in ("READY", "RELOADING", "STOPPING")]

    def listen(self, sock: socket.socket) -> None:
        while data := sock.recv(65536):
            lines = dict(line.split("=", 1) for line in data.decode().split("\n"))
            self.heard.append((time.monotonic(), lines))


@contextmanager
def service_manager(folder: Path, *, abstract: bool = False) -> Iterator[ServiceManager]:
    path = str(folder / "notify")
    manager = ServiceManager(f"@{path}" if abstract else path)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(f"\0{path}" if abstract else path)
        thread = threading.Thread(target=manager.listen, args=(sock,), daemon=True)
        thread.start()
        try:
            yield manager
        finally:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
                end.sendto(b"", sock.getsockname())
            thread.join(5)
