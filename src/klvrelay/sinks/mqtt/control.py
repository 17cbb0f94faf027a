"""Withholds suspected messages from a connection, to find out if it breaks without them as well.

A message at which a connection ended is a suspect. The next connection begins without it: that is the control. Later
messages of its lane wait too, so that their order is kept.

    control   the connection breaks at another message: both are suspects. The next control has only messages like
              those accepted since the first suspicion. If that breaks too, no message is the cause
              it breaks with nothing in flight: no message is the cause
              it lasts, with messages answered: the first suspect is on trial
    trial     the suspect is sent. An answer clears it. If the connection ends at it, that is a strike

A control lasts CONTROL seconds, or TIMES as long as the suspect took to end a connection, at most CONTROL_MOST. Without
another message to send it lasts SILENT seconds, which clears two suspects: they are all that can be sent.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from klvrelay.sinks.mqtt.connection import Message
from klvrelay.sinks.mqtt.packets import publish_size

CONTROL, CONTROL_MOST, TIMES = 2.0, 5.0, 10
SILENT, LONGEST = 10.0, 30.0
"""Seconds; after LONGEST all suspects are cleared, since the one on trial was not offered again."""

Key = tuple[str, int]


def key_of(message: Message) -> Key:
    """What identifies a message on another connection: of latest values, only the newest is published again."""
    return message.topic, 0 if message.retain else hash(message.payload)


def lane_of(message: Message) -> str:
    """Messages of one lane stay in order: those of a stream, or the values of a topic."""
    return message.topic if message.retain else message.topic.rpartition("/")[0] + "/"


def size_of(message: Message) -> int:
    """Bytes of the packet without MQTT 5 properties, so that the sizes of all messages compare."""
    return publish_size(message, None)


@dataclass(slots=True)
class _Suspect:
    lane: str
    strikes: int = 1


@dataclass(slots=True)
class Control:
    """The suspects of one broker, at most two, and the control of each connection."""

    clock: Callable[[], float] = time.monotonic
    _suspects: dict[Key, _Suspect] = field(default_factory=dict)  # the next on trial first
    _accepted: dict[str, int] = field(default_factory=dict)  # largest message by topic, since the first suspicion
    _since: float = 0.0
    _last: float = 0.0  # time of the last answer, or of the begin
    _took: float = 0.0  # seconds in which the suspects ended a connection
    _answers: int = 0

    @property
    def is_running(self) -> bool:
        """Are there suspects?"""
        return bool(self._suspects)

    def suspects(self, message: Message) -> bool:
        """Is the message a suspect?"""
        return key_of(message) in self._suspects

    def withholds(self, message: Message) -> bool:
        """Must the message wait?"""
        if not self._suspects:
            return False
        on_trial, lane = self._on_trial(), lane_of(message)
        if not self._suspects or (on_trial is not None and lane == self._suspects[on_trial].lane):
            return False
        if any(lane == suspect.lane for suspect in self._suspects.values()):
            return True
        return len(self._suspects) > 1 and size_of(message) > self._accepted.get(message.topic, 0)

    def _on_trial(self) -> Key | None:
        """The suspect that may be sent now."""
        lasted = self.clock() - self._since
        if lasted >= LONGEST or (lasted >= SILENT and not self._answers and len(self._suspects) > 1):
            self.clear()
        needed = min(max(CONTROL, TIMES * self._took), CONTROL_MOST) if self._answers else SILENT
        return next(iter(self._suspects), None) if lasted >= needed else None

    def begin(self) -> None:
        """A connection is established."""
        self._since = self._last = self.clock()
        self._answers = 0

    def accept(self, message: Message) -> None:
        """The broker accepted a message."""
        self._last = self.clock()
        if not self._suspects:
            return
        self._accepted[message.topic] = max(size_of(message), self._accepted.get(message.topic, 0))
        if self._suspects.pop(key_of(message), None) is None:
            self._answers += 1
        elif not self._suspects:
            self.clear()

    def lost(self, message: Message, enough: int) -> bool:
        """A connection ended at this message. Returns true if that was the last of `enough` strikes in a row."""
        key, on_trial = key_of(message), self._on_trial()
        if key not in self._suspects:
            self._fail(key, lane_of(message))
            return False
        suspect = self._suspects[key]
        if key != on_trial:  # it was sent before the control had ended
            suspect.strikes = 1
            return False
        suspect.strikes += 1
        self._took = max(self._took, self.clock() - self._last)
        if suspect.strikes < enough:
            return False
        del self._suspects[key]
        if not self._suspects:
            self.clear()
        return True

    def _fail(self, key: Key, lane: str) -> None:
        """The connection ended at a message that is not a suspect."""
        if len(self._suspects) > 1:
            self.clear()
            return
        for suspect in self._suspects.values():
            suspect.strikes = 1
        self._suspects[key] = _Suspect(lane)
        self._took = max(self._took, self.clock() - self._last)

    def clear(self) -> None:
        """No message is suspected any longer."""
        self._suspects.clear()
        self._accepted.clear()
        self._took = 0.0
