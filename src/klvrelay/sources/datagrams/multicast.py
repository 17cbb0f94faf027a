"""Join multicast groups."""

from __future__ import annotations

import errno
import ipaddress
import socket
import struct

from klvrelay.transports.address import Address, interface_of

# Linux constants that Python 3.11 does not define.
_IP_ADD_SOURCE_MEMBERSHIP = 39
_MCAST_JOIN_SOURCE_GROUP = 46
_IP_MULTICAST_ALL = 49


def join(
    sock: socket.socket, group: Address, interface: str | None, senders: list[Address], *, again: bool = False
) -> None:
    """Join `group` on `interface` (a name or an address; None: the system's choice).

    With `senders`, only their datagrams are received (SSM, RFC 4607). `again`: the group was joined before, which is
    not an error. Raises OSError, or SourceDown if the interface does not exist.
    """
    index, address = interface_of(interface)
    if isinstance(group, ipaddress.IPv4Address):
        _join_ipv4(sock, group, index, address, senders, again)
    else:
        _join_ipv6(sock, group, index, senders, again)


def _join_ipv4(
    sock: socket.socket, group: Address, index: int, address: bytes, senders: list[Address], again: bool
) -> None:
    # Otherwise the socket would also receive groups joined by other programs.
    sock.setsockopt(socket.IPPROTO_IP, _IP_MULTICAST_ALL, 0)
    for sender in senders:
        request = group.packed + address + sender.packed
        _ask(sock, socket.IPPROTO_IP, _IP_ADD_SOURCE_MEMBERSHIP, request, again)
    if not senders:
        request = struct.pack("=4s4si", group.packed, address, index)
        _ask(sock, socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, request, again)


def _join_ipv6(sock: socket.socket, group: Address, index: int, senders: list[Address], again: bool) -> None:
    for sender in senders:
        request = struct.pack("@I4x128s128s", index, _sockaddr(group), _sockaddr(sender))
        _ask(sock, socket.IPPROTO_IPV6, _MCAST_JOIN_SOURCE_GROUP, request, again)
    if not senders:
        request = group.packed + struct.pack("@I", index)
        _ask(sock, socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, request, again)


def _ask(sock: socket.socket, level: int, option: int, request: bytes, again: bool) -> None:
    try:
        sock.setsockopt(level, option, request)
    except OSError as fault:
        # The kernel's errors for a group, and for a sender, that is already joined.
        if not (again and fault.errno in (errno.EADDRINUSE, errno.EADDRNOTAVAIL)):
            raise


def _sockaddr(address: Address) -> bytes:
    """A `struct sockaddr_in6` without port, flow and scope."""
    return struct.pack("@HHI16sI", socket.AF_INET6, 0, 0, address.packed, 0)
