"""A verb of klvrelay in another process, and its peak memory or that of its source's process: `python peak.py decode
URL`.
"""

from __future__ import annotations

import asyncio
import re
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from typing import NamedTuple

_STATUS = Path("/proc/self/status")


class Outcome(NamedTuple):
    """How the verb ended; `peak` is in MiB, of the larger of the two processes."""

    code: int
    out: bytes
    err: str
    peak: float


async def run(*words: str, within: float = 50, interrupt: Callable[[], bool] | None = None) -> Outcome:
    """Run a verb to its end; once `interrupt` is true it gets SIGINT, as by Ctrl-C, and must end."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, __file__, *words,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    ended = asyncio.create_task(process.communicate())
    try:
        async with asyncio.timeout(within):
            if interrupt is not None:
                while not (ended.done() or interrupt()):
                    await asyncio.wait({ended}, timeout=0.05)
                assert not ended.done(), f"it ended before it was interrupted: {ended.result()[1].decode()}"
                process.send_signal(signal.SIGINT)
            out, err = await ended
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        ended.cancel()
    text, _, peak = err.decode("utf-8", "backslashreplace").rpartition("peak ")
    assert process.returncode is not None
    assert peak.strip().isdigit(), f"{text}peak {peak}"
    return Outcome(process.returncode, out, text, int(peak) / 1024)


def _main() -> None:
    from klvrelay.cli.main import main

    try:
        sys.exit(main(sys.argv[1:]))
    finally:
        # VmHWM of this program: ru_maxrss would include the process that started it. Of its source's process too.
        own = re.search(r"VmHWM:\s+(\d+)", _STATUS.read_text())
        print("peak", max(int(own[1]) if own else 0, getrusage(RUSAGE_CHILDREN).ru_maxrss), file=sys.stderr)


if __name__ == "__main__":
    _main()
