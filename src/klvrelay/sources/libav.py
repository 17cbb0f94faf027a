"""rtsp://, http:// and containers other than MPEG-TS, by libav (PyAV) in a thread; next door, `bridge.py`, the way out
of the thread, and `rfc6597.py`, for KLV that is an RTP track of its own.

libav can't be stopped from outside: a container closed by another thread is a crash. So the thread looks at a
flag after each packet, and each of its waits ends at the timeout (of a live playlist, whose segments come in bursts, at
`SEGMENT` more).
"""

from __future__ import annotations

import errno
import logging
import os
import ssl
import threading
import time
from collections import deque
from collections.abc import AsyncGenerator, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from klvrelay.errors import ConfigError, NotMedia, SourceDown, SourceError
from klvrelay.klv import KEY
from klvrelay.names import Url
from klvrelay.record import Link, Packet
from klvrelay.sources.bridge import Bridge
from klvrelay.sources.rfc6597 import Track

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet as AvPacket
    from av.stream import Stream

LOG = logging.getLogger("klvrelay")

PATIENCE = 100
"""Packets without a KLV key after which a data stream is let be."""
SEGMENT = 30.0
"""Seconds that a segment of a live playlist may last: nothing comes until it is whole."""
PTS_BITS = (1 << 33) - 1
SYNC = 0x47
FIRST_PID = 0x10
"""The lowest PID that may carry a stream (ISO/IEC 13818-1, table 2-3)."""

_OWN_OPTIONS = ("via", "transport")
_WEB = ("http", "https")
_PLAYLISTS = (".m3u8", ".m3u")
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
        self.options = dict(options)
        self._timeout = timeout
        self._patience = timeout + SEGMENT if url.path.endswith(_PLAYLISTS) else timeout
        self._opened, self._waits, self._was_heard = False, True, False
        self._heard = time.monotonic()

    def open(self, file: Any = None, form: str | None = None) -> InputContainer:
        """The container behind the URL, or in a `file` that can be read and stands for it; `form`: what it must be."""
        self._waits = file is None
        try:
            container = self._container(file, form)
        except OSError as refused:
            if refused.errno != errno.EPROTONOSUPPORT or "rtsp_transport" not in self.options:
                raise
            container = self._by_the_other_transport()
        if container.format.name == "hls" and self._patience == self._timeout:
            container.close()
            self._patience += SEGMENT
            container = self._container(file, form)
        self._opened, self._heard = True, time.monotonic()
        return container

    def _by_the_other_transport(self) -> InputContainer:
        refused = self.options["rtsp_transport"]
        self.options["rtsp_transport"] = "udp" if refused == "tcp" else "tcp"
        LOG.info("%s: refuses %s, so it is read by %s", self.url, refused, self.options["rtsp_transport"])
        return self._container(None, None)

    def _container(self, file: Any, form: str | None) -> InputContainer:
        import av

        url = self.url
        path = url.unredacted(without=_OWN_OPTIONS)
        container: InputContainer = av.open(
            file or (f"file:{path}" if url.scheme == "file" else path),
            format="rtsp" if url.scheme in ("rtsp", "rtsps") else form,
            options=self.options | ({"rw_timeout": str(round(self._timeout * 1e6))} if url.scheme in _WEB else {}),
            timeout=(self._timeout, self._patience),
            **_lenient(),
        )
        return container

    def _silent(self) -> str:
        if not self._opened:
            return "gave no answer"
        by_udp = self.options.get("rtsp_transport") == "udp" and not self._was_heard
        return "sent nothing by UDP (does a firewall stop it? try ?transport=tcp)" if by_udp else "sent nothing"

    def heard(self) -> None:
        """It gave something: what it is waited for begins anew."""
        self._was_heard, self._heard = True, time.monotonic()

    def explained(self, error: Exception, *, live: bool) -> SourceError | None:
        """An error of libav in our words: its own text may hold the URL with the password. None: it is the end."""
        kind, number = type(error).__name__, getattr(error, "errno", None)
        wait = self._patience if self._opened else self._timeout
        if kind == "ExitError" or (self._waits and time.monotonic() - self._heard >= wait):
            return SourceDown(f"{self.url}: {self._silent()} for {wait:g} s")
        if self._opened and live and number == errno.EIO:
            return None  # how libav calls the end of a web stream that never said its length
        if kind in ("InvalidDataError", "EOFError") and not self._opened:
            return NotMedia(f"{self.url}: holds neither MPEG-TS nor KLV, nor a container that klvrelay reads")
        code = f"{kind}, {errno.errorcode[number]}" if number and number in errno.errorcode else kind
        if number == errno.EPROTONOSUPPORT and "rtsp_transport" in self.options:
            return SourceDown(f"{self.url}: it grants neither transport=tcp nor transport=udp")
        reasons = _BREAKS if self._opened else _REASONS
        return SourceDown(f"{self.url}: {reasons.get(kind, 'libav can not read it')} ({code})")


class _Reader:
    """One reading of a source, from its opening to its end; all of it happens in its thread."""

    _container: InputContainer

    def __init__(self, source: LibavSource, demuxer: Demuxer, bridge: Bridge) -> None:
        self._source, self._url = source, source.url
        self._demuxer = demuxer
        self._bridge = bridge
        self._sniffer = Sniffer()
        self._doubles = _Doubles()
        self._tracks: dict[int, Track] = {}
        self._playlist = False
        self._variant: int | None = None

    def run(self) -> None:
        import av

        fault: SourceError | None = SourceDown(f"{self._url}: its reader stopped unexpectedly")
        try:
            with self._demuxer.open() as container:
                self._pump(container)
            fault = None
        except SourceError as known:
            fault = known
        except IndexError:  # how PyAV meets a PID that was not there when it was opened
            fault = SourceDown(f"{self._url}: a stream has appeared in it that is seen only when it is opened anew")
        except (av.FFmpegError, ValueError, OSError) as error:
            fault = self._demuxer.explained(error, live=self._source.live)
        finally:
            self._bridge.end(fault)

    def _pump(self, container: InputContainer) -> None:
        live = self._source.live = self._source.live and not _has_end(container)
        data = [stream for stream in container.streams if _may_carry(stream)]
        if live and not data:
            raise NotMedia(f"{self._url}: there is no data stream in it, so no KLV, only {_named(container)}")
        self._container, self._playlist = container, container.format.name == "hls"
        # The segments of a playlist come in bursts, and they wait on the server.
        newest_wins = live and not self._playlist
        try:
            for packet in container.demux(data + _kept_awake(container, live)) if data else ():
                if self._bridge.stopped:
                    return
                self._demuxer.heard()
                self._source.link.size += packet.size
                if packet.size and packet.stream in data and self._is_wanted(packet):
                    for piece in self._pieces(packet, live):
                        self._bridge.put(piece, newest_wins=newest_wins)
        finally:
            for piece in self._rest():
                self._bridge.put(piece, newest_wins=newest_wins)

    def _is_wanted(self, packet: AvPacket[Stream]) -> bool:
        if not (self._sniffer.is_klv(packet) or self._is_ts(packet)):
            return False
        if self._playlist and not self._is_of_the_variant(packet):
            return False
        if self._demuxer.options.get("rtsp_transport") != "udp" or self._doubles.is_new(packet):
            return True
        self._source.link.rtp_duplicates += 1
        return False

    def _is_own_track(self, stream: Stream) -> bool:
        """An RTP track, not a part of a transport stream that comes in one: libav numbers these from 0."""
        return self._url.scheme in ("rtsp", "rtsps") and stream.id < FIRST_PID

    def _is_ts(self, packet: AvPacket[Stream]) -> bool:
        """MPEG-TS that libav does not know as such, since its payload type is not the registered one (RFC 3551)."""
        return self._is_own_track(packet.stream) and packet.size % 188 == 0 and bytes(packet)[0] == SYNC

    def _is_of_the_variant(self, packet: AvPacket[Stream]) -> bool:
        """The same KLV is in each variant of a playlist: of the first that has it, and the others are not loaded."""
        from av.stream import Discard

        if self._variant is None:
            self._variant = packet.stream.id
            for stream in self._container.streams:
                if stream.id != self._variant:
                    stream.discard = Discard.all
        return packet.stream.id == self._variant

    def _pieces(self, packet: AvPacket[Stream], live: bool) -> Iterator[Packet]:
        received = time.time_ns() // 1000 if live else None
        stream, pts = packet.stream, pts_of(packet)
        if self._is_ts(packet):
            yield Packet(bytes(packet), received)
            return
        if not self._is_own_track(stream):
            pid = stream.index if self._playlist else stream.id  # there the id is that of the variant
            yield Packet(bytes(packet), received, "klv", pts, pid, packet.is_corrupt)
            return
        track = self._tracks.setdefault(stream.id, Track())
        for data, ticks, damaged in track.units(bytes(packet), pts):
            yield Packet(data, received, "klv", ticks, stream.id, damaged)

    def _rest(self) -> Iterator[Packet]:
        for pid, track in self._tracks.items():
            for data, ticks, damaged in track.rest():
                yield Packet(data, time.time_ns() // 1000, "klv", ticks, pid, damaged)


def _has_end(container: InputContainer) -> bool:
    """A duration, or a length as a file behind http:// has it; of a playlist that length says nothing."""
    return container.duration is not None or (container.format.name != "hls" and (container.size or 0) > 0)


def _kept_awake(container: InputContainer, live: bool) -> list[Stream]:
    """Tell libav to skip all but data; of a live source it returns the video too, and it is thrown away here.

    Were that skipped as well, libav would not come back between two KLV packets, and its timeout could not
    tell a pause in the KLV from a dead line.
    """
    from av.stream import Discard

    kept = []
    for stream in container.streams:
        if live and stream.type == "video" and not _may_carry(stream):
            kept.append(stream)
        elif not _may_carry(stream):
            stream.discard = Discard.all
    return kept


def _may_carry(stream: Stream) -> bool:
    """Data; and what is called video, but in no coding that libav knows: a camera's label for an RTP track."""
    return stream.type in ("data", "unknown") or (stream.type == "video" and stream.codec_context is None)


class Sniffer:
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


class _Doubles:
    """A datagram that the line doubles comes out of libav's queue twice, now and then some packets later."""

    def __init__(self) -> None:
        self._lately: deque[int] = deque(maxlen=256)

    def is_new(self, packet: AvPacket[Stream]) -> bool:
        """Has nothing with these bytes and this time come lately? What has no time may well come again."""
        if packet.pts is None:
            return True
        mark = hash((packet.stream_index, packet.pts, bytes(packet)))
        if mark in self._lately:
            return False
        self._lately.append(mark)
        return True


def pts_of(packet: AvPacket[Stream]) -> int | None:
    """When it is to be shown: 90 kHz, 33 bits."""
    if packet.pts is None:
        return None
    base = packet.time_base
    return packet.pts * base.numerator * 90_000 // base.denominator & PTS_BITS


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
        **_LOOKS.get(url.scheme, _LOOKS["file"]),
        "fpsprobesize": "0",
        "correct_ts_overflow": "0",
    }
    if url.scheme in ("rtsp", "rtsps"):
        options |= _rtsp_options(url)
    else:
        options |= _HLS_OPTIONS | {"format_whitelist": _CONTAINERS}
    if url.scheme in ("rtsps", "https"):
        options |= {"tls_verify": "1", "ca_file": _trusted(ca_file)}
    return options


def _look(size: int, microseconds: int) -> dict[str, str]:
    return {"probesize": str(size), "analyzeduration": str(microseconds)}


# How far libav looks before it says what is there. PyAV never shows a stream that appears later. In TS over HTTP, libav
# reads on to the first PMT if the size is below one TS packet, and nothing more need be known. In RTSP it guesses at
# PIDs until the PMT comes, so that must be among what it looks at: it looks for up to a second of the stream, but stops
# as soon as it knows all that the PMT names (measured: 0.1 to 0.8 s).
_LOOKS = {
    "file": _look(65536, 500_000),
    "http": _look(32, 1),
    "https": _look(32, 1),
    "rtsp": _look(5_000_000, 1_000_000),
    "rtsps": _look(5_000_000, 1_000_000),
}


def _rtsp_options(url: Url) -> dict[str, str]:
    transport = url.options.get("transport", "tcp")
    if transport not in ("tcp", "udp"):
        raise ConfigError(f"{url}: transport is tcp or udp")
    return {"rtsp_transport": transport, "allowed_media_types": "video+data", **_UDP_OPTIONS}


# By UDP, libav puts datagrams back in order, for which it waits 20 ms where one is missing (good KLV behind it comes
# 34 ms late at most, measured; by its default 133 ms). Without that queue it would hand datagrams that changed places over
# as they come, and to a sum of 16-bit words, which the checksum is, they may still be right: a false record.
# By TCP there is no queue.
_UDP_OPTIONS = {"max_delay": "20000", "buffer_size": "1048576"}

# What a playlist names may end in anything, since what may be opened is settled by protocol and format; metadata is not
# played, so it needs no segments in hand; and three segments' time without a new one is the end.
_HLS_OPTIONS = {
    "allowed_extensions": "ALL",
    "allowed_segment_extensions": "ALL",
    "extension_picky": "0",
    "live_start_index": "-1",
    "m3u8_hold_counters": "6",
}


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
