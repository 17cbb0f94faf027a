"""The HTTP requests of one source: TLS verified, the login for one origin only, redirects, cookies and proxies bounded.

An origin is scheme, host and port (RFC 6454). Nothing that began with https:// is fetched by http://. Next door:
`faults.py` says what went wrong.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import time
import urllib.parse
import urllib.request
import zlib
from contextlib import suppress
from dataclasses import replace
from typing import NamedTuple

from klvrelay import tls
from klvrelay.names import Secret, Url
from klvrelay.sources.web.faults import WebFault, line_fault, status_fault
from klvrelay.sources.web.login import Login, challenges

REDIRECTS = 8
COOKIES, COOKIE = 32, 4096
"""Cookies of one origin that are kept, and characters of one."""
PIECE = 65536
SMALL_SECONDS = 30.0
"""Seconds that a playlist or a key may take, however slowly it comes."""
_SAFE = "/%:=&?~+!$,;'@()*[]|"
_PORTS = {"http": 80, "https": 443}


class Origin(NamedTuple):
    """Who answers for a URL."""

    scheme: str
    host: str
    port: int


def origin_of(target: str) -> Origin:
    """Of an absolute URL; raises WebFault for one that is not http:// or https://."""
    try:
        parts = urllib.parse.urlsplit(target)
        port = parts.port
    except ValueError:
        raise WebFault("it leads to something that is no URL", "refused") from None
    if parts.scheme not in _PORTS:
        raise WebFault(f"it leads to {parts.scheme[:20]}://, which is not allowed here", "refused")
    if not parts.hostname:
        raise WebFault("it leads to a URL without a host", "refused")
    return Origin(parts.scheme, parts.hostname, port or _PORTS[parts.scheme])


class Web:
    """The requests of one source, for one thread; `stop` may come from another.

    Raises ConfigError for a `ca_file` that cannot be used, WebFault for all that goes wrong with a request.
    """

    def __init__(self, url: Url, *, timeout: float, ca_file: str | None = None) -> None:
        self.target = replace(url, user=None, password=None).unredacted()
        self.timeout = timeout
        self.stopped = threading.Event()
        self._own = origin_of(self.target)
        self._login = None if url.user is None else Login(url.user, url.password)
        self._ca_file = ca_file
        self._context: ssl.SSLContext | None = tls.verifying(ca_file) if url.scheme == "https" else None
        self._lines: dict[Origin, http.client.HTTPConnection] = {}
        self._cookies: dict[Origin, dict[str, str]] = {}

    def stop(self) -> None:
        """End what waits: the thread's next or present request raises WebFault."""
        self.stopped.set()
        for line in [*self._lines.values()]:
            sock = line.sock
            if sock is not None:
                with suppress(OSError):
                    # Not SSLSocket's own, which would pull the TLS state from under the thread that reads.
                    socket.socket.shutdown(sock, socket.SHUT_RDWR)

    def close(self) -> None:
        for line in self._lines.values():
            line.close()
        self._lines.clear()

    def join(self, base: str, reference: str) -> str:
        """The URL that `reference` means in a document at `base`; raises WebFault for one that must not be followed."""
        try:
            target = urllib.parse.urljoin(base, reference.strip())
        except ValueError:
            raise WebFault("it leads to something that is no URL", "refused") from None
        if origin_of(base).scheme == "https" and origin_of(target).scheme == "http":
            raise WebFault("it leads from https:// to http://, which can not be verified", "refused")
        return target

    def get(self, target: str, *, start: int = 0, end: int | None = None) -> Answer:
        """The answer to a GET of the bytes from `start` to before `end`, behind redirects; it is to be closed."""
        for _ in range(REDIRECTS + 1):
            answer = self._authorised(target, start, end)
            if answer.location is None:
                return answer.checked(start, end)
            answer.close()
            target = self.join(target, answer.location)
        raise WebFault(f"it redirects in circles (followed {REDIRECTS} times): check the URL", "refused")

    def small(self, target: str, most: int) -> tuple[bytes, str]:
        """(a whole document of at most `most` bytes, the URL where it was in the end)."""
        answer = self.get(target)
        try:
            return answer.rest(most), answer.target
        finally:
            answer.close()

    def _authorised(self, target: str, start: int, end: int | None) -> Answer:
        origin = origin_of(target)
        login = self._login if origin == self._own else None
        for _ in range(2):
            sent = None if login is None else login.header("GET", _path(target))
            answer = self._asked(origin, target, start, end, sent)
            if answer.status != 401 or login is None:
                break
            offered = challenges(answer.fields.get_all("WWW-Authenticate", []))
            stale = any(one.parameters.get("stale", "").lower() == "true" for one in offered)
            if (sent is not None and not stale) or not login.take(offered):
                break
            answer.close()
        if answer.status == 401 and login is not None and sent is None:
            answer.close()
            raise WebFault("the server offers no way to log in that klvrelay knows (Basic, Digest) (401)", "status",
                           status=401)  # fmt: skip
        if answer.status >= 400:
            answer.close()
            raise status_fault(answer.status, answer.fields, login=sent is not None)
        return answer

    def _asked(self, origin: Origin, target: str, start: int, end: int | None, login: str | None) -> Answer:
        fields = {"User-Agent": "klvrelay", "Accept": "*/*", "Accept-Encoding": "identity"}
        if start or end is not None:
            fields["Range"] = f"bytes={start}-" + ("" if end is None else str(end - 1))
        if login is not None:
            fields["Authorization"] = login
        if cookies := self._cookies.get(origin):
            fields["Cookie"] = "; ".join(f"{name}={value}" for name, value in cookies.items())
        kept = origin in self._lines
        try:
            return self._once(origin, target, fields)
        except (ConnectionError, http.client.CannotSendRequest, ssl.SSLEOFError) as gone:  # RemoteDisconnected is one
            self._drop(origin)
            if not kept or self.stopped.is_set():
                raise self._fault(gone) from None
        except (OSError, http.client.HTTPException) as fault:
            self._drop(origin)
            raise self._fault(fault) from None
        try:  # a connection that was kept may end at any time
            return self._once(origin, target, fields)
        except (OSError, http.client.HTTPException) as fault:
            self._drop(origin)
            raise self._fault(fault) from None

    def _once(self, origin: Origin, target: str, fields: dict[str, str]) -> Answer:
        if self.stopped.is_set():
            raise WebFault("stopped")
        line, by_proxy = self._line(origin)
        where = urllib.parse.quote(target.partition("#")[0], safe=_SAFE) if by_proxy else _path(target)
        if line.sock is None:
            self._connect(line)
        line.request("GET", where, headers=fields | self._proxy_login(origin, by_proxy))
        response = line.getresponse()
        self._keep_cookies(origin, response.headers)
        return Answer(self, origin, target, response)

    def _line(self, origin: Origin) -> tuple[http.client.HTTPConnection, bool]:
        """The connection to an origin, and whether it is that of an HTTP proxy."""
        proxy = _proxy(origin)
        line = self._lines.get(origin)
        if line is not None:
            return line, proxy is not None and origin.scheme == "http"
        host, port = (origin.host, origin.port) if proxy is None else (proxy.hostname or "", proxy.port or 80)
        if origin.scheme == "http":
            line = http.client.HTTPConnection(host, port, timeout=self.timeout)
        else:
            if self._context is None:
                self._context = tls.verifying(self._ca_file)
            line = http.client.HTTPSConnection(host, port, timeout=self.timeout, context=self._context)
            if proxy is not None:
                line.set_tunnel(origin.host, origin.port, _proxy_header(proxy))
        if len(self._lines) >= 4:
            self._drop(next(iter(self._lines)))
        self._lines[origin] = line
        return line, proxy is not None and origin.scheme == "http"

    def _connect(self, line: http.client.HTTPConnection) -> None:
        try:
            line.connect()
        except TimeoutError:
            if isinstance(line, http.client.HTTPSConnection) and line.sock is not None:
                raise WebFault(f"no TLS answer for {self.timeout:g} s: is it a TLS port? try http://") from None
            raise

    def _proxy_login(self, origin: Origin, by_proxy: bool) -> dict[str, str]:
        proxy = _proxy(origin) if by_proxy else None
        return {} if proxy is None else _proxy_header(proxy)

    def _keep_cookies(self, origin: Origin, fields: http.client.HTTPMessage) -> None:
        kept = self._cookies.setdefault(origin, {})
        for field in fields.get_all("Set-Cookie", [])[:COOKIES]:
            name, _, value = field.partition(";")[0].strip().partition("=")
            if name and len(name) + len(value) <= COOKIE and (name in kept or len(kept) < COOKIES):
                kept[name] = value

    def _fault(self, fault: Exception) -> WebFault:
        return WebFault("stopped") if self.stopped.is_set() else line_fault(fault, self.timeout)

    def _drop(self, origin: Origin) -> None:
        line = self._lines.pop(origin, None)
        if line is not None:
            line.close()

    def done(self, origin: Origin, *, reusable: bool) -> None:
        """An answer was read: its connection is kept for the next request, or closed."""
        if not reusable:
            self._drop(origin)


class Answer:
    """An answer that is being read; a body that ends before its length raises WebFault of kind "cut".

    size   bytes of the body, None where the server does not say
    """

    def __init__(self, web: Web, origin: Origin, target: str, response: http.client.HTTPResponse) -> None:
        self.target, self.status, self.fields = target, response.status, response.headers
        self.size: int | None = response.length
        self._web, self._origin, self._response = web, origin, response
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

    @property
    def has_ranges(self) -> bool:
        """Can the server give any part of it?"""
        return self.status == 206 or self.fields.get("Accept-Ranges", "").strip().lower() == "bytes"

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
            piece = self._raw(size)
            if self._unzip is None or not piece:
                return piece
            if plain := self._unzip.decompress(piece, 64 * PIECE):
                return plain
        return b""

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
            raise WebFault(f"sent nothing for {self._web.timeout:g} s") from None
        except OSError as fault:
            self.close()
            if self._web.stopped.is_set():
                raise WebFault("stopped") from None
            raise line_fault(fault, self._web.timeout) from None
        if self._left is not None:
            self._left -= len(piece)
        if not piece:
            if self._left or self._web.stopped.is_set():
                raise self._cut()
            self._ended = True
        return piece

    def _cut(self) -> WebFault:
        self.close()
        return WebFault("stopped" if self._web.stopped.is_set() else "it broke off before its end", "cut")

    def close(self) -> None:
        """Let it go; the connection is used again where all was read."""
        if not self._closed:
            self._closed = True
            whole = self._ended or self._left == 0
            self._response.close()
            self._web.done(self._origin, reusable=whole and not self._response.will_close)


def _path(target: str) -> str:
    parts = urllib.parse.urlsplit(target)
    return urllib.parse.quote(urllib.parse.urlunsplit(("", "", parts.path or "/", parts.query, "")), safe=_SAFE)


def _proxy(origin: Origin) -> urllib.parse.SplitResult | None:
    """The proxy that the environment names for this origin, as curl and libav have it (http_proxy, no_proxy)."""
    named = urllib.request.getproxies_environment().get(origin.scheme)
    if not named or urllib.request.proxy_bypass(f"{origin.host}:{origin.port}"):
        return None
    return urllib.parse.urlsplit(named if "://" in named else f"http://{named}")


def _proxy_header(proxy: urllib.parse.SplitResult) -> dict[str, str]:
    if proxy.username is None:
        return {}
    login = Login(urllib.parse.unquote(proxy.username), Secret(urllib.parse.unquote(proxy.password or "")))
    login.take(challenges(["Basic"]))
    return {"Proxy-Authorization": login.header("GET", "") or ""}
