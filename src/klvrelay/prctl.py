"""What a process says to the kernel of itself (prctl(2)); where it fails nothing is lost."""

from __future__ import annotations

import ctypes

_PDEATHSIG, _DUMPABLE, _NAME, _NO_NEW_PRIVS = 1, 4, 15, 38
NAME_MOST = 15
"""Bytes of a name that are kept."""


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


def call_me(name: str) -> None:
    """The name in lists of processes."""
    _prctl(_NAME, name.encode()[:NAME_MOST])
