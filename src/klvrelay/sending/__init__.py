"""Where `klvrelay send` sends to: one file a kind of far end, one contract; next door, `verbs/send.py` starts it.

    reel.py     a file, a folder of segments or standard input, as bytes with the second each is due at
    cut.py      those bytes in datagrams
    impair.py   a bad wire on purpose
    pacing.py   all of it together, in time
    udp.py      udp:// and rtp://        tcp.py   tcp://        srt.py   srt://

A line knows nothing of files, of time, or of damage.
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
"""The kinds of far end, for a message."""


class Destination(Protocol):
    """A way to a far end, open from `async with` to its end.

    url        where it is; prints without credentials
    lossy      a datagram on it may be lost, doubled or overtaken; else all come, in order, or the line breaks
    waits      it is the far end that connects: when that has gone, another may come
    troubles   datagrams that could not be sent, and it went on
    """

    @property
    def url(self) -> Url: ...
    @property
    def lossy(self) -> bool: ...
    @property
    def waits(self) -> bool: ...
    @property
    def troubles(self) -> int: ...

    async def __aenter__(self) -> Self:
        """Connect, or wait for the far end to; raises SourceDown."""
        ...

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def frame(self, payload: bytes, seconds: float) -> bytes:
        """What goes on the line for this payload, due so many seconds after the first."""
        ...

    async def send(self, datagram: bytes) -> None:
        """Hand it to the kernel; raises SourceDown where the far end has gone for good."""
        ...


def open_destination(url: Url, *, timeout: float = 5.0, interface: str | None = None) -> Destination:
    """The line that `url` names; nothing is opened before it is entered.

    timeout     seconds to wait for a connection, and for the far end to take the last bytes
    interface   name or address of the network interface that multicast goes out of

    Raises ConfigError for a scheme or an option that it does not know.
    """
    if timeout <= 0:
        raise ConfigError(f"timeout {timeout}: give seconds above 0")
    match url.scheme:
        case "udp" | "rtp":
            return UdpDestination(url, timeout=timeout, interface=interface)
        case _ if interface is not None:
            raise ConfigError(f"{url}: an interface is chosen for udp:// and rtp:// only")
        case "tcp":
            return TcpDestination(url, timeout=timeout)
        case "srt":
            return SrtDestination(url, timeout=timeout)
        case "file" | "stdin":
            raise ConfigError(f"{url} is no place to send to: give {KINDS}, as in udp://127.0.0.1:5000")
        case scheme:
            raise ConfigError(f"{scheme}:// is not a kind of far end that klvrelay sends to: give {KINDS}")
