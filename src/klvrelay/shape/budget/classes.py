"""What waits for the budget of an uplink: strict order of classes, the newest value of each slot, bounded queues."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")


class Urgency(IntEnum):
    """The classes, the most urgent first. A value of a class is sent only if no earlier class has one.

    AVAILABILITY   also changes of state of a stream or the relay
    STATE          retained documents, of which only the latest counts
    """

    ALERT = 0
    AVAILABILITY = 1
    POSITION = 2
    ATTITUDE = 3
    OTHER = 4
    STATE = 5
    FRAMES = 6


PATIENCE = {Urgency.STATE: 30.0}
"""By what the waiting of a class is divided: retained documents may come later."""
STATE_MOST = 15.0
"""Seconds after which a retained document takes turns with the class OTHER, so that it comes at all."""


class Taken(NamedTuple, Generic[T]):
    """A value that is to be sent, and how long its place in the order has waited."""

    priority: Urgency
    value: T
    waited: float


@dataclass(slots=True)
class _Entry(Generic[T]):
    value: T
    size: int
    since: float


@dataclass(slots=True)
class _KeyValues(Generic[T]):
    """The values of one key. `newest`: a slot for one value."""

    newest: bool
    entries: deque[_Entry[T]] = field(default_factory=deque)


class ClassQueue(Generic[T]):
    """The values that wait. Within a class, keys take turns.

    A slot holds the newest value of its key: the one before it is displaced. A queue holds values until the bounds are
    exceeded: then the oldest are displaced, those of the last class first. The last value of a key stays, however old,
    and no alert is displaced for its age.

    age    seconds that a value of a queue waits at most
    size   bytes that the values of all queues have at most
    """

    def __init__(self, age: float, size: int) -> None:
        self.age, self.size = age, size
        self._lanes: dict[Urgency, dict[Hashable, _KeyValues[T]]] = {each: {} for each in Urgency}
        self._queued = 0  # bytes in queues
        self.count = 0

    @property
    def queued(self) -> int:
        """Bytes of the values in queues."""
        return self._queued

    @property
    def first(self) -> Urgency | None:
        """The class that is next."""
        return next((each for each, lanes in self._lanes.items() if lanes), None)

    def put(
        self, priority: Urgency, key: Hashable, value: T, now: float, *, size: int = 0, newest: bool = True
    ) -> list[T]:
        """Let a value wait. Returns those that it displaces."""
        lane = self._lanes[priority].get(key)
        if lane is None:
            lane = self._lanes[priority][key] = _KeyValues(newest)
        if lane.newest and lane.entries:
            entry = lane.entries[0]
            displaced, entry.value = entry.value, value  # it keeps its time: how long the slot has waited
            return [displaced]
        lane.entries.append(_Entry(value, size, now))
        self.count += 1
        if not lane.newest:
            self._queued += size
        return list(self._excess())

    def pop(self, now: float) -> Taken[T]:
        """The next value: of the first class, of the key in turn. There must be one."""
        priority = self.first
        if priority is None:
            raise LookupError("nothing waits")
        lanes = self._lanes[priority]
        key = next(iter(lanes))
        lane = lanes.pop(key)
        entry = self._remove_first(lane)
        if lane.entries:
            lanes[key] = lane  # now last in turn
        return Taken(priority, entry.value, now - entry.since)

    def expire(self, now: float) -> list[T]:
        """Displace the values of queues that are too old."""
        displaced = []
        for priority, lanes in self._lanes.items():
            if priority is Urgency.ALERT:
                continue
            for lane in lanes.values():
                while len(lane.entries) > 1 and now - lane.entries[0].since > self.age:
                    displaced.append(self._remove_first(lane).value)
        return displaced

    def promote(self, now: float) -> None:
        """Let the values of the class STATE that have waited for long take turns with others."""
        lanes = self._lanes[Urgency.STATE]
        for key in [key for key, lane in lanes.items() if now - lane.entries[0].since > STATE_MOST]:
            if (late := ("late", key)) not in self._lanes[Urgency.OTHER]:
                lane = self._lanes[Urgency.OTHER][late] = lanes.pop(key)
                lane.entries[0].since = now

    def clear(self, *urgencies: Urgency) -> list[T]:
        """Remove all values, or those of some classes, and return them."""
        left = []
        for urgency in urgencies or Urgency:
            for lane in self._lanes[urgency].values():
                while lane.entries:
                    left.append(self._remove_first(lane).value)
            self._lanes[urgency].clear()
        return left

    def waited(self, now: float) -> float:
        """How long the value at the head of any key has waited, at most; of a patient class, less of it counts."""
        heads = (
            (now - lane.entries[0].since) / PATIENCE.get(priority, 1.0)
            for priority, lanes in self._lanes.items() for lane in lanes.values()
        )  # fmt: skip
        return max(heads, default=0.0)

    def _excess(self) -> Iterator[T]:
        """Displace values of queues until their size fits: of the last class first, of its largest key."""
        for priority in reversed(Urgency):
            while self._queued > self.size:
                lanes = [lane for lane in self._lanes[priority].values() if not lane.newest and len(lane.entries) > 1]
                if not lanes:
                    break
                yield self._remove_first(max(lanes, key=lambda lane: len(lane.entries))).value

    def _remove_first(self, lane: _KeyValues[T]) -> _Entry[T]:
        entry = lane.entries.popleft()
        self.count -= 1
        if not lane.newest:
            self._queued -= entry.size
        return entry
