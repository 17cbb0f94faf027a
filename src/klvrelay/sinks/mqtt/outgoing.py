"""PUBLISH packets of one connection: sent in the order of the calls, completed as the broker answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import cast

from paho.mqtt.client import Client
from paho.mqtt.properties import Properties

from klvrelay.sinks.mqtt.connection import TOO_LARGE, Message, Terms
from klvrelay.sinks.mqtt.inflight import InFlight, Publication
from klvrelay.sinks.mqtt.packets import LARGEST_PACKET, Packed, publish_size
from klvrelay.sinks.mqtt.paho_client import send_again
from klvrelay.sinks.mqtt.session import Session

TURN = 50
"""Messages that are sent before others have their turn in the event loop."""
_TAKEN_BEFORE = 0x92
"""PUBCOMP: the broker does not know this identifier (any more): it has released the message (MQTT 5, 3.7.2.1)."""


class Outgoing:
    """The messages that go out, and those in flight.

    terms     what the broker takes
    largest   bytes of a packet that it takes
    patience  seconds that the oldest message in flight may wait for its answer; then `late` is called
    lost      is called where a message cannot be handed over, since the connection is gone
    """

    def __init__(
        self,
        paho: Client,
        protocol: int,
        session: Session,
        terms: Terms,
        patience: float,
        late: Callable[[], object],
        lost: Callable[[], object],
    ) -> None:
        self.terms = terms
        self.largest = LARGEST_PACKET
        self.flight = InFlight(patience, late)
        self._paho = paho
        self._protocol = protocol
        self._session = session
        self._lost = lost
        self._turn, self._turn_ahead = asyncio.Lock(), asyncio.Lock()
        self._over = False

    async def publish(self, messages: Sequence[Message], *, ahead: bool = False) -> Publication:
        """Send them, behind those of earlier calls; returns once all are answered, or no more answers will come.

        Those that are to go `ahead` are behind earlier ones of their kind only.
        """
        publication = Publication(len(messages))
        async with self._turn_ahead if ahead else self._turn:
            for at, message in enumerate(messages):
                if self.flight.full:
                    await self.flight.room(ahead=ahead)
                elif at % TURN == TURN - 1:
                    await asyncio.sleep(0)
                if self._over:
                    return publication
                self._send(message, publication, at)
        if not self._over:
            await publication.complete()
        return publication

    async def publish_unconfirmed(self, messages: Sequence[Message]) -> Publication:
        """Send them at QoS 0 and at once; returns once they are written, or can not be."""
        publication = Publication(len(messages))
        for at, message in enumerate(messages):
            if not self._over:
                self._send(replace(message, qos=0), publication, at)
        if not self._over:
            await publication.complete()
        return publication

    async def resume(self, present: bool) -> Publication:
        """Complete what the last connection left half-way at QoS 2; `present`: the broker has the session.

        First what the broker has taken: it may close the connection at one of the others.
        """
        left = self._session.resumed(present)
        self._paho._last_mid = self._session.last
        publication = Publication(0)
        for of_taken in (True, False):
            publication = await self._resume([one for one in left if one[2] is of_taken])
            if None in publication.codes:
                break
        return publication

    async def _resume(self, left: Sequence[tuple[int, Message, bool]]) -> Publication:
        publication = Publication(len(left))
        try:
            for at, (number, message, taken) in enumerate(left):
                if self.flight.full:
                    await self.flight.room()
                if self._over:
                    return publication
                self.flight.add(number, publication, at)
                send_again(self._paho, number, message, taken)
            await publication.complete()
            return publication
        finally:
            answers = zip(left, publication.codes, strict=True)
            self._session.settle((message, code) for (_, message, _), code in answers if code is not None)

    def _send(self, message: Message, publication: Publication, at: int) -> None:
        """Hand one message to paho; its answer goes to its place in the publication."""
        message = self.terms.fitted(message)
        if (code := self._session.answer(message)) is not None:
            publication.answer(at, code)
            return
        more = Packed(message) if self._protocol == 5 else None
        if publish_size(message, more) > self.largest:
            publication.answer(at, TOO_LARGE)
            return
        properties = cast("Properties | None", more)
        info = self._paho.publish(message.topic, message.payload, message.qos, message.retain, properties)
        if info.rc:
            self._lost()
            return
        self.flight.add(info.mid, publication, at)
        self._session.send(info.mid, message)

    def answer(self, number: int, code: int) -> None:
        """PUBACK, PUBCOMP, or a PUBREC that refuses; or QoS 0 written to the socket."""
        if code == _TAKEN_BEFORE and self._session.is_taken(number):
            code = 0
        self._session.finish(number)
        self.flight.answer(number, code)

    def end(self) -> None:
        """No more goes out, and no more answers will come."""
        self._over = True
        self.flight.end(self._session.is_taken)
