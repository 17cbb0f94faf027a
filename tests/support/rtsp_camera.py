"""A scripted camera: any SDP, and any sequence of RTP datagrams, by TCP or UDP.

A test decides which datagrams are lost, repeated or out of order. `feed.RtspServer` behaves correctly, and
`rtsp_servers.py` runs GStreamer's server.
"""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
import struct
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple

KLV = "m=application 0 RTP/AVP 97\r\na=rtpmap:97 SMPTE336M/90000\r\n"
MP2T = "m=video 0 RTP/AVP 33\r\na=rtpmap:33 MP2T/90000\r\n"


class Datagram(NamedTuple):
    """An RTP datagram of a track, sent `pause` seconds after the previous one."""

    data: bytes
    track: int = 0
    pause: float = 0.0


def rtp(
    payloads: Iterable[tuple[int, bytes]], *, kind: int = 97, first: int = 100, track: int = 0, pause: float = 0.0
) -> list[Datagram]:
    """Payloads with their time stamps in RTP packets without a marker, numbered from `first`."""
    return [
        Datagram(struct.pack(">BBHII", 0x80, kind, first + count & 0xFFFF, ticks, 7) + payload, track, pause)
        for count, (ticks, payload) in enumerate(payloads)
    ]


def fragments(units: Iterable[bytes], size: int, *, step: int = 3000) -> list[tuple[int, bytes]]:
    """Units in payloads of at most `size` bytes, each unit with one time stamp."""
    return [
        (step * number, unit[at : at + size])
        for number, unit in enumerate(units, 1)
        for at in range(0, len(unit), size)
    ]


class Camera:
    """An RTSP server for one client at a time with a scripted SDP and datagrams; it ends with BYE and closes.

    media the media of the SDP, in order
    transport   the only one that it grants, "tcp" or "udp"; else the requested one
    refuses     a status for a method, or for the SETUP of a track: {"DESCRIBE": "404 Not Found", "SETUP 1": ...}
    more        header lines of such a refusal
    silent it sends nothing after PLAY
    """

    def __init__(
        self,
        datagrams: Sequence[Datagram],
        media: str = KLV,
        *,
        transport: str = "",
        refuses: Mapping[str, str] | None = None,
        more: str = "",
        silent: bool = False,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._datagrams, self._media, self._only = datagrams, media, transport
        self._refuses, self._more, self._silent, self._tls = refuses or {}, more, silent, tls
        self._clients: dict[int, int] = {}
        self._guests: set[asyncio.Task[None]] = set()
        self.transports: list[str] = []
        self.requests: list[str] = []
        self.targets: list[str] = []
        self.logins: list[str] = []
        self.port = 0

    async def __aenter__(self) -> Camera:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]
        self._udp = socket.socket(type=socket.SOCK_DGRAM)
        self._udp.bind(("127.0.0.1", 0))
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for guest in self._guests:
            guest.cancel()
        await asyncio.gather(*self._guests, return_exceptions=True)
        await self._server.wait_closed()
        self._udp.close()

    def url(self, query: str = "") -> str:
        return f"rtsp://127.0.0.1:{self.port}/live{query}"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        guest = asyncio.current_task()
        assert guest is not None
        self._guests.add(guest)
        self._clients.clear()
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                while self._answer(writer, (await reader.readuntil(b"\r\n\r\n")).decode()):
                    await writer.drain()
                await (asyncio.Event().wait() if self._silent else self._play(writer))
                if self._tls is None:
                    writer.write_eof()
                    await reader.read()  # closing with unread input sends a reset, which discards what was sent
        except asyncio.CancelledError:
            writer.transport.abort()
        finally:
            self._guests.discard(guest)
            writer.close()

    def _answer(self, writer: asyncio.StreamWriter, request: str) -> bool:
        """Answer one request; false once the client sends PLAY."""
        method, url = request.split()[:2]
        fields = dict(line.split(": ", 1) for line in request.strip().split("\r\n")[1:])
        status, more, body = "200 OK", "Session: 1\r\n", ""
        self.requests.append(f"{method} {url[-1]}" if method == "SETUP" else method)
        self.targets.append(url)
        self.logins.append(fields.get("Authorization", ""))
        if refused := self._refuses.get(self.requests[-1], ""):
            status, more = refused, self._more
        elif method == "DESCRIBE":
            numbered = re.sub("(?m)^m=", "\0m=", self._media).split("\0")[1:]
            media = "".join(f"{text}a=control:track{number}\r\n" for number, text in enumerate(numbered))
            body = f"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\n{media}"
            more = f"Content-Type: application/sdp\r\nContent-Length: {len(body)}\r\n"
        elif method == "SETUP":
            status, line = self._set_up(int(url[-1]), fields["Transport"])
            more += line
        writer.write(f"RTSP/1.0 {status}\r\nCSeq: {fields['CSeq']}\r\n{more}\r\n{body}".encode())
        return method != "PLAY" or bool(refused)

    def _set_up(self, track: int, wish: str) -> tuple[str, str]:
        wanted = "tcp" if wish.startswith("RTP/AVP/TCP") else "udp"
        self.transports.append(wanted)
        if self._only not in ("", wanted):
            return "461 Unsupported Transport", ""
        if wanted == "tcp":
            return "200 OK", f"Transport: RTP/AVP/TCP;unicast;interleaved={2 * track}-{2 * track + 1}\r\n"
        ports = wish.partition("client_port=")[2].partition(";")[0]
        self._clients[track] = int(ports.partition("-")[0])
        here = self._udp.getsockname()[1]
        return "200 OK", f"Transport: RTP/AVP;unicast;client_port={ports};server_port={here}-{here + 1}\r\n"

    async def _play(self, writer: asyncio.StreamWriter) -> None:
        for data, track, pause in self._datagrams:
            if pause:
                await asyncio.sleep(pause)
            self._send(writer, data, track)
            await writer.drain()
        await asyncio.sleep(0.05 if self._clients else 0)  # what reordering holds back is output meanwhile
        for track in range(self._media.count("m=")):
            self._send(writer, struct.pack(">BBHI", 0x81, 203, 1, 7), track, control=True)

    def _send(self, writer: asyncio.StreamWriter, data: bytes, track: int, *, control: bool = False) -> None:
        if self._clients:
            self._udp.sendto(data, ("127.0.0.1", self._clients[track] + control))
        else:
            writer.write(b"$" + bytes([2 * track + control]) + len(data).to_bytes(2) + data)
