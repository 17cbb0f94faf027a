"""Sinks without messages: JSON Lines or KLV packets over TCP, UDP or a Unix socket, or on standard output.

    framing.py   the bytes of a publication    byte_stream.py   TCP and Unix sockets
    datagrams.py UDP                           output.py        standard output
    progress.py  sends for as long as the far end takes bytes
"""

from __future__ import annotations

from klvrelay.config.sinks.far_end import FarEndSettings
from klvrelay.config.sinks.lines import LinesSettings
from klvrelay.sinks.publishing.far_end import FarEnd


def check(settings: FarEndSettings) -> None:
    """Nothing can be missing."""


def far_end(settings: FarEndSettings) -> FarEnd:
    """The far end, not connected yet."""
    from klvrelay.sinks.lines.byte_stream import SocketStream
    from klvrelay.sinks.lines.datagrams import Datagrams
    from klvrelay.sinks.lines.output import StandardOutput

    assert isinstance(settings, LinesSettings)
    match settings.carrier:
        case "udp":
            return Datagrams(settings)
        case "stdout":
            return StandardOutput(settings)
        case _:
            return SocketStream(settings)
