"""The answer to an HTTP request while its body is read; next door, `client.py` makes the request."""

from __future__ import annotations

import http.client
import threading
import time
import zlib
from collections.abc import Callable

from klvrelay.sources.web.faults import WebFault, line_fault

PIECE = 65536
HEAD = 16
SMALL_SECONDS = 30.0
"""Seconds that a playlist or a key may take, however slowly it comes."""


class Answer:
    """An answer that is being read; a body that ends before its length raises WebFault of kind "cut".

    size      bytes of the body, None where the server does not say
    timeout   seconds of silence after which it is given up
    stopped   whoever reads it is to end
    done      called once it is closed, with whether its connection can be used again
    """

    def __init__(
        self, target: str, response: http.client.HTTPResponse, *, timeout: float, stopped: threading.Event,
        done: Callable[[bool], None],
    ) -> None:  # fmt: skip
        self.target, self.status, self.fields = target, response.status, response.headers
        self.size: int | None = response.length
        self._response, self._timeout, self._stopped, self._done = response, timeout, stopped, done
        self._left = response.length
        self._ended = self._closed = False
        encoding = self.fields.get("Content-Encoding", "identity").strip().lower()
        self._unzip = zlib.decompressobj(47) if encoding in ("gzip", "x-gzip", "deflate") else None
        if self._unzip is not None:
            self.size = None

    @property
    def location(self) -> str | None:
        """Where a redirect leads; None where it is none."""
        return self.fields.get("Location") if self.status in (301, 302, 303, 307, 308) else None

    @property
    def is_page(self) -> bool:
        return self.fields.get_content_type() in ("text/html", "application/xhtml+xml")

    def checked(self, start: int, end: int | None) -> Answer:
        """The same, at `start` although the server may not know ranges; raises WebFault for a status that is no yes."""
        if self.status == 200 and (start or end is not None):
            if self.size is not None:
                self.size = (self.size if end is None else min(end, self.size)) - start
            while start:
                skipped = self.read_some(min(start, PIECE))
                if not skipped:
                    raise WebFault("the file is shorter than was said", "cut")
                start -= len(skipped)
            if end is not None and self.size is not None and self._left is not None:
                self._left = min(self._left, self.size)
        elif self.status not in (200, 206):
            self.close()
            raise WebFault(f"the server answers with status {self.status}, which klvrelay does not expect", "status",
                           status=self.status)  # fmt: skip
        return self

    def read_some(self, size: int = PIECE) -> bytes:
        """What is there, at most `size` bytes of it on the line; nothing at the end."""
        while not self._ended:
            piece = (self._unzip and self._unzip.unconsumed_tail) or self._raw(size)
            if self._unzip is None or not piece:
                return piece
            if plain := self._unzipped(self._unzip, piece):
                return plain
        return b""

    def _unzipped(self, unzip: zlib._Decompress, piece: bytes) -> bytes:
        try:
            return unzip.decompress(piece, 64 * PIECE)
        except zlib.error:
            self.close()
            raise WebFault("it says that it is compressed (gzip), and is not, or is damaged", "cut") from None

    def head(self) -> bytes:
        """The first bytes, as many as it takes to know a playlist or a page by; less where there are no more."""
        found = b""
        while len(found) < HEAD and (piece := self.read_some()):
            found += piece
        return found

    def read(self, size: int, *, until: float) -> bytes:
        """Exactly `size` bytes, less at the end; `until` is when that must be done, monotonic."""
        parts, have = [], 0
        while have < size and (piece := self.read_some(size - have)):
            parts.append(piece)
            have += len(piece)
            if time.monotonic() > until:
                raise WebFault("it comes too slowly", "cut")
        return b"".join(parts)

    def rest(self, most: int) -> bytes:
        """All of it; raises WebFault where that is more than `most` bytes, or takes too long."""
        found = self.read(most + 1, until=time.monotonic() + SMALL_SECONDS)
        if len(found) > most:
            raise WebFault(f"larger than the {most >> 10} KiB that it may have", "refused")
        return found

    def _raw(self, size: int) -> bytes:
        if self._left is not None:
            size = min(size, self._left)
        try:
            piece = self._response.read1(size) if size else b""
        except http.client.HTTPException:
            raise self._cut() from None
        except TimeoutError:
            self.close()
            raise WebFault(f"sent nothing for {self._timeout:g} s") from None
        except OSError as fault:
            self.close()
            if self._stopped.is_set():
                raise WebFault("stopped") from None
            raise line_fault(fault, self._timeout) from None
        if self._left is not None:
            self._left -= len(piece)
        if not piece:
            if self._left or self._stopped.is_set():
                raise self._cut()
            self._ended = True
        return piece

    def _cut(self) -> WebFault:
        self.close()
        return WebFault("stopped" if self._stopped.is_set() else "it broke off before its end", "cut")

    def close(self) -> None:
        """Let it go; the connection is used again where all was read."""
        if not self._closed:
            self._closed = True
            whole = self._ended or self._left == 0
            self._response.close()
            self._done(whole and not self._response.will_close)
