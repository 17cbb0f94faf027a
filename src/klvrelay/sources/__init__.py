"""Where packets come from: one file a kind, one contract; next door, `relay.py` runs and restarts them.

    file.py     a file or standard input, as fast as the reader takes it
    growing.py  a file that is still written         folder.py: a recorder's segments, their names and order
    replay.py   a file in its own time           pace.py: when each byte is due
    udp.py      udp:// and rtp://                inbox.py, hub.py, multicast.py: what they need
    tcp.py      tcp://
    srt.py      srt://                           srt_line.py, libsrt.py: what it needs; srt_sender.py: its other end
    libav.py    rtsp://, rtsps://, http://, https://, other containers; demuxer.py: how libav is opened,
                bridge.py: its way out, rfc6597.py: KLV that is an RTP track of its own
    by_libav.py the MPEG-TS of any of the others, taken apart by libav
    sniff.py    what a stream is, by its first bytes

A source knows nothing of retry, of records, or of the sinks.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Literal, Protocol

from klvrelay.errors import ConfigError
from klvrelay.names import Secret, Url
from klvrelay.record import Link, Packet, Units
from klvrelay.sources.by_libav import ByLibav
from klvrelay.sources.file import FileSource
from klvrelay.sources.growing import GrowingSource
from klvrelay.sources.libav import LibavSource
from klvrelay.sources.srt import SrtSource
from klvrelay.sources.tcp import TcpSource
from klvrelay.sources.udp import UdpSource

__all__ = ["KINDS", "Demux", "Source", "open_source"]

KINDS = "a file, - (standard input), udp://, rtp://, tcp://, srt://, rtsp://, rtsps://, http://, https://"
"""The kinds of source, for a message."""


Demux = Literal["native", "libav"]

BYTES = ("file", "stdin", "udp", "rtp", "tcp", "srt")
"""Sources that give transport bytes: here `demux` chooses who takes them apart."""


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
    def link(self) -> Link: ...

    def packets(self) -> AsyncGenerator[Packet | Units, None]:
        """Packets, or finished KLV units, until the source ends; raises SourceDown or NotMedia.

        A packet without data says: here the source begins anew (a loop of a replay); what the decoder holds
        is complete, and no counter goes on. The same marked damaged says: bytes were lost here.

        `aclose()` on the generator, or the cancelling of its task, frees sockets and files at once and a
        libav thread within 2 x timeout + 1 s.
        """
        ...


def open_source(
    url: str | Url,
    *,
    timeout: float = 5.0,
    interface: str | None = None,
    sender: str | None = None,
    speed: float | None = None,
    loop: bool = False,
    live_stamps: bool = False,
    ca_file: str | None = None,
    demux: Demux | None = None,
    follow: bool = False,
    isolate: bool = False,
    passphrase: Secret | None = None,
) -> Source:
    """The source that `url` names; nothing is opened before its first packet is asked for.

    timeout      seconds to wait for a connection, and for bytes on one that should never be silent
    interface    name or address of the network interface that multicast is joined on
    sender       address that datagrams must come from
    speed        replay a file in its own time, times this; None: as fast as the reader takes it
    loop         replay it again and again
    live_stamps  stamp a file's packets with the time they are read (a replay's always are)
    ca_file      certificates to trust for rtsps:// and https://, instead of the system's
    demux        who takes MPEG-TS apart: "native", the C core, in the source itself where that saves work (datagrams
                 come out as finished `Units`); "libav"; None: nobody here, the bytes come out as they came
    follow       a file that is still written: wait for more at its end
    isolate      read in a process of its own, which may hang or crash alone
    passphrase   of srt://

    Raises ConfigError for a scheme or an option that it does not know.
    """
    where = url if isinstance(url, Url) else Url.parse(url)
    if timeout <= 0:
        raise ConfigError(f"timeout {timeout}: give seconds above 0")
    if demux == "libav" and where.scheme in BYTES:
        return ByLibav(
            open_source(
                where, timeout=timeout, interface=interface, sender=sender, speed=speed, loop=loop,
                live_stamps=live_stamps, follow=follow, passphrase=passphrase,
            )
        )  # fmt: skip
    match where.scheme:
        case "file" if follow and speed is None and not loop:
            return GrowingSource(where)
        case _ if follow:
            raise ConfigError(f"{where}: only a file or a folder of segments can be followed, without speed or loop")
        case "file" | "stdin" if speed is not None or loop:
            from klvrelay.sources.replay import ReplaySource  # here, since it loads numpy

            return ReplaySource(where, speed=1.0 if speed is None else speed, loop=loop)
        case "file" | "stdin":
            return FileSource(where, live_stamps=live_stamps)
        case _ if speed is not None or loop:
            raise ConfigError(f"{where}: only a file can be replayed with a speed or in a loop")
        case "udp" | "rtp":
            return UdpSource(where, timeout=timeout, interface=interface, sender=sender, units=demux == "native")
        case "tcp":
            return TcpSource(where, timeout=timeout)
        case "rtsp" | "rtsps" | "http" | "https":
            return LibavSource(where, timeout=timeout, ca_file=ca_file)
        case "srt":
            return SrtSource(where, timeout=timeout, passphrase=passphrase)
        case scheme:
            raise ConfigError(f"{scheme}:// is not a kind of source that klvrelay knows: give {KINDS}")
