"""The state directory, which one relay uses at a time. The lock ends with the process."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Mapping
from pathlib import Path

from klvrelay.errors import ConfigError
from klvrelay.text import printable

LOCK = "relay.lock"
OWNER_MOST = 200
"""Bytes of the lock file that are read."""


def state_path(configured: Path | None, environ: Mapping[str, str] = os.environ) -> Path | None:
    """The state directory: the setting, else the first that systemd gives (`StateDirectory=`); None: there is none."""
    if configured is not None:
        return configured
    first = environ.get("STATE_DIRECTORY", "").partition(":")[0]
    return Path(first) if first else None


class StateFolder:
    """A state directory, locked for this process."""

    def __init__(self, path: Path) -> None:
        """Make and lock it. Raises ConfigError if it cannot be used, or if another relay uses it."""
        self.path = path
        shown = printable(str(path))
        try:
            path.mkdir(mode=0o750, parents=True, exist_ok=True)
            self._fd = os.open(path / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o640)
        except OSError as fault:
            raise ConfigError(
                f"relay.state: {shown} cannot be used: {fault.strerror}: give a directory in which the relay may write"
            ) from fault
        try:
            self._lock(shown)
        except BaseException:
            os.close(self._fd)
            raise

    def _lock(self, shown: str) -> None:
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = printable(os.pread(self._fd, OWNER_MOST, 0).decode("utf-8", "replace").strip())
            raise ConfigError(
                f"relay.state: {shown} is used by another relay ({owner or 'not known which'}): give each relay a"
                " state directory that no other uses"
            ) from None
        except OSError:
            return  # a file system without locks
        with contextlib.suppress(OSError):  # a full disk: the lock holds all the same
            os.ftruncate(self._fd, 0)
            os.pwrite(self._fd, f"process {os.getpid()}\n".encode(), 0)

    def close(self) -> None:
        """Let another relay use it. The file stays: to remove it would let two relays lock two files."""
        os.close(self._fd)
