"""SIGHUP: reloads the settings, or stops a command whose terminal has gone."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from klvrelay.cli.standard_streams import discard
from klvrelay.log import logger, reopen_log

TERMINAL = "/dev/tty"

_early: list[Early] = []


class Early:
    """What happened before `on_hangup`."""

    def __init__(self) -> None:
        self.had_terminal = _has_terminal()
        self.count = 0

    def note(self, number: int, frame: object) -> None:
        self.count += 1


def hold() -> None:
    """Until `on_hangup`, SIGHUP is noted: otherwise a service that is reloaded while it starts would end."""
    if signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:
        _early[:] = [Early()]
        signal.signal(signal.SIGHUP, _early[0].note)


@contextmanager
def on_hangup(reload: Callable[[], None] | None) -> Iterator[None]:
    """Inside, SIGHUP calls `reload` on the running event loop, and opens the log file again if it was moved away.

    If the process had a controlling terminal that has gone, SIGHUP stops it, as SIGTERM does. Without `reload` it is
    logged that there is nothing to reload; a SIGHUP that is ignored, as with nohup, stays ignored.
    """
    if reload is None and signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        yield
        return
    loop, early = asyncio.get_running_loop(), _early.pop() if _early else Early()
    outputs = [stream for stream in (sys.stdout, sys.stderr) if stream.isatty()]

    def handle() -> None:
        if early.had_terminal and not _has_terminal():
            for stream in outputs:  # otherwise Python reports an error at exit
                discard(stream)
            signal.raise_signal(signal.SIGTERM)
        elif reload is not None:
            reopen_log()
            reload()
        elif not reopen_log():
            logger().warning("nothing to reload: advice='name a settings file: -c FILE'")

    def note(number: int, frame: object) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(handle)

    before = signal.signal(signal.SIGHUP, note)
    if early.count:
        loop.call_soon(handle)
    try:
        yield
    finally:
        # Not the default, which would end the process during its last steps; nor SIG_IGN, which children inherit.
        signal.signal(signal.SIGHUP, early.note if before in (signal.SIG_DFL, None) else before)


def _has_terminal() -> bool:
    """Does this process have a controlling terminal?"""
    try:
        os.close(os.open(TERMINAL, os.O_RDONLY | os.O_NOCTTY | os.O_CLOEXEC))
    except OSError:
        return False
    return True
