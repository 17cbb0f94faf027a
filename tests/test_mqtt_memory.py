"""What the MQTT sink stores about messages, without a broker: QoS 2 across connections, and waiting messages."""

from __future__ import annotations

import asyncio

import pytest

from klvrelay.sinks.mqtt.protocol.connection import SESSION_LOST, Message, Received
from klvrelay.sinks.mqtt.protocol.received import HIGH, LOW, OVERHEAD, ReceivedMessages
from klvrelay.sinks.mqtt.protocol.session import SETTLED_MOST, Session


def message(number: int, *, qos: int = 2, retain: bool = False) -> Message:
    return Message("kr/uav1/telemetry", str(number).encode(), qos, retain)


# ---- QoS 2 ----


def half_way() -> Session:
    """Of four messages the first two were accepted."""
    session = Session()
    for number in range(1, 5):
        session.send(number, message(number))
    for number in (1, 2):
        session.take(number)
    return session


def test_accepted_messages_are_completed_first_and_the_rest_sent_again():
    """In the order in which they were sent."""
    session = half_way()
    left = [(number, taken) for number, _, taken in session.resume(present=True)]

    assert left == [(1, True), (2, True), (3, False), (4, False)]
    assert session.last == 4


def test_what_a_broker_accepted_and_forgot_is_not_sent_again():
    """It may be lost, which is its answer when it is offered again, once. The other messages are sent as new ones."""
    session = half_way()

    assert session.resume(present=False) == []
    assert [session.answer(message(number)) for number in range(1, 5)] == [SESSION_LOST, SESSION_LOST, None, None]
    assert session.answer(message(1)) is None
    assert session.resume(present=True) == []


def test_a_message_that_is_complete_is_not_completed_again():
    """In whichever state it was."""
    session = half_way()
    for number in (1, 3):
        session.finish(number)

    assert [session.is_taken(number) for number in range(1, 5)] == [False, True, False, False]
    assert [number for number, *_ in session.resume(present=True)] == [2, 4]


def test_only_messages_of_qos_2_are_remembered():
    """One of QoS 1 is sent again from the start, with another identifier."""
    session = Session()
    session.send(7, message(7, qos=1))
    session.take(7)

    assert (session.last, session.is_taken(7), session.resume(present=True)) == (7, False, [])


def test_the_answer_to_a_latest_value_is_not_remembered():
    """It is published again with its current value."""
    session = Session()
    session.settle([(message(1, retain=True), 0), (message(2), 0x87)])

    assert [session.answer(message(1, retain=True)), session.answer(message(2))] == [None, 0x87]


def test_stored_answers_are_bounded():
    """The newest of them are kept."""
    session = Session()
    session.settle((message(number), 0) for number in range(SETTLED_MOST + 1))

    assert [session.answer(message(number)) for number in (0, 1, SETTLED_MOST)] == [None, 0, 0]


# ---- messages that wait for a reader ----


class Socket:
    """Whether it is read."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.messages = ReceivedMessages(lambda: self.calls.append("pause"), lambda: self.calls.append("resume"))


@pytest.mark.parametrize(("size", "calls"), [(HIGH - 1 - OVERHEAD, []), (HIGH - OVERHEAD, ["pause"])])
async def test_a_socket_is_left_alone_above_its_bound(size: int, calls: list[str]):
    """The topic counts, and the overhead of a message."""
    sock = Socket()
    sock.messages.put(Received("t", bytes(size), False, b""))

    assert sock.calls == calls


async def test_a_socket_is_read_again_once_few_messages_wait():
    """Not at each of them: reading stops and resumes once."""
    sock = Socket()
    size = LOW // 4
    for _ in range(20):
        sock.messages.put(Received("t", bytes(size - 1 - OVERHEAD), False, b""))
    taken = []
    for _ in range(20):
        await sock.messages.get()
        taken.append(len(sock.calls))

    assert sock.calls == ["pause", "resume"]
    assert taken.index(2) == 16  # three of them wait, which is less than LOW


async def test_the_end_is_read_repeatedly():
    """After all earlier messages."""
    sock = Socket()
    sock.messages.put(Received("t", b"x", False, b""))
    sock.messages.end()
    found = [await asyncio.wait_for(sock.messages.get(), 1) for _ in range(3)]

    assert [each and each.payload for each in found] == [b"x", None, None]
