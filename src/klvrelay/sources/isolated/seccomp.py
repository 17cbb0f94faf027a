"""Let the kernel refuse system calls that a source does not need (seccomp(2)), irrevocably.

    another architecture's      the process ends (x86_64's 32-bit numbers: ENOSYS)
    `_REFUSED`                  EPERM: other programs, other processes' memory, mounts, namespaces, keys, modules,
                                clocks, memory that no limit counts; file owners and permissions (Landlock does not
                                cover them), folder notifications; priorities of other processes
    clone3                      ENOSYS, so that the C library uses clone, which is permitted for threads
    kill, tgkill                EPERM except for the process itself
    socket                      EAFNOSUPPORT except for the families that the source needs; EPERM for raw packets, for
                                protocols other than TCP and UDP, and for netlink other than addresses and routes
    listen                      EPERM except for a source that listens (Landlock only restricts a TCP bind)
    socketpair                  EPERM except for streams: datagram pairs can be connected elsewhere
    fcntl                       EPERM for setting the receiver of a descriptor's signals
    ioctl                       ENOTTY except for the requests that a source uses
    setsockopt                  EPERM for the tables of packet filters
    prlimit64, prctl, mmap      EPERM for a new limit, for outliving the relay, for shared memory

A filter is a program of 8-byte instructions over `struct seccomp_data`:

    0 nr (4)   4 arch (4)   8 instruction pointer (8)   16 args (6 x 8)
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import socket
import struct
from collections.abc import Collection
from typing import NamedTuple

_SET_MODE_FILTER, _TSYNC = 1, 1
_KILL, _ERRNO, _ALLOW = 0x8000_0000, 0x0005_0000, 0x7FFF_0000
_LOAD, _AND, _RETURN = 0x20, 0x54, 0x06
_IF_EQUAL, _IF_LEAST, _IF_ANY = 0x15, 0x35, 0x45
_ARCH, _ARGS = 4, 16
_X32 = 0x4000_0000
_CLONE_THREAD, _SHARED_ANONYMOUS, _PDEATHSIG = 0x10000, 0x21, 1


class Machine(NamedTuple):
    """arch    AUDIT_ARCH_*; column   of `_NUMBERS`; wide   its numbers include those of x32"""

    arch: int
    column: int
    wide: bool


_MACHINES = {"x86_64": Machine(0xC000003E, 0, True), "aarch64": Machine(0xC00000B7, 1, False)}

# From unistd.h: x86_64, aarch64.
_REFUSED = {
    "execve": (59, 221), "execveat": (322, 281), "fork": (57, None), "vfork": (58, None), "uselib": (134, None),
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271),
    "process_madvise": (440, 440), "process_mrelease": (448, 448), "kcmp": (312, 272),
    "pidfd_open": (434, 434), "pidfd_getfd": (438, 438), "pidfd_send_signal": (424, 424),
    "tkill": (200, 130), "rt_sigqueueinfo": (129, 138), "rt_tgsigqueueinfo": (297, 240),
    "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "chroot": (161, 51), "fsopen": (430, 430),
    "fsconfig": (431, 431), "fsmount": (432, 432), "fspick": (433, 433), "open_tree": (428, 428),
    "open_tree_attr": (467, 467), "move_mount": (429, 429), "mount_setattr": (442, 442),
    "setns": (308, 268), "unshare": (272, 97), "bpf": (321, 280), "perf_event_open": (298, 241),
    "add_key": (248, 217), "request_key": (249, 218), "keyctl": (250, 219),
    "io_uring_setup": (425, 425), "io_uring_enter": (426, 426), "io_uring_register": (427, 427),
    "userfaultfd": (323, 282), "kexec_load": (246, 104), "kexec_file_load": (320, 294),
    "init_module": (175, 105), "finit_module": (313, 273), "delete_module": (176, 106),
    "open_by_handle_at": (304, 265), "name_to_handle_at": (303, 264), "fanotify_init": (300, 262),
    "reboot": (169, 142), "swapon": (167, 224), "swapoff": (168, 225), "acct": (163, 89), "quotactl": (179, 60),
    "quotactl_fd": (443, 443), "syslog": (103, 116), "settimeofday": (164, 170), "clock_settime": (227, 112),
    "clock_adjtime": (305, 266), "adjtimex": (159, 171), "sethostname": (170, 161), "setdomainname": (171, 162),
    "iopl": (172, None), "ioperm": (173, None), "modify_ldt": (154, None), "vhangup": (153, 58),
    "personality": (135, 92), "mknod": (133, None), "mknodat": (259, 33), "setrlimit": (160, 164),
    "memfd_secret": (447, 447), "shmget": (29, 194), "shmat": (30, 196), "mq_open": (240, 180), "msgget": (68, 186),
    "semget": (64, 190),
    "msgsnd": (69, 189), "msgrcv": (70, 188), "msgctl": (71, 187), "semop": (65, 193), "semctl": (66, 191),
    "semtimedop": (220, 192), "shmctl": (31, 195), "mq_unlink": (241, 181),
    "inotify_init": (253, None), "inotify_init1": (294, 26), "inotify_add_watch": (254, 27),
    "chmod": (90, None), "fchmod": (91, 52), "fchmodat": (268, 53), "fchmodat2": (452, 452), "chown": (92, None),
    "fchown": (93, 55), "lchown": (94, None), "fchownat": (260, 54), "utime": (132, None), "utimes": (235, None),
    "futimesat": (261, None), "utimensat": (280, 88), "setxattr": (188, 5), "lsetxattr": (189, 6),
    "fsetxattr": (190, 7), "removexattr": (197, 14), "lremovexattr": (198, 15), "fremovexattr": (199, 16),
    "setxattrat": (463, 463), "removexattrat": (466, 466), "file_setattr": (469, 469), "truncate": (76, 45),
    "setpriority": (141, 140), "ioprio_set": (251, 30), "sched_setparam": (142, 118), "sched_setscheduler": (144, 119),
    "sched_setaffinity": (203, 122), "sched_setattr": (314, 274), "migrate_pages": (256, 238), "move_pages": (279, 239),
}  # fmt: skip
_CLONE, _CLONE3, _KILL_ONE, _TGKILL = (56, 220), (435, 435), (62, 129), (234, 131)
_SOCKET, _LISTEN, _PAIR, _SETSOCKOPT = (41, 198), (50, 201), (53, 199), (54, 208)
_FCNTL, _IOCTL = (72, 25), (16, 29)
_PRLIMIT, _PRCTL, _MMAP, _SECCOMP = (302, 261), (157, 167), (9, 222), (317, 277)
_TYPE, _STREAM, _DATAGRAM = 0xF, 1, 2  # of a socket type, the bits that are not flags
_ROUTES = 0  # NETLINK_ROUTE
_PROTOCOLS = (0, socket.IPPROTO_TCP, socket.IPPROTO_UDP)
_OWNERS = (8, 10, 15)
"""F_SETOWN, F_SETSIG, F_SETOWN_EX."""
_QUERIES = (
    0x5401, 0x5411, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451,
    0x8910, 0x8912, 0x8913, 0x8915, 0x891B, 0x8921, 0x8927, 0x8933,
)  # fmt: skip
"""ioctl: is it a terminal, bytes available, non-blocking, close on exec; an interface's name, address, index."""
_FILTERS = (64, 65)
"""IPT_SO_SET_REPLACE and the next one; for IPv4, all higher ones are of the same kind (arptables, ebtables, IPVS)."""


def refuse_calls(families: Collection[int], *, listens: bool) -> str:
    """Install the filter in all threads, irrevocably.

    families   of sockets that may be created
    listens    whether they may listen

    Returns "", or the reason why there is no filter.
    """
    machine = _MACHINES.get(platform.machine()) if struct.calcsize("P") == 8 else None
    if machine is None:
        return f"no system call filter for {platform.machine()}"
    code = program(machine, families, os.getpid(), listens=listens)
    buffer = ctypes.create_string_buffer(code, len(code))
    # struct sock_fprog: unsigned short, padding, a pointer
    head = struct.pack("@HP", len(code) // 8, ctypes.addressof(buffer))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.syscall(ctypes.c_long(_SECCOMP[machine.column]), _SET_MODE_FILTER, _TSYNC, head) == 0:
        return ""
    return f"the kernel rejects the system call filter: {os.strerror(ctypes.get_errno())}"


def program(machine: Machine, families: Collection[int], pid: int, *, listens: bool) -> bytes:
    """The filter's instructions."""
    column = machine.column
    eperm, enosys = _refuse(errno.EPERM), _refuse(errno.ENOSYS)
    code = _load(_ARCH) + _jump(_IF_EQUAL, machine.arch, 1, 0) + _return(_KILL) + _load(0)
    if machine.wide:
        code += _jump(_IF_LEAST, _X32, 0, 1) + enosys
    for numbers in _REFUSED.values():
        if (number := numbers[column]) is not None:
            code += _case(number, eperm)
    code += _case(_CLONE3[column], enosys)
    code += _case(_CLONE[column], _argument(0) + _unless(_jump(_IF_ANY, _CLONE_THREAD, 1, 0), eperm))
    for call in _KILL_ONE, _TGKILL:
        code += _case(call[column], _argument(0) + _unless(_jump(_IF_EQUAL, pid, 1, 0), eperm))
    code += _case(_SOCKET[column], _sockets(families))
    if not listens:
        code += _case(_LISTEN[column], eperm)
    code += _case(_PAIR[column], _argument(1) + _step(_AND, _TYPE) + _unless(_jump(_IF_EQUAL, _STREAM, 1, 0), eperm))
    code += _case(_FCNTL[column], _argument(1) + _any_of(_OWNERS, eperm) + _return(_ALLOW))
    code += _case(_IOCTL[column], _argument(1) + _any_of(_QUERIES, _return(_ALLOW)) + _refuse(errno.ENOTTY))
    code += _case(_SETSOCKOPT[column], _options(eperm))
    is_null = _argument(2) + _jump(_IF_EQUAL, 0, 1, 0) + eperm
    is_null += _argument(2, high=True) + _jump(_IF_EQUAL, 0, 1, 0) + eperm
    code += _case(_PRLIMIT[column], is_null + _return(_ALLOW))
    code += _case(_PRCTL[column], _argument(0) + _unless(_jump(_IF_EQUAL, _PDEATHSIG, 0, 1), eperm))
    both = _argument(3) + _step(_AND, _SHARED_ANONYMOUS)
    code += _case(_MMAP[column], both + _unless(_jump(_IF_EQUAL, _SHARED_ANONYMOUS, 0, 1), eperm))
    return code + _return(_ALLOW)


def _sockets(families: Collection[int]) -> bytes:
    """socket(family, type, protocol): datagrams and streams of these families; of netlink only routes."""
    eperm = _refuse(errno.EPERM)
    netlink = _argument(2) + _unless(_jump(_IF_EQUAL, _ROUTES, 1, 0), eperm)
    of_type = _argument(1) + _step(_AND, _TYPE) + _any_of((_STREAM, _DATAGRAM), _return(_ALLOW)) + eperm
    over_ip = _argument(2) + _none_of(_PROTOCOLS, eperm) + of_type
    blocks: dict[int, bytes] = {socket.AF_NETLINK: netlink, socket.AF_INET: over_ip, socket.AF_INET6: over_ip}
    code = _argument(0)
    for family in sorted(families):
        block = blocks.get(family, of_type)
        code += _jump(_IF_EQUAL, family, 0, len(block) // 8) + block
    return code + _refuse(errno.EAFNOSUPPORT)


def _options(refusal: bytes) -> bytes:
    """setsockopt(descriptor, level, name): all except the tables of packet filters, whatever the privileges."""
    over_ipv4 = _argument(2) + _unless(_jump(_IF_LEAST, _FILTERS[0], 0, 1), refusal)
    over_ipv6 = _argument(2) + _any_of(_FILTERS, refusal) + _return(_ALLOW)
    code = _argument(1) + _jump(_IF_EQUAL, socket.IPPROTO_IP, 0, len(over_ipv4) // 8) + over_ipv4
    return code + _jump(_IF_EQUAL, socket.IPPROTO_IPV6, 0, len(over_ipv6) // 8) + over_ipv6 + _return(_ALLOW)


def _any_of(values: Collection[int], action: bytes) -> bytes:
    """The action if the loaded value is one of these."""
    return b"".join(_jump(_IF_EQUAL, value, 0, 1) + action for value in values)


def _none_of(values: Collection[int], refusal: bytes) -> bytes:
    """The refusal if the loaded value is none of these; otherwise continue."""
    left = range(len(values), 0, -1)
    return b"".join(_jump(_IF_EQUAL, value, n, 0) for n, value in zip(left, values, strict=True)) + refusal


def _step(code: int, value: int, yes: int = 0, no: int = 0) -> bytes:
    """struct sock_filter."""
    return struct.pack("=HBBI", code, yes, no, value)


def _load(offset: int) -> bytes:
    return _step(_LOAD, offset)


def _argument(number: int, *, high: bool = False) -> bytes:
    """Half of an argument; both machines are little-endian."""
    return _load(_ARGS + 8 * number + 4 * high)


def _jump(code: int, value: int, yes: int, no: int) -> bytes:
    """Instructions to skip if the test succeeds, and if it fails."""
    return _step(code, value, yes, no)


def _return(action: int) -> bytes:
    return _step(_RETURN, action)


def _refuse(number: int) -> bytes:
    return _return(_ERRNO | number)


def _unless(test: bytes, refusal: bytes) -> bytes:
    """`test` skips the refusal if the call is permitted."""
    return test + refusal + _return(_ALLOW)


def _case(number: int, block: bytes) -> bytes:
    """The block, which returns, for one system call."""
    return _jump(_IF_EQUAL, number, 0, len(block) // 8) + block


NETWORK = (socket.AF_INET, socket.AF_INET6, socket.AF_NETLINK)
"""Families of a network source; the resolver queries the kernel's addresses over netlink."""
