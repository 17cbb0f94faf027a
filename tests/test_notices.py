"""The latest values that sinks publish: only the newest, each once to each sink, all again on a new connection."""

from __future__ import annotations

import asyncio
from typing import get_args

import pytest

from klvrelay.relay.notices import NoticeCursor, Notices
from klvrelay.sinks.contract import Notice, NoticeKind


def state(number: int, stream: str = "uav1", kind: NoticeKind = "state") -> Notice:
    return Notice(kind, stream, b"%d" % number)


async def published(cursor: NoticeCursor) -> list[tuple[str, str | None, bytes]]:
    """The values that it offers, until none is left."""
    taken = []
    while not await is_settled(cursor):
        notice = await asyncio.wait_for(cursor.next(), 1)
        taken.append((notice.kind, notice.stream, notice.document))
        cursor.done(notice)
    return taken


async def is_settled(cursor: NoticeCursor) -> bool:
    task = asyncio.create_task(cursor.settled())
    for _ in range(3):
        await asyncio.sleep(0)
    settled = task.done()
    task.cancel()
    await asyncio.wait({task})
    return settled


async def test_a_superseded_value_is_never_offered():
    """Of fifty values that arrived before the sink had time, the last is published."""
    notices = Notices()
    cursor = notices.cursor()
    for number in range(50):
        notices.put(state(number))
    assert await published(cursor) == [("state", "uav1", b"49")]


async def test_each_kind_of_each_stream_is_a_value():
    """None replaces another; they are published in the order of arrival."""
    notices = Notices()
    cursor = notices.cursor()
    keys = [(kind, stream) for kind in get_args(NoticeKind) for stream in ("a", "b")]
    for kind, stream in keys:
        notices.put(state(1, stream, kind))
    assert [(kind, stream) for kind, stream, _ in await published(cursor)] == keys


async def test_a_value_that_was_not_published_is_offered_again():
    """Until `done` it is the next one; after that only when it is set again, even to the same value."""
    notices = Notices()
    cursor = notices.cursor()
    notices.put(state(1))
    assert await cursor.next() == await cursor.next() == state(1)
    cursor.done(await cursor.next())
    assert await is_settled(cursor)
    notices.put(state(1))
    assert await published(cursor) == [("state", "uav1", b"1")]


async def test_a_value_that_changes_while_it_is_published_is_published_once_more():
    """After the waiting ones: a constantly changing value does not delay others."""
    notices = Notices()
    cursor = notices.cursor()
    notices.put(state(1, "busy"))
    notices.put(state(1, "calm"))
    taken = []
    for number in range(2, 5):
        notice = await cursor.next()
        notices.put(state(number, "busy"))
        cursor.done(notice)
        taken.append((notice.stream, notice.document))
    assert taken == [("busy", b"1"), ("calm", b"1"), ("busy", b"3")]
    assert await published(cursor) == [("state", "busy", b"4")]


async def test_on_a_new_connection_all_values_are_offered_again():
    """Including values published on the previous one; the newest of each."""
    notices = Notices()
    cursor = notices.cursor()
    notices.put(state(1, "a"))
    notices.put(state(1, "b"))
    await published(cursor)
    notices.put(state(2, "a"))
    cursor.restart()
    assert await published(cursor) == [("state", "a", b"2"), ("state", "b", b"1")]
    assert await is_settled(cursor)


async def test_an_answer_from_before_a_new_connection_does_no_harm():
    """It may arrive late, for a value that is not waited for."""
    notices = Notices()
    cursor = notices.cursor()
    notices.put(state(1))
    notice = await cursor.next()
    cursor.done(notice)
    cursor.done(notice)
    cursor.restart()
    assert await published(cursor) == [("state", "uav1", b"1")]


async def test_a_later_sink_is_offered_the_current_values():
    """And each sink has its own position."""
    notices = Notices()
    first = notices.cursor()
    notices.put(state(1))
    assert await published(first) == [("state", "uav1", b"1")]
    assert await published(notices.cursor()) == [("state", "uav1", b"1")]
    assert await is_settled(first)


async def test_a_value_for_one_sink_is_for_that_one_only():
    """For example the outcome of its records; it is known whether it was published or not."""
    notices = Notices()
    one, other = notices.cursor(), notices.cursor()
    sums = Notice("status", None, b"{}")
    one.put(sums)
    assert await is_settled(other)
    assert (one.latest("status", None), other.latest("status", None)) == (sums, None)
    assert await published(one) == [("status", None, b"{}")]
    assert one.latest("status", None) == sums


async def test_next_waits_for_a_value_and_settled_for_its_publication():
    """Neither returns early."""
    notices = Notices()
    cursor = notices.cursor()
    waiting = asyncio.create_task(cursor.next())
    assert await is_settled(cursor)
    assert not waiting.done()
    notices.put(state(1))
    notice = await asyncio.wait_for(waiting, 1)
    settled = asyncio.create_task(cursor.settled())
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.shield(settled), 0.01)
    cursor.done(notice)
    await asyncio.wait_for(settled, 1)
