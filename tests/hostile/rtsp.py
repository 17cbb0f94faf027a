"""Hostile RTSP servers: the answers of `servers.Hostile`, method by method."""

from __future__ import annotations

import struct
from collections.abc import Mapping

from servers import Line, Request, Script

KLV = "m=application 0 RTP/AVP 97\r\na=rtpmap:97 SMPTE336M/90000\r\na=control:track0\r\n"


def answer(request: Request, status: str = "200 OK", more: str = "", body: str = "") -> bytes:
    """An answer with the number of its request; `more` holds header lines, each with its line end."""
    length = f"Content-Length: {len(body)}\r\n" if body else ""
    return f"RTSP/1.0 {status}\r\nCSeq: {request.field('CSeq')}\r\n{more}{length}\r\n{body}".encode()


def described(request: Request, media: str = KLV) -> bytes:
    body = f"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\n{media}"
    return answer(request, more="Content-Type: application/sdp\r\n", body=body)


def rtp(payload: bytes, number: int) -> bytes:
    """An interleaved RTP datagram of track 0."""
    data = struct.pack(">BBHII", 0x80, 97, number & 0xFFFF, 3000 * number, 7) + payload
    return b"$\x00" + len(data).to_bytes(2) + data


def server(scripts: Mapping[str, Script | str]) -> Script:
    """A camera with one interleaved KLV track; `scripts` replaces answers by method: a script, or status and fields.

    "401 Unauthorized\\r\\nWWW-Authenticate: ..." is a status with a field.
    """

    async def script(line: Line, request: Request) -> None:
        special = scripts.get(request.method)
        if callable(special):
            await special(line, request)
        elif special is not None:
            status, _, fields = special.partition("\r\n")
            await line.send(answer(request, status, fields and fields + "\r\n"))
        elif request.method == "DESCRIBE":
            await line.send(described(request))
        elif request.method == "SETUP":
            await line.send(answer(request, more="Session: 1\r\nTransport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n"))
        else:
            await line.send(answer(request, more="Session: 1\r\n"))

    return script
