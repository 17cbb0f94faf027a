"""A program that gets each alert as JSON on standard input, and its members in the environment. No shell is used."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
from collections.abc import Sequence

from klvrelay.alerts.destinations.contract import Notification, NotifyFault
from klvrelay.text import printable

LOG = logging.getLogger("klvrelay.alerts")

OUTPUT_MOST = 500
"""Maximum bytes of the output that are kept; the rest is read and discarded."""
PIECE = 64 << 10
_FIELDS = ("id", "rule", "subject", "name", "severity", "value", "threshold", "unit", "since", "text", "advice")


class Command:
    """One program, run once for each alert, one at a time. After `timeout` seconds its process group is killed."""

    def __init__(self, words: Sequence[str], timeout: float) -> None:
        self._words, self._timeout = words, timeout

    async def send(self, notification: Notification) -> str:
        """See `AlertDestination.send`."""
        try:
            process = await asyncio.create_subprocess_exec(
                *self._words, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT, env=environment(notification), start_new_session=True,
            )  # fmt: skip
        except (OSError, ValueError) as fault:
            reason = os.strerror(fault.errno) if isinstance(fault, OSError) and fault.errno else str(fault)
            raise NotifyFault(f"can't run {printable(self._words[0])}: {reason}", is_final=True) from None
        try:
            async with asyncio.timeout(self._timeout):
                output = await _talk(process, notification.body)
                code = await process.wait()
        except TimeoutError:
            raise NotifyFault(f"not done within {self._timeout:g} s, killed") from None
        finally:
            await _end(process)
        if code:
            raise NotifyFault(f"exit code {code}{_shown(output)}")
        return f"exit code 0{_shown(output)}"


def environment(notification: Notification) -> dict[str, str]:
    """The environment of this process without settings, and the members of the alert as KLVRELAY_ALERT_<MEMBER>."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("KLVRELAY_")}
    document = notification.alert.document()
    fields = {f"KLVRELAY_ALERT_{name.upper()}": printable(str(document[name])) for name in _FIELDS}
    is_test = "true" if notification.is_test else "false"
    return kept | fields | {"KLVRELAY_ALERT_EVENT": notification.alert.event, "KLVRELAY_ALERT_TEST": is_test}


async def _talk(process: asyncio.subprocess.Process, body: bytes) -> bytes:
    """Write to its standard input, and return the beginning of its output."""
    stdin, stdout = process.stdin, process.stdout
    assert stdin is not None
    assert stdout is not None
    writing = asyncio.create_task(_write(stdin, body), name="command input")
    output = b""
    try:
        while piece := await stdout.read(PIECE):
            output += piece[: OUTPUT_MOST - len(output)]
    finally:
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)
    return output


async def _write(stdin: asyncio.StreamWriter, body: bytes) -> None:
    with contextlib.suppress(OSError):  # it need not read
        stdin.write(body)
        await stdin.drain()
        stdin.close()
        await stdin.wait_closed()


async def _end(process: asyncio.subprocess.Process) -> None:
    """Kill its process group: also programs that it left behind, which hold its output open."""
    with contextlib.suppress(OSError):
        os.killpg(process.pid, signal.SIGKILL)
    if process.returncode is None:
        await process.wait()


def _shown(output: bytes) -> str:
    text = printable(output.decode(errors="replace").strip())
    return f": {text}" if text else ""
