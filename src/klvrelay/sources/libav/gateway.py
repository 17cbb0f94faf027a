"""What stands between libav and an RTSP server where libav alone will not do: it relays a session, and reads answers.

    libav --rtsp, loopback--> gateway --rtsp or rtsps--> server

It logs in (Digest by SHA-256 too), verifies TLS (1.2 or later), leaves out tracks that the server refuses, and calls
what may be KLV `application`, the only medium that libav takes data from. RTP in the connection passes through as it
is; by UDP it goes to libav directly. Next door: `demuxer.py` uses it, `sdp.py` reads and writes what is announced.
"""

from __future__ import annotations

import http.client
import secrets
import select
import socket
import ssl
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import NamedTuple, Self

from klvrelay import tls
from klvrelay.names import Url
from klvrelay.sources.libav import sdp
from klvrelay.sources.libav.rtsp_wire import (
    PIECE,
    Odd,
    field_of,
    messages,
    status_of,
    what_is_there,
    with_body,
    with_source,
)
from klvrelay.sources.web.faults import LOGIN_WAIT, line_fault
from klvrelay.sources.web.login import Challenge, Login, challenges

_PORTS = {"rtsp": 554, "rtsps": 322}


@dataclass(slots=True)
class Refusal:
    """Why the server was not read: a sentence; the track that it was about, where it was about one.

    wait       seconds before another try
    location   where a redirect leads
    """

    text: str
    track: sdp.Medium | None = None
    wait: float = 0.0
    location: str = ""


class _Request(NamedTuple):
    method: str
    target: str
    text: str
    logged_in: bool


class Gateway:
    """One session with a server, for one connection of libav's; a thread while it stands.

    without   numbers of tracks that are left out
    local     the URL that libav is to open
    refusal   why there was no session; None while nothing was refused
    media     what the server announced
    """

    def __init__(
        self, url: Url, *, timeout: float, ca_file: str | None = None, without: frozenset[int] = frozenset()
    ) -> None:
        self.refusal: Refusal | None = None
        self.media: list[sdp.Medium] = []
        self._url, self._timeout, self._ca_file, self._without = url, timeout, ca_file, without
        self._login = None if url.user is None else Login(url.user, url.password)
        self._listening = socket.create_server(("127.0.0.1", 0))
        token = secrets.token_hex(16)  # so that nobody else on this machine gets the session
        self._own = f"rtsp://127.0.0.1:{self._listening.getsockname()[1]}/{token}"
        bare = replace(url, user=None, password=None, query=None, path="").unredacted()
        self._real = bare
        path = replace(url, user=None, password=None).unredacted(without=("via", "transport")).removeprefix(bare)
        self.local = self._own + path
        self._pending: list[_Request] = []
        self._playing = self._known = False

    def __enter__(self) -> Self:
        threading.Thread(target=self._run, name="klvrelay-rtsp", daemon=True).start()
        return self

    @property
    def needed(self) -> bool:
        """Is there a track that libav passes over, or a login that it does not know?"""
        beyond = self._login is not None and self._login.algorithm not in ("", "MD5", "MD5-SESS")
        return beyond or any(medium.renamed for medium in self.media)

    def inquire(self) -> None:
        """Ask what there is, without a session: `media`, or `refusal`."""
        self._listening.close()
        target = self._real + self.local.removeprefix(self._own)
        text = f"DESCRIBE {target} RTSP/1.0\r\nCSeq: 1\r\nAccept: application/sdp\r\nUser-Agent: klvrelay\r\n\r\n"
        try:
            with self._dial() as server:
                self._send(_Request("DESCRIBE", target, text, False), server)
                self._await_answer(server)
        except Odd as odd:
            self.refusal = Refusal(str(odd))
        except (OSError, http.client.HTTPException) as fault:
            self.refusal = Refusal(str(line_fault(fault, self._timeout)))

    def _await_answer(self, server: socket.socket) -> None:
        held = bytearray()
        until = time.monotonic() + self._timeout
        while time.monotonic() < until:
            data = server.recv(PIECE)
            if not data:
                raise Odd("the server closed the connection without an answer: is it an RTSP server?")
            held += data
            for message in messages(held):
                if message.startswith(b"RTSP/") and self._answer(self._pending.pop(0), message, server) is not None:
                    return
        raise TimeoutError

    def __exit__(self, *_: object) -> None:
        """libav's connection is made, or not to be made any more; a session that stands goes on."""
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)

    def _run(self) -> None:
        try:
            self._listening.settimeout(self._timeout + 5)
            with self._listening, self._listening.accept()[0] as guest:
                self._listening.close()
                guest.settimeout(self._timeout)
                try:
                    server = self._dial()
                except (OSError, http.client.HTTPException) as fault:
                    self.refusal = Refusal(str(line_fault(fault, self._timeout)))
                    return
                with server:
                    self._relay(guest, server)
        except (OSError, Odd) as fault:
            if self.refusal is None and isinstance(fault, Odd):
                self.refusal = Refusal(str(fault))

    def _dial(self) -> socket.socket:
        host, port = self._url.host, self._url.port or _PORTS[self._url.scheme]
        server = socket.create_connection((host, port), timeout=self._timeout)
        if self._url.scheme != "rtsps":
            return server
        try:
            return tls.verifying(self._ca_file).wrap_socket(server, server_hostname=host)
        except BaseException:
            server.close()
            raise

    def _relay(self, guest: socket.socket, server: socket.socket) -> None:
        asked, answered = bytearray(), bytearray()
        while True:
            decrypted = isinstance(server, ssl.SSLSocket) and server.pending() > 0
            ready = [server] if decrypted else select.select([guest, server], [], [])[0]
            if server in ready:
                data = what_is_there(server)
                if data == b"":
                    return
                if data is None:
                    pass
                elif self._playing and not answered:
                    guest.sendall(data)
                else:
                    answered += data
                    self._answers(answered, guest, server)
            if guest in ready:
                data = guest.recv(PIECE)
                if not data:
                    return
                asked += data
                for message in messages(asked):
                    self._ask(message, server)

    def _ask(self, message: bytes, server: socket.socket) -> None:
        if message.startswith(b"$"):
            server.sendall(message)
            return
        text = message.decode("utf-8", "surrogateescape")
        if not self._known and self._own not in text:
            raise Odd("another program spoke to the relay's own port")
        self._known = True
        text = text.replace(self._own, self._real)
        method, target = [*text.split(" ", 2), ""][:2]
        self._send(_Request(method, target, text, False), server)

    def _send(self, request: _Request, server: socket.socket) -> None:
        field = None if self._login is None else self._login.header(request.method, request.target)
        text = request.text
        if field is not None:
            head, _, body = text.partition("\r\n\r\n")
            text = f"{head}\r\nAuthorization: {field}\r\n\r\n{body}"
        self._pending.append(request._replace(logged_in=field is not None))
        server.sendall(text.encode("utf-8", "surrogateescape"))

    def _answers(self, held: bytearray, guest: socket.socket, server: socket.socket) -> None:
        for message in messages(held):
            if message.startswith(b"$") or not message.startswith(b"RTSP/") or not self._pending:
                guest.sendall(message)  # RTP, or a request of the server's own
                continue
            request = self._pending.pop(0)
            answer = self._answer(request, message, server)
            if answer is not None:
                guest.sendall(answer)
        if self._playing and held:
            guest.sendall(held)
            held.clear()

    def _answer(self, request: _Request, message: bytes, server: socket.socket) -> bytes | None:
        """What libav gets of an answer; None: the request was made again."""
        head, _, body = message.partition(b"\r\n\r\n")
        lines = head.decode("utf-8", "replace").split("\r\n")
        status = status_of(lines[0])
        if status == 401:
            return None if self._logged_in(request, lines, server) else message
        if 300 <= status < 400:
            self.refusal = Refusal("it redirects", location=field_of(lines, "Location"))
        elif status >= 400:
            self._refused(request, status)
        elif request.method == "DESCRIBE":
            self.media, text = sdp.rewritten(body.decode("utf-8", "surrogateescape"), self._without)
            return with_body(lines, text.encode("utf-8", "surrogateescape"))
        elif request.method == "SETUP":
            return with_source(message, server.getpeername()[0])
        elif request.method == "PLAY":
            self._playing = True
        return message

    def _logged_in(self, request: _Request, lines: list[str], server: socket.socket) -> bool:
        offered = challenges(line.partition(":")[2] for line in lines if line.lower().startswith("www-authenticate:"))
        stale = any(one.parameters.get("stale", "").lower() == "true" for one in offered)
        if self._login is None:
            text = "the server wants a user and a password (401)"
        elif request.logged_in and not stale:
            text = "the server refuses the user or the password (401)"
        elif self._login.take(offered):
            self._send(request, server)
            return True
        else:
            text = f"the server offers only {_named(offered)} to log in, which klvrelay does not know (401)"
        self.refusal = Refusal(text, wait=LOGIN_WAIT)
        return False

    def _refused(self, request: _Request, status: int) -> None:
        if request.method == "OPTIONS" or (request.method in ("GET_PARAMETER", "TEARDOWN") and self._playing):
            return  # libav does without
        track = sdp.meant(self.media, request.target) if request.method == "SETUP" else None
        said = sdp.STATUS.get(status) or f"the server refuses {request.method}"
        self.refusal = Refusal(f"{said} ({status})" if track is None else f"{track}: {said} ({status})", track)


def _named(offered: list[Challenge]) -> str:
    kinds = [f"Digest {one.algorithm[:20]}" if one.scheme == "digest" else one.scheme.capitalize() for one in offered]
    return " and ".join(kinds[:4]) or "nothing"
