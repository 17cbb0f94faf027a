"""Limits repeated messages: the same message, those about one subject, those of one place in the code, and all.

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

from klvrelay.logs.log_event import message_of, text_of

SAME = (20, 1 / 6)
"""The same message, apart from its numbers: at once, and per second after that."""
SUBJECT = (200, 1.0)
"""One message about one subject, which is its first argument."""
PLACE = (1000, 10.0)
"""One message about all: with many streams, each may have one."""
ALL = (3000, 50.0)
"""All messages together."""
PERIOD = 60.0
"""Seconds between two summaries of what was left out."""
KINDS_MOST = 1000
"""Messages, and subjects, that are distinguished at a time."""
_KEY_MOST = 200

_NUMBER = re.compile(r"(?<=[= ])-?(?:0x[0-9a-f]+|\d[\d.]*)")

Key = tuple[object, ...]


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


class _Level:
    """The limit of each key: `burst` at once, and `rate` per second."""

    def __init__(self, burst: float, rate: float) -> None:
        self._limit = burst, rate
        self._found: OrderedDict[Key, _Bucket] = OrderedDict()

    def take(self, key: Key, now: float) -> bool:
        found = self._found.get(key)
        if found is None:
            if len(self._found) >= KINDS_MOST:
                self._found.popitem(last=False)
            found = self._found[key] = _Bucket(*self._limit, now)
        else:
            self._found.move_to_end(key)
        return found.take(now)


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
        self._levels = tuple(_Level(*limit) for limit in (SAME, SUBJECT, PLACE, ALL))
        self._omitted, self._logger = 0, ""
        self._timer: threading.Timer | None = None

    def allows(self, record: logging.LogRecord) -> bool:
        """Is this record logged? Call it with the lock of the handler."""
        now = self._clock()
        if all(level.take(key, now) for level, key in zip(self._levels, keys_of(record), strict=True)):
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

    def _start_timer(self) -> None:
        self._timer = threading.Timer(PERIOD, self._summarise)
        self._timer.daemon = True
        self._timer.start()


def keys_of(record: logging.LogRecord) -> tuple[Key, Key, Key, Key]:
    """What makes records the same, on each level, without numbers that change."""
    place = record.pathname, record.lineno
    first = record.args[0] if isinstance(record.args, tuple) and record.args else record.msg
    subject = _NUMBER.sub("#", text_of(first)[:_KEY_MOST])
    return (*place, _NUMBER.sub("#", message_of(record)[:_KEY_MOST])), (*place, subject), place, ()
