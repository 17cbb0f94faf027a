"""CPU time inside the parts of a running relay: their functions are wrapped, and each call is timed on the clock of its
thread, which other processes do not disturb.

A part that calls another one is charged without it. The cost of the timing itself is measured and subtracted.
"""

from __future__ import annotations

import asyncio
import functools
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from typing import Any

from klvrelay.alerts.engine import Alerts
from klvrelay.health.board import Board
from klvrelay.health.lead_time import LeadTimes
from klvrelay.health.loop import LoopHealth
from klvrelay.incidents.alive import Alive
from klvrelay.relay.channel import Channel
from klvrelay.relay.health_report import HealthReport
from klvrelay.relay.notices import Notices

_WRAPPED: tuple[tuple[type, str, str], ...] = (
    (LeadTimes, "add", "lead times"),
    (Alerts, "_call", "alerts"),
    (Board, "stream_document", "health of streams"),
    (HealthReport, "check", "health of the relay"),
    (LoopHealth, "_beat", "heartbeat"),
    (Alive, "_write", "file alive"),
    (Channel, "publish_health", "link and availability"),
)


class Attribution:
    """CPU seconds and calls by part, of a window of `seconds` that begins `after` seconds after the first record."""

    def __init__(self, after: float, seconds: float) -> None:
        self.spent: defaultdict[str, float] = defaultdict(float)
        self.calls: Counter[str] = Counter()
        self.longest: dict[str, float] = {}
        self.used = 0.0
        self._after, self._seconds = after, seconds
        self._begin: float | None = None
        self._before = 0.0
        self._is_open = False
        self._inner = 0.0  # CPU time of parts inside the present one
        self._bias = 0.0

    def install(self) -> None:
        """Wrap the parts. Call it before the relay starts."""
        self._bias = _cost_of_timing()
        for owner, name, part in _WRAPPED:
            setattr(owner, name, self._timed(getattr(owner, name), part))
        put, timed = Notices.put, self._timed(Notices.put, "health of streams")

        def put_notice(notices: Notices, notice: Any) -> None:
            (timed if notice.kind == "health" else put)(notices, notice)

        setattr(Notices, "put", put_notice)  # noqa: B010
        handle: Any = asyncio.events.Handle
        handle._run = self._timed_callback(handle._run)

    def document(self) -> dict[str, Any]:
        """Milliseconds per second of each part and of the whole process; the longest callbacks in ms."""
        spent = {part: 1e3 * seconds / self._seconds for part, seconds in self.spent.items()}
        longest = sorted(self.longest.items(), key=lambda each: -each[1])[:6]
        calls = {part: number / self._seconds for part, number in self.calls.items()}
        return {"parts": spent, "calls": calls, "all": 1e3 * self.used / self._seconds,
                "longest": {name: 1e3 * seconds for name, seconds in longest}}  # fmt: skip

    def _timed(self, call: Callable[..., Any], part: str) -> Callable[..., Any]:
        clock = time.thread_time

        @functools.wraps(call)
        def timed(*args: Any) -> Any:
            if part == "lead times":
                self._follow()
            outer, self._inner = self._inner, 0.0
            begin = clock()
            try:
                return call(*args)
            finally:
                whole = clock() - begin - self._bias
                if self._is_open:
                    self.spent[part] += max(0.0, whole - self._inner)
                    self.calls[part] += 1
                self._inner = outer + whole + 2 * self._bias

        return timed

    def _timed_callback(self, run: Callable[[Any], None]) -> Callable[[Any], None]:
        """The longest callbacks of the event loop, by what they run."""
        clock = time.thread_time

        def timed(handle: Any) -> None:
            begin = clock()
            run(handle)
            spent = clock() - begin
            if self._is_open and spent > 5e-4:
                name = _name_of(handle)
                self.longest[name] = max(self.longest.get(name, 0.0), spent)

        return timed

    def _follow(self) -> None:
        """Open and close the window."""
        now = time.monotonic()
        if self._begin is None:
            self._begin = now + self._after
        if not self._is_open and 0 <= now - self._begin < self._seconds:
            self._is_open, self._before = True, time.process_time()
        elif self._is_open and now - self._begin >= self._seconds:
            self._is_open, self.used = False, time.process_time() - self._before


def _name_of(handle: Any) -> str:
    call = handle._callback
    owner = getattr(call, "__self__", None)
    if isinstance(owner, asyncio.Task):
        return owner.get_name()
    return str(getattr(call, "__qualname__", call))


def _cost_of_timing() -> float:
    """Seconds that a call takes which does nothing, between the two readings of the clock."""
    found = []
    for _ in range(2000):
        begin = time.thread_time()
        found.append(time.thread_time() - begin)
    return sorted(found)[len(found) // 2]
