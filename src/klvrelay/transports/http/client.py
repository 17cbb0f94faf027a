"""HTTP requests of one source: TLS is verified, credentials go to one origin only, redirects and requests are limited.

An origin is scheme, host and port (RFC 6454). A source that began with https:// never requests http://.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import urllib.parse
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from typing import NamedTuple

from klvrelay.config.url import Url
from klvrelay.threads import Pulse
from klvrelay.transports import tls
from klvrelay.transports.http.answer import Answer
from klvrelay.transports.http.cookies import Cookies
from klvrelay.transports.http.faults import WebFault, connection_fault, status_fault
from klvrelay.transports.http.header import Response
from klvrelay.transports.http.login import Login, challenges
from klvrelay.transports.http.proxy import Proxy, proxy_for
from klvrelay.transports.http.reach import BURST, OWN_BURST, OWN_RATE, RATE, STEPS, Reach, RequestRate, connect_directly

REDIRECTS = 8
_SAFE = "/%:=&?~+!$,;'@()*[]|"
_PORTS = {"http": 80, "https": 443}
_OTHERS = ("data", "file", "ftp", "ftps", "rtmp", "rtsp", "rtsps", "srt", "tcp", "udp")


class Origin(NamedTuple):
    """The origin of a URL: scheme, host and port."""

    scheme: str
    host: str
    port: int


def origin_of(target: str) -> Origin:
    """The origin of an absolute URL; raises WebFault if it is not http:// or https://."""
    try:
        parts = urllib.parse.urlsplit(target)
        port = parts.port
        (parts.hostname or "").encode("idna")
    except ValueError:  # includes UnicodeError
        raise WebFault("it leads to an invalid URL", "refused") from None
    if parts.scheme not in _PORTS:
        # The text before a colon may be a user name that the server repeats, so only known schemes are shown.
        where = f"{parts.scheme}://" if parts.scheme in _OTHERS else "another protocol"
        raise WebFault(f"it leads to {where}, which is not allowed here", "refused")
    if not parts.hostname:
        raise WebFault("it leads to a URL without a host", "refused")
    return Origin(parts.scheme, parts.hostname, port or _PORTS[parts.scheme])


class Web:
    """The requests of one source, from one thread; `stop` may be called from another thread.

    Raises ConfigError for a URL without a host and for an unusable `ca_file`; WebFault for every failed request.

    pulse   of this thread
    """

    def __init__(
        self, url: Url, *, timeout: float, ca_file: str | None = None, pulse: Pulse | None = None
    ) -> None:
        url.check_host()
        self.target = url._replace(user=None, password=None).unredacted()
        self.timeout = timeout
        self.stopped = threading.Event()
        self.pulse = Pulse() if pulse is None else pulse
        self._own = origin_of(self.target)
        self._login = None if url.user is None else Login(url.user, url.password)
        self._ca_file = ca_file
        self._context: ssl.SSLContext | None = tls.client_context(ca_file) if url.scheme == "https" else None
        self._connections: dict[Origin, http.client.HTTPConnection] = {}
        self._cookies = Cookies()
        self._reach = Reach(self.pulse)
        self._pace, self._others = RequestRate(OWN_BURST, OWN_RATE), RequestRate(BURST, RATE)

    def stop(self) -> None:
        """Abort the current or next request, which raises WebFault."""
        self.stopped.set()
        for connection in [*self._connections.values()]:
            sock = connection.sock
            if sock is not None:
                with suppress(OSError):
                    # SSLSocket.shutdown would discard the TLS state while another thread reads.
                    socket.socket.shutdown(sock, socket.SHUT_RDWR)

    def pause(self, seconds: float) -> None:
        """Wait before the next request, which may take some time-outs. Raises WebFault if stopped meanwhile."""
        self.pulse.expect(seconds + STEPS * self.timeout)
        if self.stopped.wait(seconds):
            raise WebFault("stopped")

    def close(self) -> None:
        for connection in self._connections.values():
            connection.close()
        self._connections.clear()

    def join(self, base: str, reference: str) -> str:
        """Resolve `reference` against the document URL `base`; raises WebFault for a URL that must not be followed.

        Credentials in the reference are dropped: only those of the source's URL are ever sent.
        """
        try:
            target = urllib.parse.urljoin(base, reference.strip())
            if "@" in target:
                parts = urllib.parse.urlsplit(target)
                target = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
        except ValueError:
            raise WebFault("it leads to an invalid URL", "refused") from None
        if origin_of(target).scheme == "http" and origin_of(base).scheme == "https":
            raise WebFault("it leads from https:// to http://, which cannot be verified", "refused")
        return target

    def get(self, target: str, *, start: int = 0, end: int | None = None) -> Answer:
        """The response to a GET of bytes `start` to `end` (exclusive), after redirects. The caller closes it."""
        for _ in range(REDIRECTS + 1):
            answer = self._log_in(target, start, end)
            if answer.location is None:
                return answer.check(start, end)
            answer.close()
            target = self.join(target, answer.location)
        raise WebFault(f"too many redirects ({REDIRECTS}): check the URL", "refused")

    def small(self, target: str, most: int) -> tuple[bytearray, str]:
        """A whole document of at most `most` bytes, and its URL after redirects."""
        answer = self.get(target)
        try:
            return answer.rest(most), answer.target
        finally:
            answer.close()

    def _log_in(self, target: str, start: int, end: int | None) -> Answer:
        origin = origin_of(target)
        login = self._login if origin == self._own else None
        for _ in range(2):
            sent = None if login is None else login.header("GET", _path(target))
            answer = self._request(origin, target, start, end, sent)
            if answer.status != 401 or login is None:
                break
            offered = challenges(answer.fields.get_all("WWW-Authenticate", []))
            stale = any(one.parameters.get("stale", "").lower() == "true" for one in offered)
            if (sent is not None and not stale) or not login.take(offered):
                break
            answer.close()
        if answer.status == 401 and login is not None and sent is None:
            answer.close()
            raise WebFault("the server offers no supported login scheme (Basic, Digest) (401)", "status",
                           status=401)  # fmt: skip
        if answer.status >= 400:
            answer.close()
            raise status_fault(answer.status, answer.fields, login=login)
        return answer

    def _request(self, origin: Origin, target: str, start: int, end: int | None, login: str | None) -> Answer:
        fields: dict[str, str | bytes] = {"User-Agent": "klvrelay", "Accept": "*/*", "Accept-Encoding": "identity"}
        if start or end is not None:
            fields["Range"] = f"bytes={start}-" + ("" if end is None else str(end - 1))
        if login is not None:
            fields["Authorization"] = login.encode()
        fields |= self._cookies.header(origin)
        for kept in (origin in self._connections, False):  # a reused connection may have been closed by the server
            try:
                return self._send(origin, target, fields)
            except WebFault:
                self._close_connection(origin)
                raise
            except (OSError, http.client.HTTPException, ValueError) as fault:
                self._close_connection(origin)
                # http.client.RemoteDisconnected is a subclass of ConnectionError
                closed = isinstance(fault, ConnectionError | http.client.CannotSendRequest | ssl.SSLEOFError)
                if not (kept and closed) or self.stopped.is_set():
                    raise self._fault(fault) from None
        raise AssertionError("unreachable")

    def _send(self, origin: Origin, target: str, fields: Mapping[str, str | bytes]) -> Answer:
        self.pause((self._pace if origin == self._own else self._others).take())
        proxy = proxy_for(*origin)
        connection = self._connection(origin, proxy)
        if proxy is not None and origin.scheme == "http":
            where, fields = urllib.parse.quote(target.partition("#")[0], safe=_SAFE), {**fields, **proxy.header}
        else:
            where = _path(target)
        if connection.sock is None:
            self._connect(connection)
        connection.request("GET", where, headers=fields)
        response = connection.getresponse()
        assert isinstance(response, Response)
        self._cookies.take(origin, response.headers)
        done = partial(self._done, origin)
        return Answer(target, response, timeout=self.timeout, stopped=self.stopped, done=done, pulse=self.pulse)

    def _connection(self, origin: Origin, proxy: Proxy | None) -> http.client.HTTPConnection:
        """The connection to an origin, or to its proxy."""
        connection = self._connections.get(origin)
        if connection is not None:
            return connection
        host, port = (origin.host, origin.port) if proxy is None else (proxy.host, proxy.port)
        if origin.scheme == "http":
            connection = http.client.HTTPConnection(host, port, timeout=self.timeout)
        else:
            if self._context is None:
                self._context = tls.client_context(self._ca_file)
            connection = http.client.HTTPSConnection(host, port, timeout=self.timeout, context=self._context)
            if proxy is not None:
                connection.set_tunnel(origin.host, origin.port, proxy.header)
        connection.response_class = Response
        connection._create_connection = connect_directly if proxy else self._reach.connect  # type: ignore[attr-defined]
        if proxy is not None and origin == self._own:
            self._reach.set_proxied()
        if len(self._connections) >= 4:
            self._close_connection(next(iter(self._connections)))
        self._connections[origin] = connection
        return connection

    def _connect(self, connection: http.client.HTTPConnection) -> None:
        try:
            connection.connect()
        except TimeoutError:
            if isinstance(connection, http.client.HTTPSConnection) and connection.sock is not None:
                raise WebFault(f"no TLS response within {self.timeout:g} s: is it a TLS port? try http://") from None
            raise

    def _fault(self, fault: Exception) -> WebFault:
        return WebFault("stopped") if self.stopped.is_set() else connection_fault(fault, self.timeout)

    def _close_connection(self, origin: Origin) -> None:
        connection = self._connections.pop(origin, None)
        if connection is not None:
            connection.close()

    def _done(self, origin: Origin, reusable: bool) -> None:
        """A response was read: keep its connection for the next request, or close it."""
        if not reusable:
            self._close_connection(origin)


def _path(target: str) -> str:
    parts = urllib.parse.urlsplit(target)
    return urllib.parse.quote(urllib.parse.urlunsplit(("", "", parts.path or "/", parts.query, "")), safe=_SAFE)
