"""Processes that a benchmark starts, and what they use: CPU time and memory as Linux counts them."""

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
_TICK = 1 / os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 0.01
_BLOCK = 211  # ports that are locked together

Pid = int


@contextmanager
def running(
    command: Sequence[str],
    *,
    out: IO[bytes] | int = subprocess.DEVNULL,
    err: IO[bytes] | int | None = None,
    core: int | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """A process, on one core where that is asked for, ended with the block; its faults are shown as they come."""
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


def used(command: Sequence[str]) -> float:
    """User and system time of a process from its start to its end, in seconds; its output goes nowhere."""
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise Skip(f"exit code {process.returncode} of {' '.join(command)}")
    return usage.ru_utime + usage.ru_stime


def said(command: Sequence[str], *, folder: str | None = None) -> str:
    """The last line that a process prints."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, cwd=folder)
    if done.returncode:
        raise Skip(f"exit code {done.returncode} of {' '.join(command)}")
    return done.stdout.splitlines()[-1]


def cpu_seconds(pid: Pid) -> float:
    """User and system time of all its threads."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * _TICK


def resident_mib(pid: Pid) -> float:
    """The most memory it had so far."""
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024


@contextmanager
def free_ports(count: int) -> Iterator[int]:
    """The first of `count` adjacent UDP ports that are free; other benchmarks use none of them until the block ends."""
    for first in range(23_000, 60_000, _BLOCK):
        blocks = range(first, first + count, _BLOCK)
        with ExitStack() as locks:
            if all(_lock(locks, block) for block in blocks) and all(_is_free(first + n) for n in range(count)):
                yield first
                return
    raise Skip(f"no {count} adjacent UDP ports are free")


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


def until(holds: Callable[[], bool], what: str) -> None:
    """Return once it holds."""
    end = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > end:
            raise Skip(f"not within {PATIENCE:g} s: {what}")
        time.sleep(0.02)


def on_linux() -> None:
    """Raise Skip where /proc is not as this module reads it."""
    if not os.path.exists("/proc/net/udp"):
        raise Skip("needs Linux (/proc)")
