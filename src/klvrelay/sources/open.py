"""Which source a URL names, and the making of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

from klvrelay.config.credentials import SRT_PASSPHRASE, environment
from klvrelay.config.mistyped import no_url
from klvrelay.config.url import Url
from klvrelay.core import LIMIT, checked_limit
from klvrelay.errors import ConfigError
from klvrelay.text import Secret, printable

if TYPE_CHECKING:
    from klvrelay.sources.web.resume import Resume
from klvrelay.sources.contract import KINDS, Demux, Source

BYTES = ("file", "stdin", "udp", "rtp", "tcp", "srt", "http", "https")
"""Sources that give transport bytes: here `demux` chooses who takes them apart."""

ISOLATED = ("http", "https", "rtsp", "rtsps")
"""Sources that are read in a process of their own by default: what servers send before the stream needs much code."""


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
    given: Resume | None = None,
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
