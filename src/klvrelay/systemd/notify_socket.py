"""Sends notifications to the service manager: datagrams of lines `NAME=VALUE` to its socket (sd_notify(3)).

    NOTIFY_SOCKET   path of the socket; with a leading `@`, a name in the abstract namespace of Linux
    WATCHDOG_USEC   microseconds without a notification `WATCHDOG=1` after which the service is killed
    WATCHDOG_PID    the process to which that applies
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import MutableMapping
from typing import Self

from klvrelay.text import printable

LOG = logging.getLogger("klvrelay.systemd")


class NotifySocket:
    """The socket of the service manager. A fault of it is logged once, and affects nothing else.

    watchdog   seconds without a sign of life after which the service is killed; None: there is no watchdog
    """

    def __init__(self, address: str, watchdog: float | None = None) -> None:
        self.watchdog = watchdog
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        self._sock: socket.socket | None = None
        self._fault = ""

    @classmethod
    def take(cls, environment: MutableMapping[str, str] = os.environ) -> Self | None:
        """The socket that the environment names, or None. The variables are removed, for child processes."""
        address, limit, process = (
            environment.pop(name, "") for name in ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID")
        )
        if not address:
            return None
        if address[0] not in "/@" or len(address) < 2:
            LOG.warning("NOTIFY_SOCKET is ignored: value=%s reason='neither a path nor @NAME'", printable(address))
            return None
        return cls(address, _watchdog(limit, process))

    def send(self, *lines: str) -> bool:
        """Send the lines in one notification, without waiting. Returns whether that worked."""
        try:
            if self._sock is None:
                self._sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
            self._sock.sendto("\n".join(lines).encode(), self._address)
        except (OSError, ValueError) as fault:  # ValueError: a null byte in the path
            self._log(fault)
            return False
        self._fault = ""
        return True

    def close(self) -> None:
        if self._sock is not None:
            self._sock.close()
            self._sock = None

    def _log(self, fault: Exception) -> None:
        reason = (isinstance(fault, OSError) and fault.strerror) or type(fault).__name__
        if reason != self._fault:
            self._fault = reason
            LOG.warning("systemd not notified: reason=%r", reason)


def _watchdog(limit: str, process: str) -> float | None:
    if process and process != str(os.getpid()):
        return None
    if not (limit.isascii() and limit.isdigit()) or not 0 < int(limit[:20]) < 1 << 63:
        return None
    return int(limit) / 1e6
