"""One connection to a web server. Requests are made on a thread, one at a time."""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Mapping
from contextlib import suppress

from klvrelay.sinks.http.answers import PostAnswer
from klvrelay.transports.http.faults import WebFault
from klvrelay.transports.http.header import Response

BODY_MOST = 64 << 10
"""Maximum bytes of an answer's body that are read, and discarded, so that the connection can be used again."""
BODY_SECONDS = 1.0
"""Maximum seconds for that."""


class PostConnection:
    """A connected socket, with TLS if set.

    is_used    an answer was received on it: the server may close it at any time, which is no fault
    is_usable  another request can follow
    """

    def __init__(self, sock: socket.socket, host: str, timeout: float) -> None:
        self._sock, self._timeout = sock, timeout
        sock.settimeout(timeout)
        self._http = http.client.HTTPConnection(host, timeout=timeout)
        self._http.response_class = Response
        self._http.auto_open = 0
        self._http.sock = sock
        self.is_used, self.is_usable = False, True

    def post(self, target: str, fields: Mapping[str, str], body: bytes) -> PostAnswer:
        """The answer to a POST. Raises OSError, http.client.HTTPException or WebFault."""
        self.is_usable = False
        fault: OSError | None = None
        try:
            self._http.request("POST", target, body, dict(fields))
        except (BrokenPipeError, ConnectionResetError) as refused:  # the answer may have come before the whole body
            fault = refused
        try:
            response = self._http.getresponse()
        except (OSError, http.client.HTTPException):
            if fault is not None:
                raise fault from None
            raise
        is_whole = self._skip(response)
        response.close()
        self.is_used = True
        self.is_usable = is_whole and fault is None
        return PostAnswer(response.status, response.headers)

    def _skip(self, response: http.client.HTTPResponse) -> bool:
        """Read the body, within limits. Returns whether that was all. The status counts in any case."""
        assert isinstance(response, Response)
        if response.will_close:
            return False
        left = BODY_MOST
        self._sock.settimeout(min(self._timeout, BODY_SECONDS))
        response.expect(BODY_SECONDS)
        with suppress(OSError, http.client.HTTPException, WebFault):
            while left > 0 and (piece := response.read1(left)):
                left -= len(piece)
            self._sock.settimeout(self._timeout)
            return response.isclosed() or response.length == 0
        return False

    def is_closed_by_server(self) -> bool:
        """Has the server closed the connection, or sent what was not asked for? Call it while no request is made."""
        self._sock.setblocking(False)
        try:
            self._sock.recv(1)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            self._sock.settimeout(self._timeout)
            return False
        except OSError:
            pass
        return True

    def abort(self) -> None:
        """End a request that is being made; it raises OSError. May be called from another thread."""
        self.is_usable = False
        with suppress(OSError):
            socket.socket.shutdown(self._sock, socket.SHUT_RDWR)  # that of SSLSocket would discard its state

    def close(self) -> None:
        with suppress(OSError):
            self._http.close()
        self._sock.close()
