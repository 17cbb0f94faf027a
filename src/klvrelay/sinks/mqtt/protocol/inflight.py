"""Messages in flight: their answers, their maximum number, and the time in which the oldest must be answered."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence

from klvrelay.sinks.mqtt.protocol.connection import Message

ALONE = 2.0
"""Seconds for which messages are sent one by one before their number in flight grows."""
STOPPED, CATCH_UP = 1.0, 1.0
"""After a time-out that is noticed STOPPED seconds late, since the process was stopped or had no processor, answers may
arrive for CATCH_UP seconds more.
"""


class PublishAnswers:
    """The answers to the messages of one call.

    codes    has None for messages without an answer
    missing  number of messages without an answer
    """

    __slots__ = ("_waiter", "codes", "messages", "missing")

    def __init__(self, count: int, messages: Sequence[Message] = ()) -> None:
        self.messages = messages
        self.codes: list[int | None] = [None] * count
        self.missing = count
        self._waiter: asyncio.Future[None] | None = None

    def answer(self, at: int, code: int) -> None:
        self.codes[at] = code
        self.missing -= 1
        if not self.missing:
            self.wake()

    def wake(self) -> None:
        """Let `complete` return: all messages are answered, or no more answers will arrive."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def waiter(self) -> asyncio.Future[None]:
        """Done once the `missing` answers have arrived, or `wake` was called."""
        self._waiter = asyncio.get_running_loop().create_future()
        return self._waiter

    async def complete(self) -> None:
        """Return once all messages are answered, or `wake` was called."""
        if self.missing:
            await self.waiter()


class AnswerDeadline:
    """Calls `late` if the oldest message in flight is not answered in time.

    timeout  seconds, from the answer to the message before it
    """

    def __init__(self, timeout: float, late: Callable[[], object]) -> None:
        self._timeout = timeout
        self._late = late
        self._loop = asyncio.get_running_loop()
        self._since: float | None = None  # None: no message is in flight
        self._alarm: asyncio.TimerHandle | None = None
        self._was_stopped = False

    def begin(self) -> None:
        """The first message is in flight."""
        self._since = self._loop.time()
        if self._alarm is None:
            self._alarm = self._loop.call_at(self._since + self._timeout, self._look)

    def move(self, *, remaining: bool) -> None:
        """The oldest message was answered. `remaining`: others are in flight."""
        self._since, self._was_stopped = self._loop.time() if remaining else None, False

    def end(self) -> None:
        """No more answers will arrive."""
        self._since = None
        if self._alarm is not None:
            self._alarm.cancel()

    def _look(self) -> None:
        alarm, self._alarm = self._alarm, None
        if self._since is None or alarm is None:
            return
        now, due = self._loop.time(), self._since + self._timeout
        if now - alarm.when() >= STOPPED and not self._was_stopped:
            self._was_stopped, due = True, now + CATCH_UP  # the answer may wait in the kernel
        if now >= due:
            self._late()
        else:
            self._alarm = self._loop.call_at(due, self._look)


class Rooms:
    """The senders that wait for room: at most one of messages that go ahead, and one of others."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.waiting: dict[bool, asyncio.Future[None]] = {}

    async def wait(self, *, ahead: bool) -> None:
        """Return at the next `wake`."""
        room = self.waiting[ahead] = self._loop.create_future()
        await room

    def wake(self) -> None:
        """Let the waiting senders look for room, those of messages that go ahead first."""
        for ahead in (True, False):
            room = self.waiting.pop(ahead, None)
            if room is not None and not room.done():
                room.set_result(None)


class Growth:
    """How the maximum number of messages in flight grows from 1, so that one at which a connection ends is found.

    At first one message is in flight. After ALONE seconds each answer allows one more, which doubles the number in each
    round trip: over a slow link a thousand messages one by one would take many minutes.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._begin: float | None = None  # None: it does not grow

    def begin(self) -> None:
        self._begin = self._loop.time() + ALONE

    def end(self) -> None:
        self._begin = None

    @property
    def is_due(self) -> bool:
        """Does an answer allow one more?"""
        return self._begin is not None and self._loop.time() >= self._begin


class InFlight:
    """The unanswered messages of one connection by packet identifier, the oldest first.

    timeout    seconds in which the oldest must be answered, from the answer to the message before it
    late       is called after this time
    most       maximum number of messages
    growth     of this number, up to `widest`
    messages   publication of each message, and its place there
    on_answer  is called with each message that is answered, and its code; None: nothing is
    """

    def __init__(self, timeout: float, late: Callable[[], object]) -> None:
        self.most = self.widest = 1
        self.growth = Growth()
        self.on_answer: Callable[[Message, int], object] | None = None
        self.messages: OrderedDict[int, tuple[PublishAnswers, int]] = OrderedDict()
        self._deadline = AnswerDeadline(timeout, late)
        self._rooms = Rooms()
        self._over = False

    @property
    def full(self) -> bool:
        return len(self.messages) >= self.most and not self._over

    async def wait_for_room(self, *, ahead: bool = False) -> None:
        """Return once another message may be sent, or the connection has ended. One caller of each kind at a time."""
        while self.full:
            await self._rooms.wait(ahead=ahead)

    def begin(self, widest: int, *, one_by_one: bool) -> None:
        """Set the maximum number of messages. It grows if they are sent one by one."""
        self.widest = widest
        self.most = 1 if one_by_one else widest
        if one_by_one:
            self.growth.begin()

    def narrow(self) -> None:
        """One message at a time, until `grow` or `widen`."""
        self.most = 1
        self.growth.end()

    def grow(self) -> None:
        """Let the maximum number grow from now on, if it is not whole."""
        if self.most < self.widest:
            self.growth.begin()

    def widen(self) -> None:
        """Raise the maximum number of messages to the whole."""
        self.most = self.widest
        self.growth.end()
        self._rooms.wake()

    def add(self, number: int, publication: PublishAnswers, at: int) -> None:
        """A message was sent: its answer goes to place `at` of the publication."""
        if not self.messages:
            self._deadline.begin()
        self.messages[number] = publication, at

    def answer(self, number: int, code: int) -> bool:
        """The broker has answered a message. False if none waits for it."""
        messages = self.messages
        if number not in messages:
            return False
        is_oldest = next(iter(messages)) == number
        publication, at = messages.pop(number)
        if is_oldest:
            self._deadline.move(remaining=bool(messages))
        if self.growth.is_due and self.most < self.widest:
            self.most += 1
        if self._rooms.waiting:
            self._rooms.wake()
        publication.answer(at, code)
        if self.on_answer is not None and publication.messages:
            self.on_answer(publication.messages[at], code)
        return True

    def message(self, number: int) -> Message | None:
        """The message with this packet identifier."""
        publication, at = self.messages.get(number, (None, 0))
        return publication.messages[at] if publication is not None and publication.messages else None

    def oldest(self, is_taken: Callable[[int], bool]) -> Message | None:
        """The message that the broker must answer next: the oldest that it has not `taken`, which QoS 2 reports."""
        for number, (publication, at) in self.messages.items():
            if not is_taken(number):
                return publication.messages[at] if publication.messages else None
        return None

    def count(self, is_taken: Callable[[int], bool]) -> int:
        """Number of messages that the broker has not `taken`."""
        return sum(not is_taken(number) for number in self.messages)

    def numbers_of(self, publication: PublishAnswers) -> list[int]:
        """The packet identifiers of its messages that are unanswered."""
        return [number for number, (owner, _) in self.messages.items() if owner is publication]

    def redirect(self, number: int, publication: PublishAnswers, at: int) -> None:
        """Send the answer to a message to another publication than the one that sent it."""
        self.messages[number] = publication, at

    def end(self) -> None:
        """No more answers will arrive."""
        self._over = True
        self._deadline.end()
        publications = {publication for publication, _ in self.messages.values()}
        self.messages.clear()
        self._rooms.wake()
        for publication in publications:
            publication.wake()
