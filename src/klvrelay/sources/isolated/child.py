"""Run one isolated source: `python -m klvrelay.sources.isolated.child FD`.

The child reads its settings from the socket FD, drops privileges (`confine.py`), opens the source, and sends messages
(`messages.py`) until the source ends or the relay closes the socket. It ends when the relay dies.
"""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import os
import signal
import socket
import sys
import threading
from collections import deque
from contextlib import aclosing, suppress
from typing import Any, NoReturn

from klvrelay.config.url import Url
from klvrelay.errors import KlvrelayError, OutOfMemory, SourceDown, describe_bug
from klvrelay.sources.contract import Source
from klvrelay.sources.isolated import prctl
from klvrelay.sources.isolated.bookmarks import Bookmarks
from klvrelay.sources.isolated.confine import confine
from klvrelay.sources.isolated.limits import OUT_OF_MEMORY, ProcessLimits
from klvrelay.sources.isolated.messages import Status, packed, packed_end, packed_mark, packed_status
from klvrelay.sources.open import open_source
from klvrelay.sources.thread_queue import settle
from klvrelay.sources.web.position import Position
from klvrelay.sources.web.resume import Resume
from klvrelay.text import Secret

REPORT_EVERY = 0.25
"""Seconds between two status messages, which prove to the relay that this event loop runs."""
AHEAD_LIVE, AHEAD = 512 << 10, 4 << 20
"""Maximum bytes that wait for the relay, for live sources and for files; then the source waits, or drops and counts."""
JOINED = 256 << 10
SETTINGS_MOST = 1 << 20
GOODBYE = 2.0
LAST_WORDS = 0.5
"""Seconds for a thread of the source to end, if it may have run out of memory."""

_BY_LIBAV = ("rtsp", "rtsps")


def main() -> None:
    line = socket.socket(fileno=int(sys.argv[1]))
    line.setblocking(False)
    _subordinate()
    threading.excepthook = _thread_died
    try:
        asyncio.run(_serve(line))
    except MemoryError:
        _out_of_memory()


def _subordinate() -> None:
    """End when the relay dies, and be killed before the relay when the system runs out of memory.

    Signals that are sent to all processes of a terminal or a service are handled by the relay, which then closes its
    side of the socket.
    """
    prctl.end_with_parent(signal.SIGKILL)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    with suppress(OSError), open("/proc/self/oom_score_adj", "r+", encoding="ascii") as file:
        file.write(str(min(1000, int(file.read()) + 300)))


def _out_of_memory() -> NoReturn:
    """Exit at once: any further message needs memory too."""
    os._exit(OUT_OF_MEMORY)


def _thread_died(args: threading.ExceptHookArgs) -> None:
    if isinstance(args.exc_value, MemoryError):
        _out_of_memory()
    threading.__excepthook__(args)


def _task_failed(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    if isinstance(context.get("exception"), MemoryError):
        _out_of_memory()
    loop.default_exception_handler(context)


async def _serve(line: socket.socket) -> NoReturn:
    settings = await _settings(line)
    url, options = Url(**_revealed(settings["url"])), _revealed(settings["options"])
    logging.basicConfig(stream=sys.stderr, level=settings["level"], format="<%(levelno)s>%(message)s")
    prctl.call_me(f"klv {url.scheme}{'' if url.port is None else f':{url.port}'}")
    if url.scheme in _BY_LIBAV or options["demux"] == "libav":
        import av  # noqa: F401  # here, since the loop stands still meanwhile
    limits = ProcessLimits.of(url, options["packet_limit"])
    limits.enforce()
    confine(url, options)
    asyncio.get_running_loop().set_exception_handler(_task_failed)
    outbox, given = Outbox(line), Resume()
    given.place = Position.unpacked(base64.b64decode(settings["position"]))
    asked = asyncio.create_task(_until_asked(line), name="until asked to end")
    try:
        source = open_source(url, **options, isolate=False, given=given)
    except KlvrelayError as fault:
        outbox.put(packed_end(fault))
    else:
        bookmarks = Bookmarks(source, given.place, lambda position: outbox.put(packed_mark(position)))
        pumping = asyncio.create_task(_pump(source, outbox, bookmarks, limits.parcel), name="pump")
        reporting = asyncio.create_task(_report(source, outbox), name="report")
        await asyncio.wait((pumping, asked, outbox.gone), return_when=asyncio.FIRST_COMPLETED)
        reporting.cancel()
        pumping.cancel()
        await asyncio.wait((pumping,))
        if not pumping.cancelled():
            bookmarks.rest()
        outbox.put(packed_status(_status(source)))
        outbox.put(packed_end(None if pumping.cancelled() else _fault(url, pumping.exception())))
    await outbox.below(1)
    if asked.done():
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        _join_threads(GOODBYE)
    # Returning from `main` would wait for threads, and one of them may hang.
    os._exit(0)


def _join_threads(seconds: float) -> None:
    """Wait for threads of the source, which may have to end a session or report an error."""
    for thread in threading.enumerate():
        if thread.name.startswith("klvrelay-"):
            thread.join(seconds)


async def _settings(line: socket.socket) -> dict[str, Any]:
    data = b""
    while not data.endswith(b"\n"):
        piece = await asyncio.get_running_loop().sock_recv(line, SETTINGS_MOST)
        if not piece:  # the relay closed the socket
            os._exit(0)
        data += piece
    settings: dict[str, Any] = json.loads(data)
    return settings


def _revealed(plain: dict[str, Any]) -> dict[str, Any]:
    return {key: Secret(value["secret"]) if isinstance(value, dict) else value for key, value in plain.items()}


async def _until_asked(line: socket.socket) -> None:
    """Return once the relay closes its side: it sends nothing after the settings."""
    with suppress(OSError):
        await asyncio.get_running_loop().sock_recv(line, 1)


async def _pump(source: Source, outbox: Outbox, bookmarks: Bookmarks, parcel: int) -> None:
    first = True
    async with aclosing(source.packets()) as packets:
        async for packet in packets:
            if first:  # the first packet fixes whether the source is live
                first = False
                outbox.put(packed_status(_status(source)))
            for piece in packed(packet, parcel):
                outbox.put(piece)
            bookmarks.sent(packet)
            await outbox.below(AHEAD_LIVE if source.live else AHEAD)


async def _report(source: Source, outbox: Outbox) -> None:
    while True:
        outbox.put(packed_status(_status(source)))
        await outbox.below(1)
        await asyncio.sleep(REPORT_EVERY)


def _status(source: Source) -> Status:
    return Status(source.live, source.fixed, source.dropped, source.link)


def _fault(url: Url, error: BaseException | None) -> KlvrelayError | None:
    if isinstance(error, MemoryError | OutOfMemory):
        _out_of_memory()
    if isinstance(error, SourceDown):
        _join_threads(LAST_WORDS)
    if error is None or isinstance(error, KlvrelayError):
        return error
    return SourceDown(f"{url}: {describe_bug(error)}")


class Outbox:
    """Data that waits for the relay, sent in order and in large pieces as the socket accepts them.

    gone   done once the relay has disconnected
    """

    def __init__(self, line: socket.socket) -> None:
        self._line = line
        self._pieces: deque[bytes | bytearray | memoryview] = deque()
        self._loop = asyncio.get_running_loop()
        self._due = self._full = False
        self._sent: asyncio.Future[None] | None = None
        self.size = 0
        self.gone: asyncio.Future[None] = self._loop.create_future()

    def put(self, piece: bytes | bytearray | memoryview) -> None:
        """Send it, together with other data of this turn of the event loop."""
        self._pieces.append(piece)
        self.size += len(piece)
        if not self._due:
            self._due = True
            self._loop.call_soon(self._send)

    async def below(self, size: int) -> None:
        """Return once fewer bytes wait, or the relay has disconnected."""
        while self.size >= size and not self.gone.done():
            if self._sent is None:
                self._sent = self._loop.create_future()
            await asyncio.shield(self._sent)

    def _send(self) -> None:
        self._due = self._full
        if self._full:
            return
        try:
            while self._pieces:
                piece = self._taken()
                count = self._line.send(piece)
                self.size -= count
                if count < len(piece):
                    self._pieces.appendleft(memoryview(piece)[count:])
        except BlockingIOError:
            self._pieces.appendleft(piece)
            self._due = self._full = True
            self._loop.add_writer(self._line, self._go_on)
        except OSError:
            settle(self.gone)
        if self._sent is not None:
            settle(self._sent)
            self._sent = None

    def _go_on(self) -> None:
        self._loop.remove_writer(self._line)
        self._due = self._full = False
        self._send()

    def _taken(self) -> bytes | bytearray | memoryview:
        """The next piece, or the next small ones joined."""
        first = self._pieces.popleft()
        if not self._pieces or len(first) > JOINED:
            return first
        pieces, size = [first], len(first)
        while self._pieces and size + len(self._pieces[0]) <= JOINED:
            pieces.append(self._pieces.popleft())
            size += len(pieces[-1])
        return b"".join(pieces)


if __name__ == "__main__":
    main()
