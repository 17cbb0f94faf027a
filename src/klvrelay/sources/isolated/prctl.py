"""Process attributes (prctl(2), capset(2)); failures are harmless."""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Iterable

_PDEATHSIG, _DUMPABLE, _NAME, _NO_NEW_PRIVS = 1, 4, 15, 38
NAME_MOST = 15
"""Maximum bytes of a process name."""
DAC_READ_SEARCH, NET_BIND_SERVICE, NET_ADMIN, NET_RAW = 2, 10, 12, 13
"""Capabilities: read any file, bind a port under 1024, set a larger socket buffer, bind to an interface."""
_CAPABILITY_VERSION = 0x20080522


def _prctl(option: int, value: int | bytes) -> bool:
    return bool(ctypes.CDLL(None).prctl(option, *map(_argument, (value, 0, 0, 0))) == 0)


def _argument(value: int | bytes) -> object:
    return ctypes.c_ulong(value) if isinstance(value, int) else value


def end_with_parent(signal: int) -> None:
    """Receive this signal when the parent process ends."""
    _prctl(_PDEATHSIG, signal)


def hide_memory() -> None:
    """Let only root read or trace this process's memory and environment, and disable core dumps."""
    _prctl(_DUMPABLE, 0)


def forbid_new_privileges() -> bool:
    """Programs started by this process gain no privileges."""
    return _prctl(_NO_NEW_PRIVS, 1)


def keep_capabilities(wanted: Iterable[int]) -> None:
    """Drop all capabilities except these."""
    libc = ctypes.CDLL(None)
    # struct __user_cap_header_struct, and two of struct __user_cap_data_struct: effective, permitted, inheritable
    header, held = struct.pack("=Ii", _CAPABILITY_VERSION, 0), ctypes.create_string_buffer(24)
    if libc.capget(header, held) == 0:
        kept = sum(1 << number for number in wanted) & struct.unpack_from("=I", held, 4)[0]
        libc.capset(header, struct.pack("=6I", kept, kept, 0, 0, 0, 0))


def set_process_name(name: str) -> None:
    """Set the name shown in process lists."""
    _prctl(_NAME, name.encode()[:NAME_MOST])
