"""Restrict access to files, ports and processes (Landlock, landlock(7)), as far as the kernel's version supports it.

1   read, write, create and run files           2, 3, 5   move and truncate files, control devices
4   TCP ports that it may listen on             6         signals and abstract sockets to others
"""

from __future__ import annotations

import ctypes
import errno
import os
import stat
import struct
from collections.abc import Iterable
from contextlib import suppress

_CREATE, _ADD, _RESTRICT = 444, 445, 446
_VERSION = 1
_PATH_BENEATH, _PORT = 1, 2
_READ_FILE, _READ_DIR = 1 << 2, 1 << 3
_OF_FILES = {1: (1 << 13) - 1, 2: 1 << 13, 3: 1 << 14, 5: 1 << 15}
"""Rights that each version added, from running programs to controlling devices: all are removed."""
_BIND = 1
_SCOPES = 3
"""Abstract Unix sockets, signals."""


def restrict(readable: Iterable[str], ports: Iterable[int]) -> str:
    """Restrict this thread, and those that it starts, to reading these files and folders.

    ports   TCP ports that it may listen on; 0 stands for one chosen by the kernel

    Missing paths are ignored. Returns "", or the reason why nothing is restricted.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    version = libc.syscall(ctypes.c_long(_CREATE), None, ctypes.c_size_t(0), _VERSION)
    if version < 1:
        return f"this kernel does not support Landlock: {os.strerror(ctypes.get_errno())}"
    ruleset = _create_ruleset(libc, version)
    if ruleset < 0:
        return f"files are not restricted (Landlock): {os.strerror(ctypes.get_errno())}"
    try:
        for path in readable:
            with suppress(OSError):
                _allow_reading(libc, ruleset, path)
        if version >= 4:
            for port in ports:
                _add(libc, ruleset, _PORT, struct.pack("=QQ", _BIND, port))
        if libc.syscall(ctypes.c_long(_RESTRICT), ruleset, 0):
            return f"files are not restricted (Landlock): {os.strerror(ctypes.get_errno())}"
    finally:
        os.close(ruleset)
    return ""


def _create_ruleset(libc: ctypes.CDLL, version: int) -> int:
    """struct landlock_ruleset_attr, with the fields of this version: files, ports, scopes."""
    files = sum(rights for since, rights in _OF_FILES.items() if since <= version)
    fields = (files, _BIND, _SCOPES)[: 1 + (version >= 4) + (version >= 6)]
    attributes = struct.pack(f"={len(fields)}Q", *fields)
    ruleset: int = libc.syscall(ctypes.c_long(_CREATE), attributes, ctypes.c_size_t(len(attributes)), 0)
    return ruleset


def _allow_reading(libc: ctypes.CDLL, ruleset: int, path: str) -> None:
    place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        is_folder = stat.S_ISDIR(os.fstat(place).st_mode)
        # struct landlock_path_beneath_attr, packed
        _add(libc, ruleset, _PATH_BENEATH, struct.pack("=Qi", _READ_FILE | (_READ_DIR if is_folder else 0), place))
    finally:
        os.close(place)


def _add(libc: ctypes.CDLL, ruleset: int, kind: int, attributes: bytes) -> None:
    if libc.syscall(ctypes.c_long(_ADD), ruleset, kind, attributes, 0):
        number = ctypes.get_errno()
        if number != errno.EBADFD:  # a pipe: whoever holds its descriptor can read it anyway
            raise OSError(number, os.strerror(number))
