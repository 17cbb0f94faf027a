"""The open descriptors of this process."""

from __future__ import annotations

import os
from contextlib import suppress


def open_descriptors() -> dict[str, str]:
    """Number to target, as in {"3": "socket:[4711]"}: files, pipes and sockets."""
    found = {}
    for fd in os.listdir("/proc/self/fd"):
        with suppress(FileNotFoundError):  # closed since it was listed: by another thread, or by listdir itself
            found[fd] = os.readlink(f"/proc/self/fd/{fd}")
    return found


def open_files() -> set[str]:
    """Number and target of each, to compare with those of another moment."""
    return {f"{fd} {target}" for fd, target in open_descriptors().items()}
