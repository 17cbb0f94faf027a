"""Sends what a sink publishes within the budget of its uplink: each message is made at the moment it is sent.

    outputs, latest values --> ClassQueue --> budget, window, bytes in flight --> made, published --> answered
                                   |                                                  |
                                   +--> displaced by a newer one, or by the bounds    +--> Ladder: reduces the outputs
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable, Sequence
from typing import TYPE_CHECKING, Any

from klvrelay.config.units import rate_setting
from klvrelay.shape.budget.budget import Budget, Wire
from klvrelay.shape.budget.classes import ClassQueue, Urgency
from klvrelay.shape.budget.ladder import Ladder, LinkLoad, Rung
from klvrelay.shape.budget.window import Window
from klvrelay.sinks.mqtt.batch_messages import NOT_SENT
from klvrelay.sinks.mqtt.budget.caution import Caution
from klvrelay.sinks.mqtt.budget.unsent import Ready, Unsent, joint
from klvrelay.sinks.mqtt.protocol.connection import REFUSED, Connection, Unanswered
from klvrelay.sinks.mqtt.protocol.packets import Packed, publish_size
from klvrelay.sinks.mqtt.refused.publisher import Publisher

if TYPE_CHECKING:
    from klvrelay.transports.tcp_info import TcpInfo

TICK = 0.1
"""Seconds between two judgements of the load."""
QUEUE_AGE = 2.0
"""Seconds that a record of an output without a rate waits at most; the queues have at most the bytes of this time."""
QUEUE_LEAST = 4000
"""But at least so many bytes."""
AHEAD = 0.1
"""Seconds of the rate that may be unacknowledged beyond the round trip: what a more urgent message waits for at most.
"""
AHEAD_LEAST = 600
"""But at least so many bytes."""
ALERT_DEBT = 0.5
"""Seconds of the rate that alerts may take in advance."""
SHORTEST = 0.001
"""Seconds of the shortest pause."""
LOOK = 0.02
"""Seconds between two checks if bytes were acknowledged."""
SPARE = 0.7
"""Share of the budget below which what was left out may follow."""


class Uplink:
    """The budget of one sink, over all its connections.

    rate       bits per second
    ladder     makes the ladder, at this time
    change     is called with the rung of the ladder when it changes

    on_tick    is called with the time before each judgement of the load
    shown      is called when the document has changed
    left_out   number of messages that were displaced
    """

    def __init__(
        self,
        rate: float,
        publisher: Publisher,
        ladder: Callable[[float], Ladder],
        change: Callable[[Rung], object],
        *,
        tls: bool,
    ) -> None:
        self._rate, self._publisher, self._change = rate, publisher, change
        self._loop = asyncio.get_running_loop()
        self._clock = self._loop.time
        self.budget = Budget(rate, self._clock)
        self.ladder = ladder(self._clock())
        self._queue: ClassQueue[Unsent] = ClassQueue(QUEUE_AGE, max(QUEUE_LEAST, int(rate / 8 * QUEUE_AGE)))
        self._later: list[Unsent] = []
        self.caution: Caution = Caution(publisher.breaking, self._clock)
        self._wake = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._dropped = 0
        self._judged = 0.0
        self._wire = Wire(tls=tls)
        self._window = Window(rate / 8)
        self._unanswered = 0
        self._sending: set[asyncio.Task[None]] = set()
        self._fault: Unanswered | None = None
        self.on_tick: Callable[[float], object] = lambda now: None
        self.shown: Callable[[], object] = lambda: None
        self.left_out = 0
        self._hurries = False

    # ---- what waits ----

    def hurry(self) -> None:
        """What is less urgent than a position is displaced, now and later."""
        self._hurries = True
        for urgency in (each for each in Urgency if each > Urgency.POSITION):
            self._displace(self._queue.clear(urgency), counts=False)
        self._wake.set()

    def put(self, urgency: Urgency, key: Hashable, entry: Unsent, *, newest: bool) -> None:
        """Let an entry wait for its turn."""
        if self._hurries and urgency > Urgency.POSITION:
            self._displace([entry], counts=False)
            return
        displaced = self._queue.put(urgency, key, entry, self._clock(), size=entry.size, newest=newest)
        self._displace(displaced, counts=not newest)
        self._wake.set()

    def put_later(self, entry: Unsent) -> None:
        """Let an entry wait until nothing else does, and much of the budget is unused."""
        self._later.append(entry)
        self._wake.set()

    def _displace(self, entries: Sequence[Unsent], *, counts: bool) -> None:
        for entry in entries:
            self._dropped += counts and entry.live
            self.left_out += 1
            entry.part.answer(NOT_SENT)

    # ---- a connection ----

    @property
    def is_traced(self) -> bool:
        """Is it known, or being tested, which message ended the connection?"""
        fault = self._fault
        return fault is not None and (fault.broke is not None or self._publisher.breaking.control.is_running)

    def begin(self, connection: Connection) -> None:
        """A new connection, with what it has sent so far."""
        self._fault = None
        self.caution.begin()
        self.budget.begin_connection()
        self._settle(connection.traffic())
        connection.keep_short(max(AHEAD_LEAST, int(self._rate / 8 * AHEAD)))

    def end(self) -> None:
        """The connection is lost: what waits is offered again."""
        for entry in (*self.caution.clear(), *self._queue.clear(), *self._later):
            entry.part.answer(None)
        self._later.clear()
        for task in self._sending:
            task.cancel()

    async def run(self, connection: Connection) -> None:
        """Send what waits, until the connection is lost. Raises Unanswered."""
        try:
            while True:
                pause = self._send_due(connection)
                if self._fault is not None:
                    raise self._fault
                await self._wait(pause)
        finally:
            self._stop_timer()

    async def _wait(self, pause: float) -> None:
        """Return after the pause, or before it if something changed."""
        if not pause:
            await asyncio.sleep(0)  # what was sent reaches the socket, so that the kernel counts it
            return
        self._stop_timer()
        self._timer = self._loop.call_later(pause, self._wake.set)
        await self._wake.wait()
        self._wake.clear()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _send_due(self, connection: Connection) -> float:
        """Send the next message, if it is due. Returns the seconds until the next one may be."""
        traffic, now = connection.traffic(), self._clock()
        self._settle(traffic)
        if now - self._judged >= TICK:
            self._judge(now)
        ready = self.caution.ready()
        if ready is None and not self._queue.count:
            return self._send_later(connection, traffic)
        blocked = self.caution.blocked
        first = self._queue.first(blocked)
        if ready is not None and (first is None or ready.urgency <= first):
            first = ready.urgency
        else:
            ready = None
        if first is None or not connection.has_room:
            return TICK  # an answer wakes it before
        is_alert = first is Urgency.ALERT
        if not is_alert and not self._may_send(traffic):
            return LOOK
        if (wait := self.budget.wait - (ALERT_DEBT if is_alert else 0.0)) > 0:
            return max(SHORTEST, min(wait, TICK))
        if ready is None:
            self._make(connection, first, self._queue.pop(now, blocked).value)
        else:
            self.caution.take(ready)
            self._send(connection, ready)
        return 0.0

    def _send_later(self, connection: Connection, traffic: TcpInfo | None) -> float:
        """As `_send_due`, if nothing else waits."""
        if self._later and connection.has_room and self.budget.is_idle and self._may_send(traffic):
            if self.budget.used < SPARE * self._rate:
                self._make(connection, Urgency.FRAMES, self._later.pop(0), spare=True)
            return LOOK
        return TICK

    def _may_send(self, traffic: TcpInfo | None) -> bool:
        """Are few enough bytes in flight, so that the next message does not wait long behind them?"""
        if self._unanswered and self._unanswered >= self._window.size:
            return False
        if traffic is None:
            return True
        return traffic.waiting < max(AHEAD_LEAST, self._rate / 8 * (traffic.min_rtt + AHEAD))

    def _settle(self, traffic: TcpInfo | None) -> None:
        """Take what the kernel counts for what was sent."""
        if traffic is not None:
            self._wire = self._wire._replace(header=traffic.header, segment=max(1, traffic.mss))
            self.budget.settle(traffic.on_wire + self._wire.cost(traffic.unsent))

    def _make(self, connection: Connection, urgency: Urgency, entry: Unsent, *, spare: bool = False) -> None:
        """Make the messages of an entry, and send them unless they are withheld."""
        messages = self._publisher.admitted(made := entry.make())
        if not messages:
            entry.part.answer(REFUSED if made else NOT_SENT)
        elif self.caution.admits(ready := Ready(urgency, entry, messages)):
            self._send(connection, ready, spare=spare)
        elif (displaced := self.caution.withhold(ready)) is not None:
            self._displace([displaced], counts=False)

    def _send(self, connection: Connection, ready: Ready, *, spare: bool = False) -> None:
        packed = connection.protocol == 5
        sizes = (publish_size(message, Packed(message) if packed else None) for message in ready.messages)
        cost = sum(map(self._wire.cost, sizes))
        self.budget.spend(cost, spare=spare)
        self.caution.note_sent(ready)
        task = asyncio.create_task(self._publish(connection, ready, cost), name="uplink message")
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def _publish(self, connection: Connection, ready: Ready, cost: int) -> None:
        codes: Sequence[int | None] = (None,)
        begin, messages = self._clock(), ready.messages
        self._unanswered += cost
        try:
            codes = await self._publisher.publish_fitting(connection, messages)
        except Unanswered as fault:
            codes, self._fault = fault.codes, fault
        else:
            self.caution.note_answered(ready, codes)
            if all(message.qos for message in messages):  # at QoS 0 nothing is answered
                self._window.answered(cost, self._clock() - begin, self._clock())
        finally:
            self._unanswered -= cost
            ready.entry.part.answer(joint(codes, len(messages)))
            self._wake.set()

    # ---- the ladder ----

    def _judge(self, now: float) -> None:
        """Judge the load, and change the rung if it demands it."""
        self._judged = now
        self.on_tick(now)
        self._displace(self._queue.expire(now), counts=True)
        self._queue.promote(now)
        used = self.budget.used / self._rate
        load, self._dropped = LinkLoad(self._queue.waited(now), self._dropped, used), 0
        if self.ladder.update(load, now):
            self._change(self.ladder.rung)
            self.shown()

    def document(self) -> dict[str, Any]:
        """The use of the budget, as published."""
        rung = self.ladder.rung
        return {
            "step": int(rung.step),
            "name": rung.step.label,
            "halvings": rung.halvings,
            "reason": self.ladder.reason,
            "budget": rate_setting(self._rate),
            "used": round(self.budget.used),
            "bytes": round(self.budget.total),
            "left_out": self.left_out,
        }
