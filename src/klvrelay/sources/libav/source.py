"""rtsp:// and containers other than MPEG-TS, read by libav (PyAV) in a thread.

libav cannot be stopped from outside: closing a container from another thread crashes. So the thread checks a flag
after each packet, and each of its waits ends at the timeout.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from klvrelay.config.url import Url
from klvrelay.core import LIMIT, listing_of
from klvrelay.core.carriage import KEY
from klvrelay.errors import NotMedia, SourceDown, SourceError
from klvrelay.link_stats import LinkStats
from klvrelay.record import Packet
from klvrelay.sources.libav.demuxer import Demuxer, libav_options
from klvrelay.sources.libav.rfc6597 import Track
from klvrelay.sources.libav.udp_drops import UdpDrops
from klvrelay.sources.thread_queue import ThreadQueue
from klvrelay.transports.arrival_clock import now_us

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet as AvPacket
    from av.stream import Stream

MISSES_MOST = 100
"""Packets without a KLV key after which a data stream is ignored."""
PTS_BITS = (1 << 33) - 1
SYNC = 0x47
FIRST_PID = 0x10
"""The lowest PID that may carry a stream (ISO/IEC 13818-1, table 2-3)."""


class LibavSource:
    """KLV packets from anything that libav opens; one thread while it is read."""

    fixed = True

    def __init__(self, url: Url, *, timeout: float, ca_file: str | None = None, packet_limit: int = LIMIT) -> None:
        self.url = url
        self._packet_limit = packet_limit
        self.live = url.scheme != "file"
        self.dropped = 0
        self.link = LinkStats()
        self._timeout = timeout
        self._options, self._ca_file = libav_options(url, ca_file), ca_file

    async def packets(self) -> AsyncGenerator[Packet, None]:
        """Packets of carriage "klv", each with PTS and its PID (or the container's stream number)."""
        queue = ThreadQueue()
        demuxer = Demuxer(self.url, self._timeout, self._options, self._ca_file, queue.pulse)
        reader = LibavReader(self, demuxer, queue, packet_limit=self._packet_limit)
        threading.Thread(target=reader.run, name="klvrelay-libav", daemon=True).start()
        dropped_before = self.dropped
        try:
            while batch := await queue.batch():
                self.dropped = dropped_before + queue.dropped
                for packet in batch:
                    yield packet
        finally:
            queue.stop()


class ReadSource(Protocol):
    """The source that a reader works for."""

    url: Url
    live: bool
    link: LinkStats


class LibavReader:
    """One run of libav on a source, from opening to end, on the calling thread.

    live   whether the source is live; None: as the container indicates
    """

    _container: InputContainer

    def __init__(
        self,
        source: ReadSource,
        demuxer: Demuxer,
        queue: ThreadQueue,
        *,
        live: bool | None = None,
        packet_limit: int = LIMIT,
    ) -> None:
        self._source, self._url = source, source.url
        self._demuxer = demuxer
        self._queue = queue
        self._live = live
        self._packet_limit = packet_limit
        self._sniffer = KlvSniffer()
        self._duplicates = _Duplicates()
        self._tracks: dict[int, Track] = {}

    def run(self) -> None:
        """The thread of a source that libav opens itself."""
        fault: SourceError | None = SourceDown(f"{self._url}: its reader stopped unexpectedly")
        try:
            self.read()
            fault = None
        except SourceError as known:
            fault = known
        finally:
            self._queue.end(fault)

    def read(self, file: Any = None) -> None:
        """Read the URL, or a `file` that replaces it, to the end; raises SourceError, and errors of the file."""
        import av

        fault: SourceError | None = None
        try:
            with self._demuxer.open(file) as container:
                self._pump(container)
        except IndexError:  # PyAV's error for a PID that did not exist when the container was opened
            fault = SourceDown(f"{self._url}: a new stream appeared, which can only be read after reopening")
        except (av.FFmpegError, ValueError, OSError) as error:
            fault = self._demuxer.explain(error, live=self._source.live)
        if fault is not None:
            raise fault  # outside, so that libav's error, whose text may contain a password, is not chained to it

    def _pump(self, container: InputContainer) -> None:
        live = self._source.live and not _has_end(container) if self._live is None else self._live
        self._source.live = live
        data = [stream for stream in container.streams if _may_carry(stream)]
        if live and not data:
            raise NotMedia(f"{self._url}: it contains no data stream, and therefore no KLV, only {_named(container)}")
        self._container, self._sniffer = container, KlvSniffer(data)
        # Over TCP the server can wait: the socket's buffer fills.
        newest_wins = live and self._demuxer.options.get("rtsp_transport") == "udp"
        drops = UdpDrops(self._source.link, self._demuxer.udp_ports)
        try:
            for packet in container.demux(data + _discard_others(container, live)) if data else ():
                if self._queue.stopped:
                    return
                self._demuxer.restart_timeout()
                drops.update()
                self._source.link.size += packet.size
                if packet.size and packet.stream in data and self._is_wanted(packet):
                    for piece in self._pieces(packet, live):
                        self._queue.put(piece, newest_wins=newest_wins)
        finally:
            drops.update(now=True)
            for piece in self._rest():
                self._queue.put(piece, newest_wins=newest_wins)

    def _is_wanted(self, packet: AvPacket[Stream]) -> bool:
        if not (self._sniffer.is_klv(packet) or self._is_ts(packet)):
            return False
        if self._demuxer.options.get("rtsp_transport") != "udp" or self._duplicates.is_new(packet):
            return True
        self._source.link.rtp_duplicates += 1
        return False

    def _is_own_track(self, stream: Stream) -> bool:
        """A separate RTP track, not part of a transport stream inside RTP; libav numbers these from 0."""
        return self._url.scheme in ("rtsp", "rtsps") and stream.id < FIRST_PID

    def _is_ts(self, packet: AvPacket[Stream]) -> bool:
        """MPEG-TS that libav does not recognise because its payload type is not the registered one (RFC 3551)."""
        return self._is_own_track(packet.stream) and packet.size % 188 == 0 and bytes(packet)[0] == SYNC

    def _pieces(self, packet: AvPacket[Stream], live: bool) -> Iterator[Packet]:
        received = now_us() if live else None
        stream, pts = packet.stream, pts_of(packet)
        if self._is_ts(packet):
            yield Packet(bytes(packet), received)
            return
        if not self._is_own_track(stream):
            listing = self._sniffer.listing(stream.id)
            yield Packet(bytes(packet), received, "klv", pts, stream.id, packet.is_corrupt, None, listing)
            return
        track = self._tracks.setdefault(stream.id, Track(self._packet_limit))
        for data, ticks, damaged in track.units(bytes(packet), pts):
            yield Packet(data, received, "klv", ticks, stream.id, damaged)

    def _rest(self) -> Iterator[Packet]:
        for pid, track in self._tracks.items():
            for data, ticks, damaged in track.rest():
                yield Packet(data, now_us(), "klv", ticks, pid, damaged)


def _has_end(container: InputContainer) -> bool:
    """A duration, or a length as files have."""
    return container.duration is not None or (container.size or 0) > 0


def _discard_others(container: InputContainer, live: bool) -> list[Stream]:
    """Let libav discard all streams except data, and video of a live source, which is returned.

    If video were skipped too, libav would not return between two KLV packets, and its timeout could not distinguish a
    pause in the KLV from a lost connection.
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
    """Data; and video without a codec known to libav, as which some cameras label an RTP track."""
    return stream.type in ("data", "unknown") or (stream.type == "video" and stream.codec_context is None)


class KlvSniffer:
    """Detects KLV streams by their bytes: their labels are not reliable."""

    def __init__(self, streams: Sequence[Stream] = ()) -> None:
        self._streams = streams
        self._known: set[int] = set()
        self._misses: dict[int, int] = {}

    def is_klv(self, packet: AvPacket[Stream]) -> bool:
        index = packet.stream_index
        if index in self._known:
            return True
        misses = self._misses.get(index, 0)
        if misses < MISSES_MOST and KEY in bytes(packet):
            self._known.add(index)
            return True
        self._misses[index] = misses + 1
        return False

    def listing(self, pid: int, program_of: Callable[[int], int | None] = lambda _: None) -> int:
        """The listing of a PID, in the C core's form: streams that are KLV, or have shown nothing else yet."""
        may = [s.id for s in self._streams if s.index in self._known or s.index not in self._misses]
        return listing_of(pid, may, program_of)


class _Duplicates:
    """libav's queue returns a duplicated datagram twice, sometimes a few packets apart."""

    def __init__(self) -> None:
        self._lately: deque[int] = deque(maxlen=256)

    def is_new(self, packet: AvPacket[Stream]) -> bool:
        """Is it not a recent duplicate, by bytes and time? A packet without a time may legitimately repeat."""
        if packet.pts is None:
            return True
        mark = hash((packet.stream_index, packet.pts, bytes(packet)))
        if mark in self._lately:
            return False
        self._lately.append(mark)
        return True


def pts_of(packet: AvPacket[Stream]) -> int | None:
    """The presentation time: 90 kHz, 33 bits."""
    if packet.pts is None:
        return None
    base = packet.time_base
    return packet.pts * base.numerator * 90_000 // base.denominator & PTS_BITS


def _named(container: InputContainer) -> str:
    return ", ".join(sorted({stream.type for stream in container.streams})) or "nothing"
