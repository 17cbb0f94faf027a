"""What observes the streams and sinks of a relay, on its event loop: the board, the heartbeat, the checks at intervals.

    board          the health of all parts, which topics, metrics, alerts, incidents and the API read
    heartbeat      of the event loop; a step of the system clock explains the same step of the offset of each stream
    checks         silence, states and latest values of the streams, counts of the sinks, the spool: see tick.py
    reports        the health of the relay and of its spool, as notices; streams publish their own: see `Channel`

What runs beside the relay, the ledger of incidents and the alerts, is in observers.py.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from klvrelay.health import LoopHealth
from klvrelay.health.board import Board
from klvrelay.health.wall_clock import ClockStep
from klvrelay.json_output import dumps
from klvrelay.relay.health_report import HealthReport
from klvrelay.relay.notices import Notices
from klvrelay.relay.sink_task import SinkTask
from klvrelay.relay.stream import Stream
from klvrelay.relay.supervise import contain
from klvrelay.relay.tick import keep_checking
from klvrelay.sinks.contract import AnswerRequest, Notice
from klvrelay.spool.contract import Log

LOG = logging.getLogger("klvrelay.relay")


class Observation:
    """Observes one relay. `streams` and `sink_tasks` return those at present: a reload replaces them.

    notices  the latest values that sinks have yet to publish
    loop     heartbeat of the event loop; it runs from `start` to `stop` of `loop`
    """

    def __init__(
        self, boot: str, log: Log, streams: Callable[[], Sequence[Stream]], sink_tasks: Callable[[], Sequence[SinkTask]]
    ) -> None:
        self._log, self._streams, self._sink_tasks = log, streams, sink_tasks
        self.notices = Notices()
        self.loop = LoopHealth(contain)
        self.loop.wall.listeners.append(self._note_wall_step)
        self.board = self._board(boot)
        self._report = HealthReport(self.board, self.notices)
        self._answer_request: AnswerRequest | None = None
        self._logged: set[tuple[str, str]] = set()

    def _board(self, boot: str) -> Board:
        board = Board(boot, contain)
        board.loop = self.loop
        board.has_spool = self._log.condition is not None
        board.streams = lambda: [health for stream in self._streams() for health in stream.healths]
        board.sinks = lambda: [task.health for task in self._sink_tasks()]
        board.refresh = self.refresh
        board.latest = self.notices.latest_state
        return board

    def _note_wall_step(self, step: ClockStep) -> None:
        for health in self.board.streams():
            health.clocks.note_wall_step(step.seconds, step.at)

    # ---- counts and checks ----

    def refresh(self, part: int = 0, parts: int = 1) -> None:
        """Update the counters of all streams and sinks, or of one of so many parts of them."""
        for stream in self._streams()[part::parts]:
            self.contain(stream, stream.count)
        for task in self._sink_tasks()[part::parts]:
            contain(task.sums, task.health.name)

    def keep_checking(self) -> Coroutine[Any, Any, None]:
        """Check all parts at intervals, until cancelled."""
        return keep_checking(self._streams, self._check_outputs, self._check_stream)

    def _check_outputs(self) -> None:
        """Check the spool and the sinks."""
        contain(self.check_spool, "spool")
        for task in self._sink_tasks():
            contain(task.check, task.health.name)
        contain(self._report.check, "health")

    def check_spool(self) -> None:
        """Note the condition of the spool, and have it published if it changed."""
        condition = self._log.condition
        if condition is not None and self.board.spool.check(*condition):
            self.publish_status(spool=self.board.spool.document())

    def _check_stream(self, stream: Stream, is_due: bool) -> None:
        """Check a stream, and publish its latest values if they are due."""
        self.contain(stream, stream.check, *([stream.publish_state] if is_due else []))

    def contain(self, stream: Stream, *steps: Callable[[], None]) -> None:
        """Run steps of one stream. An internal error ends that step only, and is logged once."""
        for step in steps:
            fault = contain(step, stream.name)
            if fault is not None and (line := (stream.name, str(fault))) not in self._logged:
                self._logged.add(line)
                LOG.error("%s: %s", *line)

    # ---- what sinks publish, and requests from them ----

    def publish_status(self, **members: object) -> None:
        """Add members to the status that each sink publishes."""
        self.notices.put(Notice("status", None, dumps(members)))

    def publish_alerts(self, stream: str | None, document: bytes) -> None:
        """Have each sink publish the alerts of a stream, or of the relay."""
        self.notices.put(Notice("alert", stream, document))

    def publish_last(self) -> None:
        """Put the last reports of a run before the sinks."""
        for task in self._sink_tasks():
            task.put_sums()
        while self.board.ending:
            contain(self.board.ending.pop(), "end")
        contain(self._report.publish, "health")

    def answer_requests(self, answer: AnswerRequest) -> None:
        """Have the sinks pass requests to acknowledge incidents on. Call it before the relay runs."""
        self._answer_request = answer
        for task in self._sink_tasks():
            self.observe(task)

    def observe(self, task: SinkTask) -> None:
        """Observe a new sink, before it connects."""
        task.answer_requests(self._answer_request)
