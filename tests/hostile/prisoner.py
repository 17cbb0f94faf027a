"""A compromised source process: its source attempts what it must not be able to do.

`prisoner.py NOTES.json FD`: NOTES lists the files, ports and processes to try; the packet that it outputs reports each
result as JSON. `test_cell.py` starts it.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import fcntl
import json
import mmap
import os
import platform
import resource
import signal
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from klvrelay.config.url import Url
from klvrelay.link_stats import LinkStats
from klvrelay.record import Packet
from klvrelay.sources.isolated import child, limits

LIBC = ctypes.CDLL(None, use_errno=True)
PTRACE_ATTACH, PDEATHSIG, GET_DUMPABLE, MOUNT_BIND, CLONE_NEWUSER = 16, 1, 3, 4096, 0x1000_0000
SIOCGIFFLAGS = 0x8913
F_SETSIG, SOCK_DIAG, IPPROTO_MPTCP, IN_MODIFY = 10, 4, 262, 2
IOPRIO_SET = {"x86_64": 251, "aarch64": 30}.get(platform.machine(), 0)


def call(name: str, *args: Any) -> None:
    """Call a function of the C library; raises OSError where it fails."""
    if getattr(LIBC, name)(*args) == -1:
        raise OSError(ctypes.get_errno(), name)


def write(path: str) -> None:
    with open(path, "ab") as file:
        file.write(b"x")


def attempts(notes: dict[str, Any]) -> dict[str, Callable[[], object]]:
    """Each attempt by its name; one that raises has failed."""
    relay, folder = notes["relay"], Path(notes["folder"])
    return {
        "read a secret": lambda: (folder / "secret").read_text(),
        "list a folder": lambda: os.listdir(folder),
        "read the relay's environment": lambda: Path(f"/proc/{relay}/environ").read_bytes(),
        "read the relay's memory": lambda: open(f"/proc/{relay}/mem", "rb"),
        "read the relay's command line": lambda: Path(f"/proc/{relay}/cmdline").read_bytes(),
        "read the users": lambda: Path("/etc/passwd").read_bytes(),
        "read a home": lambda: os.listdir(os.path.expanduser("~")),
        "write a file": lambda: write(str(folder / "open" / "written")),
        "append to a file": lambda: write(str(folder / "open" / "there")),
        "remove a file": lambda: os.remove(folder / "open" / "there"),
        "cut a file": lambda: os.truncate(folder / "open" / "there", 0),
        "make a folder": lambda: os.mkdir(folder / "open" / "made"),
        "make a link": lambda: os.symlink("/etc/passwd", folder / "open" / "link"),
        "write where everybody may": lambda: write("/tmp/klvrelay-prisoner"),
        "write to its own memory's file": lambda: open("/proc/self/mem", "r+b"),
        "run a program": lambda: os.execv("/bin/true", ["true"]),
        "start a program": lambda: subprocess.run(["/bin/true"], check=True),
        "fork": _fork,
        "stop the relay": lambda: os.kill(relay, signal.SIGSTOP),
        "ask whether the relay is there": lambda: os.kill(relay, 0),
        "kill its group": lambda: os.kill(0, signal.SIGUSR1),
        "signal the relay by a descriptor": lambda: signal.pidfd_send_signal(os.pidfd_open(relay), signal.SIGSTOP),
        "trace the relay": lambda: call("ptrace", PTRACE_ATTACH, relay, 0, 0),
        "read the relay's pages": lambda: call("process_vm_readv", relay, None, 0, None, 0, 0),
        "take new rights": lambda: call("unshare", CLONE_NEWUSER),
        "mount": lambda: call("mount", b"/", str(folder / "open").encode(), None, MOUNT_BIND, None),
        "change its root": lambda: os.chroot(folder / "open"),
        "outlive the relay": lambda: call("prctl", PDEATHSIG, 0, 0, 0, 0),
        "raise its limit": lambda: resource.setrlimit(resource.RLIMIT_DATA, (8 << 30, 8 << 30)),
        "have memory that no limit counts": lambda: mmap.mmap(-1, 1 << 20, flags=mmap.MAP_SHARED | mmap.MAP_ANONYMOUS),
        "talk to a service": lambda: socket.socket(socket.AF_UNIX).connect(notes["service"]),
        "read raw packets": lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW),
        "show its memory to others": _dumpable,
        "switch the network off": _switch_off,
        "listen": lambda: socket.create_server(("127.0.0.1", 0)),
        "listen without a port": lambda: socket.socket().listen(),
        "listen by another protocol": _listen_by_mptcp,
        "see what happens in a folder": lambda: _watch(folder),
        "change the mode of a file": lambda: os.chmod(folder / "open" / "there", 0o777),
        "give a file away": lambda: os.chown(folder / "open" / "there", -1, os.getgid()),
        "give a link away": lambda: os.lchown(folder / "open" / "there", -1, os.getgid()),
        "change the times of a file": lambda: os.utime(folder / "open" / "there", (1, 1)),
        "note something beside a file": lambda: os.setxattr(folder / "open" / "there", "user.a", b"x"),
        "slow the relay down": lambda: os.setpriority(os.PRIO_PROCESS, relay, os.getpriority(os.PRIO_PROCESS, relay)),
        "take the relay's turns": lambda: os.sched_setscheduler(relay, os.sched_getscheduler(relay), os.sched_param(0)),
        "choose the relay's processors": lambda: os.sched_setaffinity(relay, os.sched_getaffinity(0)),
        "slow the relay's disk down": lambda: call("syscall", IOPRIO_SET, 1, relay, 0),
        "have the kernel signal the relay": lambda: _signal_by_kernel(relay),
        "talk to a service that takes datagrams": lambda: _send_to(notes["log"]),
        "read all packets of IP": lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP),
        "ask for the sockets of others": lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, SOCK_DIAG),
        "have gigabytes in files in memory": _hoard,
        "have gigabytes that are only read": _hoard_of_pages,
    }


def still(notes: dict[str, Any]) -> dict[str, Callable[[], object]]:
    """What a source must still be able to do."""
    return {
        "read a module": lambda: __import__("telnetlib" if sys.version_info < (3, 13) else "imaplib"),
        "read the resolver's settings": lambda: Path("/etc/hosts").read_bytes(),
        "resolve a name": lambda: socket.getaddrinfo("localhost", 80),
        "have a thread": lambda: (thread := threading.Thread(target=int), thread.start(), thread.join()),
        "use UDP": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).bind(("127.0.0.1", 0)),
        "connect": lambda: socket.create_connection(("127.0.0.1", notes["port"])).close(),
        "load a library": lambda: ctypes.CDLL(notes["library"]),
        "signal itself": lambda: signal.raise_signal(signal.SIGUSR2),
        "read its limit": lambda: resource.getrlimit(resource.RLIMIT_DATA),
    }


def _signal_by_kernel(pid: int) -> None:
    """Make another process the owner of a socket: it gets a signal when the socket receives bytes."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        fcntl.fcntl(ours, fcntl.F_SETOWN, pid)
        fcntl.fcntl(ours, F_SETSIG, signal.SIGURG)


def _listen_by_mptcp() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, IPPROTO_MPTCP) as line:
        line.bind(("127.0.0.1", 0))
        line.listen()


def _watch(folder: Path) -> None:
    watch = LIBC.inotify_init()
    call("inotify_add_watch", watch, str(folder).encode(), IN_MODIFY)
    os.close(watch)


def _send_to(path: str) -> None:
    one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with one, other:
        one.sendto(b"x", path)


def _hoard() -> None:
    """Files that are not counted: more than a memory limit allows."""
    held = [os.memfd_create("hoard") for _ in range(6)]
    for descriptor in held:
        os.posix_fallocate(descriptor, 0, 60 << 20)


def _hoard_of_pages() -> None:
    """Pages that are written and then made read-only no longer count as data, so the limit does not apply."""
    pages = []
    for _ in range(64):
        pages.append(mmap.mmap(-1, 64 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS))
        place = ctypes.addressof(ctypes.c_char.from_buffer(pages[-1]))
        call("mprotect", ctypes.c_void_p(place), ctypes.c_size_t(64 << 20), mmap.PROT_READ)


def _switch_off() -> None:
    """Set the flags of an interface to their current values."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        flags = fcntl.ioctl(line, SIOCGIFFLAGS, struct.pack("16s16x", b"lo"))
        fcntl.ioctl(line, SIOCGIFFLAGS + 1, flags)


def _dumpable() -> None:
    if not LIBC.prctl(GET_DUMPABLE, 0, 0, 0, 0):
        raise PermissionError


def _fork() -> None:
    if os.fork() == 0:
        os._exit(0)


def became(attempt: Callable[[], object]) -> str:
    try:
        attempt()
    except (OSError, ValueError) as fault:
        return type(fault).__name__
    return "done"


class Prisoner:
    """The source in the isolated process."""

    live, fixed, dropped = True, True, 0

    def __init__(self, url: Url, notes: dict[str, Any]) -> None:
        self.url, self.link, self._notes = url, LinkStats(), notes

    async def packets(self) -> AsyncGenerator[Packet, None]:
        found: dict[str, dict[str, str]] = {"attempts": {}, "still": {}}

        def try_all(where: str) -> None:
            """`where`: the source's thread, or one that it starts."""
            only = self._notes["only"]
            found["attempts"] |= {
                f"{name}{where}": became(attempt)
                for name, attempt in attempts(self._notes).items() if not only or name in only
            }  # fmt: skip
            found["still"] |= {f"{name}{where}": became(attempt) for name, attempt in still(self._notes).items()}

        try_all("")
        thread = threading.Thread(target=try_all, args=(" in a thread",))
        thread.start()
        thread.join()
        yield Packet(json.dumps(found).encode())


def main() -> None:
    with open(sys.argv[1], encoding="utf-8") as file:
        notes = json.load(file)
    signal.signal(signal.SIGUSR2, signal.SIG_IGN)
    sys.argv = [sys.argv[0], sys.argv[-1]]
    if notes["only"]:  # A harmless control, so that the attempts are known to run.
        child.confine = lambda url, options: None
        limits.FILE_SIZE, limits.SPACE = 64 << 20, 1 << 40
    child.open_source = lambda url, **options: Prisoner(url, notes)
    with suppress(KeyboardInterrupt):
        child.main()


if __name__ == "__main__":
    main()
