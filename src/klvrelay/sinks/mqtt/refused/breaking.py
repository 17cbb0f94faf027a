"""Finds the message at which a broker closes each connection, if the broker does not report which one it refuses.

A broker of MQTT 3.1.1 can report neither a packet limit nor a reason, and some brokers of MQTT 5 report neither.
After LOSSES such connections, messages are sent one by one, since the answers to earlier messages may be lost with
the connection. While no message is suspected, the number in flight grows after a while (`Growth`): a connection that
ends with several in flight accuses none of them, and the next one begins with one again. A message at which the next
one ends is withheld from the connections after it until they have lasted: see `control.py`. If STRIKES connections in
a row end at this message and at no other, it is set aside:

    record         it is left out
    latest value   its topic is suspended until the value is smaller

Once two messages were set aside, their size is the likely cause unless a larger one was accepted: then all messages of
about the size of the smaller one, and larger ones, are left out. If size is not the cause and nothing else is accepted
on the topic, the topic is suspended. A message is tried again after a pause, since the cause may be another one, or the
limit may have been raised.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from klvrelay.sinks.mqtt.protocol.connection import Message
from klvrelay.sinks.mqtt.protocol.packets import LARGEST_PACKET
from klvrelay.sinks.mqtt.refused.control import Control, Key, key_of
from klvrelay.sinks.mqtt.refused.control import size_of as size_of
from klvrelay.sinks.mqtt.refused.suspended import HUNG_UP, Suspended

LOSSES = 2
"""Consecutive connections that the broker closes within STEADY seconds, with messages in flight, before messages are
sent one by one."""
STRIKES, STRIKES_MORE = 4, 2
"""Connections that end at the same message before it is set aside: for the first message, and for later ones. Each but
the first lasted without it."""
STEADY, ANSWERS, LONGEST = 10.0, 200, 30.0
"""Messages are sent one by one until a connection has lasted STEADY seconds with ANSWERS messages answered, or LONGEST
seconds."""
FIRST, CAP = 60.0, 3600.0
"""Seconds until the next try, initially and at most: each one may cost a connection. Each failure doubles them."""
MARGIN = 8
"""Messages are left out from 1/MARGIN below the smallest that was set aside: sizes vary, and each one to be found costs
several connections."""
RECORDS_MOST = 100
"""Maximum number of records set aside that are remembered until they are offered again."""
ADVICE = "raise the broker's packet limit (mosquitto: max_packet_size)"

LOG = logging.getLogger("klvrelay.sinks")


def _now() -> float:
    return asyncio.get_running_loop().time()


@dataclass(slots=True)
class Breaking:
    """The messages of one broker that are set aside, over all connections.

    by_topic   records are not offered again as equal messages: each message of a topic stands for it, as for a value
    """

    url: str
    suspended: Suspended
    clock: Callable[[], float] = _now
    by_topic: bool = False
    _losses: int = 0
    _since: float = 0.0
    _answers: int = 0
    _failing: set[str] = field(default_factory=set)  # topics of messages set aside, with none accepted since
    _records: dict[Key, int] = field(default_factory=dict)
    _sizes: list[int] = field(default_factory=list)  # of messages set aside; none as large was accepted since
    _accepted: int = 0  # size of the largest message accepted since the first of these
    _limit: int = LARGEST_PACKET + 1
    _pause: float = FIRST
    _next_try: float = 0.0
    _trying: Key | None = None
    control: Control = field(init=False)

    def __post_init__(self) -> None:
        self.control = Control(lambda: self.clock(), self.by_topic)

    def _key_of(self, message: Message) -> Key:
        return key_of(message, by_topic=self.by_topic)

    def _is_value(self, message: Message) -> bool:
        return message.retain or self.by_topic

    @property
    def is_alert(self) -> bool:
        """Must answers be noted?"""
        return self.is_active or self._losses > 0

    @property
    def one_by_one(self) -> bool:
        """Must messages be sent one by one?"""
        return self._losses >= LOSSES

    @property
    def is_active(self) -> bool:
        """Is a message set aside?"""
        return bool(self._sizes or self._records or self.suspended.held) or self._limit <= LARGEST_PACKET

    def fits(self, message: Message) -> bool:
        """Is the message smaller than each one that was set aside because of its size, as far as known?"""
        return not self._sizes or size_of(message) < min(self._sizes)

    @property
    def joined_most(self) -> int:
        """Maximum bytes of a message of several records; 0 while the message that ends the connections is sought."""
        return 0 if self._losses else min((self._limit, *self._sizes)) - 1

    def exceeds(self, message: Message) -> bool:
        """Is the message, or one of its size, set aside?"""
        size = size_of(message)
        if self._is_value(message) and size >= self.suspended.held_size(message.topic):
            return True
        return size >= self._limit or self._key_of(message) in self._records

    def holds(self, message: Message) -> bool:
        """Must the message not be sent now? A try that is due is not held, once; then the next pause begins."""
        if not self.exceeds(message):
            return False
        if self._key_of(message) in self._records or self.clock() < self._next_try:
            if self._is_value(message):
                size = min(size_of(message), self._limit)
                self.suspended.hold(message.topic, size, f"too large: {size_of(message)} bytes", ADVICE)
            return True
        self._next_try, self._trying = self.clock() + self._pause, self._key_of(message)
        return False

    def explains(self, message: Message | None) -> bool:
        """May this message, at which a connection ended, be the cause? One that ended no other connection is not."""
        if message is None:
            return False
        return not self.one_by_one or self._trying is not None or self.control.suspects(message)

    def begin(self) -> None:
        """A connection is being made, or is established."""
        self._since, self._answers = self.clock(), 0
        self.control.begin()

    def lost(self, message: Message | None, *, alone: bool = True) -> None:
        """The broker closed a connection at this message, or with nothing in flight: then no message is the cause.

        alone   no other message was in flight
        """
        if message is None:
            self.control.acquit()
            return
        if self.suspended.fail_tries():
            return
        if self._trying is not None:
            self._fail_try()
            return
        if not self.one_by_one and self.clock() - self._since >= STEADY:
            self._losses = 0
            return
        self._losses += 1
        if self._losses <= LOSSES or not alone:
            return
        if self.control.lost(message, STRIKES_MORE if self.is_active else STRIKES):
            self._set_aside(message)

    def _fail_try(self) -> None:
        self._trying = None
        self._pause = min(2 * self._pause, CAP)
        self._next_try = self.clock() + self._pause

    def accept(self, message: Message) -> None:
        """The broker accepted this message."""
        key, size = self._key_of(message), size_of(message)
        self._answers += 1
        lasted = self.clock() - self._since
        if (lasted >= STEADY and self._answers >= ANSWERS) or lasted >= LONGEST:
            self._losses = 0
            self._records.clear()  # they were offered again
            self.control.reset()
        self.control.accept(message)
        if self._failing:
            self._failing.discard(message.topic)
        if key == self._trying or size >= self._limit:
            self._accept_large(size)
        self._sizes = [other for other in self._sizes if other > size]
        self._accepted = max(self._accepted, size)

    def _accept_large(self, size: int) -> None:
        """A try was accepted: the limit is larger, or size is not the cause, or no longer."""
        self._trying, self._pause = None, FIRST
        if size < min(self._sizes, default=0):
            self._limit = max(self._limit, size + 1)
            return
        self._limit = LARGEST_PACKET + 1
        self._sizes.clear()
        self._records.clear()
        self._failing.clear()
        self.suspended.release()

    def _set_aside(self, message: Message) -> None:
        size = size_of(message)
        if not self.is_active:
            self._next_try = self.clock() + self._pause
        if not self._sizes or size <= self._accepted:
            self._sizes, self._accepted = [], 0
        self._sizes.append(size)
        is_limit = len(self._sizes) > 1
        if not is_limit and message.topic in self._failing:
            self.suspended.refuse(message.topic, HUNG_UP)
        elif self._is_value(message):
            self.suspended.hold(message.topic, size, f"the broker closes the connection at {size} bytes", ADVICE)
        else:
            self._remember(message, size)
        if is_limit:
            self._set_limit(min(self._sizes))
        self._failing.add(message.topic)

    def _remember(self, message: Message, size: int) -> None:
        LOG.error(
            "%s: record set aside, since the broker closes the connection at it: topic=%s seq=%s size=%d"
            " advice=%r", self.url, message.topic, dict(message.user).get("seq", "unknown"), size, ADVICE,
        )  # fmt: skip
        if len(self._records) >= RECORDS_MOST:
            del self._records[next(iter(self._records))]
        self._records[self._key_of(message)] = size

    def _set_limit(self, size: int) -> None:
        """Leave out messages of about this size, and larger ones."""
        is_first = self._limit > LARGEST_PACKET
        self._limit = max(self._accepted + 1, size - size // MARGIN)
        if is_first:
            LOG.error(
                "%s: messages left out, since the broker closes the connection at messages of their size:"
                " smallest=%d advice=%r", self.url, self._limit, ADVICE,
            )  # fmt: skip
        self._sizes = [size]
        self._records = {key: size for key, size in self._records.items() if size < self._limit}
