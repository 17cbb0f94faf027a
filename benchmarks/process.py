"""Starts processes for benchmarks, and reads their CPU time and memory from Linux."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import IO

from benchmarks.skip import Skip

PATIENCE = 20.0
_CPU_CLOCK = 2
"""The clock of a process in Linux that counts its CPU time; see clock_getcpuclockid(3)."""
_BLOCK = 211  # ports that are locked together

Pid = int


@contextmanager
def run_process(
    command: Sequence[str],
    *,
    out: IO[bytes] | int = subprocess.DEVNULL,
    err: IO[bytes] | int | None = None,
    core: int | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a process, on one core if requested, until the end of the block. Its standard error is shown."""
    with subprocess.Popen(command, stdout=out, stderr=err) as process:
        if core is not None:
            os.sched_setaffinity(process.pid, {core})
        try:
            yield process
        finally:
            stop(process)


def stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()


def cpu_of(command: Sequence[str]) -> float:
    """User and system time of a process in seconds; its output is discarded."""
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise Skip(f"exit code {process.returncode} of {' '.join(command)}")
    return usage.ru_utime + usage.ru_stime


def last_line(command: Sequence[str], *, folder: str | None = None) -> str:
    """The last line that a process prints."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, cwd=folder)
    if done.returncode:
        raise Skip(f"exit code {done.returncode} of {' '.join(command)}")
    return done.stdout.splitlines()[-1]


def cpu_seconds(pid: Pid) -> float:
    """User and system time of all its threads, to the nanosecond: /proc/PID/stat has hundredths of a second."""
    return time.clock_gettime((~pid << 3) | _CPU_CLOCK)


def resident_mib(pid: Pid) -> float:
    """Peak memory so far."""
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024


def free_tcp_port() -> int:
    """A TCP port of the loopback address that is free at present."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@contextmanager
def free_ports(count: int) -> Iterator[int]:
    """The first of `count` consecutive UDP ports that are free; reserved for this benchmark until the block ends."""
    for first in range(23_000, 60_000, _BLOCK):
        blocks = range(first, first + count, _BLOCK)
        with ExitStack() as locks:
            if all(_lock(locks, block) for block in blocks) and all(_is_free(first + n) for n in range(count)):
                yield first
                return
    raise Skip(f"no {count} consecutive UDP ports are free")


def _lock(locks: ExitStack, block: int) -> bool:
    """An abstract socket is the lock: the kernel releases it when the process ends."""
    return _bound(locks.enter_context(socket.socket(socket.AF_UNIX)), f"\0klvrelay-benchmark-ports-{block}")


def _is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        return _bound(probe, ("127.0.0.1", port))


def _bound(sock: socket.socket, address: str | tuple[str, int]) -> bool:
    with suppress(OSError):
        sock.bind(address)
        return True
    return False


def bound_udp_ports() -> set[int]:
    with open("/proc/net/udp", encoding="ascii") as lines:
        next(lines)
        return {int(line.split()[1].partition(":")[2], 16) for line in lines}


def wait_until(holds: Callable[[], bool], what: str) -> None:
    """Return once the condition is true."""
    end = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > end:
            raise Skip(f"timed out after {PATIENCE:g} s: {what}")
        time.sleep(0.02)


def require_linux() -> None:
    """Raise Skip without the /proc of Linux."""
    if not os.path.exists("/proc/net/udp"):
        raise Skip("needs Linux (/proc)")
