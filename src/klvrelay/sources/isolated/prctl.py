"""What a process says to the kernel of itself (prctl(2), capset(2)); where it fails nothing is lost."""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Iterable

_PDEATHSIG, _DUMPABLE, _NAME, _NO_NEW_PRIVS = 1, 4, 15, 38
NAME_MOST = 15
"""Bytes of a name that are kept."""
DAC_READ_SEARCH, NET_BIND_SERVICE, NET_ADMIN, NET_RAW = 2, 10, 12, 13
"""Capabilities: to read any file, to have a port under 1024, a larger socket buffer, an interface of one's own."""
_CAPABILITY_VERSION = 0x20080522


def _prctl(option: int, value: int | bytes) -> bool:
    return bool(ctypes.CDLL(None).prctl(option, *map(_argument, (value, 0, 0, 0))) == 0)


def _argument(value: int | bytes) -> object:
    return ctypes.c_ulong(value) if isinstance(value, int) else value


def end_with_parent(signal: int) -> None:
    """Get this signal when the process that started this one ends."""
    _prctl(_PDEATHSIG, signal)


def hide_memory() -> None:
    """Nobody but root reads this process's memory and environment, or has it traced; and it leaves no core file."""
    _prctl(_DUMPABLE, 0)


def take_no_rights() -> bool:
    """No program that this process starts gets more rights than it has."""
    return _prctl(_NO_NEW_PRIVS, 1)


def keep_capabilities(wanted: Iterable[int]) -> None:
    """Of what root may do, keep these at most."""
    libc = ctypes.CDLL(None)
    # struct __user_cap_header_struct, and two of struct __user_cap_data_struct: effective, permitted, inheritable
    header, held = struct.pack("=Ii", _CAPABILITY_VERSION, 0), ctypes.create_string_buffer(24)
    if libc.capget(header, held) == 0:
        kept = sum(1 << number for number in wanted) & struct.unpack_from("=I", held, 4)[0]
        libc.capset(header, struct.pack("=6I", kept, kept, 0, 0, 0, 0))


def call_me(name: str) -> None:
    """The name in lists of processes."""
    _prctl(_NAME, name.encode()[:NAME_MOST])
