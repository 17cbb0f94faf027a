"""The relay's memory of latest values, and what a sink has not published of them."""

from __future__ import annotations

import asyncio

from klvrelay.sinks import Notice

_Key = tuple[str, str | None]


class Notices:
    """The newest value of each kind and stream."""

    def __init__(self) -> None:
        self._values: dict[_Key, Notice] = {}
        self._cursors: list[NoticeCursor] = []

    def put(self, notice: Notice) -> None:
        self._values[notice.kind, notice.stream] = notice
        for cursor in self._cursors:
            cursor.offer(notice)

    def cursor(self) -> NoticeCursor:
        cursor = NoticeCursor(self._values)
        self._cursors.append(cursor)
        return cursor


class NoticeCursor:
    """What one sink has not published: in the order of their first change since."""

    def __init__(self, values: dict[_Key, Notice]) -> None:
        self._values = values
        self._waiting: dict[_Key, Notice] = dict(values)
        self._offered: dict[_Key, Notice] = {}
        self._changed = asyncio.Event()
        self._idle = asyncio.Event()
        self._look()

    def offer(self, notice: Notice) -> None:
        self._waiting[notice.kind, notice.stream] = notice
        self._look()

    async def next(self) -> Notice:
        """A value that changed and was not handed out since; waits for one."""
        await self._changed.wait()
        key = next(iter(self._waiting))
        notice = self._offered[key] = self._waiting.pop(key)
        self._look()
        return notice

    def done(self, notice: Notice) -> None:
        """It was published or refused: it is not offered again until it changes, or `restart`."""
        if self._offered.get((notice.kind, notice.stream)) is notice:
            del self._offered[notice.kind, notice.stream]
        self._look()

    def restart(self) -> None:
        """A new connection: all values are offered again."""
        self._offered.clear()
        self._waiting = dict(self._values)
        self._look()

    async def settled(self) -> None:
        """Return once nothing is left to publish."""
        await self._idle.wait()

    def _look(self) -> None:
        for event, holds in ((self._changed, self._waiting), (self._idle, not self._waiting and not self._offered)):
            if holds:
                event.set()
            else:
                event.clear()
