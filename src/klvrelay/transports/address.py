"""Resolve datagram addresses and network interfaces, and open UDP sockets."""

from __future__ import annotations

import fcntl
import ipaddress
import socket
import struct

from klvrelay.errors import SourceDown
from klvrelay.text import printable
from klvrelay.transports import resolver

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_SIOCGIFADDR = 0x8915


async def resolve(host: str, timeout: float) -> Address:
    """Resolve a host name or an IP address; raises SourceDown if that fails within `timeout` seconds."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        pass
    try:
        found = await resolver.SOURCES.resolve(host, 0, timeout=timeout)
    except OSError:
        raise SourceDown(f"unknown host name {printable(host)}") from None
    return ipaddress.ip_address(found[0].host)


def socket_for(host: Address) -> socket.socket:
    """A non-blocking datagram socket of the host's address family."""
    family = socket.AF_INET if host.version == 4 else socket.AF_INET6
    return socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)


def place(host: Address, port: int, scope: int) -> tuple[str, int] | tuple[str, int, int, int]:
    """The address tuple that `bind` and `connect` expect; `scope` is the interface index, for IPv6."""
    if host.version == 4:
        return str(host), port
    return str(host).partition("%")[0], port, 0, scope


def bind_to_device(sock: socket.socket, index: int) -> None:
    """Restrict the socket to one interface."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, socket.if_indextoname(index).encode())


def interface_of(interface: str | None) -> tuple[int, bytes]:
    """The index of an interface, given by name or address, and its IPv4 address (0 and 0.0.0.0 for None).

    Raises SourceDown if the interface does not exist.
    """
    if interface is None:
        return 0, bytes(4)
    names = {name: index for index, name in socket.if_nameindex()}
    if interface in names:
        return names[interface], _ipv4_of(interface)
    for name, index in names.items():
        if _ipv4_of(name) == _pack(interface):
            return index, _ipv4_of(name)
    raise SourceDown(f"no network interface {interface}; available: {', '.join(names)}")


def _pack(address: str) -> bytes | None:
    try:
        return ipaddress.ip_address(address).packed
    except ValueError:
        return None


def _ipv4_of(name: str) -> bytes:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        request = struct.pack("16s16x8x", name.encode()[:15])
        try:
            return fcntl.ioctl(sock, _SIOCGIFADDR, request)[20:24]
        except OSError:
            return bytes(4)


def datagram_sender(host: Address, port: int, interface: str | None = None, ttl: int | None = None) -> socket.socket:
    """A non-blocking socket that sends datagrams to an address, a group or a broadcast address.

    interface   name or address of the network interface that sends; ttl: routers that a datagram may pass

    Raises SourceDown if the interface does not exist, and OSError.
    """
    sock = socket_for(host)
    try:
        _set_options(sock, host, interface, ttl)
        sock.connect(place(host, port, interface_of(interface or getattr(host, "scope_id", None))[0]))
    except BaseException:
        sock.close()
        raise
    return sock


def _set_options(sock: socket.socket, host: Address, interface: str | None, ttl: int | None) -> None:
    """Set the outgoing interface and the time to live."""
    index, address = interface_of(interface)
    if host.version == 4:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        if host.is_multicast and index:
            where = struct.pack("=4s4si", bytes(4), address, index)
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, where)
        if ttl is not None:
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, max(1, ttl))
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, ttl)
    else:
        if host.is_multicast and index:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
        if ttl is not None:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, ttl)
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, ttl)
    if index and not host.is_multicast:
        bind_to_device(sock, index)
