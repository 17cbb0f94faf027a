"""The contract of all sources."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Literal, Protocol

from klvrelay.config.url import Url

if TYPE_CHECKING:
    from klvrelay.link_stats import LinkStats
    from klvrelay.record import Packet, Units

KINDS = "a file, - (standard input), udp://, rtp://, tcp://, srt://, rtsp://, rtsps://, http://, https://"
"""Supported kinds of source, for messages."""


Demux = Literal["native", "libav"]


class Source(Protocol):
    """Yields packets.

    url      where it is; prints without credentials
    live     if true, the source cannot wait, drops the oldest packets, and its end calls for a reconnect. If false, the
             reader may wait, and its end is final. Fixed once the first packet is out
    fixed    its streams are fixed when it is opened: KLV that appears or moves later is never delivered, so when
             its KLV stops it should be reopened
    dropped  datagrams or packets dropped so far because the reader was too slow
    link     transport statistics so far; always up to date
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
        """Packets, or complete KLV units, until the source ends; raises SourceDown or NotMedia.

        A packet without data marks a restart of the source (a new round of a replay): what the decoder holds is
        complete, and continuity counters start over. If it is also marked damaged, bytes were lost at this point.

        `aclose()` on the generator, or cancelling its task, frees sockets and files at once and a libav thread within
        2 x timeout + 1 s.
        """
        ...
