"""Withholds suspected messages from a connection, to find out if it breaks without them as well.

A message at which a connection ended is a suspect. The next connection begins without it: that is the control. Later
messages of its lane wait too, so that their order is kept.

    control   the connection breaks at another message: both are suspects. The next control has only messages like
              those accepted since the first suspicion; if that breaks too, no message is the cause
              it breaks with nothing in flight: no message is the cause
              it lasts, with messages answered: the first suspect is on trial
    trial     the suspect is sent. An answer clears it. If the connection ends at it, that is a strike

A control lasts CONTROL seconds, TIMES as long as a suspect took to end a connection, and LONGER than that connection
lasted, at most CONTROL_MOST; and it has more answers than that connection, up to ANSWERS. If too few messages can be
sent, it lasts SILENT seconds. Then a single suspect is on trial; of two, none is the cause. Each time that no message
is the cause, a suspect needs one strike more, until a connection is steady.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from klvrelay.sinks.mqtt.protocol.connection import Message
from klvrelay.sinks.mqtt.protocol.packets import publish_size

CONTROL, CONTROL_MOST, TIMES, LONGER = 2.0, 8.0, 10, 1.5
ANSWERS = 10
SILENT, LONGEST = 10.0, 30.0
"""Seconds. After LONGEST all suspects are cleared, since the one on trial was not offered again."""
DOUBTS_MOST = 5
"""Maximum number of additional strikes."""

Key = tuple[str, int]


def key_of(message: Message, *, by_topic: bool = False) -> Key:
    """What identifies a message on another connection: of latest values, only the newest is published again.

    by_topic  so it is with all messages
    """
    return message.topic, 0 if message.retain or by_topic else hash(message.payload)


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
    """The suspects of one broker, at most two, and the control of each connection.

    by_topic  see `key_of`
    """

    clock: Callable[[], float] = time.monotonic
    by_topic: bool = False
    _suspects: dict[Key, _Suspect] = field(default_factory=dict)  # the next on trial first
    _accepted: dict[str, int] = field(default_factory=dict)  # largest message by topic, since the first suspicion
    _since: float = 0.0
    _last: float = 0.0  # time of the last answer, or of the begin
    _seconds: float = 0.0  # that a control must last, by the connections that ended at a suspect
    _least: int = 1  # answers that it needs
    _answers: int = 0
    _doubts: int = 0

    def _key_of(self, message: Message) -> Key:
        return key_of(message, by_topic=self.by_topic)

    @property
    def is_running(self) -> bool:
        """Are there suspects?"""
        return bool(self._suspects)

    def suspects(self, message: Message) -> bool:
        """Is the message a suspect?"""
        return self._key_of(message) in self._suspects

    def withholds(self, message: Message, *, alone: bool = False) -> bool:
        """Must the message wait? `alone`: only if it is a suspect itself."""
        if not self._suspects:
            return False
        on_trial, lane = self._on_trial(), lane_of(message)
        if alone:
            return (key := self._key_of(message)) in self._suspects and key != on_trial
        if not self._suspects or (on_trial is not None and lane == self._suspects[on_trial].lane):
            return False
        if any(lane == suspect.lane for suspect in self._suspects.values()):
            return True
        return len(self._suspects) > 1 and size_of(message) > self._accepted.get(message.topic, 0)

    @property
    def lacks_answers(self) -> bool:
        """Does the control need more messages than were sent?"""
        return bool(self._suspects) and self._answers < self._least

    def _on_trial(self) -> Key | None:
        """The suspect that may be sent now."""
        lasted = self.clock() - self._since
        if lasted >= LONGEST or (lasted >= SILENT and self.lacks_answers and len(self._suspects) > 1):
            self.clear()
        needed = SILENT if self.lacks_answers else min(max(CONTROL, self._seconds), CONTROL_MOST)
        return next(iter(self._suspects), None) if lasted >= needed else None

    def _learn(self) -> None:
        """A connection ended at a suspect: the next control must outlast it."""
        now = self.clock()
        self._seconds = max(self._seconds, TIMES * (now - self._last), LONGER * (now - self._since))
        self._least = max(self._least, min(self._answers + 1, ANSWERS))

    def begin(self) -> None:
        """A connection is established."""
        self._since = self._last = self.clock()
        self._answers = 0

    def accept(self, message: Message) -> None:
        """The broker accepted a message."""
        self._last = self.clock()
        self._answers += 1
        if not self._suspects:
            return
        self._accepted[message.topic] = max(size_of(message), self._accepted.get(message.topic, 0))
        if self._suspects.pop(self._key_of(message), None) is not None and not self._suspects:
            self.clear()

    def lost(self, message: Message, enough: int) -> bool:
        """A connection ended at this message. Returns true if it is the cause: after `enough` strikes in a row."""
        key, on_trial = self._key_of(message), self._on_trial()
        if key not in self._suspects:
            self._fail(key, lane_of(message))
            return False
        suspect = self._suspects[key]
        if key != on_trial:  # it was sent before the control had ended
            suspect.strikes = 1
            return False
        suspect.strikes += 1
        self._learn()
        if suspect.strikes < enough + self._doubts:
            return False
        del self._suspects[key]
        if not self._suspects:
            self.clear()
        return True

    def _fail(self, key: Key, lane: str) -> None:
        """The connection ended at a message that is not a suspect."""
        if len(self._suspects) > 1:
            self.acquit()
            return
        for suspect in self._suspects.values():
            suspect.strikes = 1
        self._suspects[key] = _Suspect(lane)
        self._learn()

    def acquit(self) -> None:
        """A connection ended without the suspects: they are not the cause."""
        if self._suspects:
            self._doubts = min(self._doubts + 1, DOUBTS_MOST)
            self.clear()

    def reset(self) -> None:
        """A connection is steady."""
        self._doubts = 0
        self.clear()

    def clear(self) -> None:
        """No message is suspected any longer."""
        self._suspects.clear()
        self._accepted.clear()
        self._seconds, self._least = 0.0, 1
