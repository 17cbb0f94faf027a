"""rtsp://, http:// and containers other than MPEG-TS, by libav (PyAV) in a thread; next door, `bridge.py`.

libav can't be stopped from outside: a container closed by another thread is a crash. So the thread looks at a
flag after each packet, and each of its waits ends at the timeout.
"""

from __future__ import annotations

import errno
import os
import ssl
import threading
import time
from collections.abc import AsyncGenerator, Mapping
from typing import TYPE_CHECKING, Any

from klvrelay.errors import ConfigError, NotMedia, SourceDown, SourceError
from klvrelay.klv import KEY
from klvrelay.names import Url
from klvrelay.record import Link, Packet
from klvrelay.sources.bridge import Bridge

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet as AvPacket
    from av.stream import Stream

PATIENCE = 100
"""Packets without a KLV key after which a data stream is let be."""
PTS_BITS = (1 << 33) - 1

_OWN_OPTIONS = ("via", "transport")
_CONTAINERS = "mpegts,mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,mxf,avi,flv,mpeg,asf,hls"
_PROTOCOLS = {
    "file": "file",
    "stdin": "none",
    "bytes": "none",
    "rtsp": "rtsp,rtp,udp,tcp",
    "rtsps": "rtsps,rtsp,rtp,srtp,udp,tcp,tls,crypto",
    "http": "http,https,tcp,tls,crypto",
    "https": "http,https,tcp,tls,crypto",
}


class LibavSource:
    """KLV packets out of whatever libav opens; one thread while it is read."""

    fixed = True

    def __init__(self, url: Url, *, timeout: float, ca_file: str | None = None) -> None:
        self.url = url
        self.live = url.scheme != "file"
        self.dropped = 0
        self.link = Link()
        self._timeout = timeout
        self._options = libav_options(url, ca_file)

    async def packets(self) -> AsyncGenerator[Packet, None]:
        """Packets of carriage "klv", each with its PID (or the container's number for the stream) and PTS."""
        bridge = Bridge()
        reader = _Reader(self, Demuxer(self.url, self._timeout, self._options), bridge)
        threading.Thread(target=reader.run, name="klvrelay-libav", daemon=True).start()
        dropped_before = self.dropped
        try:
            while batch := await bridge.batch():
                self.dropped = dropped_before + bridge.dropped
                for packet in batch:
                    yield packet
        finally:
            bridge.stop()


class Demuxer:
    """libav on one URL: what it may open, how long it may wait, and its faults in our words."""

    def __init__(self, url: Url, timeout: float, options: Mapping[str, str]) -> None:
        self.url = url
        self._timeout = timeout
        self._options = options
        self._opened, self._waits = False, True
        self._heard = time.monotonic()

    def open(self, file: Any = None) -> InputContainer:
        """The container behind the URL, or in a `file` that can be read and stands for it."""
        import av

        url, self._waits = self.url, file is None
        path = url.unredacted(without=_OWN_OPTIONS)
        container: InputContainer = av.open(
            file or (f"file:{path}" if url.scheme == "file" else path),
            format="rtsp" if url.scheme in ("rtsp", "rtsps") else None,
            options=dict(self._options),
            timeout=(self._timeout, self._timeout),
            **_lenient(),
        )
        self._opened = True
        self.heard()
        return container

    def heard(self) -> None:
        """It gave something: what it is waited for begins anew."""
        self._heard = time.monotonic()

    def explained(self, error: Exception, *, live: bool) -> SourceError | None:
        """An error of libav in our words: its own text may hold the URL with the password. None: it is the end."""
        kind, number = type(error).__name__, getattr(error, "errno", None)
        if kind == "ExitError" or (self._waits and time.monotonic() - self._heard >= self._timeout):
            what = "sent nothing" if self._opened else "gave no answer"
            return SourceDown(f"{self.url}: {what} for {self._timeout:g} s")
        if self._opened and live and number == errno.EIO:
            return None  # how libav calls the end of a web stream that never said its length
        if kind in ("InvalidDataError", "EOFError") and not self._opened:
            return NotMedia(f"{self.url}: holds neither MPEG-TS nor KLV, nor a container that klvrelay reads")
        code = f"{kind}, {errno.errorcode[number]}" if number and number in errno.errorcode else kind
        reasons = _BREAKS if self._opened else _REASONS
        return SourceDown(f"{self.url}: {reasons.get(kind, 'libav can not read it')} ({code})")


class _Reader:
    """One reading of a source, from its opening to its end; all of it happens in its thread."""

    def __init__(self, source: LibavSource, demuxer: Demuxer, bridge: Bridge) -> None:
        self._source, self._url = source, source.url
        self._demuxer = demuxer
        self._bridge = bridge

    def run(self) -> None:
        import av

        fault: SourceError | None = SourceDown(f"{self._url}: its reader stopped unexpectedly")
        try:
            with self._demuxer.open() as container:
                self._pump(container)
            fault = None
        except SourceError as known:
            fault = known
        except (av.FFmpegError, ValueError, OSError) as error:
            fault = self._demuxer.explained(error, live=self._source.live)
        finally:
            self._bridge.end(fault)

    def _pump(self, container: InputContainer) -> None:
        live = self._source.live = self._source.live and not _has_end(container)
        data = [stream for stream in container.streams if stream.type in ("data", "unknown")]
        if live and not data:
            raise NotMedia(f"{self._url}: there is no data stream in it, so no KLV, only {_named(container)}")
        streams = data + _kept_awake(container, live)
        sniffer = _Sniffer()
        for packet in container.demux(streams) if data else ():
            if self._bridge.stopped:
                return
            self._demuxer.heard()
            if packet.size and packet.stream in data and sniffer.is_klv(packet):
                self._bridge.put(_packet(packet, live), newest_wins=live)


def _has_end(container: InputContainer) -> bool:
    """A duration, or a length as a file behind http:// has it."""
    return container.duration is not None or (container.size or 0) > 0


def _kept_awake(container: InputContainer, live: bool) -> list[Stream]:
    """Tell libav to skip all but data; of a live source it returns the video too, and it is thrown away here.

    Were that skipped as well, libav would not come back between two KLV packets, and its timeout could not
    tell a pause in the KLV from a dead line.
    """
    from av.stream import Discard

    kept = []
    for stream in container.streams:
        if live and stream.type == "video":
            kept.append(stream)
        elif stream.type not in ("data", "unknown"):
            stream.discard = Discard.all
    return kept


class _Sniffer:
    """Which data streams are KLV, by their bytes: their labels can't be trusted."""

    def __init__(self) -> None:
        self._known: set[int] = set()
        self._misses: dict[int, int] = {}

    def is_klv(self, packet: AvPacket[Stream]) -> bool:
        index = packet.stream_index
        if index in self._known:
            return True
        misses = self._misses.get(index, 0)
        if misses < PATIENCE and KEY in bytes(packet):
            self._known.add(index)
            return True
        self._misses[index] = misses + 1
        return False


def pts_of(packet: AvPacket[Stream]) -> int | None:
    """When it is to be shown: 90 kHz, 33 bits."""
    if packet.pts is None:
        return None
    base = packet.time_base
    return packet.pts * base.numerator * 90_000 // base.denominator & PTS_BITS


def _packet(packet: AvPacket[Stream], live: bool) -> Packet:
    received = time.time_ns() // 1000 if live else None
    return Packet(bytes(packet), received, "klv", pts_of(packet), packet.stream.id, packet.is_corrupt)


def _lenient() -> dict[str, Any]:
    """For `av.open`: PyAV before 19 fails at a title that is no UTF-8, unless told not to."""
    import av

    return {"metadata_errors": "replace"} if int(av.__version__.partition(".")[0]) < 19 else {}


def _named(container: InputContainer) -> str:
    return ", ".join(sorted({stream.type for stream in container.streams})) or "nothing"


def libav_options(url: Url, ca_file: str | None = None) -> Mapping[str, str]:
    """What libav may open, and how long it may look at it; raises ConfigError for an option that is none."""
    options = {
        "protocol_whitelist": _PROTOCOLS[url.scheme],
        "probesize": "65536",
        "analyzeduration": "500000",
        "fpsprobesize": "0",
        "correct_ts_overflow": "0",
    }
    if url.scheme in ("rtsp", "rtsps"):
        options |= _rtsp_options(url)
    else:
        options["format_whitelist"] = _CONTAINERS
    if url.scheme in ("rtsps", "https"):
        options |= {"tls_verify": "1", "ca_file": _trusted(ca_file)}
    return options


def _rtsp_options(url: Url) -> dict[str, str]:
    transport = url.options.get("transport", "tcp")
    if transport not in ("tcp", "udp"):
        raise ConfigError(f"{url}: transport is tcp or udp")
    # libav holds good packets back 133 ms after each loss; the KLV core sees the loss itself.
    return {"rtsp_transport": transport, "reorder_queue_size": "0", "allowed_media_types": "video+data"}


def _trusted(ca_file: str | None) -> str:
    if ca_file is None:
        paths = ssl.get_default_verify_paths()
        return paths.cafile or paths.openssl_cafile
    if not os.path.isfile(ca_file):
        raise ConfigError(f"ca_file {ca_file}: there is no such file")
    return ca_file


_REASONS = {
    "FileNotFoundError": "no such file; a network source begins with rtsp://, http://, ...",
    "IsADirectoryError": "it is a folder: give a file in it",
    "PermissionError": "no permission to read it",
    "HTTPUnauthorizedError": "it refuses the user or the password (401)",
    "HTTPForbiddenError": "it forbids this to the user (403)",
    "HTTPNotFoundError": "it has nothing of this name (404)",
    "HTTPServerError": "the server has an error of its own (5xx)",
    "ConnectionRefusedError": "nobody listens there: check host and port",
    "ConnectionResetError": "the far end broke the connection off",
    "ProtocolNotFoundError": "it leads to a protocol that is not allowed here",
    "OSError": "no connection: check the host's name, the network, and for TLS its certificate (ca_file)",
}

_BREAKS = {
    "ConnectionResetError": _REASONS["ConnectionResetError"],
    "OSError": "it broke off before its end",
    "InvalidDataError": "its bytes are damaged",
}
