"""Open the source for a URL."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

from klvrelay.config.credentials import SRT_PASSPHRASE, environment
from klvrelay.config.mistyped import no_url
from klvrelay.config.url import Url
from klvrelay.core import LIMIT, checked_limit
from klvrelay.errors import ConfigError
from klvrelay.sources.contract import KINDS, Demux, Source
from klvrelay.text import Secret, printable

if TYPE_CHECKING:
    from klvrelay.sources.web.resume import Resume

BYTES = ("file", "stdin", "udp", "rtp", "tcp", "srt", "http", "https")
"""Sources of transport bytes, for which `demux` selects the demultiplexer."""

ISOLATED = ("http", "https", "rtsp", "rtsps")
"""Sources that are isolated by default: much code processes what servers send before the stream."""


def is_isolated(url: Url, isolate: bool | None) -> bool:
    """Is the source isolated? None: the default of its kind."""
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
    resume: Resume | None = None,
    packet_limit: int = LIMIT,
) -> Source:
    """The source for `url`; nothing is opened before its first packet is requested.

    timeout      seconds to wait for a connection, and for bytes on one that should never be silent
    interface    name or address of the network interface that multicast is joined on
    sender       address that datagrams must come from
    speed        replay a file at this multiple of its own pace; None: as fast as the reader takes it
    loop         repeat the replay
    live_stamps  stamp a file's packets with the time of reading (a replay's always are)
    ca_file      certificates to trust for rtsps:// and https://, instead of the system's
    demux        demultiplexer for MPEG-TS: "native", the C core, inside the source if that saves work (datagrams are
                 yielded as complete `Units`); "libav"; None: no demultiplexer, the bytes are yielded unchanged
    follow       a file that is still being written: wait for more at its end
    isolate      read in a separate process, so that a hang, a crash or an attack stays there; None: the default of its
                 kind (`ISOLATED`)
    passphrase   of srt://; otherwise from the URL, or from KLVRELAY_SRT_PASSPHRASE in the environment
    packet_limit maximum bytes of a KLV packet's value, if the source finds the packets itself
    resume       state from earlier connections to the same URL: a playlist continues after it

    Raises ConfigError for an unknown scheme or option.
    """
    where = url if isinstance(url, Url) else Url.parse(url)
    if timeout <= 0:
        raise ConfigError(f"timeout {timeout}: give seconds above 0")
    checked_limit(packet_limit)
    for key, text in (("interface", interface), ("sender", sender), ("ca_file", ca_file)):
        no_url(text or "", key, "another value")  # messages may quote it, also to subscribers
    passphrase = Secret(passphrase) if isinstance(passphrase, str) else passphrase
    if passphrase is None and where.scheme == "srt" and "passphrase" not in where.options:
        passphrase = environment(SRT_PASSPHRASE)  # here, because an isolated process gets no secrets in its environment
    if demux not in (None, *get_args(Demux)):
        raise ConfigError(f"demux {printable(str(demux))}: give native or libav")
    if is_isolated(where, isolate):
        from klvrelay.sources.isolated.source import IsolatedSource  # here, because few commands use it

        options = {
            "timeout": timeout, "interface": interface, "sender": sender, "speed": speed, "loop": loop,
            "live_stamps": live_stamps, "ca_file": ca_file, "demux": demux, "follow": follow, "passphrase": passphrase,
            "packet_limit": packet_limit,
        }  # fmt: skip
        plain = open_source(where, **options, isolate=False)  # type: ignore[arg-type]
        return IsolatedSource(plain, options, resume=resume)
    if demux == "libav" and where.scheme in BYTES:
        from klvrelay.sources.libav.ts_source import LibavTsSource

        return LibavTsSource(
            open_source(
                where, timeout=timeout, interface=interface, sender=sender, speed=speed, loop=loop,
                live_stamps=live_stamps, follow=follow, passphrase=passphrase, ca_file=ca_file, resume=resume,
                isolate=False,
            )
        )  # fmt: skip
    match where.scheme:  # each kind is imported when it is opened, so that a command loads only the one it needs
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

            return HttpSource(where, timeout=timeout, ca_file=ca_file, resume=resume)
        case "srt":
            from klvrelay.sources.srt.source import SrtSource

            return SrtSource(where, timeout=timeout, passphrase=passphrase)
        case scheme:
            raise ConfigError(f"{scheme}:// is not a supported source: give {KINDS}")
