"""The confinement of a source's process: removed and remaining rights, also on other machines and kernels.

`hostile/test_cell.py` tests it on the current machine.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import socket
import struct

import pytest
from isolated_cases import TAPE, isolated, records

from klvrelay.config.url import Url
from klvrelay.sources.isolated import confine as confine_module
from klvrelay.sources.isolated import landlock
from klvrelay.sources.isolated.confine import confine
from klvrelay.sources.isolated.seccomp import _MACHINES, _REFUSED, NETWORK, program

ALLOW, KILL, REFUSE = 0x7FFF_0000, 0x8000_0000, 0x0005_0000
EPERM, ENOSYS = REFUSE | errno.EPERM, REFUSE | errno.ENOSYS
PID = 4711
SIOCGIFINDEX, SIOCSIFFLAGS, TIOCSTI = 0x8933, 0x8914, 0x5412
F_SETOWN, F_SETSIG, F_SETOWN_EX = 8, 10, 15
IPPROTO_MPTCP = 262
CALLS = {  # of unistd.h: x86_64, aarch64
    "read": (0, 63), "openat": (257, 56), "futex": (202, 98), "recvmsg": (47, 212), "exit_group": (231, 94),
    "clone": (56, 220), "clone3": (435, 435), "kill": (62, 129), "tgkill": (234, 131), "socket": (41, 198),
    "listen": (50, 201), "socketpair": (53, 199),
    "setsockopt": (54, 208), "fcntl": (72, 25), "ioctl": (16, 29), "prlimit64": (302, 261),
    "prctl": (157, 167), "mmap": (9, 222), "memfd_create": (319, 279),
}  # fmt: skip


def verdict(code: bytes, arch: int, number: int, *args: int) -> int:
    """The kernel's decision on a system call: the filter, interpreted as the kernel does."""
    data = struct.pack("=IIQ6Q", number, arch, 0, *args, *[0] * (6 - len(args)))
    steps = list(struct.iter_unpack("=HBBI", code))
    at, held = 0, 0
    while True:
        operation, yes, no, value = steps[at]
        at += 1
        match operation:
            case 0x20:
                (held,) = struct.unpack_from("=I", data, value)
            case 0x54:
                held &= value
            case 0x06:
                return value
            case _:
                holds = {0x15: held == value, 0x35: held >= value, 0x45: bool(held & value)}[operation]
                at += yes if holds else no


@pytest.fixture(params=sorted(_MACHINES))
def machine(request):
    """The decision of each machine type on a call by its name."""
    machine = _MACHINES[request.param]
    code = program(machine, NETWORK, PID, listens=False)

    def says(name: str | int, *args: int, arch: int = machine.arch) -> int:
        number = CALLS[name][machine.column] if isinstance(name, str) else name
        return verdict(code, arch, number, *args)

    says.column, says.wide = machine.column, machine.wide
    return says


def test_needed_system_calls_are_allowed(machine):
    """Files, sockets, threads, memory; a signal to itself, its limits read."""
    for name in "read", "openat", "futex", "recvmsg", "exit_group", "memfd_create":
        assert machine(name) == ALLOW
    assert machine("clone", 0x3D0F00) == ALLOW  # the flags of a new thread
    assert machine("kill", PID, 9) == machine("tgkill", PID, PID, 6) == ALLOW
    assert {machine("socket", family, socket.SOCK_DGRAM) for family in NETWORK} == {ALLOW}
    assert machine("socket", socket.AF_INET6, socket.SOCK_STREAM | socket.SOCK_CLOEXEC, 6) == ALLOW
    assert machine("socket", socket.AF_NETLINK, socket.SOCK_RAW, 0) == ALLOW
    assert machine("socketpair", socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK) == ALLOW
    assert machine("setsockopt", 3, socket.SOL_SOCKET, 33) == machine("setsockopt", 3, socket.IPPROTO_IP, 49) == ALLOW
    assert machine("setsockopt", 3, socket.IPPROTO_IPV6, 67) == machine("setsockopt", 3, socket.IPPROTO_TCP, 1) == ALLOW
    assert machine("fcntl", 3, fcntl.F_SETFL, 0x800) == machine("ioctl", 3, SIOCGIFINDEX) == ALLOW
    assert machine("prlimit64", 0, 2, 0, 0x7FFF_0000_0000) == ALLOW
    assert machine("prctl", 15) == ALLOW
    assert machine("mmap", 0, 4096, 3, 0x22) == machine("mmap", 0, 4096, 1, 0x1) == ALLOW


def test_unneeded_system_calls_are_refused(machine):
    """Whatever the other arguments are."""
    for name, numbers in _REFUSED.items():
        if (number := numbers[machine.column]) is not None:
            assert machine(number) == EPERM, name
    assert machine("clone3") == ENOSYS
    assert machine("clone", 0x1200011) == EPERM  # the flags of fork
    assert machine("kill", PID + 1, 0) == machine("tgkill", 1, PID, 6) == machine("kill", 0xFFFF_FFFF, 9) == EPERM
    unix = machine("socket", socket.AF_UNIX, socket.SOCK_STREAM)
    assert unix == machine("socket", socket.AF_PACKET, socket.SOCK_RAW) == REFUSE | errno.EAFNOSUPPORT
    assert machine("socket", socket.AF_INET, socket.SOCK_RAW | socket.SOCK_CLOEXEC, 6) == EPERM
    assert machine("socket", socket.AF_INET6, socket.SOCK_STREAM, IPPROTO_MPTCP) == EPERM
    assert machine("socket", socket.AF_NETLINK, socket.SOCK_RAW, 4) == EPERM
    assert machine("listen", 3, 1) == EPERM
    assert machine("socketpair", socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) == EPERM
    for level, option in (socket.IPPROTO_IP, 64), (socket.IPPROTO_IP, 128), (socket.IPPROTO_IPV6, 64):
        assert machine("setsockopt", 3, level, option) == EPERM
    assert {machine("fcntl", 3, command, 1) for command in (F_SETOWN, F_SETSIG, F_SETOWN_EX)} == {EPERM}
    assert machine("ioctl", 3, SIOCSIFFLAGS) == machine("ioctl", 0, TIOCSTI) == REFUSE | errno.ENOTTY
    for pointer in 0x1000, 0x7FFF_0000_0000:
        assert machine("prlimit64", 0, 2, pointer, 0) == EPERM
    assert machine("prctl", 1, 0) == EPERM
    assert machine("mmap", 0, 4096, 3, 0x21) == machine("mmap", 0, 4096, 3, 0x23) == EPERM


def test_calls_of_another_architecture_are_refused(machine):
    """The numbers have another meaning there."""
    assert machine("read", arch=0x4000_0003) == KILL
    if machine.wide:
        assert machine(0x4000_0000 | 59) == ENOSYS


@pytest.mark.parametrize(
    ("url", "families", "ports"),
    [
        ("x.ts", (), ()),
        ("-", (), ()),
        ("udp://:5000", NETWORK, ()),
        ("https://h/x", NETWORK, ()),
        ("rtsp://camera.local/x", (*NETWORK, socket.AF_UNIX), (0,)),
        ("tcp://0.0.0.0:5000?listen=1", NETWORK, (5000,)),
    ],
)
def test_each_kind_keeps_what_it_needs(url, families, ports, monkeypatch):
    """Sockets and ports; where the kernel cannot confine it, it logs that and continues."""
    kept, logged = [], []

    def refuse(families, *, listens):
        assert listens == bool(ports)
        kept.append(families)
        return "no filter"

    monkeypatch.setattr(confine_module, "hide_memory", lambda: None)
    monkeypatch.setattr(confine_module, "take_no_rights", lambda: None)
    monkeypatch.setattr(confine_module, "keep_capabilities", lambda wanted: None)
    monkeypatch.setattr(confine_module, "restrict", lambda paths, ports: kept.append(tuple(ports)) or "no Landlock")
    monkeypatch.setattr(confine_module, "refuse_calls", refuse)
    monkeypatch.setattr(confine_module.LOG, "info", lambda text, why: logged.append(why))

    confine(Url.parse(url), {"ca_file": None, "follow": False})

    assert kept == [ports, families]
    assert logged == ["no Landlock", "no filter"]


@pytest.mark.parametrize(
    ("version", "fields"),
    [
        (1, [(1 << 13) - 1]), (2, [(1 << 14) - 1]), (3, [(1 << 15) - 1]), (4, [(1 << 15) - 1, 1]),
        (5, [(1 << 16) - 1, 1]), (6, [(1 << 16) - 1, 1, 3]), (7, [(1 << 16) - 1, 1, 3]),
    ],
)  # fmt: skip
def test_landlock_is_used_in_the_version_of_the_kernel(version, fields, tmp_path, monkeypatch):
    """An older kernel refuses unknown fields; ports since 4, signals and sockets since 6."""
    asked = []

    class Kernel:
        def syscall(self, number, *args):
            if args[0] is None:
                return version
            asked.append((number.value, args[1]))
            if number.value == 444:
                asked[-1] = number.value, list(struct.unpack(f"={len(args[0]) // 8}Q", args[0]))
                return os.open(tmp_path, os.O_RDONLY)
            return 0

    monkeypatch.setattr(landlock.ctypes, "CDLL", lambda *_, **__: Kernel())

    assert landlock.restrict([str(tmp_path), "/nowhere"], [0]) == ""

    folder, port = 1, 2
    assert asked == [(444, fields), (445, folder), *([(445, port)] if version >= 4 else []), (446, 0)]


def test_a_kernel_without_landlock_is_reported(monkeypatch):
    """With its error text; nothing further is tried."""

    class Kernel:
        def syscall(self, *_):
            ctypes.set_errno(errno.ENOSYS)
            return -1

    monkeypatch.setattr(landlock.ctypes, "CDLL", lambda *_, **__: Kernel())

    assert "Function not implemented" in landlock.restrict(["/"], [])


@pytest.mark.parametrize("folder", ["a b", "é", "deep/er"])
async def test_a_file_is_read_wherever_it_is(folder, tmp_path, monkeypatch):
    """By a relative path, through a link, by an absolute path."""
    place = tmp_path / folder
    place.mkdir(parents=True)
    (place / "tape.ts").write_bytes(TAPE.ts)
    (tmp_path / "link.ts").symlink_to(place / "tape.ts")
    monkeypatch.chdir(tmp_path)

    for path in f"{folder}/tape.ts", str(tmp_path / "link.ts"), "link.ts":
        assert len(await records(isolated(path))) == len(TAPE.klv)
