"""Finds sources that would receive on the same port, before anything starts."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from klvrelay.config.settings import SourceSettings
from klvrelay.config.url import Url
from klvrelay.errors import ConfigError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

ANY: tuple[Address, ...] = ipaddress.IPv4Address(0), ipaddress.IPv6Address(0)


class _Port(NamedTuple):
    """Where a source receives. `interface` is "" for any."""

    protocol: str
    address: Address
    number: int
    interface: str


class _Bound(NamedTuple):
    """A source, its number, and where it receives."""

    number: int
    url: Url
    port: _Port


_ByAddress = dict[Address, list[_Bound]]


def check_ports(sources: Sequence[SourceSettings]) -> None:
    """Raise ConfigError if two sources receive on the same address and port. Host names are not compared."""
    if found := next(collisions(sources), None):
        raise ConfigError(found[1])


def collisions(sources: Sequence[SourceSettings]) -> Iterator[tuple[int, str]]:
    """The number of each source that receives on the address and port of an earlier one, and the error."""
    earlier: dict[tuple[str, int], _ByAddress] = {}
    for number, source in enumerate(sources):
        if (port := _port_of(source)) is None:
            continue
        others = earlier.setdefault((port.protocol, port.number), {})
        found = (one for one in _candidates(others, port.address) if _collide(one.port, port))
        if (first := min(found, key=lambda one: one.number, default=None)) is not None:
            yield number, f"{first.url} and {source.url} receive on the same port; give them different ports"
        others.setdefault(port.address, []).append(_Bound(number, source.url, port))


def _candidates(bound: _ByAddress, address: Address) -> Iterator[_Bound]:
    """Those that may collide with a socket of this address, and few others."""
    addresses = bound if address.is_unspecified else ANY if address.is_multicast else (address, *ANY)
    return (one for each in addresses for one in bound.get(each, ()))


def _port_of(source: SourceSettings) -> _Port | None:
    """None: the source binds no fixed port, or its host is a name."""
    url = source.url
    options = url.options if url.scheme in ("udp", "rtp", "tcp", "srt") else {}
    binds = {
        "udp": True,
        "rtp": True,
        "tcp": options.get("listen") == "1",
        "srt": options.get("mode", "" if url.host else "listener") in ("listener", "server"),
    }
    if url.port is None or not binds.get(url.scheme, False):
        return None
    try:
        address = ipaddress.ip_address(url.host or "0.0.0.0")
    except ValueError:
        return None
    interface = source.interface or options.get("interface") or options.get("localaddr") or ""
    return _Port("tcp" if url.scheme == "tcp" else "udp", address, url.port, interface)


def _collide(one: _Port, other: _Port) -> bool:
    """Does the kernel refuse the second of these, which have the same number? Several sockets may receive the same
    multicast group.
    """
    if one.address.is_multicast and other.address.is_multicast:
        return False
    if one.interface and other.interface and one.interface != other.interface:
        return False
    return one.address == other.address or _covers(one.address, other.address) or _covers(other.address, one.address)


def _covers(address: Address, other: Address) -> bool:
    """Is it the unspecified address that includes the other? `::` includes IPv4."""
    return address.is_unspecified and (address.version == 6 or other.version == 4)
