"""Any source in a process of its own, by the same contract: one that hangs, floods or crashes hurts no other.

Next door: `cell.py` is the process, `parcel.py` what goes between, `stderr.py` what it says. libav reads what
strangers send; in a process of its own a crash in it costs one stream a reconnect, and a hang is ended by a signal,
which nothing can do to a thread.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from klvrelay.errors import SourceDown
from klvrelay.names import Secret, Url
from klvrelay.record import Link, Packet, Units
from klvrelay.sources.parcel import End, Odd, Status, Unpacker
from klvrelay.sources.stderr import Stderr

if TYPE_CHECKING:
    from klvrelay.sources import Source

BEGIN = 30.0
"""Seconds that a process may take until its first word: an interpreter starts, from a slow card perhaps."""
SILENT_LEAST = 2.0
"""Seconds without a word after which a process counts as hung, where the timeout is shorter."""
ASKED, TERMINATED, KILLED = 0.75, 0.25, 1.0
"""Seconds that a process gets to end when asked to, when sent SIGTERM, and when killed."""

_NEVER_SILENT = ("rtsp", "rtsps", "http", "https")
# Of the relay's environment a source needs these; there may be secrets of others in the rest.
_PASSED_ON = ("PATH", "HOME", "LANG", "TZ", "TMPDIR", "LC_", "LD_", "PYTHON", "SSL_", "OPENSSL_", "GNUTLS_", "MALLOC_",
              "ASAN_", "FAKETIME", "http_proxy", "https_proxy", "no_proxy")  # fmt: skip


SHOWN_VALUE = 5
"""Characters up to which the value of an option is no secret: "1", "tcp", "pull"."""


def command() -> list[str]:
    """What starts a process, but for the descriptor of its socket."""
    flags = [flag for flag, on in (("-E", sys.flags.ignore_environment), ("-s", sys.flags.no_user_site)) if on]
    return [sys.executable, *flags, "-P", "-m", "klvrelay.sources.cell"]


class IsolatedSource:
    """A source that is read by a process of its own while its packets are asked for.

    plain     the same source as it would be here: its options have been checked, it is never opened
    options   what `open_source` is told besides the URL
    command   what to start instead, for a test
    """

    def __init__(self, plain: Source, options: Mapping[str, Any], *, command: Sequence[str] | None = None) -> None:
        self.url = plain.url
        self.live = plain.live
        self.fixed = plain.fixed
        self.dropped = 0
        self.link = Link()
        self._options = dict(options)
        self._command = command

    async def packets(self) -> AsyncGenerator[Packet | Units, None]:
        """What the source yields in its process; raises what it raises, or SourceDown for what befell the process."""
        hide = _Hidden(self.url, self._options)
        before = self.dropped, self.link
        patience = _Patience(self.url, float(self._options.get("timeout", 5.0)))
        cell = _Cell(self.url, hide)
        try:
            await cell.start(self._command or command(), _settings(self.url, self._options))
            while cell.end is None:
                found = await cell.next(patience.silence)
                self._note(cell.status, *before)
                for packet in found:
                    yield packet
                if patience.exhausted(self, bool(found)):
                    cell.kill()
                    raise SourceDown(
                        f"{self.url}: its process was killed: its reader hung, nothing came for {patience.stall:g} s"
                    )
            if cell.end.fault is not None:
                raise type(cell.end.fault)(hide(str(cell.end.fault)))
        finally:
            try:
                await cell.close()
            finally:
                self._note(cell.status, *before)

    def _note(self, status: Status | None, dropped: int, link: Link) -> None:
        if status is not None:
            self.live, self.fixed = status.live, status.fixed
            self.dropped, self.link = dropped + status.dropped, link + status.link


class _Patience:
    """How long a process may say nothing, and its source bring nothing: in seconds, from the timeout.

    A source that listens may wait for ever, and a file is as slow as its disk. One that ends by itself after the
    timeout without bytes (it has three such waits until its first packet), and does not, hangs.
    """

    def __init__(self, url: Url, timeout: float) -> None:
        self.silence = max(timeout, SILENT_LEAST)
        self.stall = 3 * timeout + SILENT_LEAST
        self._bounded = url.scheme in _NEVER_SILENT or (
            url.scheme == "srt" and bool(url.host) and url.options.get("mode", "caller") == "caller"
        )
        self._since = time.monotonic()
        self._size = 0
        self._began = False

    def exhausted(self, source: IsolatedSource, came: bool) -> bool:
        """Is the source to be given up? `came`: it brought packets."""
        now = time.monotonic()
        if came or source.link.size != self._size:
            self._since, self._size = now, source.link.size
            self._began |= came
        counts = source.link.size or not self._began
        return bool(self._bounded and source.live and counts and now - self._since > self.stall)


class _Cell:
    """One process, from its start to its end, and the line to it."""

    def __init__(self, url: Url, hide: _Hidden) -> None:
        self._url, self._hide = url, hide
        self._unpacker = Unpacker()
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
    def end(self) -> End | None:
        return self._unpacker.end

    async def start(self, command: Sequence[str], settings: bytes) -> None:
        """Start the process and tell it what to read; raises SourceDown where the system has no room for one."""
        try:
            self._line, theirs = socket.socketpair()
            self._line.setblocking(False)
            with theirs:
                self._stderr = Stderr(str(self._url), self._hide)
                self._process = await asyncio.create_subprocess_exec(
                    *command,
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
        with suppress(ConnectionError):  # it is gone already: `next` says why
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
        except Odd as fault:
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
        if status > 0:
            return f"ended with status {status}"
        reason = " (is memory short?)" if status == -signal.SIGKILL else ""
        return f"was killed by {_signal_name(-status)}{reason}"

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
        with suppress(TimeoutError, Odd):
            async with asyncio.timeout(ASKED):
                while count := await self._receive(ASKED):
                    self._unpacker.took(count)  # not wanted any more, but for the last counts
                await process.wait()
        if process.returncode is None:
            with suppress(ProcessLookupError, TimeoutError):
                os.kill(process.pid, signal.SIGTERM)
                async with asyncio.timeout(TERMINATED):
                    await process.wait()


class _Hidden:
    """Takes the secrets of a source out of a text, in each form in which they may be in it."""

    def __init__(self, url: Url, options: Mapping[str, Any]) -> None:
        texts = {value.reveal() for value in (url.password, url.query, *options.values()) if isinstance(value, Secret)}
        texts |= {value for value in url.options.values() if len(value) > SHOWN_VALUE}
        forms = {form for text in texts for form in (text, quote(text, safe=""), quote(text)) if text}
        self._forms = sorted(forms, key=len, reverse=True)

    def __call__(self, text: str) -> str:
        for form in self._forms:
            text = text.replace(form, "***")
        return text


def _settings(url: Url, options: Mapping[str, Any]) -> bytes:
    """What the process is told, and nobody else: one line of JSON, with the secrets in it."""
    place = {name: getattr(url, name) for name in ("scheme", "host", "port", "path", "user", "password", "query")}
    level = logging.getLogger("klvrelay").getEffectiveLevel()
    told = {"url": place, "options": dict(options), "level": level}
    return json.dumps(told, default=_revealed).encode() + b"\n"


def _revealed(value: object) -> dict[str, str]:
    if isinstance(value, Secret):
        return {"secret": value.reveal()}
    raise TypeError(f"an option of type {type(value).__name__} can't be told to another process")


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name.startswith(_PASSED_ON)}
    kept["OPENBLAS_NUM_THREADS"] = "1"  # numpy's threads are of no use to a source
    home = Path(__file__).parents[2]
    if home.name not in ("site-packages", "dist-packages"):  # run from its sources
        kept["PYTHONPATH"] = os.pathsep.join(filter(None, (str(home), kept.get("PYTHONPATH"))))
    return kept


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
