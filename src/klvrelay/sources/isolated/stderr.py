"""What a child process says on its standard error, in the log of the relay: line by line, and never too much.

`process.py` starts it. What klvrelay itself says there of its source is said as it would be here; all else with the
remark that the process says it. One that floods is read no faster than `RATE`: it waits, not the relay.
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
"""Bytes taken at one wake-up."""
RATE = 256 << 10
"""Bytes a second."""
LINES = 10
"""Lines a second that are shown; the rest is counted."""
TOLD_MOST = 1000
LINE_TAKEN, LINE_SHOWN = 4096, 500
"""Bytes of one line that are kept, and characters of it that are shown."""

LOG = logging.getLogger("klvrelay")
# What klvrelay itself said in a process, with its level, but not of the source: each new process would say it again.
_told: set[str] = set()
_LEVEL = re.compile(r"<(10|20|30|40|50)>")


class Stderr:
    """The pipe's two ends: `child` to give away, and ours, which is read on the loop until `close`.

    name   begins each line in the log
    hide   takes out of a line what must not be in a log
    """

    def __init__(self, name: str, hide: Callable[[str], str]) -> None:
        self._name, self._hide = name, hide
        self._loop = asyncio.get_running_loop()
        self._ours, self.child = os.pipe()
        os.set_blocking(self._ours, False)
        self._line = b""
        self._taken = self._lines = 0
        self._timer: asyncio.TimerHandle | None = None
        self._loop.add_reader(self._ours, self._read)

    def given(self) -> None:
        """The child has its end: close ours of it."""
        if self.child >= 0:
            os.close(self.child)
            self.child = -1

    def close(self) -> None:
        """Take what is still there, and no more."""
        self.given()
        self._loop.remove_reader(self._ours)
        if self._timer is not None:
            self._timer.cancel()
            self._new_second()
        with suppress(OSError):
            self._take(os.read(self._ours, PIECE))
        if self._line:
            self._take(b"\n")
        self._tell_rest()
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
        self._tell_rest()
        self._timer, self._taken, self._lines = None, 0, 0

    def _tell_rest(self) -> None:
        if self._lines > LINES:
            LOG.warning("%s: its process says %d lines more", self._name, self._lines - LINES)
        self._lines = 0

    def _take(self, piece: bytes) -> None:
        *lines, rest = (self._line + piece).split(b"\n")
        for line in lines:
            if line.strip():
                self._tell(line)
        self._line = rest[:LINE_TAKEN]

    def _tell(self, line: bytes) -> None:
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
        said = shown if of_source else f"{self._name}: its process says: {shown}"
        LOG.log(int(level[1]) if level else logging.WARNING, "%s", printable(said))


def _is_known(text: str) -> bool:
    """Was it said before?"""
    if text in _told:
        return True
    if len(_told) >= TOLD_MOST:
        _told.clear()
    _told.add(text)
    return False
