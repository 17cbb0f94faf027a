"""The process of an isolated source as the relay has it: started, listened to, and ended in whatever state it is.

`source.py` is the source, `cell.py` what runs in the process, `stderr.py` what it says on the side.
"""

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
from klvrelay.sources.isolated.messages import End, MalformedMessage, Status, Unpacker
from klvrelay.sources.isolated.stderr import Stderr

BEGIN = 30.0
"""Seconds that a process may take until its first word: an interpreter starts, from a slow card perhaps."""
ASKED, TERMINATED, KILLED = 0.75, 0.25, 1.0
"""Seconds that a process gets to end when asked to, when sent SIGTERM, and when killed."""

# Of the relay's environment a source needs these; in the rest there may be secrets that are none of its business.
_PASSED_ON = ("PATH", "HOME", "LANG", "TZ", "TMPDIR", "http_proxy", "https_proxy", "no_proxy")
_PASSED_ON_BEGIN = ("LC_", "LD_", "PYTHON", "SSL_", "OPENSSL_", "GNUTLS_", "MALLOC_", "ASAN_", "FAKETIME")


def _command() -> list[str]:
    flags = [flag for flag, on in (("-E", sys.flags.ignore_environment), ("-s", sys.flags.no_user_site)) if on]
    return [sys.executable, *flags, "-P", "-m", "klvrelay.sources.isolated.child"]


class Process:
    """One process, from its start to its end, and the line to it.

    url     of its source, for messages
    hide    takes out of a text what must not be in a log
    limits  of what it may use and send
    """

    def __init__(self, url: Url, hide: Callable[[str], str], limits: ProcessLimits) -> None:
        self._url, self._hide, self._limits = url, hide, limits
        self._unpacker = Unpacker(limits.packet, limits.parcel)
        self._loop = asyncio.get_running_loop()
        self._process: asyncio.subprocess.Process | None = None
        self._line: socket.socket | None = None
        self._stderr: Stderr | None = None
        self._waiting: asyncio.Future[bool] | None = None
        self._listens = False
        self._deadline = 0.0
        self._timer: asyncio.TimerHandle | None = None

    @property
    def status(self) -> Status | None:
        return self._unpacker.status

    @property
    def mark(self) -> bytes | None:
        """How far it read a playlist, for the next process."""
        return self._unpacker.mark

    @property
    def end(self) -> End | None:
        return self._unpacker.end

    async def start(self, settings: bytes, command: Sequence[str] | None = None) -> None:
        """Start it and tell it what to read; raises SourceDown where the system has no room for one more.

        The descriptor of its end of the line is the last argument, and all that is told there.
        """
        try:
            self._line, theirs = socket.socketpair()
            self._line.setblocking(False)
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
                    start_new_session=True,  # so a Ctrl-C in the relay's terminal is the relay's alone
                )
                self._stderr.given()
        except OSError as fault:
            raise SourceDown(
                f"{self._url}: no process could be started for it: {os.strerror(fault.errno or 0)}"
            ) from fault
        with suppress(ConnectionError, TimeoutError):  # it is gone already, or hangs: `next` says so
            async with asyncio.timeout(BEGIN):
                await self._loop.sock_sendall(self._line, settings)

    async def next(self, silence: float) -> list[Packet | Units]:
        """What the next piece from the line holds; raises SourceDown, and kills, where the process is of no use."""
        if self.status is None:
            silence = BEGIN
        try:
            count = await self._receive(silence)
            found = self._unpacker.took(count)
        except TimeoutError:
            self.kill()
            raise SourceDown(f"{self._url}: its process hung and was killed: no word for {silence:g} s") from None
        except MalformedMessage as fault:
            self.kill()
            raise SourceDown(f"{self._url}: its process was killed: it sent {fault}") from None
        if not count:
            raise SourceDown(f"{self._url}: its process {await self._fate()}")
        return found

    async def _receive(self, seconds: float) -> int:
        """Bytes taken from the line into the unpacker's room, 0 at its end; raises TimeoutError.

        Each piece costs a turn of the loop, so a flood leaves the others theirs.
        """
        assert self._line is not None
        heard = await self._readable(self._line, seconds)
        try:
            return self._line.recv_into(self._unpacker.room())
        except BlockingIOError:
            if heard:
                return await self._receive(seconds)
            raise TimeoutError from None
        except ConnectionError:
            return 0

    async def _readable(self, line: socket.socket, seconds: float) -> bool:
        """True once there is something to take; false after so many seconds without."""
        self._waiting = self._loop.create_future()
        self._deadline = self._loop.time() + seconds
        if self._timer is None:
            self._timer = self._loop.call_at(self._deadline, self._expired)
        elif self._timer.when() > self._deadline:
            self._timer.cancel()
            self._timer = self._loop.call_at(self._deadline, self._expired)
        if not self._listens:
            self._listens = True
            self._loop.add_reader(line, self._came, line)
        try:
            return await self._waiting
        finally:
            self._waiting = None

    def _came(self, line: socket.socket) -> None:
        if self._waiting is None:  # it waits in the line for whoever asks next
            self._listens = False
            self._loop.remove_reader(line)
        elif not self._waiting.done():
            self._waiting.set_result(True)

    def _expired(self) -> None:
        """One timer for all waits: each only moves the deadline."""
        self._timer = None
        if self._waiting is None or self._waiting.done():
            return
        if self._loop.time() < self._deadline:
            self._timer = self._loop.call_at(self._deadline, self._expired)
        else:
            self._waiting.set_result(False)

    async def _fate(self) -> str:
        """What became of a process that closed its line."""
        assert self._process is not None
        try:
            async with asyncio.timeout(KILLED):
                status = await self._process.wait()
        except TimeoutError:
            return "closed its line without a word"
        if status == 0:
            return "ended without a word"
        if status == OUT_OF_MEMORY:
            return self._limits.needs_more
        if status > 0:
            return f"ended with status {status}"
        return f"was killed by {_signal_name(-status)}{self._reasons.get(-status, '')}"

    @property
    def _reasons(self) -> dict[int, str]:
        """What a signal may come of: the system kills where memory is short, and what meets a limit may abort."""
        return {
            signal.SIGKILL: " (is memory short?)",
            signal.SIGABRT: f" (is memory short? it may have {self._limits.memory >> 20} MiB)",
        }

    def kill(self) -> None:
        """End it and all that it has started, whatever state it is in."""
        if self._process is not None and self._process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)

    async def close(self) -> None:
        """End the process: by closing our side of the line, then by SIGTERM, then by SIGKILL; and wait for it."""
        try:
            if self._process is not None and self._process.returncode is None:
                await self._ended_when_asked(self._process)
        finally:
            self.kill()
            try:
                if self._process is not None:
                    # One that hangs in the kernel is left to it; the loop takes note of its end whenever that is.
                    with suppress(TimeoutError):
                        async with asyncio.timeout(KILLED):
                            await self._process.wait()
            finally:
                if self._timer is not None:
                    self._timer.cancel()
                if self._line is not None:
                    self._loop.remove_reader(self._line)
                    self._line.close()
                if self._stderr is not None:
                    self._stderr.close()

    async def _ended_when_asked(self, process: asyncio.subprocess.Process) -> None:
        assert self._line is not None
        with suppress(OSError):
            self._line.shutdown(socket.SHUT_WR)
        with suppress(TimeoutError, MalformedMessage):
            async with asyncio.timeout(ASKED):
                while count := await self._receive(ASKED):
                    self._unpacker.took(count)  # not wanted any more, but for the last counts
                await process.wait()
        if process.returncode is None:
            with suppress(ProcessLookupError, TimeoutError):
                os.kill(process.pid, signal.SIGTERM)
                async with asyncio.timeout(TERMINATED):
                    await process.wait()


def _environment() -> dict[str, str]:
    kept = {
        name: value for name, value in os.environ.items() if name in _PASSED_ON or name.startswith(_PASSED_ON_BEGIN)
    }
    kept["OPENBLAS_NUM_THREADS"] = "1"  # numpy's threads are of no use to a source
    home = Path(__file__).parents[3]
    if home.name not in ("site-packages", "dist-packages"):  # run from its sources
        kept["PYTHONPATH"] = os.pathsep.join(filter(None, (str(home), kept.get("PYTHONPATH"))))
    return kept


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
