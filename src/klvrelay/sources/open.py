"""Open the source for a URL."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, get_args

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
    speed        multiple of the recorded pace at which a file is replayed; None: as fast as it is read
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
    if demux not in (None, *get_args(Demux)):
        raise ConfigError(f"demux {printable(str(demux))}: give native or libav")
    passphrase = Secret(passphrase) if isinstance(passphrase, str) else passphrase
    if passphrase is None and where.scheme == "srt" and "passphrase" not in where.options:
        passphrase = environment(SRT_PASSPHRASE)  # here, because an isolated process gets no secrets in its environment
    options = _Options(
        timeout, interface, sender, speed, loop, live_stamps, ca_file, demux, follow, passphrase, packet_limit
    )
    options.check()
    if is_isolated(where, isolate):
        from klvrelay.sources.isolated.source import IsolatedSource  # here, because few commands use it

        plain = _open_plain(where, options, None)
        return IsolatedSource(plain, options.by_name(), resume=resume)
    return _open_plain(where, options, resume)


@dataclass(frozen=True, slots=True)
class _Options:
    """The options of `open_source` that a separate process needs too."""

    timeout: float
    interface: str | None
    sender: str | None
    speed: float | None
    loop: bool
    live_stamps: bool
    ca_file: str | None
    demux: Demux | None
    follow: bool
    passphrase: Secret | None
    packet_limit: int

    @property
    def replays(self) -> bool:
        return self.speed is not None or self.loop

    def check(self) -> None:
        """Raise ConfigError for values that are invalid with any source."""
        if self.timeout <= 0:
            raise ConfigError(f"timeout {self.timeout}: give seconds above 0")
        checked_limit(self.packet_limit)
        for key in ("interface", "sender", "ca_file"):
            no_url(getattr(self, key) or "", key, "another value")  # messages may quote it, also to subscribers

    def by_name(self) -> dict[str, Any]:
        return {field.name: getattr(self, field.name) for field in fields(self)}


# Each kind is imported when it is opened, so that a command loads only the one it needs.


def _open_plain(url: Url, options: _Options, resume: Resume | None) -> Source:
    """The source, not isolated."""
    if options.demux == "libav" and url.scheme in BYTES:
        from klvrelay.sources.libav.ts_source import LibavTsSource

        return LibavTsSource(_open_kind(url, replace(options, demux=None), resume))
    return _open_kind(url, options, resume)


def _open_kind(url: Url, options: _Options, resume: Resume | None) -> Source:
    """The source of its scheme."""
    if options.follow or options.replays or url.scheme in ("file", "stdin"):
        return _open_file(url, options)
    match url.scheme:
        case "udp" | "rtp":
            from klvrelay.sources.datagrams.source import UdpSource

            return UdpSource(
                url, timeout=options.timeout, interface=options.interface, sender=options.sender,
                units=options.demux == "native", packet_limit=options.packet_limit,
            )  # fmt: skip
        case "tcp":
            from klvrelay.sources.tcp.source import TcpSource

            return TcpSource(url, timeout=options.timeout)
        case "rtsp" | "rtsps":
            from klvrelay.sources.libav.source import LibavSource

            return LibavSource(
                url, timeout=options.timeout, ca_file=options.ca_file, packet_limit=options.packet_limit
            )
        case "http" | "https":
            from klvrelay.sources.web.source import HttpSource

            return HttpSource(url, timeout=options.timeout, ca_file=options.ca_file, resume=resume)
        case "srt":
            from klvrelay.sources.srt.source import SrtSource

            return SrtSource(url, timeout=options.timeout, passphrase=options.passphrase)
        case scheme:
            raise ConfigError(f"{scheme}:// is not a supported source: give {KINDS}")


def _open_file(url: Url, options: _Options) -> Source:
    """The source of a file or standard input: followed, replayed, or read as fast as possible."""
    if options.follow:
        if url.scheme != "file" or options.replays:
            raise ConfigError(f"{url}: only a file or a folder of segments can be followed, without speed or loop")
        from klvrelay.sources.files.growing import GrowingSource

        return GrowingSource(url)
    if options.replays:
        if url.scheme not in ("file", "stdin"):
            raise ConfigError(f"{url}: only a file can be replayed with a speed or in a loop")
        from klvrelay.sources.files.replay import ReplaySource

        return ReplaySource(url, speed=1.0 if options.speed is None else options.speed, loop=options.loop)
    from klvrelay.sources.files.file import FileSource

    return FileSource(url, live_stamps=options.live_stamps)
