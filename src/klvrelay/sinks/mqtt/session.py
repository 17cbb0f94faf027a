"""What a broker keeps for us beyond a connection at QoS 2, and which messages are half-way there.

    we            broker
    PUBLISH  -->             `sent`: it may have it or not
             <--  PUBREC     `taken`: it owns the message, and hands it on once it knows that we know
    PUBREL   -->             ... or at the PUBLISH: a broker may do either (MQTT 5, 4.3.3)
             <--  PUBCOMP    done

A connection that breaks leaves messages in both states. mosquitto forgets a taken message where the next connection
begins a new session: it would be lost, and sent again it could arrive twice. So the session goes on: the next
connection sends PUBREL for what was taken, and PUBLISH under the same identifier for the rest, and the broker sees
which of them it has. Where it has lost the session (it crashed), what it took is its own, and is not sent again.

A subscription is part of the session, too: what it brings goes on to come over the next connection, which ends it.

The first connection of a run begins a new session. MQTT 3.1.1 can not ask for a new one that lasts: one that an earlier
run left is ended by an extra connection first, and ours stays at the broker until that forgets it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable

from klvrelay.sinks.mqtt.connection import Message

EXPIRY = 3600
"""Seconds that a broker keeps the session after the connection broke (MQTT 5); one of 3.1.1 has its own rule."""
FRUITLESS = 2
"""Connections in a row that break before one message is completed: the broker may close each at the first of them. None
of these was taken, so they are sent again in a new session, where the one at which it closes can be found."""
SETTLED_MOST = 2000
"""Messages whose answer came after their connection broke, which are remembered: more than can be in flight."""


class Session:
    """The messages of QoS 2 of one client id that wait for an answer, over all its connections.

    last     packet identifier that was used last
    begun    whether the broker was asked for a session before
    wanted   topics that were subscribed to: the broker may not have seen that they no longer are
    """

    def __init__(self) -> None:
        self.last = 0
        self.begun = False
        self._fruitless = 0
        self.wanted: set[str] = set()
        self._sent: OrderedDict[int, Message] = OrderedDict()
        self._taken: OrderedDict[int, Message] = OrderedDict()
        self._settled: OrderedDict[Message, int] = OrderedDict()

    @property
    def unfinished(self) -> int:
        """Messages that are half-way."""
        return len(self._sent) + len(self._taken)

    def tried(self, before: int) -> None:
        """A connection tried to complete so many messages; where several complete none, a new session begins."""
        self._fruitless = self._fruitless + 1 if self.unfinished == before > 0 else 0
        if self._fruitless >= FRUITLESS and not self._taken:
            self._fruitless, self.begun = 0, False

    def send(self, number: int, message: Message) -> None:
        """It goes out under this identifier."""
        self.last = number
        if message.qos == 2:
            self._sent[number] = message

    def take(self, number: int) -> None:
        """PUBREC came."""
        if (message := self._sent.pop(number, None)) is not None:
            self._taken[number] = message

    def is_taken(self, number: int) -> bool:
        return number in self._taken

    def finish(self, number: int) -> None:
        """PUBCOMP came, or a refusal."""
        self._sent.pop(number, None)
        self._taken.pop(number, None)

    def resumed(self, present: bool) -> list[tuple[int, Message, bool]]:
        """What a new connection has to complete, in order: identifier, message, whether it was taken before."""
        if present:
            taken, sent = self._taken.items(), self._sent.items()
            return [*((n, message, True) for n, message in taken), *((n, message, False) for n, message in sent)]
        self.settle((message, 0) for message in self._taken.values())
        self._taken.clear()
        self._sent.clear()
        self.wanted.clear()
        return []

    def settle(self, answers: Iterable[tuple[Message, int]]) -> None:
        """Remember answers of messages that will be offered again; of a latest value only its newest is of interest."""
        for message, code in answers:
            if not message.retain:
                self._settled[message] = code
        while len(self._settled) > SETTLED_MOST:
            self._settled.popitem(last=False)

    def answer(self, message: Message) -> int | None:
        """The answer that a message already has, when it is offered again."""
        return self._settled.pop(message, None) if self._settled else None
