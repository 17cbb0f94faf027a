"""Where packets come from: one folder a kind, one contract; `intake.py` runs and restarts them.

    files/       a file, a folder of segments, standard input: at once, still growing, or replayed in its own time
    datagrams/   udp:// and rtp://
    tcp/         tcp://
    srt/         srt://
    web/         http://, https://, HLS
    libav/       rtsp://, rtsps://, other containers; MPEG-TS of the others, taken apart by libav
    isolated/    any of them in a process of its own

    sniff.py     what a stream is, by its first bytes
    clock.py     what arrivals are stamped by
    bridge.py    the bounded way from a thread to the loop
    straight.py  a source read by somebody who has nothing else to do

In a folder, `source.py` is the source (of files there are three), and its docstring names the others. A source knows
nothing of retry, of records, or of the sinks.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Any, Literal, Protocol, get_args

from klvrelay.credentials import SRT_PASSPHRASE, environment
from klvrelay.errors import ConfigError
from klvrelay.mistyped import no_url
from klvrelay.names import Secret, Url, printable
from klvrelay.wire import LIMIT, checked_limit

if TYPE_CHECKING:
    from klvrelay.link import Link
    from klvrelay.record import Packet, Units
    from klvrelay.sources.web.given import Given

__all__ = ["KINDS", "Demux", "Given", "Source", "is_isolated", "open_source"]

KINDS = "a file, - (standard input), udp://, rtp://, tcp://, srt://, rtsp://, rtsps://, http://, https://"
"""The kinds of source, for a message."""


Demux = Literal["native", "libav"]

BYTES = ("file", "stdin", "udp", "rtp", "tcp", "srt", "http", "https")
"""Sources that give transport bytes: here `demux` chooses who takes them apart."""

ISOLATED = ("http", "https", "rtsp", "rtsps")
"""Sources that are read in a process of their own by default: what servers send before the stream needs much code."""


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


def is_isolated(url: Url, isolate: bool | None) -> bool:
    """Has it a process of its own? None: as its kind is."""
    return url.scheme in ISOLATED if isolate is None else isolate


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
    isolate: bool | None = None,
    passphrase: Secret | str | None = None,
    given: Given | None = None,
    packet_limit: int = LIMIT,
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
    isolate      read in a process of its own, which may hang, crash or be taken over alone; None: as its kind is
                 (`ISOLATED`)
    passphrase   of srt://; otherwise the URL's, or that of KLVRELAY_SRT_PASSPHRASE in the environment
    packet_limit  bytes that the value of a KLV packet may have, where the source itself finds them
    given        what earlier openings of the same URL gave: a playlist goes on behind it

    Raises ConfigError for a scheme or an option that it does not know.
    """
    where = url if isinstance(url, Url) else Url.parse(url)
    if timeout <= 0:
        raise ConfigError(f"timeout {timeout}: give seconds above 0")
    checked_limit(packet_limit)
    for key, text in (("interface", interface), ("sender", sender), ("ca_file", ca_file)):
        no_url(text or "", key, "another value")  # a message may quote it, also to subscribers
    passphrase = Secret(passphrase) if isinstance(passphrase, str) else passphrase
    if passphrase is None and where.scheme == "srt" and "passphrase" not in where.options:
        passphrase = environment(SRT_PASSPHRASE)  # here, since a process of its own gets no secrets by its environment
    if demux not in (None, *get_args(Demux)):
        raise ConfigError(f"demux {printable(str(demux))}: it is native or libav")
    if is_isolated(where, isolate):
        from klvrelay.sources.isolated.source import IsolatedSource  # here, since few have a use for it

        options = {
            "timeout": timeout, "interface": interface, "sender": sender, "speed": speed, "loop": loop,
            "live_stamps": live_stamps, "ca_file": ca_file, "demux": demux, "follow": follow, "passphrase": passphrase,
            "packet_limit": packet_limit,
        }  # fmt: skip
        plain = open_source(where, **options, isolate=False)  # type: ignore[arg-type]
        return IsolatedSource(plain, options, given=given)
    if demux == "libav" and where.scheme in BYTES:
        from klvrelay.sources.libav.of_bytes import ByLibav

        return ByLibav(
            open_source(
                where, timeout=timeout, interface=interface, sender=sender, speed=speed, loop=loop,
                live_stamps=live_stamps, follow=follow, passphrase=passphrase, ca_file=ca_file, given=given,
                isolate=False,
            )
        )  # fmt: skip
    match where.scheme:  # each kind is loaded when it is opened: a command starts with the one that it needs
        case "file" if follow and speed is None and not loop:
            from klvrelay.sources.files.growing import GrowingSource

            return GrowingSource(where)
        case _ if follow:
            raise ConfigError(f"{where}: only a file or a folder of segments can be followed, without speed or loop")
        case "file" | "stdin" if speed is not None or loop:
            from klvrelay.sources.files.replay import ReplaySource

            return ReplaySource(where, speed=1.0 if speed is None else speed, loop=loop)
        case "file" | "stdin":
            from klvrelay.sources.files.file import FileSource

            return FileSource(where, live_stamps=live_stamps)
        case _ if speed is not None or loop:
            raise ConfigError(f"{where}: only a file can be replayed with a speed or in a loop")
        case "udp" | "rtp":
            from klvrelay.sources.datagrams.source import UdpSource

            return UdpSource(where, timeout=timeout, interface=interface, sender=sender, units=demux == "native",
                             packet_limit=packet_limit)  # fmt: skip
        case "tcp":
            from klvrelay.sources.tcp.source import TcpSource

            return TcpSource(where, timeout=timeout)
        case "rtsp" | "rtsps":
            from klvrelay.sources.libav.source import LibavSource

            return LibavSource(where, timeout=timeout, ca_file=ca_file, packet_limit=packet_limit)
        case "http" | "https":
            from klvrelay.sources.web.source import HttpSource

            return HttpSource(where, timeout=timeout, ca_file=ca_file, given=given)
        case "srt":
            from klvrelay.sources.srt.source import SrtSource

            return SrtSource(where, timeout=timeout, passphrase=passphrase)
        case scheme:
            raise ConfigError(f"{scheme}:// is not a kind of source that klvrelay knows: give {KINDS}")


def __getattr__(name: str) -> Any:
    if name != "Given":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from klvrelay.sources.web.given import Given

    return Given
