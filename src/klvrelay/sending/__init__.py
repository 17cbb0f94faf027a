"""The destinations of `klvrelay send`: one file per protocol, one contract.

    playback.py       a file, a folder of segments or standard input, as bytes with the second at which each is due
    datagrams.py      those bytes in datagrams
    discontinuity.py  marks the repetitions of a loop
    impair.py         simulated network impairment
    pacing.py         sends the datagrams, each when it is due
    udp.py            udp:// and rtp://
    tcp.py            tcp://
    srt.py            srt://
    errors.py         errors of destinations
"""

from __future__ import annotations

from types import TracebackType
from typing import Protocol, Self

from klvrelay.config.url import Url
from klvrelay.errors import ConfigError
from klvrelay.sending.srt import SrtDestination
from klvrelay.sending.tcp import TcpDestination
from klvrelay.sending.udp import UdpDestination

__all__ = ["KINDS", "Destination", "open_destination"]

KINDS = "udp://, rtp://, tcp://, srt://"
"""Supported destinations, for messages."""


class Destination(Protocol):
    """A connection to a destination, open inside `async with`.

    url        where it is; prints without credentials
    lossy      datagrams may be lost, duplicated or reordered; otherwise all arrive in order, or the connection fails
    listens    the far end connects to us; after a disconnect, another may connect
    unsent     datagrams that could not be sent without ending the transmission
    """

    @property
    def url(self) -> Url: ...
    @property
    def lossy(self) -> bool: ...
    @property
    def listens(self) -> bool: ...
    @property
    def unsent(self) -> int: ...

    async def __aenter__(self) -> Self:
        """Connect, or wait for the far end to connect; raises SourceDown."""
        ...

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def frame(self, payload: bytes, seconds: float) -> bytes:
        """The bytes to send for this payload, due at `seconds` after the first."""
        ...

    async def send(self, datagram: bytes) -> None:
        """Pass a datagram to the kernel; raises SourceDown if the far end has disconnected."""
        ...


def open_destination(url: Url, *, timeout: float = 5.0, interface: str | None = None) -> Destination:
    """The destination for `url`; nothing is opened before `async with`.

    timeout     seconds to wait for a connection, and for the far end to take the last bytes
    interface   name or address of the network interface for multicast

    Raises ConfigError for an unknown scheme or option.
    """
    if timeout <= 0:
        raise ConfigError(f"timeout {timeout}: give seconds above 0")
    match url.scheme:
        case "udp" | "rtp":
            return UdpDestination(url, timeout=timeout, interface=interface)
        case _ if interface is not None:
            raise ConfigError(f"{url}: an interface can only be set for udp:// and rtp://")
        case "tcp":
            return TcpDestination(url, timeout=timeout)
        case "srt":
            return SrtDestination(url, timeout=timeout)
        case "file" | "stdin":
            raise ConfigError(f"{url} is not a destination: give {KINDS}, as in udp://127.0.0.1:5000")
        case scheme:
            raise ConfigError(f"{scheme}:// is not a supported destination: give {KINDS}")
