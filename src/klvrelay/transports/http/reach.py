"""Limit the addresses that a server may redirect to: none may be nearer to this machine than the server itself.

A playlist or a redirect may name any address, and this machine reaches some that the server does not: local services,
a cloud's 169.254.169.254, the private network. RTSP redirects are subject to the same limits.
"""

from __future__ import annotations

import ipaddress
import socket
import time

from klvrelay.threads import Pulse
from klvrelay.transports import resolver
from klvrelay.transports.http.faults import WebFault
from klvrelay.transports.resolver import Endpoint

PUBLIC, PRIVATE, LINK, MACHINE = range(4)
BURST, RATE = 32, 8.0
"""Requests to origins other than the URL's: maximum burst, then requests per second."""
OWN_BURST, OWN_RATE = 400, 200.0
STEPS = 4
"""Time-outs that one request may take: name, connection, TLS, response."""


def nearness(address: str) -> int:
    """How near an IP address is: PUBLIC, PRIVATE, LINK (link-local) or MACHINE (loopback and equivalents)."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    ip = getattr(ip, "ipv4_mapped", None) or ip
    if ip.is_loopback or ip.is_unspecified:
        return MACHINE
    if ip.is_link_local:
        return LINK
    return PUBLIC if ip.is_global else PRIVATE


class Reach:
    """The connections of one source. The first, to the URL's host, limits how near the others may be.

    pulse   of the thread that connects: each address has its time-out
    """

    def __init__(self, pulse: Pulse | None = None) -> None:
        self._nearest: int | None = None
        self._pulse = Pulse() if pulse is None else pulse

    def set_proxied(self) -> None:
        """The URL's host is behind a proxy, so its distance is unknown."""
        self._nearest = PUBLIC

    def connect(self, where: tuple[str, int], timeout: float, source: object = None) -> socket.socket:
        """Like `socket.create_connection`; raises WebFault if all addresses of the name are too near."""
        host, port = where
        fault: OSError | WebFault | None = None
        for place in resolver.SOURCES.lookup(host, port, timeout=timeout):
            near = nearness(place.host)
            if self._nearest is not None and near > self._nearest:
                fault = fault or WebFault(
                    "it leads to an address on this machine or its network, which is not allowed for a remote server",
                    "refused",
                )  # fmt: skip
                continue
            self._pulse.expect(STEPS * timeout)
            try:
                found = _connection(place, timeout)
            except OSError as failed:
                fault = failed
                continue
            self._nearest = near if self._nearest is None else self._nearest
            return found
        raise fault or OSError("the name has no address")


def connect_directly(where: tuple[str, int], timeout: float, source: object = None) -> socket.socket:
    """Like `socket.create_connection`, without limits: for a proxy set in the environment."""
    fault: OSError | None = None
    for place in resolver.SOURCES.lookup(*where, timeout=timeout):
        try:
            return _connection(place, timeout)
        except OSError as failed:
            fault = failed
    raise fault or OSError("the name has no address")


def _connection(place: Endpoint, timeout: float) -> socket.socket:
    sock = socket.socket(place.family, place.kind)
    try:
        sock.settimeout(timeout)
        sock.connect(place.address)
    except BaseException:
        sock.close()
        raise
    return sock


class RequestRate:
    """A rate limit: an initial burst, then a number of requests per second."""

    def __init__(self, burst: float, rate: float) -> None:
        self._left, self._burst, self._rate = burst, burst, rate
        self._at = time.monotonic()

    def take(self) -> float:
        """Take one request; returns the seconds to wait before it is sent."""
        now = time.monotonic()
        self._left = min(self._burst, self._left + (now - self._at) * self._rate) - 1
        self._at = now
        return max(0.0, -self._left / self._rate)
