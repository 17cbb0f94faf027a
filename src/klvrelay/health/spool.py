"""Health of the spool: faults of its disk. Log lines: at most one a minute, besides the end of a fault."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from klvrelay.health.changes import Change, log_change
from klvrelay.health.report import utc
from klvrelay.text import printable

LOG = logging.getLogger("klvrelay.health")

SpoolState = Literal["writing", "failing"]

LOG_EVERY = 60.0
"""Minimum seconds between two log lines; only the end of a fault is logged earlier."""
REPORT_EVERY = 5.0
"""Seconds between two reports during a fault."""


@dataclass(slots=True)
class SpoolHealth:
    """The state of the spool.

    fault       why records cannot be written at present; None if they can
    failures    number of failed attempts to write
    waiting     number of records that are in memory only, and `size`, their bytes
    unreadable  number of attempts to read a segment that failed
    """

    clock: Callable[[], float] = time.monotonic
    publish: Callable[[Change], None] = log_change
    fault: str | None = None
    failures: int = 0
    waiting: int = 0
    size: int = 0
    unreadable: int = 0
    _began: float = 0.0
    _began_us: int = 0
    _logged: float = -math.inf
    _begin_logged: bool = False
    _reported: float = -math.inf

    def check(  # the members of `spool.contract.Condition`
        self, name: str, fault: str | None, failures: int, waiting: int, size: int, unreadable: int
    ) -> bool:
        """Set the condition of the spool `name`, and log what is due. Returns whether a new report is due.

        Call it a few times per second.
        """
        now, before, unread = self.clock(), self.fault, self.unreadable
        self.fault, self.failures, self.waiting, self.size, self.unreadable = fault, failures, waiting, size, unreadable
        if fault is not None:
            if before is None:
                self._began, self._began_us = now, time.time_ns() // 1000
                self._publish("failing", "writing", fault)
            self._log_fault(name, now)
        elif before is not None:
            self._log_end(name, now)
            self._publish("writing", "failing", "writes again")
        return self._is_report_due(now, changed=fault != before or unreadable != unread)

    @property
    def state(self) -> SpoolState:
        """Can records be written?"""
        return "writing" if self.fault is None else "failing"

    def _publish(self, state: SpoolState, before: SpoolState, reason: str) -> None:
        now, is_ok = self.clock(), state == "writing"
        self.publish(Change("spool", "spool", state, before, is_ok, reason, None if is_ok else "disk", now, now,
                            time.time_ns() // 1000))  # fmt: skip

    def _log_fault(self, name: str, now: float) -> None:
        if now - self._logged < LOG_EVERY:
            return
        values = (self.fault, printable(name), self.waiting, self.failures)
        if self._begin_logged:
            LOG.warning("spool: still cannot write: error=%r path=%s waiting=%d failures=%d seconds=%.0f",
                        *values, now - self._began)  # fmt: skip
        else:
            LOG.error("spool: cannot write, records wait in memory: error=%r path=%s waiting=%d failures=%d", *values)
        self._logged, self._begin_logged = now, True

    def _log_end(self, name: str, now: float) -> None:
        if self._begin_logged:
            LOG.warning("spool: writing again: path=%s seconds=%.1f", printable(name), now - self._began)
        self._begin_logged = False

    def _is_report_due(self, now: float, *, changed: bool) -> bool:
        pause = math.inf if self.fault is None else REPORT_EVERY
        due = changed or now - self._reported >= pause or self._reported == -math.inf
        if due:
            self._reported = now
        return due

    def document(self) -> dict[str, Any]:
        """The member `spool` of the status."""
        document = {"fault": self.fault, "failures": self.failures, "unreadable": self.unreadable}
        if self.fault is not None:
            document |= {"since": utc(self._began_us), "waiting": self.waiting, "bytes": self.size}
        return document
