"""The process of an isolated source, as seen by the relay: starts it, reads from it, and ends it in any state."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from klvrelay.config.url import Url
from klvrelay.errors import SourceDown
from klvrelay.record import Packet, Units
from klvrelay.sources.isolated.limits import OUT_OF_MEMORY, ProcessLimits
from klvrelay.sources.isolated.messages import End, MalformedMessage, Status
from klvrelay.sources.isolated.stderr import Stderr
from klvrelay.sources.isolated.unpack import Unpacker

BEGIN = 30.0
"""Seconds until the first message: on slow storage, an interpreter takes long to start."""
REQUEST_WAIT, SIGTERM_WAIT, SIGKILL_WAIT = 0.75, 0.25, 1.0
"""Seconds for a process to end after a request, after SIGTERM, and after SIGKILL."""

# The variables that a source needs. All others are removed, because they may hold secrets.
_PASSED_ON = ("PATH", "HOME", "LANG", "TZ", "TMPDIR", "http_proxy", "https_proxy", "no_proxy")
_PASSED_ON_BEGIN = ("LC_", "LD_", "PYTHON", "SSL_", "OPENSSL_", "GNUTLS_", "MALLOC_", "ASAN_", "FAKETIME")


def _command() -> list[str]:
    flags = [flag for flag, on in (("-E", sys.flags.ignore_environment), ("-s", sys.flags.no_user_site)) if on]
    return [sys.executable, *flags, "-P", "-m", "klvrelay.sources.isolated.child"]


class Process:
    """One process, from start to end, and the socket to it.

    url     of its source, for messages
    hide    removes secrets from log texts
    limits  on its resources and messages
    """

    def __init__(self, url: Url, hide: Callable[[str], str], limits: ProcessLimits) -> None:
        self._url, self._hide, self._limits = url, hide, limits
        self._unpacker = Unpacker(limits.packet, limits.message)
        self._loop = asyncio.get_running_loop()
        self._process: asyncio.subprocess.Process | None = None
        self._sock: socket.socket | None = None
        self._stderr: Stderr | None = None
        self._waiting: asyncio.Future[bool] | None = None
        self._listens = False
        self._deadline = 0.0
        self._timer: asyncio.TimerHandle | None = None

    @property
    def status(self) -> Status | None:
        return self._unpacker.status

    @property
    def position(self) -> bytes | None:
        """How far it read a playlist, for the next process."""
        return self._unpacker.position

    @property
    def end(self) -> End | None:
        return self._unpacker.end

    async def start(self, settings: bytes, command: Sequence[str] | None = None) -> None:
        """Start the process and send it its settings; raises SourceDown if the system cannot start one.

        The last argument of the command is the descriptor of the child's end of the socket, and nothing else.
        """
        try:
            self._sock, theirs = socket.socketpair()
            self._sock.setblocking(False)
            with theirs:
                self._stderr = Stderr(str(self._url), self._hide)
                self._process = await asyncio.create_subprocess_exec(
                    *(command or _command()),
                    str(theirs.fileno()),
                    stdin=None if self._url.scheme == "stdin" else asyncio.subprocess.DEVNULL,
                    stdout=self._stderr.child,
                    stderr=self._stderr.child,
                    pass_fds=(theirs.fileno(),),
                    env=_environment(),
                    start_new_session=True,  # so that Ctrl-C in the relay's terminal reaches the relay only
                )
                self._stderr.close_child()
        except OSError as fault:
            raise SourceDown(
                f"{self._url}: cannot start a process for it: {os.strerror(fault.errno or 0)}"
            ) from fault
        with suppress(ConnectionError, TimeoutError):  # it has ended, or hangs: `next` reports it
            async with asyncio.timeout(BEGIN):
                await self._loop.sock_sendall(self._sock, settings)

    async def next(self, silence: float) -> list[Packet | Units]:
        """The packets of the next read; if the process hangs, ends or misbehaves, kills it and raises SourceDown."""
        if self.status is None:
            silence = BEGIN
        try:
            count = await self._receive(silence)
            found = self._unpacker.unpack(count)
        except TimeoutError:
            self.kill()
            raise SourceDown(f"{self._url}: its process hung and was killed: no message for {silence:g} s") from None
        except MalformedMessage as fault:
            self.kill()
            raise SourceDown(f"{self._url}: its process was killed: it sent {fault}") from None
        if not count:
            raise SourceDown(f"{self._url}: its process {await self._describe_exit()}")
        return found

    async def _receive(self, seconds: float) -> int:
        """Bytes read from the socket into the unpacker's buffer, 0 at its end; raises TimeoutError.

        Each read takes one turn of the event loop, so that a flood leaves others their turn.
        """
        assert self._sock is not None
        is_readable = await self._readable(self._sock, seconds)
        try:
            return self._sock.recv_into(self._unpacker.buffer())
        except BlockingIOError:
            if is_readable:
                return await self._receive(seconds)
            raise TimeoutError from None
        except ConnectionError:
            return 0

    async def _readable(self, sock: socket.socket, seconds: float) -> bool:
        """True once there is data; false after this many seconds without."""
        self._waiting = self._loop.create_future()
        self._deadline = self._loop.time() + seconds
        if self._timer is None:
            self._timer = self._loop.call_at(self._deadline, self._on_timeout)
        elif self._timer.when() > self._deadline:
            self._timer.cancel()
            self._timer = self._loop.call_at(self._deadline, self._on_timeout)
        if not self._listens:
            self._listens = True
            self._loop.add_reader(sock, self._on_readable, sock)
        try:
            return await self._waiting
        finally:
            self._waiting = None

    def _on_readable(self, sock: socket.socket) -> None:
        if self._waiting is None:  # it waits in the socket for the next reader
            self._listens = False
            self._loop.remove_reader(sock)
        elif not self._waiting.done():
            self._waiting.set_result(True)

    def _on_timeout(self) -> None:
        """One timer for all waits; each wait only moves the deadline."""
        self._timer = None
        if self._waiting is None or self._waiting.done():
            return
        if self._loop.time() < self._deadline:
            self._timer = self._loop.call_at(self._deadline, self._on_timeout)
        else:
            self._waiting.set_result(False)

    async def _describe_exit(self) -> str:
        """How a process ended that closed its socket."""
        assert self._process is not None
        try:
            async with asyncio.timeout(SIGKILL_WAIT):
                status = await self._process.wait()
        except TimeoutError:
            return "closed its connection without a message"
        if status == 0:
            return "ended without a message"
        if status == OUT_OF_MEMORY:
            return self._limits.needs_more
        if status > 0:
            return f"ended with status {status}"
        return f"was killed by {_signal_name(-status)}{self._reasons.get(-status, '')}"

    @property
    def _reasons(self) -> dict[int, str]:
        """Likely causes of a signal: the system is short of memory, or the process reached a limit and aborted."""
        return {
            signal.SIGKILL: " (out of memory?)",
            signal.SIGABRT: f" (out of memory? its limit is {self._limits.memory >> 20} MiB)",
        }

    def kill(self) -> None:
        """Kill it and all processes that it started."""
        if self._process is not None and self._process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)

    async def close(self) -> None:
        """End the process by closing our side of the socket, then by SIGTERM, then by SIGKILL; wait for each."""
        try:
            if self._process is not None and self._process.returncode is None:
                await self._request_end(self._process)
        finally:
            self.kill()
            try:
                if self._process is not None:
                    # A process that hangs in the kernel is abandoned; the event loop reaps it whenever it ends.
                    with suppress(TimeoutError):
                        async with asyncio.timeout(SIGKILL_WAIT):
                            await self._process.wait()
            finally:
                if self._timer is not None:
                    self._timer.cancel()
                if self._sock is not None:
                    self._loop.remove_reader(self._sock)
                    self._sock.close()
                if self._stderr is not None:
                    self._stderr.close()

    async def _request_end(self, process: asyncio.subprocess.Process) -> None:
        assert self._sock is not None
        with suppress(OSError):
            self._sock.shutdown(socket.SHUT_WR)
        with suppress(TimeoutError, MalformedMessage):
            async with asyncio.timeout(REQUEST_WAIT):
                while count := await self._receive(REQUEST_WAIT):
                    self._unpacker.unpack(count)  # discarded, except for the last counts
                await process.wait()
        if process.returncode is None:
            with suppress(ProcessLookupError, TimeoutError):
                os.kill(process.pid, signal.SIGTERM)
                async with asyncio.timeout(SIGTERM_WAIT):
                    await process.wait()


def _environment() -> dict[str, str]:
    kept = {
        name: value for name, value in os.environ.items() if name in _PASSED_ON or name.startswith(_PASSED_ON_BEGIN)
    }
    kept["OPENBLAS_NUM_THREADS"] = "1"  # a source does not use numpy's threads
    home = Path(__file__).parents[3]
    if home.name not in ("site-packages", "dist-packages"):  # run from a source folder
        kept["PYTHONPATH"] = os.pathsep.join(filter(None, (str(home), kept.get("PYTHONPATH"))))
    return kept


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
