"""Relay an RTSP session between libav and a server, and check the server's responses.

    libav --rtsp, loopback--> gateway --rtsp or rtsps--> server

libav never receives the credentials, the server's address or a redirect: it would follow a redirect and send the
credentials along. The gateway logs in (also Digest with SHA-256), verifies TLS (1.2 or later), leaves out tracks that
the server rejects, and announces tracks that may carry KLV as `application`, the only medium from which libav reads
data. Interleaved RTP passes through unchanged; over UDP it goes to libav directly.
"""

from __future__ import annotations

import http.client
import secrets
import select
import socket
import ssl
import threading
from contextlib import suppress
from dataclasses import dataclass
from typing import NamedTuple, Self

from klvrelay.config.url import Url
from klvrelay.sources.libav import sdp
from klvrelay.sources.libav.local_client import accept_client
from klvrelay.sources.libav.rtsp_messages import (
    PIECE,
    MalformedRtsp,
    client_ports,
    field_of,
    is_request,
    messages,
    receive_available,
    status_of,
    with_body,
    with_source,
)
from klvrelay.text import printable
from klvrelay.transports import tls
from klvrelay.transports.http.faults import LOGIN_WAIT, WebFault, connection_fault
from klvrelay.transports.http.login import Challenge, Login, challenges
from klvrelay.transports.http.reach import Reach

_PORTS = {"rtsp": 554, "rtsps": 322}
TRIES = 3
"""Maximum attempts of a request while the server requests another login."""
BEFORE_MOST = 2 << 20
"""Maximum bytes from the server before the session starts."""


@dataclass(slots=True)
class Refusal:
    """Why the server could not be read, in one sentence; and the track concerned, if it concerns one.

    status     of RTSP, 0 if there is none
    wait       seconds before a retry
    location   target of a redirect
    """

    text: str
    track: sdp.Medium | None = None
    status: int = 0
    wait: float = 0.0
    location: str = ""


def port_of(url: Url) -> int:
    return url.port or _PORTS[url.scheme]


class _Request(NamedTuple):
    method: str
    target: str
    text: str
    logged_in: bool = False
    tries: int = 0


class Gateway:
    """One session with a server, for one connection of libav; runs on a thread.

    without    numbers of tracks that are left out
    local      the URL that libav opens
    refusal    why there is no session; None unless rejected
    media      the announced tracks
    udp_ports  libav's ports for RTP and RTCP, if not interleaved
    """

    def __init__(
        self, url: Url, *, timeout: float, reach: Reach, ca_file: str | None = None,
        without: frozenset[int] = frozenset(),
    ) -> None:  # fmt: skip
        self.refusal: Refusal | None = None
        self.media: list[sdp.Medium] = []
        self._url, self._timeout, self._ca_file, self._without = url, timeout, ca_file, without
        self._reach = reach
        self._login = None if url.user is None else Login(url.user, url.password)
        self._listening = socket.create_server(("127.0.0.1", 0))
        token = secrets.token_hex(16)  # so that no other user of this machine gets the session
        self._own = f"rtsp://127.0.0.1:{self._listening.getsockname()[1]}/{token}"
        bare = url._replace(user=None, password=None, query=None, path="").unredacted()
        self._real = bare
        path = url._replace(user=None, password=None).unredacted(without=("via", "transport")).removeprefix(bare)
        self.local = self._own + path
        self.udp_ports: set[int] = set()
        self._pending: list[_Request] = []
        self._playing, self._before = False, 0

    def __enter__(self) -> Self:
        threading.Thread(target=self._run, name="klvrelay-rtsp", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        """Accept no further connection; a session that has started continues."""
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)

    def _run(self) -> None:
        with suppress(OSError):
            with self._listening:
                client, requests = accept_client(self._own.encode(), self._listening, self._timeout + 5)
            with client:  # the refusal is set before libav sees the end of its connection
                self._serve(client, requests)

    def _serve(self, client: socket.socket, requests: bytearray) -> None:
        client.settimeout(self._timeout)
        try:
            try:
                server = self._connect()
            except (OSError, http.client.HTTPException) as fault:
                raise MalformedRtsp(str(connection_fault(fault, self._timeout))) from None
            with server:
                self._relay(client, server, requests)
        except (MalformedRtsp, WebFault) as fault:
            self.refusal = self.refusal or Refusal(str(fault))

    def _connect(self) -> socket.socket:
        host, port = self._url.host, port_of(self._url)
        server = self._reach.connect((host, port), self._timeout)
        if self._url.scheme != "rtsps":
            return server
        try:
            return tls.client_context(self._ca_file).wrap_socket(server, server_hostname=host)
        except BaseException:
            server.close()
            raise

    def _relay(self, client: socket.socket, server: socket.socket, requests: bytearray) -> None:
        responses = bytearray()
        while True:
            for message in messages(requests):
                self._forward_request(message, server)
            decrypted = isinstance(server, ssl.SSLSocket) and server.pending() > 0
            ready = [server] if decrypted else select.select([client, server], [], [])[0]
            if server in ready:
                data = self._receive(server)
                if data == b"":
                    return
                if data is None:
                    pass
                elif self._playing and not responses:
                    client.sendall(data)
                else:
                    responses += data
                    self._forward_responses(responses, client, server)
            if client in ready:
                data = client.recv(PIECE)
                if not data:
                    return
                requests += data

    def _receive(self, server: socket.socket) -> bytes | None:
        """As `receive_available`; raises MalformedRtsp if the server disconnects before the session starts."""
        try:
            data = receive_available(server)
        except OSError as fault:
            raise MalformedRtsp(str(connection_fault(fault, self._timeout))) from None
        if not self._playing:
            if data == b"":
                raise MalformedRtsp("the server closed the connection without a response: is it an RTSP server?")
            self._before += len(data or b"")
            if self._before > BEFORE_MOST:
                raise MalformedRtsp("the server keeps sending without starting a session")
        return data

    def _forward_request(self, message: bytes, server: socket.socket) -> None:
        if message.startswith((b"$", b"RTSP/")):  # RTCP, or a response to a request of the server
            server.sendall(message)
            return
        text = message.decode("utf-8", "surrogateescape").replace(self._own, self._real)
        method, target = [*text.split(" ", 2), ""][:2]
        if method == "SETUP":
            self.udp_ports.update(client_ports(text))
        self._send(_Request(method, target, text), server)

    def _send(self, request: _Request, server: socket.socket) -> None:
        field = None if self._login is None else self._login.header(request.method, request.target)
        text = request.text
        if field is not None:
            head, _, body = text.partition("\r\n\r\n")
            text = f"{head}\r\nAuthorization: {field}\r\n\r\n{body}"
        if not self._playing:
            self._pending.append(request._replace(logged_in=field is not None, tries=request.tries + 1))
        server.sendall(text.encode("utf-8", "surrogateescape"))

    def _forward_responses(self, held: bytearray, client: socket.socket, server: socket.socket) -> None:
        for message in messages(held):
            if self._playing or is_request(message):
                client.sendall(message)
            elif message.startswith(b"$"):
                if any(request.method == "PLAY" for request in self._pending):
                    client.sendall(message)
            elif self._pending:  # an unexpected response is ignored
                response = self._handle_response(self._pending.pop(0), message, server)
                if response is not None:
                    client.sendall(response)
        if self._playing and held:
            client.sendall(held)
            held.clear()

    def _handle_response(self, request: _Request, message: bytes, server: socket.socket) -> bytes | None:
        """The response to pass to libav; None if the request was repeated."""
        head, _, body = message.partition(b"\r\n\r\n")
        lines = head.decode("utf-8", "replace").split("\r\n")
        status = status_of(lines[0])
        if status == 401:
            self._log_in(request, lines, server)
            return None
        if 300 <= status < 400:
            where = field_of(lines, "Location") or "nowhere"
            self.refusal = Refusal("it redirects", status=status, location=where)
            raise MalformedRtsp("it redirects")  # libav must not see the redirect
        if status >= 400:
            self._reject(request, status)
        elif request.method == "DESCRIBE":
            self.media, text = sdp.rewrite(body.decode("utf-8", "surrogateescape"), self._without)
            return with_body(lines, text.encode("utf-8", "surrogateescape"))
        elif request.method == "SETUP":
            return with_source(message, server.getpeername()[0])
        elif request.method == "PLAY":
            self._playing = True
        return message

    def _log_in(self, request: _Request, lines: list[str], server: socket.socket) -> None:
        """Repeat the request with a login; raises MalformedRtsp, with the cause in `refusal`, if that is pointless."""
        offered = challenges(line.partition(":")[2] for line in lines if line.lower().startswith("www-authenticate:"))
        stale = any(one.parameters.get("stale", "").lower() == "true" for one in offered)
        if self._login is None:
            text = "the server requires a user name and a password (401)"
        elif request.logged_in and not (stale and request.tries < TRIES):
            text = f"{self._login.refused} (401)"
        elif request.tries < TRIES and self._login.take(offered):
            self._send(request, server)
            return
        else:
            text = f"the server offers only the login scheme {_named(offered)}, which klvrelay does not support (401)"
        self.refusal = Refusal(text, status=401, wait=LOGIN_WAIT)
        raise MalformedRtsp(text)

    def _reject(self, request: _Request, status: int) -> None:
        if request.method == "OPTIONS":
            return  # libav continues without it
        track = sdp.track_of(self.media, request.target) if request.method == "SETUP" else None
        reason = sdp.STATUS.get(status) or f"the server rejects {request.method}"
        text = f"{reason} ({status})" if track is None else f"{track}: {reason} ({status})"
        self.refusal = Refusal(text, track, status)


def _named(offered: list[Challenge]) -> str:
    kinds = [
        f"Digest {printable(one.algorithm[:20])}" if one.scheme == "digest" else one.scheme.capitalize()
        for one in offered
    ]
    return " and ".join(kinds[:4]) or "nothing"
