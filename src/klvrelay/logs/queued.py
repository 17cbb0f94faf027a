"""Writes lines to a log file in a thread, so that a slow or full disk delays nothing else."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

from klvrelay import threads
from klvrelay.logs.log_file import LogFile, reason_of

SIZE_MOST = 1 << 20
"""Maximum bytes of the lines that wait; further ones are lost, and counted."""
RETRY = 1.0
"""Seconds between two attempts while writing fails."""
FLUSH = 1.0
"""Maximum seconds in which the last lines are written."""

Report = Callable[[str], None]
"""Reports a fault of the file elsewhere, such as on standard error."""


class QueuedFile:
    """Queues lines for the thread that writes them.

    note    makes a line of a message about the log itself
    report  is called when writing begins to fail, and when it succeeds again
    """

    def __init__(self, file: LogFile, note: Callable[[str], bytes], report: Report) -> None:
        self._file, self._note, self._report = file, note, report
        self._lines: deque[bytes] = deque()
        self._waiting = 0  # bytes, with the line that is being written
        self._lost = 0
        self._fault = ""
        self._started = self._closing = self._reopening = False
        self._changed = threading.Condition()
        self._ended = threading.Event()

    def put(self, line: bytes) -> None:
        """Queue a line, which ends with a newline. It is lost if too many wait."""
        with self._changed:
            if self._closing or self._waiting + len(line) > SIZE_MOST:
                self._lost += 1
                return
            self._lines.append(line)
            self._waiting += len(line)
            if not self._started:
                self._started = True
                threads.start(self._work, "klvrelay-log")
            self._changed.notify_all()

    def reopen(self) -> None:
        """Open the path again if the file was moved away."""
        with self._changed:
            self._reopening = True
            self._changed.notify_all()

    def flush(self, seconds: float = FLUSH) -> bool:
        """Wait until all lines are written, for so long at most. Returns at once while writing fails."""
        with self._changed:
            self._changed.wait_for(lambda: not self._waiting or bool(self._fault), seconds)
            return not self._waiting

    def close(self) -> None:
        """Write the last lines, and end the thread, each within FLUSH. Lines that cannot be written are reported."""
        self.flush()
        with self._changed:
            self._closing = True
            left, lost = len(self._lines), self._lost
            self._changed.notify_all()
        if self._started:
            self._ended.wait(FLUSH)  # then the file is unlocked
        else:
            self._file.close()
        if left or lost:
            self._report(f"log lines lost: count={left + lost}")

    # ---- on the thread ----

    def _work(self) -> None:
        while self._wait():
            try:
                self._write_next()
            except OSError as fault:
                self._fail(reason_of(fault))
        self._file.close()
        self._ended.set()

    def _wait(self) -> bool:
        """Wait for work; False at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._lines or self._closing or self._reopening)
            return not self._closing

    def _write_next(self) -> None:
        with self._changed:
            reopening, self._reopening = self._reopening, False
        if reopening:
            self._file.reopen()
        if self._lost:
            lost = self._lost
            self._file.write(self._note(f"log lines lost: count={lost}"))
            with self._changed:
                self._lost -= lost
        if self._lines:
            self._file.write(self._lines[0])
            self._succeed()

    def _succeed(self) -> None:
        with self._changed:
            self._waiting -= len(self._lines.popleft())
            recovered, self._fault = self._fault, ""
            self._changed.notify_all()
        if recovered:
            self._report("log file: writing again")

    def _fail(self, reason: str) -> None:
        with self._changed:
            first, self._fault = not self._fault, reason
            self._changed.notify_all()
        if first:
            self._report(f"log file: can't write, retrying: reason='{reason}' file={self._file.path}")
        end = time.monotonic() + RETRY
        with self._changed:
            while not self._closing and (left := end - time.monotonic()) > 0:
                self._changed.wait(left)
