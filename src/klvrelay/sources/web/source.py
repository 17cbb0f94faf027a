"""http:// and https:// sources, read on a thread: MPEG-TS and bare KLV, as bytes for the C core, from a file, a live
stream or HLS. Other containers go to libav, which reads the bytes from here and opens nothing itself.
"""

from __future__ import annotations

import threading
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import closing
from itertools import chain

from klvrelay.config.url import Url
from klvrelay.core.carriage import KEY
from klvrelay.errors import KlvrelayError, NotMedia, SourceDown
from klvrelay.link_stats import LinkStats
from klvrelay.record import Carriage, Packet
from klvrelay.recordings.sniff import LEAST, MOST, carriage_by, is_container
from klvrelay.sources.libav.demuxer import Demuxer, libav_options
from klvrelay.sources.libav.source import LibavReader
from klvrelay.sources.parts import SMALL, in_turns
from klvrelay.sources.thread_queue import ThreadQueue
from klvrelay.sources.web.file import ByteStream, RemoteFile
from klvrelay.sources.web.follow import Mark, PlaylistReader
from klvrelay.sources.web.playlist import MOST as PLAYLIST_MOST
from klvrelay.sources.web.playlist import is_playlist
from klvrelay.sources.web.position import Position
from klvrelay.sources.web.resume import Resume
from klvrelay.transports import tls
from klvrelay.transports.arrival_clock import now_us
from klvrelay.transports.http.answer import Answer
from klvrelay.transports.http.client import Web
from klvrelay.transports.http.faults import WebFault

_PAGE = (b"<!doctype html", b"<html", b"<head", b'<?xml version="1.0"?><html')


class HttpSource:
    """The content at a web URL; one thread while it is read.

    A body is a file, whose end is final, if the server shows that: by its length together with Accept-Ranges,
    Last-Modified or ETag, as file servers send them; for a container, the length is enough. Any other body is live,
    even with an announced length: it may continue after it ends. A playlist is a file if it is marked as ended.

    resume  state from earlier connections to the same URL: a playlist continues after it
    """

    def __init__(self, url: Url, *, timeout: float, ca_file: str | None = None, resume: Resume | None = None) -> None:
        url.check_host()
        self.url = url
        self.live = True
        self.fixed = False
        self.dropped = 0
        self.link = LinkStats()
        self.resume = resume
        self.timeout = timeout
        self._ca_file = ca_file
        if url.scheme == "https" or ca_file is not None:
            tls.client_context(ca_file)  # report an unusable file before anything starts

    async def packets(self) -> AsyncGenerator[Packet, None]:
        """Bytes of MPEG-TS or KLV as they arrive; for other containers, packets of carriage "klv"."""
        queue = ThreadQueue()
        web = Web(self.url, timeout=self.timeout, ca_file=self._ca_file, pulse=queue.pulse)
        reader = _HttpReader(self, web, queue)
        threading.Thread(target=reader.run, name="klvrelay-http", daemon=True).start()
        dropped_before = self.dropped
        try:
            while batch := await queue.batch():
                self.dropped = dropped_before + queue.dropped
                for packet in batch:
                    if len(packet.data) <= SMALL:
                        yield packet
                        continue
                    async for part in in_turns(packet):
                        yield part
        finally:
            queue.stop()
            web.stop()


class _HttpReader:
    """One connection of the source, from its first request to its end, all on its thread."""

    def __init__(self, source: HttpSource, web: Web, queue: ThreadQueue) -> None:
        self._source, self._web, self._queue = source, web, queue
        self._resume = Resume() if source.resume is None else source.resume

    def run(self) -> None:
        url = self._source.url
        fault: KlvrelayError | None = SourceDown(f"{url}: its reader stopped unexpectedly")
        try:
            self._read()
            fault = None
        except KlvrelayError as known:
            fault = known
        except WebFault as found:
            fault = SourceDown(f"{url}: {found}", wait=found.wait)
        finally:
            self._web.close()
            self._queue.end(fault)

    def _read(self) -> None:
        with closing(self._web.get(self._web.target)) as answer:
            head = answer.head()
            if is_playlist(head):
                data = head + answer.rest(PLAYLIST_MOST)
            elif answer.is_page or head.lstrip().lower().startswith(_PAGE):
                raise NotMedia(f"{self._source.url}: a web page (HTML), not a stream: does the server require a login?")
            else:
                self._stream(answer, head)
                return
        source = self._source
        position = self._resume.position
        self._read_playlist(PlaylistReader(self._web, str(source.url), answer.target, data, position, source.link))

    def _stream(self, answer: Answer, head: bytes) -> None:
        live = self._source.live = not answer.is_file
        if is_container(head) and answer.size is not None:
            self._by_libav(RemoteFile(self._web, answer, answer.size), live=False)
            return
        self._forward(chain([head], iter(answer.read_some, b"")), lambda: live)

    def _read_playlist(self, reader: PlaylistReader) -> None:
        """Read a playlist. Its segments arrive in bursts and wait on the server: none is dropped here."""
        self._forward(reader.pieces(), lambda: reader.live)

    def _forward(self, pieces: Iterator[bytes | Mark], live: Callable[[], bool]) -> None:
        """Pass bytes to the queue once their content is known; bytes of a container go to libav."""
        head, carriage = b"", None
        for piece in pieces:
            if isinstance(piece, Mark):
                self._put(Packet(b"", now_us(), damaged=piece is Mark.GAP))
                continue
            self._source.live = live()
            if carriage is None:
                head += piece
                if is_container(head):
                    self._fragments(head, pieces, live=live())
                    return
                carriage, piece = self._detect(head), head
                if carriage is None:
                    continue
            if not self._put_bytes(piece, carriage):
                return
        if carriage is None and (head or self._resume.position.next is None):
            self._put_bytes(head, self._detect(head, ended=True))

    def _detect(self, head: bytes, *, ended: bool = False) -> Carriage | None:
        """The content of the bytes; None: too few to tell. Raises NotMedia if it cannot be read."""
        enough = len(head) >= LEAST or head.startswith(KEY)
        carriage = carriage_by(head) if enough or ended else None
        if carriage is None and (ended or len(head) >= MOST):
            url = self._source.url
            raise NotMedia(f"{url}: contains neither MPEG-TS nor KLV, nor a container that klvrelay can read")
        return carriage

    def _put_bytes(self, data: bytes, carriage: Carriage | None) -> bool:
        self._source.link.size += len(data)
        return self._put(Packet(data, now_us() if self._source.live else None, carriage or "ts"))

    def _put(self, packet: Packet) -> bool:
        """By TCP the server can wait: the socket fills, and nothing is dropped here."""
        return self._queue.put(packet, newest_wins=False)

    def _fragments(self, head: bytes, pieces: Iterator[bytes | Mark], *, live: bool) -> None:
        """Read a container with libav; another stream inside it begins another container."""
        while head:
            run = _UntilRestart(head, pieces)
            self._by_libav(ByteStream(run.pieces()), live=live)
            head = run.next_head()

    def _by_libav(self, file: ByteStream | RemoteFile, *, live: bool) -> None:
        source = self._source
        source.fixed = True
        demuxer = Demuxer(source.url, source.timeout, libav_options(source.url), pulse=self._queue.pulse)
        LibavReader(source, demuxer, self._queue, live=live).read(file)


class _UntilRestart:
    """The pieces up to the start of another stream."""

    def __init__(self, head: bytes, pieces: Iterator[bytes | Mark]) -> None:
        self._head, self._pieces = head, pieces

    def pieces(self) -> Iterator[bytes]:
        yield self._head
        for piece in self._pieces:
            if piece is Mark.RESTART:
                return
            if isinstance(piece, bytes):
                yield piece

    def next_head(self) -> bytes:
        """The first piece of the next stream; empty at the end."""
        return next((piece for piece in self._pieces if isinstance(piece, bytes)), b"")


def file_at(url: Url, web: Web) -> ByteStream | RemoteFile:
    """The content at a URL, as a file for libav; raises WebFault, and so do its reads."""
    answer = web.get(web.target)
    head = answer.head()
    if is_playlist(head):
        with closing(answer):
            data = head + answer.rest(PLAYLIST_MOST)
        reader = PlaylistReader(web, str(url), answer.target, data, Position(), LinkStats())
        return ByteStream(piece for piece in reader.pieces() if isinstance(piece, bytes))
    if answer.size is not None:
        return RemoteFile(web, answer, answer.size)
    return ByteStream(chain([head], iter(answer.read_some, b"")))
