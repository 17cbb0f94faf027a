"""The QoS 2 session: messages whose exchange is incomplete, kept over all connections of one client id.

    relay         broker
    PUBLISH  -->             `sent`: the broker may have it or not
             <--  PUBREC     `taken`: the broker has accepted it, and must not receive it again
    PUBREL   -->             a broker hands the message on now, or did so at the PUBLISH (MQTT 5, 4.3.3)
             <--  PUBCOMP    complete: only now the record counts as delivered

A broken connection leaves messages in both states. If the next connection began a new session, mosquitto would discard
the taken messages. Sending them again could deliver them twice. So the next connection resumes the session: it sends
PUBREL for taken messages, and PUBLISH with the same packet identifier for the others, so that the broker recognises
those that it has. If the broker has lost the session (it restarted), it has discarded taken messages, or handed them
on before. They are not sent again, and count as rejected.

Subscriptions belong to the session too. The next connection ends them, and discards the messages that still arrive.

The first connection of a run begins a new session, but does not request a clean one: a broker of MQTT 3.1.1 would not
keep it, and mosquitto would not save it to disk. A session that an earlier run left is ended by an extra connection
first. With MQTT 3.1.1 ours remains until the broker discards it.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Sequence

from klvrelay.sinks.mqtt.protocol.connection import SESSION_LOST, Message

EXPIRY = 3600
"""Seconds for which a broker keeps the session after the connection broke (MQTT 5 only)."""
SETTLED_MOST = 2000
"""Maximum number of answers kept for messages that will be offered again; more than can be in flight."""


class Session:
    """The QoS 2 messages of one client id without a final answer, over all its connections.

    last     last packet identifier used
    begun    a session was requested before
    wanted   subscribed topics; the broker may not have received the end of a subscription
    settled  answers to messages that will be offered again
    is_used  a message of QoS 2 was sent
    members  the messages of single records in each message of several, until it is answered; the records may be offered
             again in other messages
    """

    def __init__(self) -> None:
        self.last = 0
        self.begun = self.is_used = False
        self.wanted: set[str] = set()
        self.members: dict[Message, Sequence[Message]] = {}
        self._sent: OrderedDict[int, Message] = OrderedDict()
        self._taken: OrderedDict[int, Message] = OrderedDict()
        self._kept: dict[int, Message] = {}
        self.settled: OrderedDict[Message, deque[int]] = OrderedDict()  # equal messages: an answer for each

    def send(self, number: int, message: Message) -> None:
        """A message is sent with this packet identifier."""
        self.last = number
        if message.qos == 2:
            self.is_used = True
            self._sent[number] = message

    def take(self, number: int) -> None:
        """PUBREC was received."""
        if (message := self._sent.pop(number, None)) is not None:
            self._taken[number] = message

    @property
    def taken(self) -> int:
        """Number of messages, other than latest values, with PUBREC and without PUBCOMP."""
        return sum(not message.retain for message in self._taken.values())

    def is_taken(self, number: int) -> bool:
        return number in self._taken

    def pending(self, number: int) -> Message | None:
        """The QoS 2 message with this packet identifier, until `finish`."""
        return self._sent.get(number) or self._taken.get(number)

    def finish(self, number: int) -> Message | None:
        """PUBCOMP or a refusal was received. Returns the QoS 2 message that is now complete."""
        sent, taken = self._sent.pop(number, None), self._taken.pop(number, None)
        return sent or taken

    def drop(self, is_set_aside: Callable[[Message], bool]) -> None:
        """Do not send messages again at which the broker closes the connection. It does not have them."""
        for number in [number for number, message in self._sent.items() if is_set_aside(message)]:
            del self._sent[number]

    def keep_back(self, is_withheld: Callable[[Message], bool]) -> None:
        """Do not send these messages when the session is resumed, but when they are offered again; see `kept`."""
        withheld = {number: message for number, message in self._sent.items() if is_withheld(message)}
        self._kept = {number: message for number, message in withheld.items() if not message.retain}
        for number in withheld.keys() - self._kept.keys():  # only the newest value is published again
            del self._sent[number]

    def is_kept(self, number: int) -> bool:
        return number in self._kept

    def kept(self, message: Message) -> int | None:
        """The packet identifier of a message that was kept back, once."""
        number = next((number for number, kept in self._kept.items() if kept == message), None)
        if number is not None:
            del self._kept[number]
        return number

    def resume(self, present: bool) -> list[tuple[int, Message, bool]]:
        """The messages that a new connection must complete, in order: packet identifier, message, taken before.

        present   the broker still has the session
        """
        if present:
            taken, sent = self._taken.items(), [item for item in self._sent.items() if item[0] not in self._kept]
            return [*((n, message, True) for n, message in taken), *((n, message, False) for n, message in sent)]
        self.settle((message, SESSION_LOST) for message in self._taken.values())
        self._taken.clear()
        self._sent.clear()
        self._kept.clear()
        self.wanted.clear()
        return []

    def settle(self, answers: Iterable[tuple[Message, int]]) -> None:
        """Keep answers to messages that will be offered again. Latest values are published again regardless."""
        singles = ((one, code) for message, code in answers for one in self.members.pop(message, (message,)))
        for message, code in singles:
            if message.qos == 2 and not message.retain:
                self.settled.setdefault(message, deque(maxlen=SETTLED_MOST)).append(code)
        while len(self.settled) > SETTLED_MOST:
            self.settled.popitem(last=False)

    def forget_members(self, messages: Sequence[Message], codes: Sequence[int | None]) -> None:
        """Keep the members of messages without an answer only."""
        if self.members:
            for message, code in zip(messages, codes, strict=False):
                if code is not None:
                    self.members.pop(message, None)

    def answer(self, message: Message) -> int | None:
        """The answer to a message that is offered again, if there is one."""
        codes = self.settled.get(message)
        if not codes:
            return None
        code = codes.popleft()
        if not codes:
            del self.settled[message]
        return code
