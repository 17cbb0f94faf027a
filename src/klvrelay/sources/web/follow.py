"""Follow an HLS playlist (RFC 8216): read its segments in order, and count and log those that are lost.

A live playlist is read from its newest segment. The next connection continues by segment number where the previous one
ended, so nothing is repeated, and segments that left the playlist meanwhile count as lost.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from enum import Enum

from klvrelay.link_stats import LinkStats
from klvrelay.sources.web.fetch import Fetch, KeyFault
from klvrelay.sources.web.links import Links
from klvrelay.sources.web.losses import Losses
from klvrelay.sources.web.playlist import MOST, SEGMENTS_MOST, MediaSegment, Playlist, parse
from klvrelay.sources.web.position import Position
from klvrelay.transports.http.client import Web
from klvrelay.transports.http.faults import WebFault

LOG = logging.getLogger("klvrelay.sources")

STALLED = 3.0
"""Target durations without a new segment after which a live playlist counts as stalled (RFC 8216, 6.3.4)."""
PROBED_MOST = 16 << 20
CHOICE_SECONDS = 60.0
"""Maximum seconds of the search for a variant with KLV; then the first readable one is used."""
RELOAD_LEAST = 0.2
"""Minimum seconds between two loads of a playlist; reading it also takes at most a fifth of the time."""
TRIES = 3
PAUSES = (0.3, 1.0, 2.0)
"""Seconds before each retry of a failed request."""
LOST_IN_ROW = 3
"""Consecutive lost segments after which a live playlist is reopened."""
_KLVA, _SET = b"KLVA", b"\x06\x0e\x2b\x34\x02"


class Mark(Enum):
    """A mark between the bytes: some are missing here; or another stream begins here."""

    GAP = "gap"
    RESTART = "restart"


class PlaylistReader:
    """One connection to a playlist, for one thread.

    url      of the playlist, without secrets
    target   the playlist's final URL and its content
    live     more segments will follow; fixed once the first piece is out
    """

    def __init__(self, web: Web, url: str, target: str, data: bytes, position: Position, link: LinkStats) -> None:
        self.live = True
        self._web, self._url, self._target = web, url, target
        self._data: bytes | bytearray = data
        self._position, self._link = position, link
        self._fetch = Fetch(web)
        self._lost_in_row = 0
        self._has_data = False
        self._loaded = self._changed_at = time.monotonic()
        self._parse_seconds = 0.0
        self._losses = Losses(url, link)

    def pieces(self) -> Iterator[bytes | Mark]:
        """The bytes of the segments, until the playlist ends. Raises WebFault if it cannot continue."""
        playlist = self._first()
        self.live = not playlist.ended
        due, marks = self._segments_due(playlist, first=True)
        last: WebFault | None = None
        try:
            while True:
                yield from marks
                for segment in due:
                    last = yield from self._segment(segment, playlist)
                if playlist.ended:
                    break
                playlist = self._next(playlist)
                due, marks = self._segments_due(playlist)
        finally:
            self._losses.end()
        if last is not None and not self._has_data:
            raise last

    # ---- selecting segments ----

    def _first(self) -> Playlist:
        playlist = self._parse(self._data)
        self._data = b""
        if playlist.variants:
            playlist = self._choose(playlist.variants)
        return playlist

    def _choose(self, variants: Sequence[str]) -> Playlist:
        """The first variant with KLV in a segment; if none has any, the first readable one."""
        playlist: Playlist | None
        usable = ""
        fault: WebFault | None = None
        until = time.monotonic() + CHOICE_SECONDS
        for target in variants:
            if time.monotonic() > until:
                break
            try:
                playlist = self._load(target)
                if len(variants) == 1 or self._has_klv(playlist):
                    return playlist
                usable = usable or target
            except WebFault as found:
                fault = found.with_traceback(None)  # its traceback would keep the playlist
                if self._web.stopped.is_set():
                    raise
            playlist = None  # free a large playlist before the next is read
        self._fetch.repeat_init()
        if usable:
            return self._load(usable)
        raise fault or WebFault("its playlist lists no readable variant", "refused")

    def _has_klv(self, playlist: Playlist) -> bool:
        if not playlist.segments:
            return False
        taken, tail = 0, b""
        with closing(self._fetch.pieces(playlist.segments[-1], 0)) as body:
            for piece in body:
                seen = tail + piece
                if _SET in seen or _KLVA in seen:
                    return True
                taken, tail = taken + len(piece), piece[-8:]
                if taken > PROBED_MOST:
                    break
        return False

    def _segments_due(self, playlist: Playlist, *, first: bool = False) -> tuple[Sequence[MediaSegment], list[Mark]]:
        """The segments to read now, and the marks to yield before them."""
        segments, position = playlist.segments, self._position
        if not segments:
            return (), []
        if position.next is None:
            return (segments if playlist.ended else segments[-1:]), []
        missed = segments[0].number - position.next
        due = [segment for segment in segments if segment.number >= position.next]
        same = (position.continues(segments) or self._is_renamed(segments)) and missed <= SEGMENTS_MOST
        if not same or (first and not due and not playlist.ended and self._is_other(segments[-1])):
            LOG.info("%s: the playlist restarted", self._url)
            position.reset()
            self._fetch.repeat_init()
            return (segments if playlist.ended else segments[-1:]), [Mark.RESTART]
        if missed > 0:
            self._losses.add(missed, "removed from the playlist before it was read")
            return due, [Mark.GAP]
        return due, []

    def _is_renamed(self, segments: Sequence[MediaSegment]) -> bool:
        """The names have changed: are the bytes the same? A token in a name may change with each load."""
        known_segment = self._position.known_segment(segments)
        if known_segment is None or self._is_other(known_segment):
            return False
        self._position.ignore_names()
        return True

    def _is_other(self, newest: MediaSegment) -> bool:
        """A restarted encoder may reuse numbers and names, but its bytes differ."""
        try:
            with closing(self._fetch.pieces(newest, 0)) as body:
                return self._position.is_other(newest, next(body, b""))
        except WebFault:
            return False

    def _next(self, before: Playlist) -> Playlist:
        """The playlist once it has changed; raises WebFault if it stalls."""
        limit = STALLED * before.target
        pause = min((before.segments[-1].seconds if before.segments else 0.0) or before.target, before.target)
        while True:
            self._pause(max(RELOAD_LEAST, 4 * self._parse_seconds, self._loaded + pause - time.monotonic()))
            playlist = self._load(self._target)
            if playlist.segments != before.segments or playlist.ended:
                self._changed_at = time.monotonic()
                return playlist
            if time.monotonic() - self._changed_at >= limit:
                raise WebFault(f"no new segment for {limit:.0f} s: is its encoder still running?")
            pause = max(0.1, pause / 2)

    def _load(self, target: str) -> Playlist:
        """A media playlist; temporary failures are retried."""
        for pause in (*PAUSES[:2], None):
            self._loaded = time.monotonic()
            try:
                data, self._target = self._web.small(target, MOST)
                playlist = self._parse(data)
            except WebFault as fault:
                if pause is None or not fault.is_temporary or fault.wait > pause:
                    raise
                self._pause(pause)
                continue
            if playlist.variants:
                raise WebFault("its master playlist lists another master playlist", "refused")
            return playlist
        raise AssertionError("unreachable")

    def _parse(self, data: bytes | bytearray) -> Playlist:
        begun = time.thread_time()
        playlist = parse(data, Links(self._target, self._web.join))
        self._parse_seconds = time.thread_time() - begun
        return playlist

    # ---- reading a segment ----

    def _segment(self, segment: MediaSegment, playlist: Playlist) -> Generator[bytes | Mark, None, WebFault | None]:
        """The bytes of one segment, or a gap if it is not available; returns the reason for the gap."""
        if segment.missing:
            fault = WebFault("marked as unavailable in the playlist", "status", status=404)
            yield from self._mark_lost(segment, fault)
            return fault
        if segment.discontinuity and self._has_data:
            self._fetch.repeat_init()
            yield Mark.RESTART
        taken, tries = 0, 0
        newest = self.live and segment is playlist.segments[-1]
        retry_until = time.monotonic() + (playlist.target if newest else 0.0)
        while True:
            try:
                for piece in self._fetch.pieces(segment, taken):
                    if not taken:
                        self._position.advance(segment)
                        self._position.note_head(segment, piece)
                    self._has_data, self._lost_in_row = True, 0
                    taken += len(piece)
                    yield piece
            except WebFault as found:
                if self._web.stopped.is_set():
                    raise
                tries += 1
                late = found.status in (404, 410) and time.monotonic() < retry_until
                if late or (found.is_temporary and tries < (2 if found.status == 404 else TRIES)):
                    self._pause(max(PAUSES[min(tries, TRIES) - 1], min(found.wait, playlist.target)))
                    continue
                if taken == 0 and (found.kind == "connection" or isinstance(found, KeyFault)):
                    raise  # nothing is lost yet: the next connection begins with this segment
                yield from self._mark_lost(segment, found)
                return found
            self._position.advance(segment)
            self._link.hls_segments += 1
            return None

    def _mark_lost(self, segment: MediaSegment, fault: WebFault) -> Iterator[Mark]:
        self._losses.add(1, str(fault))
        self._position.advance(segment)
        self._lost_in_row += 1
        yield Mark.GAP
        reopen = self._lost_in_row >= LOST_IN_ROW and (self.live or fault.status in (401, 403))
        if fault.kind == "connection" or reopen:
            raise fault

    # ---- waiting ----

    def _pause(self, seconds: float) -> None:
        self._web.pause(seconds)
