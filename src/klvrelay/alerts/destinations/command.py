"""A program that gets each alert as JSON on standard input, and its members in the environment. No shell is used."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Sequence

from klvrelay.alerts.destinations.contract import Notification, NotifyFault
from klvrelay.text import printable

OUTPUT_MOST = 500
"""Maximum bytes of the output that are kept; the rest is read and discarded."""
LEFT = 1.0
"""Seconds in which programs that it left behind may end by themselves."""
_FIELDS = ("id", "rule", "subject", "name", "severity", "value", "threshold", "unit", "since", "text", "advice")


class Command:
    """One program, run once for each alert, one at a time. After `timeout` seconds its process group is killed."""

    def __init__(self, words: Sequence[str], timeout: float) -> None:
        self._words, self._timeout = words, timeout

    async def send(self, notification: Notification) -> str:
        """See `AlertDestination.send`."""
        transport, program = await self._start(notification)
        try:
            _write(transport, notification.body)
            async with asyncio.timeout(self._timeout):
                await program.exited.wait()
        except TimeoutError:
            raise NotifyFault(f"not done within {self._timeout:g} s, killed") from None
        else:
            await _wait(program.closed)
        finally:
            await _end(transport, program)
        if code := transport.get_returncode():
            raise NotifyFault(f"exit code {code}{_shown(program.output)}")
        return f"exit code 0{_shown(program.output)}"

    async def _start(self, notification: Notification) -> tuple[asyncio.SubprocessTransport, _Program]:
        loop, pipe, same = asyncio.get_running_loop(), asyncio.subprocess.PIPE, asyncio.subprocess.STDOUT
        try:
            return await loop.subprocess_exec(
                _Program, *self._words, stdin=pipe, stdout=pipe, stderr=same, env=environment(notification),
                start_new_session=True,
            )  # fmt: skip
        except (OSError, ValueError) as fault:
            reason = os.strerror(fault.errno) if isinstance(fault, OSError) and fault.errno else str(fault)
            raise NotifyFault(f"can't run {printable(self._words[0])}: {reason}", is_final=True) from None


class _Program(asyncio.SubprocessProtocol):
    """A running program. Its output is read at any rate: a pipe that is not read hides the end of its programs.

    output  the beginning of its standard output and error
    exited  it ended; `closed`: so did all programs that had its standard output
    """

    def __init__(self) -> None:
        self.output = b""
        self.exited, self.closed = asyncio.Event(), asyncio.Event()

    def pipe_data_received(self, fd: int, data: bytes | str) -> None:
        assert isinstance(data, bytes)
        self.output += data[: OUTPUT_MOST - len(self.output)]

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        if fd == 1:
            self.closed.set()

    def process_exited(self) -> None:
        self.exited.set()


def environment(notification: Notification) -> dict[str, str]:
    """The environment of this process without settings, and the members of the alert as KLVRELAY_ALERT_<MEMBER>."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("KLVRELAY_")}
    document = notification.alert.document()
    fields = {f"KLVRELAY_ALERT_{name.upper()}": printable(str(document[name])) for name in _FIELDS}
    is_test = "true" if notification.is_test else "false"
    return kept | fields | {"KLVRELAY_ALERT_EVENT": notification.alert.event, "KLVRELAY_ALERT_TEST": is_test}


def _write(transport: asyncio.SubprocessTransport, body: bytes) -> None:
    """Write to its standard input, in the background. It need not read."""
    stdin = transport.get_pipe_transport(0)
    assert isinstance(stdin, asyncio.WriteTransport)
    stdin.write(body)
    stdin.close()


async def _end(transport: asyncio.SubprocessTransport, program: _Program) -> None:
    """Kill its process group, also programs that it left behind, and close its pipes, which others may hold open."""
    with contextlib.suppress(OSError):
        os.killpg(transport.get_pid(), signal.SIGKILL)
    await _wait(program.exited)
    transport.close()


async def _wait(event: asyncio.Event) -> None:
    """Wait for LEFT seconds at most: a program that the kernel holds does not end."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(LEFT):
            await event.wait()


def _shown(output: bytes) -> str:
    text = printable(output.decode(errors="replace").strip())
    return f": {text}" if text else ""
