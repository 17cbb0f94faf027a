"""Several records of a stream in one message: JSON Lines in place of JSON, and KLV packets one after the other.

    {"schema":"klvrelay/1","stream":"uav1",...,"seq":7,...}\n{"schema":"klvrelay/1",...,"seq":8,...}\n

The properties of the message are those of its first record, apart from the content type.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from klvrelay.gap import Gap
from klvrelay.outcome import Outcome
from klvrelay.shape.encoding.content_types import JSON_LINES
from klvrelay.sinks.mqtt.batch_messages import outcome_of
from klvrelay.sinks.mqtt.messages import JSON
from klvrelay.sinks.mqtt.protocol.connection import REFUSED, TOO_LARGE, Message
from klvrelay.sinks.mqtt.protocol.packets import Packed, publish_size
from klvrelay.sinks.results import GAP, REJECTED, UNWANTED, counted

if TYPE_CHECKING:
    from klvrelay.gap import Item

JOINED_MOST = 64 << 10
"""Maximum bytes of a message of several records."""
MARGIN = 40
"""Bytes for the number in the last user property, a topic alias and longer length fields."""


class _Part:
    """A message in the making: the messages of single records, and the bytes of the packet."""

    __slots__ = ("_boot", "_topic", "number", "places", "singles", "size")

    def __init__(self, number: int, place: int, message: Message) -> None:
        self.number = (number,)  # a tuple, since most records need one part only
        self.places = [place]
        self.singles = [message]
        self.size = _overhead(message.topic, message.user[:-1], message.qos) + len(message.payload)
        self._topic, self._boot = message.topic, message.user[1]

    def join(self, place: int, message: Message, most: int) -> bool:
        """Add a message of the same stream, unless it belongs into another packet."""
        size = self.size + len(message.payload) + 1
        # A spool may have the records of several runs.
        if size > most or message.topic != self._topic or message.user[1] != self._boot:
            return False
        self.size = size
        self.places.append(place)
        self.singles.append(message)
        return True

    def message(self) -> Message:
        """The joined message."""
        topic, _, qos, retain, content_type, expiry, user = self.singles[0]
        payloads = [single.payload for single in self.singles]
        if content_type != JSON:
            return Message(topic, b"".join(payloads), qos, retain, content_type, expiry, user)
        return Message(topic, b"\n".join((*payloads, b"")), qos, retain, JSON_LINES, expiry, user)


@lru_cache(1024)
def _overhead(topic: str, user: tuple[tuple[str, str], ...], qos: int) -> int:
    """Bytes of a packet without its payload. What differs between the messages of a topic has at most MARGIN bytes."""
    message = Message(topic, b"", qos, False, JSON_LINES, 1, user)
    return publish_size(message, Packed(message)) + MARGIN


class JoinedMessages:
    """The messages of a batch, in which consecutive records of one topic share a message. See `BatchMessages`.

    A gap, and a record on the other one of `telemetry` and `rejected`, end the message of their stream, so that its
    subscribers get everything in order.

    most     maximum bytes of a packet of several records; 0: each record has its own
    answer   the answer to a message of one record that was sent on an earlier connection, if there is one (QoS 2)
    """

    def __init__(
        self,
        batch: Sequence[Item],
        of_item: Callable[[Item], list[Message]],
        admits: Callable[[str], bool],
        most: int,
        answer: Callable[[Message], int | None] | None = None,
    ) -> None:
        self._parts: list[_Part] = []
        self._known: dict[int, int] = {}  # by place in the batch: outcome without an answer
        self._needed: list[Sequence[int]] = []  # by place: its parts, that of its JSON first
        self._answered: list[tuple[int, Message, int]] = []  # by `answer`, with the place
        self._open: dict[str, list[_Part]] = {}  # by stream: parts that may grow, one for each of its messages
        self._most, self._answer = most, answer
        for place, item in enumerate(batch):
            wanted = of_item(item)
            if not self._grows(place, item.stream, wanted):
                self._needed.append([])
                self._add(place, item, wanted, admits)
        self._gaps = {place for place, known in self._known.items() if known == GAP}
        self.messages = [part.singles[0] if part.places[0] in self._gaps else part.message() for part in self._parts]

    def _grows(self, place: int, stream: str, wanted: list[Message]) -> bool:
        """Add the only message of a record to the message of its stream, if it can follow there: the usual case."""
        if len(wanted) != 1 or self._answer is not None or not (parts := self._open.get(stream)):
            return False
        if len(parts) > 1 or not parts[0].join(place, wanted[0], self._most):
            return False
        self._needed.append(parts[0].number)
        return True

    def _add(self, place: int, item: Item, wanted: list[Message], admits: Callable[[str], bool]) -> None:
        if not wanted:
            self._known[place] = UNWANTED
            return
        is_gap = item.__class__ is Gap
        if not admits(wanted[0].topic):
            self._known[place] = REJECTED
        if is_gap:
            self._known[place] = GAP
        parts = self._open.get(item.stream, [])
        if is_gap or (parts and parts[0].singles[0].topic != wanted[0].topic):
            parts = []
        put = [
            self._put(place, message, parts[slot : slot + 1], admits, is_first=not slot)
            for slot, message in enumerate(wanted)
        ]
        self._open[item.stream] = [] if is_gap else [part for part in put if part is not None]

    def _put(
        self, place: int, message: Message, grown: Sequence[_Part], admits: Callable[[str], bool], *, is_first: bool
    ) -> _Part | None:
        """Add a message to a part, or begin one. Returns the part; None if the message is not sent."""
        if (self._known.get(place) == REJECTED) if is_first else not admits(message.topic):
            return None
        if self._answer is not None and (code := self._answer(message)) is not None:
            self._answered.append((place, message, code))
            if is_first:
                self._known.setdefault(place, outcome_of(code))
            return grown[0] if grown else None
        if grown and grown[0].join(place, message, self._most):
            part = grown[0]
        else:
            part = _Part(len(self._parts), place, message)
            self._parts.append(part)
        self._needed[place] = (*self._needed[place], *part.number)
        return part

    def members(self) -> Mapping[Message, Sequence[Message]]:
        """The messages of single records in each message."""
        return {message: part.singles for message, part in zip(self.messages, self._parts, strict=True)}

    def outcome(self, codes: Sequence[int | None]) -> Outcome:
        """The outcome of the leading items whose messages are all answered."""
        if not self._known and not any(codes) and None not in codes and len(codes) == len(self.messages):
            return Outcome(len(self._needed))
        return counted(self._results(codes))

    def _results(self, codes: Sequence[int | None]) -> Iterator[int]:
        for place, needed in enumerate(self._needed):
            answers = [codes[number] if number < len(codes) else None for number in needed]
            if None in answers:
                return
            yield self._known[place] if place in self._known else outcome_of(answers[0])

    def answers_after(self, outcome: Outcome, codes: Sequence[int | None]) -> list[tuple[Message, int]]:
        """The answers to messages of records that the outcome does not count: these records are offered again."""
        before = [(message, code) for place, message, code in self._answered if place >= outcome.answered]
        return before + [
            (single, code)
            for part, code in zip(self._parts, codes, strict=False)
            if code is not None and code != TOO_LARGE
            for place, single in zip(part.places, part.singles, strict=True)
            if place >= outcome.answered
        ]


class Joining:
    """How large joined messages may be at one broker, over all connections.

    A broker that does not announce its limit closes the connection at a message that exceeds it. Once that happened
    STRIKES times at joined messages larger than any that it accepted, they are made half as large.
    """

    STRIKES = 2

    def __init__(self) -> None:
        self._most = JOINED_MOST
        self._accepted = self._strikes = 0

    def most(self, largest: int) -> int:
        """Maximum bytes of a packet. `largest`: what the broker accepts, as far as known."""
        return min(self._most, largest)

    def accept(self, messages: Sequence[Message], codes: Sequence[int]) -> None:
        """The broker answered these messages."""
        answered = zip(messages, codes, strict=True)
        sizes = (len(message.payload) for message, code in answered if code < REFUSED and message.qos)
        self._accepted = max(self._accepted, max(sizes, default=0))

    def lost(self, message: Message | None) -> None:
        """The broker closed a connection at this message, or with nothing in flight."""
        if message is None or message.content_type != JSON_LINES or message.payload.count(b"\n") < 2:
            return
        if (size := len(message.payload)) <= self._accepted:
            return
        self._strikes += 1
        if self._strikes >= self.STRIKES:
            self._most, self._strikes = min(self._most, size) // 2, 0
