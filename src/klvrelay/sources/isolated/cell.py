"""The process of one isolated source: `python -m klvrelay.sources.isolated.cell FD`; next door, `process.py` starts it.

It gets its settings over the socket FD, opens the source, and sends what it yields as parcels (`parcel.py`) until
the source ends or the relay closes its side; with the relay it dies.
"""

from __future__ import annotations

import asyncio
import ctypes
import json
import logging
import os
import resource
import signal
import socket
import sys
import threading
import traceback
from collections import deque
from contextlib import aclosing, suppress
from typing import Any, NoReturn

from klvrelay.errors import KlvrelayError, SourceDown
from klvrelay.names import Secret, Url
from klvrelay.sources import Source, open_source
from klvrelay.sources.bridge import settle
from klvrelay.sources.isolated.parcel import Status, packed, packed_end, packed_status

TELL = 0.25
"""Seconds between two words on how it is: the relay's proof that this loop turns."""
AHEAD_LIVE, AHEAD = 512 << 10, 4 << 20
"""Bytes that may wait for the relay: of a live source, of a file. Then the source itself waits, or drops and counts."""
JOINED = 256 << 10
SETTINGS_MOST = 1 << 20
GOODBYE = 2.0
MEMORY = 4 << 30
"""Bytes of data of its own that the process may have."""

_PR_SET_PDEATHSIG, _PR_SET_NAME, _PR_SET_NO_NEW_PRIVS = 1, 15, 38
_BY_LIBAV = ("rtsp", "rtsps", "http", "https")


def main() -> None:
    line = socket.socket(fileno=int(sys.argv[1]))
    line.setblocking(False)
    _confine()
    asyncio.run(_serve(line))


def _confine() -> None:
    """Die with the relay, and before it where memory runs out; no core file, no more rights than now.

    A signal that goes to all processes of a terminal or a service is for the relay to answer, which then closes
    its side of the line.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    libc = ctypes.CDLL(None)
    libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    for what, most in ((resource.RLIMIT_CORE, 0), (resource.RLIMIT_DATA, MEMORY)):
        set_ = [limit for limit in resource.getrlimit(what) if limit != resource.RLIM_INFINITY]
        least = min(most, *set_) if set_ else most
        with suppress(OSError):  # a sandbox may forbid even this
            resource.setrlimit(what, (least, least))
    with suppress(OSError), open("/proc/self/oom_score_adj", "r+", encoding="ascii") as file:
        file.write(str(min(1000, int(file.read()) + 300)))


async def _serve(line: socket.socket) -> NoReturn:
    settings = await _settings(line)
    url = Url(**_revealed(settings["url"]))
    logging.basicConfig(stream=sys.stderr, level=settings["level"], format="<%(levelno)s>%(message)s")
    ctypes.CDLL(None).prctl(_PR_SET_NAME, f"klv {url.scheme}".encode(), 0, 0, 0)
    outbox = Outbox(line)
    asked = asyncio.create_task(_until_asked(line), name="until asked to end")
    try:
        source = open_source(url, **_revealed(settings["options"]))
    except KlvrelayError as fault:
        outbox.put(packed_end(fault))
    else:
        if url.scheme in _BY_LIBAV or settings["options"]["demux"] == "libav":
            import av  # noqa: F401  # here, since the loop stands still meanwhile
        pumping = asyncio.create_task(_pump(source, outbox), name="pump")
        telling = asyncio.create_task(_tell(source, outbox), name="tell")
        await asyncio.wait((pumping, asked, outbox.gone), return_when=asyncio.FIRST_COMPLETED)
        telling.cancel()
        pumping.cancel()
        await asyncio.wait((pumping,))
        outbox.put(packed_status(_status(source)))
        outbox.put(packed_end(None if pumping.cancelled() else _fault(url, pumping.exception())))
    await outbox.below(1)
    if asked.done():
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        _say_goodbye()
    # Not by the end of `main`: that waits for threads, and one of them may hang for ever.
    os._exit(0)


def _say_goodbye() -> None:
    """A thread of the source may still have to end a session with its far end; the relay cuts that short."""
    for thread in threading.enumerate():
        if thread.name.startswith("klvrelay-"):
            thread.join(GOODBYE)


async def _settings(line: socket.socket) -> dict[str, Any]:
    data = b""
    while not data.endswith(b"\n"):
        piece = await asyncio.get_running_loop().sock_recv(line, SETTINGS_MOST)
        if not piece:  # the relay changed its mind
            os._exit(0)
        data += piece
    settings: dict[str, Any] = json.loads(data)
    return settings


def _revealed(plain: dict[str, Any]) -> dict[str, Any]:
    return {key: Secret(value["secret"]) if isinstance(value, dict) else value for key, value in plain.items()}


async def _until_asked(line: socket.socket) -> None:
    """Return once the relay closes its side: it never sends anything behind the settings."""
    with suppress(OSError):
        await asyncio.get_running_loop().sock_recv(line, 1)


async def _pump(source: Source, outbox: Outbox) -> None:
    first = True
    async with aclosing(source.packets()) as packets:
        async for packet in packets:
            if first:  # by now it is settled whether it is live
                first = False
                outbox.put(packed_status(_status(source)))
            for piece in packed(packet):
                outbox.put(piece)
            await outbox.below(AHEAD_LIVE if source.live else AHEAD)


async def _tell(source: Source, outbox: Outbox) -> None:
    while True:
        outbox.put(packed_status(_status(source)))
        await outbox.below(1)
        await asyncio.sleep(TELL)


def _status(source: Source) -> Status:
    return Status(source.live, source.fixed, source.dropped, source.link)


def _fault(url: Url, error: BaseException | None) -> KlvrelayError | None:
    if error is None or isinstance(error, KlvrelayError):
        return error
    frame = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{os.path.basename(frame.filename)}:{frame.lineno}"
    return SourceDown(f"{url}: a fault of klvrelay's own: {type(error).__name__} in {where}")


class Outbox:
    """What waits for the relay, sent in order and in large pieces as the line takes them.

    gone   is done once the relay is
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
        """Send it, with what else comes at this turn of the loop."""
        self._pieces.append(piece)
        self.size += len(piece)
        if not self._due:
            self._due = True
            self._loop.call_soon(self._send)

    async def below(self, size: int) -> None:
        """Return once fewer bytes wait, or nobody is there to take them."""
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
        """The next piece, or the next small ones as one."""
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
