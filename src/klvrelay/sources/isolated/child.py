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
from klvrelay.sources.isolated.confine import confine
from klvrelay.sources.isolated.limits import OUT_OF_MEMORY, ProcessLimits
from klvrelay.sources.isolated.messages import Status
from klvrelay.sources.isolated.pack import pack, pack_end, pack_position, pack_status
from klvrelay.sources.isolated.position_reports import PositionReports
from klvrelay.sources.open import open_source
from klvrelay.sources.thread_queue import wake
from klvrelay.sources.web.position import Position
from klvrelay.sources.web.resume import Resume
from klvrelay.text import Secret

REPORT_EVERY = 0.25
"""Seconds between two status messages, which prove to the relay that this event loop runs."""
QUEUED_LIVE_MOST, QUEUED_MOST = 512 << 10, 4 << 20
"""Maximum bytes that wait for the relay, for live sources and for files; then the source waits, or drops and counts."""
JOINED = 256 << 10
SETTINGS_MOST = 1 << 20
JOIN_SECONDS = 2.0
"""Seconds for a thread of the source to end."""
FAULT_JOIN_SECONDS = 0.5
"""The same after a fault: the thread may have run out of memory."""

_BY_LIBAV = ("rtsp", "rtsps")


def main() -> None:
    sock = socket.socket(fileno=int(sys.argv[1]))
    sock.setblocking(False)
    _tie_to_parent()
    threading.excepthook = _thread_died
    try:
        asyncio.run(_serve(sock))
    except MemoryError:
        _out_of_memory()


def _tie_to_parent() -> None:
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


async def _serve(sock: socket.socket) -> NoReturn:
    settings = await _settings(sock)
    url, options = Url(**_restore_secrets(settings["url"])), _restore_secrets(settings["options"])
    logging.basicConfig(stream=sys.stderr, level=settings["level"], format="<%(levelno)s>%(message)s")
    prctl.set_process_name(f"klv {url.scheme}{'' if url.port is None else f':{url.port}'}")
    if url.scheme in _BY_LIBAV or options["demux"] == "libav":
        import av  # noqa: F401  # here, because importing it blocks the event loop
    limits = ProcessLimits.of(url, options["packet_limit"])
    limits.enforce()
    confine(url, options)
    asyncio.get_running_loop().set_exception_handler(_task_failed)
    queue, resume = SendQueue(sock), Resume()
    resume.position = Position.unpack(base64.b64decode(settings["position"]))
    end_requested = asyncio.create_task(_until_end_requested(sock), name="until end is requested")
    try:
        source = open_source(url, **options, isolate=False, resume=resume)
    except KlvrelayError as fault:
        queue.put(pack_end(fault))
    else:
        reports = PositionReports(source, resume.position, lambda position: queue.put(pack_position(position)))
        pumping = asyncio.create_task(_pump(source, queue, reports, limits.message), name="pump")
        reporting = asyncio.create_task(_report(source, queue), name="report")
        await asyncio.wait((pumping, end_requested, queue.disconnected), return_when=asyncio.FIRST_COMPLETED)
        reporting.cancel()
        pumping.cancel()
        await asyncio.wait((pumping,))
        if not pumping.cancelled():
            reports.rest()
        queue.put(pack_status(_status(source)))
        queue.put(pack_end(None if pumping.cancelled() else _fault(url, pumping.exception())))
    await queue.below(1)
    if end_requested.done():
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        _join_threads(JOIN_SECONDS)
    # Returning from `main` would wait for threads, and one of them may hang.
    os._exit(0)


def _join_threads(seconds: float) -> None:
    """Wait for threads of the source, which may have to end a session or report an error."""
    for thread in threading.enumerate():
        if thread.name.startswith("klvrelay-"):
            thread.join(seconds)


async def _settings(sock: socket.socket) -> dict[str, Any]:
    data = b""
    while not data.endswith(b"\n"):
        piece = await asyncio.get_running_loop().sock_recv(sock, SETTINGS_MOST)
        if not piece:  # the relay closed the socket
            os._exit(0)
        data += piece
    settings: dict[str, Any] = json.loads(data)
    return settings


def _restore_secrets(plain: dict[str, Any]) -> dict[str, Any]:
    return {key: Secret(value["secret"]) if isinstance(value, dict) else value for key, value in plain.items()}


async def _until_end_requested(sock: socket.socket) -> None:
    """Return once the relay closes its side: it sends nothing after the settings."""
    with suppress(OSError):
        await asyncio.get_running_loop().sock_recv(sock, 1)


async def _pump(source: Source, queue: SendQueue, reports: PositionReports, most: int) -> None:
    first = True
    async with aclosing(source.packets()) as packets:
        async for packet in packets:
            if first:  # the first packet fixes whether the source is live
                first = False
                queue.put(pack_status(_status(source)))
            for piece in pack(packet, most):
                queue.put(piece)
            reports.sent(packet)
            await queue.below(QUEUED_LIVE_MOST if source.live else QUEUED_MOST)


async def _report(source: Source, queue: SendQueue) -> None:
    while True:
        queue.put(pack_status(_status(source)))
        await queue.below(1)
        await asyncio.sleep(REPORT_EVERY)


def _status(source: Source) -> Status:
    return Status(source.live, source.fixed, source.dropped, source.link)


def _fault(url: Url, error: BaseException | None) -> KlvrelayError | None:
    if isinstance(error, MemoryError | OutOfMemory):
        _out_of_memory()
    if isinstance(error, SourceDown):
        _join_threads(FAULT_JOIN_SECONDS)
    if error is None or isinstance(error, KlvrelayError):
        return error
    return SourceDown(f"{url}: {describe_bug(error)}")


class SendQueue:
    """Data that waits for the relay, sent in order and in large pieces as the socket accepts them.

    disconnected   done once the relay has disconnected
    """

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._pieces: deque[bytes | bytearray | memoryview] = deque()
        self._loop = asyncio.get_running_loop()
        self._due = self._full = False
        self._sent: asyncio.Future[None] | None = None
        self.size = 0
        self.disconnected: asyncio.Future[None] = self._loop.create_future()

    def put(self, piece: bytes | bytearray | memoryview) -> None:
        """Send it, together with other data of this turn of the event loop."""
        self._pieces.append(piece)
        self.size += len(piece)
        if not self._due:
            self._due = True
            self._loop.call_soon(self._send)

    async def below(self, size: int) -> None:
        """Return once fewer bytes wait, or the relay has disconnected."""
        while self.size >= size and not self.disconnected.done():
            if self._sent is None:
                self._sent = self._loop.create_future()
            await asyncio.shield(self._sent)

    def _send(self) -> None:
        self._due = self._full
        if self._full:
            return
        try:
            while self._pieces:
                piece = self._take()
                count = self._sock.send(piece)
                self.size -= count
                if count < len(piece):
                    self._pieces.appendleft(memoryview(piece)[count:])
        except BlockingIOError:
            self._pieces.appendleft(piece)
            self._due = self._full = True
            self._loop.add_writer(self._sock, self._send_more)
        except OSError:
            wake(self.disconnected)
        if self._sent is not None:
            wake(self._sent)
            self._sent = None

    def _send_more(self) -> None:
        self._loop.remove_writer(self._sock)
        self._due = self._full = False
        self._send()

    def _take(self) -> bytes | bytearray | memoryview:
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
