"""Messages without an answer, tested without a broker: their number, their order, and the age of the oldest."""

from __future__ import annotations

import asyncio

import virtual_time

from klvrelay.sinks.mqtt.protocol.inflight import ALONE, InFlight, PublishAnswers
from klvrelay.sinks.mqtt.refused.suspended import SHOWN, Suspended


class Late:
    """The times when a message was late, in virtual seconds."""

    def __init__(self) -> None:
        self.at: list[float] = []

    def __call__(self) -> None:
        self.at.append(virtual_time.now())


def test_the_oldest_message_has_its_timeout_and_no_more():
    """From its sending, where nothing was sent before it."""

    async def main() -> list[float]:
        late = Late()
        flight = InFlight(4.0, late)
        await asyncio.sleep(10.0)
        flight.add(1, PublishAnswers(1), 0)
        await asyncio.sleep(100.0)
        return late.at

    assert virtual_time.run(main()) == [14.0]


def test_an_answer_to_the_oldest_restarts_the_timeout():
    """A broker that answers messages one by one is alive, however long the queue is."""

    async def main() -> list[float]:
        late = Late()
        flight, publication = InFlight(4.0, late), PublishAnswers(10)
        for number in range(10):
            flight.add(number, publication, number)
        for number in range(9):
            await asyncio.sleep(3.0)
            flight.answer(number, 0)
        await asyncio.sleep(100.0)
        return late.at

    assert virtual_time.run(main()) == [31.0]


def test_answers_to_later_messages_do_not_help_the_oldest():
    """It is lost, and the connection with it."""

    async def main() -> list[float]:
        late = Late()
        flight, publication = InFlight(4.0, late), PublishAnswers(10)
        for number in range(10):
            flight.add(number, publication, number)
        for number in range(1, 10):
            await asyncio.sleep(1.0)
            flight.answer(number, 0)
        await asyncio.sleep(100.0)
        return late.at

    assert virtual_time.run(main()) == [4.0]


def test_a_pause_without_messages_is_no_wait():
    """The time-out begins with the next message, though the check for the previous one is still scheduled."""

    async def main() -> list[float]:
        late = Late()
        flight = InFlight(4.0, late)
        flight.add(1, PublishAnswers(1), 0)
        await asyncio.sleep(1.0)
        flight.answer(1, 0)
        await asyncio.sleep(2.0)
        flight.add(2, PublishAnswers(1), 0)
        await asyncio.sleep(3.9)
        flight.answer(2, 0)
        await asyncio.sleep(100.0)
        return late.at

    assert virtual_time.run(main()) == []


def test_an_answer_that_arrived_while_the_process_was_stopped_is_not_late():
    """It is read first. A broker that did not answer is found a second later."""

    async def main(*, is_answered: bool) -> list[float]:
        late = Late()
        flight = InFlight(4.0, late)
        flight.add(1, PublishAnswers(1), 0)
        await asyncio.sleep(1.0)
        virtual_time.stop_process(20.0)
        await asyncio.sleep(0.1)
        if is_answered:
            flight.answer(1, 0)
        await asyncio.sleep(100.0)
        return late.at

    assert virtual_time.run(main(is_answered=True)) == []
    assert virtual_time.run(main(is_answered=False)) == [22.0]


def test_an_end_is_not_late():
    """A connection that has ended reports no late message, and a publisher that waits for room continues."""

    async def main() -> tuple[list[float], list[int | None], bool]:
        late = Late()
        flight, publication = InFlight(4.0, late), PublishAnswers(2)
        flight.most = 2
        for number in range(2):
            flight.add(number, publication, number)
        waiting = asyncio.create_task(flight.wait_for_room())
        await asyncio.sleep(1.0)
        flight.answer(1, 0)
        flight.end()
        await asyncio.sleep(100.0)
        return late.at, publication.codes, waiting.done()

    assert virtual_time.run(main()) == ([], [None, 0], True)


def test_the_window_has_capacity_again_after_any_answer():
    """It is full at its number, and not before."""

    async def main() -> list[bool]:
        flight, publication = InFlight(4.0, Late()), PublishAnswers(3)
        flight.most = 3
        seen = []
        for number in range(3):
            seen.append(flight.full)
            flight.add(number, publication, number)
        seen.append(flight.full)
        flight.answer(7, 0)  # of an unknown message
        seen.append(flight.full)
        flight.answer(1, 0)
        seen.append(flight.full)
        return seen

    assert virtual_time.run(main()) == [False, False, False, True, True, False]


def test_a_publication_is_complete_with_its_last_answer():
    """In whatever order they arrive."""

    async def main() -> list[bool]:
        publication = PublishAnswers(3)
        waiting = asyncio.create_task(publication.complete())
        seen = []
        for at in (2, 0, 1):
            await asyncio.sleep(1.0)
            seen.append(waiting.done())
            publication.answer(at, 0)
        await asyncio.sleep(1.0)
        return [*seen, waiting.done()]

    assert virtual_time.run(main()) == [False, False, False, True]


def test_a_document_of_suspended_topics_is_short():
    """It lists some, and counts all."""
    suspended = Suspended("mqtt://h", lambda: 0.0)
    for number in range(SHOWN + 5):
        suspended.refuse(f"t{number}", 0x87)

    assert suspended.document() == {
        "suspended": [f"t{number}" for number in range(SHOWN)], "suspended_topics": SHOWN + 5,
    }  # fmt: skip


def test_the_number_in_flight_doubles_each_round_trip_after_a_while():
    """From one, to the whole; not while it is narrowed."""

    async def main() -> list[int]:
        flight, seen = InFlight(4.0, Late()), []
        flight.begin(20, one_by_one=True)
        for round_trip in range(9):
            if round_trip == 6:
                flight.narrow()
            if round_trip == 8:
                flight.grow()
            numbers = range(flight.most)
            for number in numbers:
                flight.add(number, PublishAnswers(20), number)
            await asyncio.sleep(1.0)
            for number in numbers:
                flight.answer(number, 0)
            seen.append(flight.most)
        flight.widen()
        return [*seen, flight.most]

    assert ALONE == 2.0
    assert virtual_time.run(main()) == [1, 2, 4, 8, 16, 20, 1, 1, 1, 20]
