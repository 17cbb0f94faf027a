"""The socket of a connection: reads what arrives, and writes at the end of each turn of the event loop, in one call."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable

from klvrelay.transports.tcp_info import TcpInfo, tcp_info

CHUNK = 16 << 10
"""Maximum bytes of one read, and of one write with TLS: those of a TLS record."""
HIGH, LOW = 1 << 20, 256 << 10
"""Unsent bytes at which publishing pauses, and at which it resumes."""
REST = 64
"""Maximum reads of what a peer sent before the connection broke: its reason may be there."""

_NOT_NOW = (BlockingIOError, InterruptedError, ssl.SSLWantWriteError)


class Link:
    """A connected, non-blocking socket, with TLS or without. It reads from the beginning.

    on_data   is called with received bytes
    on_sent   is called when bytes were passed to the kernel; may be set later
    on_end    is called once the peer has closed the connection, or it broke; not after `abort`

    full              publishing must wait: see `room`
    sent              bytes passed to the kernel, of all that were written
    last_in, last_out time of the loop at the last read and write
    """

    def __init__(
        self,
        sock: socket.socket,
        on_data: Callable[[bytes], None],
        on_sent: Callable[[], None],
        on_end: Callable[[], None],
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._sock = sock
        self._on_data, self.on_sent, self._on_end = on_data, on_sent, on_end
        self._most = CHUNK if isinstance(sock, ssl.SSLSocket) else HIGH
        self._pieces: list[bytes] = []
        self._rest: bytes | memoryview = b""
        self._queued = self.sent = 0
        self._scheduled = self._watching = self._over = False
        self.full = False
        self._room, self._ended = asyncio.Event(), asyncio.Event()
        self._room.set()
        self._all_sent: asyncio.Event | None = None
        self.paused = True
        self.last_in = self.last_out = self._loop.time()
        self.resume()

    @property
    def unsent(self) -> int:
        """Bytes that wait for the kernel to accept them."""
        return self._queued - self.sent

    def traffic(self) -> TcpInfo | None:
        """What the kernel counts of the connection; bytes that wait here are added to `unsent`. None: not known."""
        info = tcp_info(self._sock)
        return info if info is None else info._replace(unsent=info.unsent + self.unsent)

    def keep_short(self, size: int) -> None:
        """Let at most about so many bytes wait in the kernel that were not sent yet."""
        if hasattr(socket, "TCP_NOTSENT_LOWAT"):
            with contextlib.suppress(OSError):  # not a TCP socket
                self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, size)

    async def room(self) -> None:
        """Return once enough bytes were sent, or the connection has ended."""
        await self._room.wait()

    def write(self, data: bytes) -> int:
        """Send bytes after all earlier ones, at the end of this turn. Returns the value of `sent` once they are sent.
        """
        if not self._scheduled and not self._over:
            self._scheduled = True
            self._loop.call_soon(self._flush_later)
        return self.add(data)

    def add(self, data: bytes) -> int:
        """As `write`, but wait for a `flush`."""
        if not self._over:
            self._pieces.append(data)
            self._queued += len(data)
            if self._queued - self.sent > HIGH:
                self.full = True
                self._room.clear()
        return self._queued

    def flush(self) -> None:
        """Write now, if the socket accepts it."""
        if self._pieces and not self._watching:
            self._flush()

    def pause(self) -> None:
        """Stop reading."""
        if not self.paused:
            self.paused = True
            self._loop.remove_reader(self._sock)

    def resume(self) -> None:
        """Continue reading."""
        if self.paused and not self._over:
            self.paused = False
            self._loop.add_reader(self._sock, self._read)

    async def finish(self, timeout: float) -> bool:
        """Return true once everything is sent; false if the connection ends before, or at the timeout."""
        self.flush()
        if self.unsent and not self._over:
            self._all_sent = asyncio.Event()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._all_sent.wait(), timeout)
        return not self.unsent and not self._over

    async def read_to_end(self, timeout: float) -> None:
        """Wait until the peer closes: unread data would reset the connection, perhaps before the peer has read what we
        sent. FIN is sent after half of the time: amqtt may take it for a lost connection if it follows DISCONNECT.
        """
        self.resume()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._ended.wait(), timeout / 2)
        with contextlib.suppress(OSError, TimeoutError):
            self._sock.shutdown(socket.SHUT_WR)
            await asyncio.wait_for(self._ended.wait(), timeout / 2)

    def abort(self) -> None:
        """Close the socket at once."""
        if self._sock.fileno() < 0:
            return
        self._stop()
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)
        self._sock.close()

    def _read(self) -> None:
        """Read once; with TLS, what it waited for to write."""
        try:
            data = self._sock.recv(CHUNK)
        except (*_NOT_NOW, ssl.SSLWantReadError):
            return
        except OSError:
            data = b""
        if not data:
            self._end()
            return
        self.last_in = self._loop.time()
        self._on_data(data)
        if self._rest and not self._watching and not self._over:
            self._flush()

    def _flush_later(self) -> None:
        self._scheduled = False
        self.flush()

    def _flush(self) -> None:
        """Write what the socket accepts, and the rest when it is writable again."""
        if self._over:
            return
        before = self.sent
        try:
            while self._pieces or self._rest:
                self._send()
            if self._watching:
                self._watch(False)
            if self._all_sent is not None:
                self._all_sent.set()
        except _NOT_NOW:
            self._watch(True)
        except ssl.SSLWantReadError:
            self._watch(False)
        except OSError:
            self._read_rest()
            return
        if self.sent == before:
            return
        self.last_out = self._loop.time()
        if self.full and self._queued - self.sent < LOW:
            self.full = False
            self._room.set()
        self.on_sent()

    def _send(self) -> None:
        """One write. TLS requires that a write which was not possible is repeated with the same bytes."""
        if not self._rest:
            self._rest = b"".join(self._pieces)
            self._pieces.clear()
        size = len(self._rest)
        sent = self._sock.send(self._rest if size <= self._most else memoryview(self._rest)[: self._most])
        self._rest = b"" if sent == size else memoryview(self._rest)[sent:]
        self.sent += sent

    def _watch(self, wanted: bool) -> None:
        """Call `_flush` when the socket is writable, or no longer."""
        if wanted and not self._watching:
            self._loop.add_writer(self._sock, self._flush)
        elif self._watching and not wanted:
            self._loop.remove_writer(self._sock)
        self._watching = wanted

    def _read_rest(self) -> None:
        """The connection broke at a write. Read what the peer sent before: perhaps the reason."""
        self._watch(False)
        self._rest = b""
        self._pieces.clear()
        for _ in range(REST):
            if not self._over:
                self._read()
        self._end()

    def _end(self) -> None:
        if not self._over:
            self._stop()
            self._on_end()

    def _stop(self) -> None:
        self._watch(False)
        self.pause()
        self._over, self.full = True, False
        for event in (self._room, self._all_sent, self._ended):
            if event is not None:
                event.set()
