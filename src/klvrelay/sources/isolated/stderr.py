"""Log the standard error of a child process line by line, with limits on rate and size.

Lines that klvrelay in the child logs about its source are logged unchanged; all others are marked as output of the
process. A process that floods is read at `RATE` at most: it waits, not the relay.
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
from collections.abc import Callable
from contextlib import suppress

from klvrelay.text import printable

PIECE = 16 << 10
"""Bytes per wake-up."""
RATE = 256 << 10
"""Bytes per second."""
LINES = 10
"""Lines logged per second; further ones are counted."""
LOGGED_MOST = 1000
LINE_TAKEN, LINE_SHOWN = 4096, 500
"""Bytes of one line that are kept, and characters of it that are logged."""

LOG = logging.getLogger("klvrelay.sources")
# Log lines of klvrelay in a child that do not concern its source, with their level: every new process repeats them.
_logged: set[str] = set()
_LEVEL = re.compile(r"<(10|20|30|40|50)>")


class Stderr:
    """Both ends of the pipe: `child` for the process, and ours, which is read on the event loop until `close`.

    name   prefix of each log line
    hide   removes secrets from a line
    """

    def __init__(self, name: str, hide: Callable[[str], str]) -> None:
        self._name, self._hide = name, hide
        self._loop = asyncio.get_running_loop()
        self._ours, self.child = os.pipe()
        os.set_blocking(self._ours, False)
        self._unfinished = b""
        self._taken = self._lines = 0
        self._timer: asyncio.TimerHandle | None = None
        self._loop.add_reader(self._ours, self._read)

    def close_child(self) -> None:
        """The child has inherited its end: close our copy."""
        if self.child >= 0:
            os.close(self.child)
            self.child = -1

    def close(self) -> None:
        """Read what remains, and close."""
        self.close_child()
        self._loop.remove_reader(self._ours)
        if self._timer is not None:
            self._timer.cancel()
            self._new_second()
        with suppress(OSError):
            self._take(os.read(self._ours, PIECE))
        if self._unfinished:
            self._take(b"\n")
        self._log_rest()
        os.close(self._ours)

    def _read(self) -> None:
        try:
            piece = os.read(self._ours, PIECE)
        except BlockingIOError:
            return
        if not piece:
            self._loop.remove_reader(self._ours)
            return
        if self._timer is None:
            self._timer = self._loop.call_later(1.0, self._next_second)
        self._taken += len(piece)
        if self._taken >= RATE:
            self._loop.remove_reader(self._ours)
        self._take(piece)

    def _next_second(self) -> None:
        paused = self._taken >= RATE
        self._new_second()
        if paused:
            self._loop.add_reader(self._ours, self._read)

    def _new_second(self) -> None:
        self._log_rest()
        self._timer, self._taken, self._lines = None, 0, 0

    def _log_rest(self) -> None:
        if self._lines > LINES:
            LOG.warning("%s: output of its process: lines left out: count=%d", self._name, self._lines - LINES)
        self._lines = 0

    def _take(self, piece: bytes) -> None:
        *lines, rest = (self._unfinished + piece).split(b"\n")
        for line in lines:
            if line.strip():
                self._log_line(line)
        self._unfinished = rest[:LINE_TAKEN]

    def _log_line(self, line: bytes) -> None:
        text = line.decode("utf-8", "replace")
        level = _LEVEL.match(text)
        text = text[level.end() :] if level else text
        of_source = level is not None and text.startswith((f"{self._name}: ", f"{self._name} "))
        if level and not of_source and _is_known(text):
            return
        self._lines += 1
        if self._lines > LINES:
            return
        shown = self._hide(text)
        if len(shown) > LINE_SHOWN:
            shown = shown[:LINE_SHOWN] + " ..."
        message = shown if of_source else f"{self._name}: output of its process: {shown}"
        LOG.log(int(level[1]) if level else logging.WARNING, "%s", printable(message))


def _is_known(text: str) -> bool:
    """Was it logged before?"""
    if text in _logged:
        return True
    if len(_logged) >= LOGGED_MOST:
        _logged.clear()
    _logged.add(text)
    return False
