"""Which latest value breaks every connection, where the broker closes it without a reason."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Container

import pytest
import virtual_time
from virtual_time import now

from klvrelay.relay.notices import Notices
from klvrelay.sinks.contract import Notice
from klvrelay.sinks.mqtt.suspects import ALONE, FALLS, PATIENCE, Suspects


class Gone(Exception):
    pass


def falls(suspects: Suspects, *topics: str, hung_up: bool = True, suspended: Container[str] = ()) -> list[str]:
    """One connection that ends while these have no answer."""
    suspects.begin()
    with contextlib.suppress(Gone), contextlib.ExitStack() as sent:
        for topic in topics:
            sent.enter_context(suspects.sending(topic))
        raise Gone
    return suspects.end(hung_up=hung_up, suspended=suspended)


def careful() -> Suspects:
    suspects = Suspects()
    for _ in range(FALLS):
        assert falls(suspects, "a", "b") == []
    return suspects


async def records_wait(suspects: Suspects) -> bool:
    """Must a record wait on the connection that begins?"""
    suspects.begin()
    began = now()
    await suspects.values_first()
    return now() > began


@pytest.mark.parametrize(("before", "wait"), [(FALLS - 1, False), (FALLS, True)])
def test_records_wait_after_two_connections_that_broke_over_values(before: int, wait: bool):
    """Until all values are answered, and for a bounded time where they are not."""

    async def main() -> None:
        suspects = Suspects()
        for _ in range(before):
            falls(suspects, "a", "b")
        assert await records_wait(suspects) is wait
        assert now() == (PATIENCE if wait else 0.0)

    virtual_time.run(main())


@pytest.mark.parametrize(("topics", "hung_up"), [([], True), (["a"], False)])
def test_a_connection_that_ends_otherwise_proves_nothing(topics: list[str], hung_up: bool):
    """It broke with all values answered, or the broker gave a reason, or this end closed it."""

    async def main() -> None:
        suspects = Suspects()
        for _ in range(5):
            assert falls(suspects, *topics, hung_up=hung_up) == []
        assert not await records_wait(suspects)

    virtual_time.run(main())


def test_falls_in_a_row_only_count():
    """A connection over which all values were answered begins the count again."""

    async def main() -> None:
        suspects = Suspects()
        for _ in range(5):
            falls(suspects, "a")
            suspects.begin()
            with suspects.sending("a"), suspects.sending("b"):
                pass
        assert not await records_wait(suspects)
        falls(suspects, "a")
        suspects.begin()
        with contextlib.suppress(Gone), suspects.sending("a"):
            with suspects.sending("b"):
                pass
            raise Gone
        suspects.end(hung_up=True, suspended=())
        assert await records_wait(suspects)

    virtual_time.run(main())


def test_a_value_that_breaks_connections_alone_is_found():
    """At the third in a row; the next needs as many."""

    async def main() -> None:
        suspects = careful()
        assert [falls(suspects, topic) for topic in "aabaaa"] == [[], [], [], [], [], ["a"]]
        assert [falls(suspects, "b") for _ in range(ALONE)] == [[], [], ["b"]]

    virtual_time.run(main())


def test_a_value_is_not_blamed_where_records_were_sent_beside_it():
    """They may have broken the connection."""

    async def main() -> None:
        suspects = careful()
        for _ in range(5):
            suspects.begin()
            with contextlib.suppress(Gone), suspects.sending("a"):
                await suspects.values_first()
                raise Gone
            assert suspects.end(hung_up=True, suspended=()) == []

    virtual_time.run(main())


def test_values_go_out_one_at_a_time_and_then_all_is_as_before():
    """In their order, each after the answer to the one before it; records are let go after the last."""

    async def main() -> None:
        suspects, notices, published = careful(), Notices(), []
        cursor = notices.cursor()
        for stream in "abc":
            notices.put(Notice("state", stream, b"{}"))

        async def publish(notice: Notice) -> None:
            await asyncio.sleep(1)
            published.append((notice.stream, now()))

        suspects.begin()
        sending = asyncio.create_task(suspects.one_at_a_time(cursor, publish))
        await suspects.values_first()
        assert published == [("a", 1.0), ("b", 2.0), ("c", 3.0)]
        await sending
        assert not cursor.due
        assert not await records_wait(suspects)
        notices.put(Notice("state", "a", b"{}"))
        await suspects.one_at_a_time(cursor, publish)
        assert cursor.due

    virtual_time.run(main())


def test_a_suspended_topic_that_breaks_the_connection_at_a_try_is_named_at_once():
    """Its cause is known, so that nothing else is suspected."""

    async def main() -> None:
        suspects = Suspects()
        for _ in range(5):
            assert falls(suspects, "a", "b", suspended={"b"}) == ["b"]
        assert not await records_wait(suspects)

    virtual_time.run(main())


def test_the_patience_of_a_connection_ends_with_it():
    """The next one has its own."""

    async def main() -> None:
        suspects = careful()
        suspects.begin()
        await asyncio.sleep(PATIENCE - 1)
        suspects.end(hung_up=False, suspended=())
        began = now()
        assert await records_wait(suspects)
        assert now() == began + PATIENCE

    virtual_time.run(main())


def test_a_value_of_qos_0_is_never_blamed():
    """No answer ever comes, so nothing says which value it was."""

    async def main() -> None:
        suspects = Suspects()
        for _ in range(FALLS + ALONE + 1):
            suspects.begin()
            with contextlib.suppress(Gone), suspects.sending("a", qos=0):
                raise Gone
            assert suspects.end(hung_up=True, suspended=()) == []
        assert not await records_wait(suspects)

    virtual_time.run(main())
