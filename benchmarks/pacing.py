"""Measures how evenly `klvrelay send` sends.

A stream of constant rate is sent to a socket with kernel time stamps. Prints the deviation of the arrivals from a
constant interval, the drift, and the CPU time of the sender.
"""

from __future__ import annotations

import asyncio
import os
import resource
import socket
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.show import CONSOLE

DATAGRAM = 7 * 188
_SO_TIMESTAMPNS = 35
_NULL = b"\x47\x1f\xff\x10" + b"\xff" * 184


def run(*, quick: bool) -> None:
    """Measure at the rates of one, four and twenty video streams."""
    for rate in (5e6, 20e6, 100e6):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "even.ts"
            path.write_bytes(even_stream(rate, 2.0 if quick else 6.0))
            arrivals, used = asyncio.run(measure(path))
        CONSOLE.print(f"{rate / 1e6:.0f} Mbit/s: {report(arrivals, DATAGRAM * 8 / rate, used)}", highlight=False)


def even_stream(rate: float, seconds: float) -> bytes:
    """Null packets; every 40th has a PCR that matches its position."""
    count, each = int(rate * seconds / 8 / 188), 188 * 8 / rate
    return b"".join(_clock(number * each) if number % 40 == 0 else _NULL for number in range(count))


def _clock(seconds: float) -> bytes:
    ticks = round(seconds * 90_000)
    field = b"\x10" + struct.pack(">IH", ticks >> 1, (ticks & 1) << 15 | 0x7E00)
    return b"\x47\x01\x00\x20" + bytes([183]) + field.ljust(183, b"\xff")


async def measure(path: Path) -> tuple[list[float], float]:
    """Arrival times by the kernel in seconds, and the CPU seconds of the sender."""
    loop, arrivals = asyncio.get_running_loop(), []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sock:
        sock.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        sock.bind(("127.0.0.1", 0))

        def drain() -> None:
            try:
                while True:
                    _, extra, _, _ = sock.recvmsg(2048, 64)
                    whole, part = struct.unpack("qq", extra[0][2])
                    arrivals.append(whole + part / 1e9)
            except BlockingIOError:
                pass

        loop.add_reader(sock, drain)
        target = f"udp://127.0.0.1:{sock.getsockname()[1]}"
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "klvrelay", "send", str(path), target, "-q", env=os.environ, stdin=subprocess.DEVNULL
        )
        await process.wait()
        loop.remove_reader(sock)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return arrivals, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def report(arrivals: list[float], each: float, used: float) -> str:
    """The deviations from a constant interval, relative to the median arrival."""
    count, span = len(arrivals), arrivals[-1] - arrivals[0]
    off = [at - arrivals[0] - number * each for number, at in enumerate(arrivals)]
    middle = sorted(off)[count // 2]
    errors = sorted(abs(error - middle) * 1e3 for error in off)
    quarter = count // 4
    drift = (sum(off[-quarter:]) - sum(off[:quarter])) / quarter / (span * 0.75) * 1e6
    return (
        f"{count} datagrams in {span:.3f} s, interval {each * 1e3:.2f} ms; deviation {errors[count // 2]:.3f} ms"
        f" (median), {errors[count * 99 // 100]:.3f} ms (p99), {errors[-1]:.3f} ms (maximum); drift {drift:.1f} us/s;"
        f" sender {used / span * 100:.1f} % of a core, including its start"
    )
