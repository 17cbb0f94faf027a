"""The latest values that sinks publish: the relay keeps the newest of each, and each sink reads the changes."""

from __future__ import annotations

import asyncio

import orjson

from klvrelay.json_output import dumps
from klvrelay.sinks.contract import Notice, NoticeKind

Key = tuple[str, str | None]


class Notices:
    """The newest notice of each kind and stream."""

    def __init__(self) -> None:
        self._latest: dict[Key, Notice] = {}
        self._cursors: list[NoticeCursor] = []

    def put(self, notice: Notice) -> None:
        """Replace the value of this kind and stream, and offer the new one to every sink.

        The members of a status are added to those of earlier ones; null removes a member.
        """
        self._latest[notice.kind, notice.stream] = merged(self._latest, notice)
        for cursor in self._cursors:
            cursor.put(notice)

    def latest_state(self, stream: str) -> bytes | None:
        """The latest values of the items of a stream; None if there are none."""
        notice = self._latest.get(("state", stream))
        return None if notice is None else notice.document

    def cursor(self) -> NoticeCursor:
        """A new cursor for one sink, which begins with all current values."""
        cursor = NoticeCursor(self._latest)
        self._cursors.append(cursor)
        return cursor

    def remove(self, cursor: NoticeCursor) -> None:
        """Offer nothing more to this cursor."""
        self._cursors.remove(cursor)

    def forget_state(self, stream: str) -> None:
        """The stream was removed: publish its state no more. Its availability and link stay."""
        self._latest.pop(("state", stream), None)
        for cursor in self._cursors:
            cursor.forget_state(stream)


def merged(latest: dict[Key, Notice], notice: Notice) -> Notice:
    """The new value; of a status, with the members of the earlier one that it does not have."""
    earlier = latest.get(("status", None))
    if notice.kind != "status" or earlier is None:
        return notice
    members = orjson.loads(earlier.document) | orjson.loads(notice.document)
    return Notice("status", None, dumps({key: value for key, value in members.items() if value is not None}))


class NoticeCursor:
    """The values that one sink has yet to publish, the longest waiting first."""

    def __init__(self, latest: dict[Key, Notice]) -> None:
        self._latest = dict(latest)
        self._due: dict[Key, None] = {}
        self._some, self._none = asyncio.Event(), asyncio.Event()
        self.restart()

    def put(self, notice: Notice) -> None:
        """Offer a value to this sink only."""
        key = notice.kind, notice.stream
        self._latest[key] = merged(self._latest, notice)
        self._due.setdefault(key)
        self._settle()

    def forget_state(self, stream: str) -> None:
        """See `Notices.forget_state`."""
        key: Key = "state", stream
        self._latest.pop(key, None)
        self._due.pop(key, None)
        self._settle()

    @property
    def due(self) -> bool:
        """Is there a value that this sink has not published?"""
        return bool(self._due)

    def latest(self, kind: NoticeKind, stream: str | None) -> Notice | None:
        """The current value, published or not."""
        return self._latest.get((kind, stream))

    async def next(self) -> Notice:
        """Wait for a value that this sink has not published. Returns the same value until `done`."""
        await self._some.wait()
        return self._latest[next(iter(self._due))]

    def done(self, notice: Notice) -> None:
        """The value was published or refused: it is offered again only after a change or `restart`."""
        key = notice.kind, notice.stream
        if key not in self._due:
            return
        del self._due[key]
        if self._latest[key] is not notice:  # it changed meanwhile: the new value is the last in turn
            self._due[key] = None
        self._settle()

    def restart(self) -> None:
        """There is a new connection: offer every value again."""
        self._due = dict.fromkeys(self._latest)
        self._settle()

    async def wait_until_published(self) -> None:
        """Return once nothing is left to publish."""
        await self._none.wait()

    def _settle(self) -> None:
        holds, other = (self._some, self._none) if self._due else (self._none, self._some)
        holds.set()
        other.clear()
