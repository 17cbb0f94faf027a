"""What a source is: the contract that all kinds keep."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Literal, Protocol

from klvrelay.config.url import Url

if TYPE_CHECKING:
    from klvrelay.link_stats import LinkStats
    from klvrelay.record import Packet, Units

KINDS = "a file, - (standard input), udp://, rtp://, tcp://, srt://, rtsp://, rtsps://, http://, https://"
"""The kinds of source, for a message."""


Demux = Literal["native", "libav"]


class Source(Protocol):
    """Something that yields packets.

    url      where it is; prints without credentials
    live     newest wins: it can't wait, and its end is worth a reconnect. Not live: the reader may wait, and
             its end is the end. Settled for good once the first packet is out
    fixed    what is in it was settled when it was opened: KLV that appears or moves later is never delivered, so
             when its KLV stops it is worth opening anew
    dropped  datagrams or packets it had to let go so far, since the reader was too slow
    link     all that the line told so far; up to date whenever it is asked for
    """

    @property
    def url(self) -> Url: ...
    @property
    def live(self) -> bool: ...
    @property
    def fixed(self) -> bool: ...
    @property
    def dropped(self) -> int: ...
    @property
    def link(self) -> LinkStats: ...

    def packets(self) -> AsyncGenerator[Packet | Units, None]:
        """Packets, or finished KLV units, until the source ends; raises SourceDown or NotMedia.

        A packet without data says: here the source begins anew (a loop of a replay); what the decoder holds
        is complete, and no counter goes on. The same marked damaged says: bytes were lost here.

        `aclose()` on the generator, or the cancelling of its task, frees sockets and files at once and a
        libav thread within 2 x timeout + 1 s.
        """
        ...
