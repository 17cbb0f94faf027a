"""Messages that a broker has not answered yet: how many there may be, and how long the oldest may wait."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable


class Publication:
    """The answers to the messages of one call, as they come; `codes` has None for those that are missing."""

    __slots__ = ("_complete", "_missing", "codes")

    def __init__(self, count: int) -> None:
        self.codes: list[int | None] = [None] * count
        self._missing = count
        self._complete: asyncio.Future[None] | None = None

    def answer(self, at: int, code: int) -> None:
        self.codes[at] = code
        self._missing -= 1
        if not self._missing:
            self.wake()

    def wake(self) -> None:
        """Let who waits look: all is answered, or no more will come."""
        if self._complete is not None and not self._complete.done():
            self._complete.set_result(None)

    async def complete(self) -> None:
        """Return once there is an answer to each message, or `wake` was called."""
        if self._missing:
            self._complete = asyncio.get_running_loop().create_future()
            await self._complete


class InFlight:
    """The unanswered messages of one connection by packet identifier, the oldest first.

    patience  seconds that the oldest may wait for its answer, from the answer to the one before it
    late      is called when it has waited so long
    most      messages that there may be
    """

    def __init__(self, patience: float, late: Callable[[], object]) -> None:
        self.most = 1
        self._patience = patience
        self._late = late
        self._loop = asyncio.get_running_loop()
        self._messages: OrderedDict[int, tuple[Publication, int]] = OrderedDict()
        self._since = 0.0
        self._alarm: asyncio.TimerHandle | None = None
        self._rooms: dict[bool, asyncio.Future[None]] = {}  # of who goes ahead, and of who does not
        self._over = False

    def __contains__(self, number: object) -> bool:
        return number in self._messages

    @property
    def full(self) -> bool:
        return len(self._messages) >= self.most and not self._over

    async def room(self, *, ahead: bool = False) -> None:
        """Return once another message may be sent, or none may any more; one caller at a time of each kind."""
        while self.full:
            room = self._rooms[ahead] = self._loop.create_future()
            await room

    def add(self, number: int, publication: Publication, at: int) -> None:
        """A message was sent: its answer goes to place `at` of the publication."""
        if not self._messages:
            self._since = self._loop.time()
            if self._alarm is None:
                self._alarm = self._loop.call_at(self._since + self._patience, self._look)
        self._messages[number] = publication, at

    def answer(self, number: int, code: int) -> None:
        """The broker's answer; one that nobody waits for is passed over."""
        if number not in self._messages:
            return
        if next(iter(self._messages)) == number:
            self._since = self._loop.time()
        publication, at = self._messages.pop(number)
        self._wake()
        publication.answer(at, code)

    def numbers_of(self, publication: Publication) -> list[int]:
        """The packet identifiers of its messages that are unanswered."""
        return [number for number, (owner, _) in self._messages.items() if owner is publication]

    def redirect(self, number: int, publication: Publication, at: int) -> None:
        """Send the answer to a message to another publication than the one that sent it."""
        self._messages[number] = publication, at

    def end(self) -> None:
        """No more answers will come."""
        self._over = True
        if self._alarm is not None:
            self._alarm.cancel()
        publications = {publication for publication, _ in self._messages.values()}
        self._messages.clear()
        self._wake()
        for publication in publications:
            publication.wake()

    def _wake(self) -> None:
        if not self._rooms:
            return
        for ahead in (True, False):  # the first of them takes what room there is
            room = self._rooms.pop(ahead, None)
            if room is not None and not room.done():
                room.set_result(None)

    def _look(self) -> None:
        self._alarm = None
        if not self._messages:
            return
        due = self._since + self._patience
        if self._loop.time() >= due:
            self._late()
        else:
            self._alarm = self._loop.call_at(due, self._look)
