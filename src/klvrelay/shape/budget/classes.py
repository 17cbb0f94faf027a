"""What waits for the budget of an uplink: strict order of classes, the newest value of each slot, bounded queues."""

from __future__ import annotations

from collections import deque
from collections.abc import Container, Hashable, Iterator
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
        self._waiting: dict[Urgency, dict[Hashable, _KeyValues[T]]] = {each: {} for each in Urgency}
        self.queued = 0  # bytes of the values in queues
        self.count = 0

    def first(self, blocked: Container[Urgency] = ()) -> Urgency | None:
        """The class that is next, except those that are blocked."""
        return next((each for each, keys in self._waiting.items() if keys and each not in blocked), None)

    def put(
        self, priority: Urgency, key: Hashable, value: T, now: float, *, size: int = 0, newest: bool = True
    ) -> list[T]:
        """Let a value wait. Returns those that it displaces."""
        values = self._waiting[priority].get(key)
        if values is None:
            values = self._waiting[priority][key] = _KeyValues(newest)
        if values.newest and values.entries:
            entry = values.entries[0]
            displaced, entry.value = entry.value, value  # it keeps its time: how long the slot has waited
            return [displaced]
        values.entries.append(_Entry(value, size, now))
        self.count += 1
        if not values.newest:
            self.queued += size
        return list(self._excess())

    def pop(self, now: float, blocked: Container[Urgency] = ()) -> Taken[T]:
        """The next value: of the first class that is not blocked, of the key in turn. There must be one."""
        priority = self.first(blocked)
        if priority is None:
            raise LookupError("nothing waits")
        keys = self._waiting[priority]
        key = next(iter(keys))
        values = keys.pop(key)
        entry = self._remove_first(values)
        if values.entries:
            keys[key] = values  # now last in turn
        return Taken(priority, entry.value, now - entry.since)

    def expire(self, now: float) -> list[T]:
        """Displace the values of queues that are too old."""
        displaced = []
        for priority, keys in self._waiting.items():
            if priority is Urgency.ALERT:
                continue
            for values in keys.values():
                while len(values.entries) > 1 and now - values.entries[0].since > self.age:
                    displaced.append(self._remove_first(values).value)
        return displaced

    def promote(self, now: float) -> None:
        """Let the values of the class STATE that have waited for long take turns with others."""
        keys = self._waiting[Urgency.STATE]
        for key in [key for key, values in keys.items() if now - values.entries[0].since > STATE_MOST]:
            if (late := ("late", key)) not in self._waiting[Urgency.OTHER]:
                values = self._waiting[Urgency.OTHER][late] = keys.pop(key)
                values.entries[0].since = now

    def clear(self, *urgencies: Urgency) -> list[T]:
        """Remove all values, or those of some classes, and return them."""
        left = []
        for urgency in urgencies or Urgency:
            for values in self._waiting[urgency].values():
                while values.entries:
                    left.append(self._remove_first(values).value)
            self._waiting[urgency].clear()
        return left

    def waited(self, now: float) -> float:
        """How long the value at the head of any key has waited, at most; of a patient class, less of it counts."""
        heads = (
            (now - values.entries[0].since) / PATIENCE.get(priority, 1.0)
            for priority, keys in self._waiting.items() for values in keys.values()
        )  # fmt: skip
        return max(heads, default=0.0)

    def _excess(self) -> Iterator[T]:
        """Displace values of queues until their size fits: of the last class first, of its largest key."""
        for priority in reversed(Urgency):
            while self.queued > self.size:
                keys = self._waiting[priority].values()
                queues = [values for values in keys if not values.newest and len(values.entries) > 1]
                if not queues:
                    break
                yield self._remove_first(max(queues, key=lambda queue: len(queue.entries))).value

    def _remove_first(self, values: _KeyValues[T]) -> _Entry[T]:
        entry = values.entries.popleft()
        self.count -= 1
        if not values.newest:
            self.queued -= entry.size
        return entry
