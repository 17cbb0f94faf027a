"""Limits repeated messages: each message about one subject, and all messages together.

Faults that are known to repeat are summed where they are logged. This is the limit for all others, those of libraries
too.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple

from klvrelay.logs.log_event import text_of

SAME_BURST, SAME_RATE = 20, 1 / 6
"""Messages of one kind about one subject: at once, and per second after that."""
ALL_BURST, ALL_RATE = 2000, 20.0
"""All messages together."""
PERIOD = 60.0
"""Seconds between two summaries of what was left out."""
KINDS_MOST = 1000
"""Kinds of messages that are distinguished at a time."""
_KEY_MOST = 200

_NUMBER = re.compile(r"(?<=[= ])-?\d[\d.]*")

Key = tuple[str, int, str]


class _Bucket:
    """Allows `burst` at once, and `rate` per second."""

    def __init__(self, burst: float, rate: float, now: float) -> None:
        self._burst, self._rate = burst, rate
        self._left, self._at = burst, now

    def take(self, now: float) -> bool:
        self._left = min(self._burst, self._left + (now - self._at) * self._rate)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


class Omitted(NamedTuple):
    """What was left out since the last summary, and the logger of the first of them."""

    messages: int
    logger: str


class FloodLimit:
    """Decides which records are logged.

    summarise  is called at most once in PERIOD, in a thread, after messages were left out
    clock      monotonic seconds
    """

    def __init__(self, summarise: Callable[[], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._summarise, self._clock = summarise, clock
        self._all = _Bucket(ALL_BURST, ALL_RATE, clock())
        self._same: OrderedDict[Key, _Bucket] = OrderedDict()
        self._omitted, self._logger = 0, ""
        self._timer: threading.Timer | None = None

    def allows(self, record: logging.LogRecord) -> bool:
        """Is this record logged? Call it with the lock of the handler."""
        now = self._clock()
        if self._bucket(key_of(record), now).take(now) and self._all.take(now):
            return True
        if not self._omitted:
            self._logger = record.name
            self._start_timer()
        self._omitted += 1
        return False

    def take_omitted(self) -> Omitted:
        """What was left out since the last call. Call it with the lock of the handler."""
        found, self._omitted = Omitted(self._omitted, self._logger), 0
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        return found

    def _bucket(self, key: Key, now: float) -> _Bucket:
        found = self._same.get(key)
        if found is None:
            if len(self._same) >= KINDS_MOST:
                self._same.popitem(last=False)
            found = self._same[key] = _Bucket(SAME_BURST, SAME_RATE, now)
        else:
            self._same.move_to_end(key)
        return found

    def _start_timer(self) -> None:
        self._timer = threading.Timer(PERIOD, self._summarise)
        self._timer.daemon = True
        self._timer.start()


def key_of(record: logging.LogRecord) -> Key:
    """What makes records the same: the place in the code, and the first argument without numbers that change."""
    first = record.args[0] if isinstance(record.args, tuple) and record.args else record.msg
    return record.pathname, record.lineno, _NUMBER.sub("#", text_of(first)[:_KEY_MOST])
