"""The response to an HTTP request, while its body is read."""

from __future__ import annotations

import http.client
import re
import threading
import time
import zlib
from collections.abc import Callable, Iterator

from klvrelay.threads import Pulse
from klvrelay.transports.http.faults import WebFault, connection_fault
from klvrelay.transports.http.header import SECONDS, Response

PIECE = 65536
HEAD = 16
SMALL_SECONDS = 30.0
"""Maximum seconds for a playlist or a key."""
SKIP_SECONDS = 120.0
"""Maximum seconds for skipping to the requested bytes when the server ignores ranges."""
_CONTENT_RANGE = re.compile(r"bytes\s+(\d{1,18})-")


class Answer:
    """A response whose body is being read. A body shorter than its announced length raises WebFault of kind "cut".

    size      bytes of the body, or None if the server does not announce it
    timeout   seconds of silence after which reading fails
    stopped   set when the reader must stop
    done      called on close, with whether the connection can be reused
    pulse     of the thread that reads it
    """

    def __init__(
        self, target: str, response: Response, *, timeout: float, stopped: threading.Event,
        done: Callable[[bool], None], pulse: Pulse | None = None,
    ) -> None:  # fmt: skip
        self.target, self.status, self.fields = target, response.status, response.headers
        self.size: int | None = response.length
        self._response, self._timeout, self._stopped, self._done = response, timeout, stopped, done
        self._pulse = Pulse() if pulse is None else pulse
        self._left = response.length
        self._ended = self._closed = False
        encoding = self.fields.get("Content-Encoding", "identity").strip().lower()
        self._decompressor = zlib.decompressobj(47) if encoding in ("gzip", "x-gzip", "deflate") else None
        if self._decompressor is not None:
            self.size = None

    @property
    def location(self) -> str | None:
        """The URL of a redirect; None if this is not a redirect."""
        return self.fields.get("Location") if self.status in (301, 302, 303, 307, 308) else None

    @property
    def is_page(self) -> bool:
        return self.fields.get_content_type() in ("text/html", "application/xhtml+xml")

    @property
    def is_file(self) -> bool:
        """Does the server show that the file is complete, and has been for a while?"""
        fields = self.fields
        kept = "Last-Modified" in fields or "ETag" in fields
        return self.size is not None and (kept or fields.get("Accept-Ranges", "").strip().lower() == "bytes")

    def check(self, start: int, end: int | None) -> Answer:
        """This response, positioned at `start` even if the server ignores ranges.

        Raises WebFault for a status that is not a success.
        """
        if self.status == 200 and (start or end is not None):
            self._skip(start, end)
        elif self.status == 206:
            self._check_part(start, end)
        elif self.status != 200:
            self.close()
            raise WebFault(f"unexpected status {self.status}", "status",
                           status=self.status)  # fmt: skip
        return self

    def _skip(self, start: int, end: int | None) -> None:
        until = time.monotonic() + SKIP_SECONDS
        if self.size is not None:
            self.size = max(0, (self.size if end is None else min(end, self.size)) - start)
        while start:
            skipped = self.read_some(min(start, PIECE))
            if not skipped:
                raise WebFault("the file is shorter than announced", "cut")
            if time.monotonic() > until:
                self.close()
                raise WebFault("the server does not support byte ranges, and skipping takes too long", "refused")
            start -= len(skipped)
        self._end_at(self.size if end is not None else None)

    def _check_part(self, start: int, end: int | None) -> None:
        content_range = _CONTENT_RANGE.match(self.fields.get("Content-Range", ""))
        if content_range is not None and int(content_range[1]) != start:
            self.close()
            raise WebFault("the server sent a different part of the file than requested", "cut")
        self._end_at(None if end is None else end - start)

    def _end_at(self, size: int | None) -> None:
        """Do not read past the requested range."""
        if size is not None:
            self._left = size if self._left is None else min(self._left, size)

    def read_some(self, size: int = PIECE) -> bytes:
        """The bytes that are available, from at most `size` bytes on the wire; empty at the end."""
        until = time.monotonic() + max(self._timeout, SECONDS)
        while not self._ended:
            piece = (self._decompressor and self._decompressor.unconsumed_tail) or self._raw(size)
            if self._decompressor is None or not piece:
                return piece
            plain = self._decompress(self._decompressor, piece)
            # Data after the compressed stream is discarded.
            if self._decompressor.eof and not self._decompressor.unconsumed_tail:
                self.close()
                self._ended = True
            if plain:
                return plain
            if time.monotonic() > until:
                self.close()
                raise WebFault("its gzip data is empty", "cut")
        return b""

    def _decompress(self, decompressor: zlib._Decompress, piece: bytes) -> bytes:
        try:
            return decompressor.decompress(piece, PIECE)
        except zlib.error:
            self.close()
            raise WebFault("it announces gzip data, but sends something else, or the data is damaged", "cut") from None

    def head(self) -> bytes:
        """The first bytes, enough to recognise a playlist or a web page; fewer if the body is shorter."""
        found = b""
        while len(found) < HEAD and (piece := self.read_some()):
            found += piece
        return found

    def read(self, size: int, *, until: float) -> bytearray:
        """Exactly `size` bytes, or fewer at the end of the body.

        `until` is the deadline, on the monotonic clock.
        """
        found = bytearray()
        while len(found) < size and (piece := self.read_some(min(PIECE, size - len(found)))):
            found += piece
            if time.monotonic() > until:
                self.close()
                raise WebFault("the response is too slow", "cut")
        return found

    def pieces(self, most: int, *, until: float) -> Iterator[bytes]:
        """The whole body, as it arrives; raises WebFault if it exceeds `most` bytes or takes too long."""
        left = most
        while piece := self.read_some():
            left -= len(piece)
            if left < 0:
                self.close()
                raise WebFault(f"larger than the {most >> 10} KiB limit", "refused")
            if time.monotonic() > until:
                self.close()
                raise WebFault("the response is too slow", "cut")
            yield piece

    def rest(self, most: int) -> bytearray:
        """The whole body, with the limits of `pieces`."""
        found = bytearray()
        for piece in self.pieces(most, until=time.monotonic() + SMALL_SECONDS):
            found += piece
        return found

    def _raw(self, size: int) -> bytes:
        if self._left is not None:
            size = min(size, self._left)
        self._response.expect(max(self._timeout, SECONDS))
        self._pulse.expect(2 * max(self._timeout, SECONDS))
        try:
            piece = self._response.read1(size) if size else b""
        except WebFault:
            self.close()
            raise
        except http.client.HTTPException:
            raise self._cut_fault() from None
        except TimeoutError:
            self.close()
            raise WebFault(f"sent nothing for {self._timeout:g} s") from None
        except OSError as fault:
            self.close()
            if self._stopped.is_set():
                raise WebFault("stopped") from None
            raise connection_fault(fault, self._timeout) from None
        if self._left is not None:
            self._left -= len(piece)
        if not piece:
            if self._left or self._stopped.is_set():
                raise self._cut_fault()
            self._ended = True
            self.close()  # frees the connection for the next request
        return piece

    def _cut_fault(self) -> WebFault:
        self.close()
        return WebFault("stopped" if self._stopped.is_set() else "it ended before its announced length", "cut")

    def close(self) -> None:
        """Close the response; the connection is reused if the body was read to its end."""
        if not self._closed:
            self._closed = True
            whole = self._response.isclosed() or self._response.length == 0
            self._response.close()
            self._done(whole and not self._response.will_close)
