"""Real senders for tests: a small recording and what sends it by UDP, RTP, TCP and RTSP.

Each KLV packet of the recording carries its sequence number as its mission id, "0", "1", ...
"""

from __future__ import annotations

import asyncio
import base64
import itertools
import socket
import ssl
import struct
import subprocess
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

UAS_KEY = bytes.fromhex("060e2b34020b01010e01030101000000")
PMT_PID, PCR_PID, KLV_PID = 0x1000, 0x100, 0x101
FIRST_TIME = 1_340_977_512_000_000
"""Item 2 of the first packet."""


def klv_packet(sequence: int, time_us: int, padding: int = 0) -> bytes:
    """A valid ST 0601 packet: time, mission id (the sequence number), version, checksum.

    padding   bytes of an item 150 that no version defines
    """
    mission = str(sequence).encode()
    items = b"\x02\x08" + time_us.to_bytes(8) + bytes([3, len(mission)]) + mission + b"\x41\x01\x13"
    if padding:
        items += b"\x81\x16\x82" + padding.to_bytes(2) + bytes(place % 251 for place in range(padding))
    head = UAS_KEY + b"\x82" + (len(items) + 4).to_bytes(2) + items + b"\x01\x02"
    total = (sum(head[::2]) << 8) + sum(head[1::2])
    return head + (total & 0xFFFF).to_bytes(2)


@dataclass(frozen=True, slots=True)
class Recording:
    """A transport stream and its KLV packets, in order."""

    ts: bytes
    klv: list[bytes]

    @property
    def bare(self) -> bytes:
        """The KLV packets without a container."""
        return b"".join(self.klv)


@lru_cache(64)
def recording(
    count: int = 30, hz: float = 30.0, *, first_pcr: int = 900_000, filler: int = 0, padding: int = 0,
    pid: int = KLV_PID,
) -> Recording:
    """`count` KLV packets at `hz`, each after tables and a PCR, and before `filler` null packets."""
    ts, klv = bytearray(), []
    pieces = endless(hz, first_pcr=first_pcr, filler=filler, padding=padding, pid=pid)
    for packet, piece in itertools.islice(pieces, count):
        klv.append(packet)
        ts += piece
    return Recording(bytes(ts), klv)


def endless(
    hz: float = 30.0, *, first_pcr: int = 900_000, filler: int = 0, padding: int = 0, pid: int = KLV_PID
) -> Iterator[tuple[bytes, bytes]]:
    """One KLV packet after another, each with the piece of the transport stream that contains it."""
    mux = _Mux(pid)
    for sequence in itertools.count():
        ticks = (first_pcr + round(sequence * 90_000 / hz)) % (1 << 33)
        packet = klv_packet(sequence, FIRST_TIME + round(sequence * 1_000_000 / hz), padding)
        yield packet, mux.tables() + mux.pcr(ticks) + mux.pes(packet, ticks) + mux.null() * filler


class _Mux:
    """A minimal multiplexer: PAT, PMT, PCR packets, private PES with PTS."""

    def __init__(self, pid: int = KLV_PID) -> None:
        self._counters: dict[int, int] = {}
        self._pid = pid

    def tables(self) -> bytes:
        pat = struct.pack(">HBBBHH", 1, 0xC1, 0, 0, 1, 0xE000 | PMT_PID)
        registration = b"\x05\x04KLVA"
        pmt = struct.pack(">HBBBHHBHH", 1, 0xC1, 0, 0, 0xE000 | PCR_PID, 0xF000, 6, 0xE000 | self._pid, 0xF006)
        return self._section(0, 0, pat) + self._section(PMT_PID, 2, pmt + registration)

    def _section(self, pid: int, table: int, body: bytes) -> bytes:
        section = bytes([table]) + (0xB000 | len(body) + 4).to_bytes(2) + body
        section += _crc32(section).to_bytes(4)
        return self._packet(pid, b"\x00" + section, start=True, fill=b"\xff")

    def pcr(self, ticks: int) -> bytes:
        field = b"\x10" + struct.pack(">IH", ticks >> 1, (ticks & 1) << 15 | 0x7E00)
        head = struct.pack(">BHB", 0x47, PCR_PID, 0x20 | self._counters.get(PCR_PID, 0))
        return head + bytes([183]) + field.ljust(183, b"\xff")

    def null(self) -> bytes:
        return b"\x47\x1f\xff\x10" + b"\xff" * 184

    def pes(self, payload: bytes, ticks: int) -> bytes:
        pts = struct.pack(
            ">BHH",
            0x21 | ticks >> 29 & 0x0E,
            ticks >> 14 & 0xFFFE | 1,
            ticks << 1 & 0xFFFE | 1,
        )
        pes = b"\x00\x00\x01\xbd" + (len(payload) + 8).to_bytes(2) + b"\x84\x80\x05" + pts + payload
        pieces = [pes[at : at + 184] for at in range(0, len(pes), 184)]
        return b"".join(self._packet(self._pid, piece, start=at == 0) for at, piece in enumerate(pieces))

    def _packet(self, pid: int, payload: bytes, *, start: bool, fill: bytes = b"") -> bytes:
        counter = self._counters.get(pid, -1) + 1 & 0x0F
        self._counters[pid] = counter
        room = 184 - len(payload)
        if fill or not room:
            return struct.pack(">BHB", 0x47, start << 14 | pid, 0x10 | counter) + payload + fill * room
        field = bytes([room - 1]) + (b"\x00".ljust(room - 1, b"\xff") if room > 1 else b"")
        return struct.pack(">BHB", 0x47, start << 14 | pid, 0x30 | counter) + field + payload


@cache
def _crc32(data: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1 ^ (0x04C11DB7 if crc & 0x80000000 else 0)) & 0xFFFFFFFF
    return crc


def datagrams(data: bytes, size: int = 1316) -> list[bytes]:
    """The bytes in datagrams of seven TS packets."""
    return [data[at : at + size] for at in range(0, len(data), size)]


def rtp_datagrams(payloads: Iterable[bytes], *, first: int = 65_530, ssrc: int = 7) -> list[bytes]:
    """Each payload with an RTP header; the sequence numbers soon wrap."""
    return [
        struct.pack(">BBHII", 0x80, 33, (first + count) & 0xFFFF, count * 3000, ssrc) + payload
        for count, payload in enumerate(payloads)
    ]


def send_udp(data: Sequence[bytes], port: int, host: str = "127.0.0.1", *, interface: str = "127.0.0.1") -> None:
    """Send datagrams back to back; to a multicast group through `interface`."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        if family == socket.AF_INET:
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(interface))
        else:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, socket.if_nametoindex("lo"))
        for datagram in data:
            sock.sendto(datagram, (host, port))


async def listening(port: int, kind: str = "udp", within: float = 10.0) -> None:
    """Return once a socket on this machine listens to the port; fails after `within` seconds."""
    wanted = f":{port:04X}"
    async with asyncio.timeout(within):
        while not any(_is_open(Path(f"/proc/net/{kind}{version}"), wanted) for version in ("", "6")):
            await asyncio.sleep(0.01)


def _is_open(table: Path, wanted: str) -> bool:
    if not table.exists():
        return False
    rows = [line.split() for line in table.read_text().splitlines()[1:]]
    return any(row[1].endswith(wanted) and row[3] in ("07", "0A") for row in rows)


@cache
def in_real_time() -> tuple[str, ...]:
    """ffmpeg's options that pace from the first byte: since 6.1 it sends half a second at once."""
    options = subprocess.run(["ffmpeg", "-v", "error", "-h", "full"], capture_output=True, text=True, check=True).stdout
    return "-re", *(("-readrate_initial_burst", "0.001") if "-readrate_initial_burst" in options else ())


@asynccontextmanager
async def ffmpeg(path: Path, *output: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """An ffmpeg process that sends a file in real time; it ends with the block."""
    process = await asyncio.create_subprocess_exec(
        "ffmpeg", "-v", "error", "-nostdin", *in_real_time(), "-i", str(path), "-map", "0", "-c", "copy", *output,
        stdin=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


@asynccontextmanager
async def tcp_server(data: bytes, *, hang: bool = False) -> AsyncIterator[int]:
    """A server that sends `data` to each client, then closes (or stays silent); returns its port."""
    gone = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            writer.write(data)
            await writer.drain()
            if hang:
                await gone.wait()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            gone.set()


@asynccontextmanager
async def http_server(
    body: bytes,
    *,
    status: str = "200 OK",
    ranges: bool = True,
    length: bool = True,
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[int]:
    """A web server with one resource; `length` announces its length, `ranges` allows range requests. Returns its port.
    """

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            request = (await reader.readuntil(b"\r\n\r\n")).decode()
            begin = request.partition("Range: bytes=")[2].partition("-")[0] if ranges else ""
            at, code, head = int(begin or 0), status, ""
            if begin and code == "200 OK":
                code = "206 Partial Content"
                head += f"Content-Range: bytes {at}-{len(body) - 1}/{len(body)}\r\n"
            if ranges:
                head += "Accept-Ranges: bytes\r\n"
            if length:
                head += f"Content-Length: {len(body) - at}\r\n"
            writer.write(f"HTTP/1.1 {code}\r\nConnection: close\r\n{head}\r\n".encode() + body[at:])
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    async with server:
        yield server.sockets[0].getsockname()[1]


class RtspServer:
    """A minimal RTSP server: RTP interleaved in TCP (RFC 2326, 10.12), Basic authentication.

    payloads   (time stamp, payload) of the RTP that it sends after PLAY, then it closes
    media      the SDP line of its one medium, and its rtpmap
    seconds    over which it sends them, or all at once
    hang it keeps the connection open and stays silent
    """

    MP2T = ("video 0 RTP/AVP 33", "33 MP2T/90000")
    KLV = ("application 0 RTP/AVP 97", "97 SMPTE336M/90000")

    def __init__(
        self,
        payloads: Sequence[tuple[int, bytes]],
        media: tuple[str, str] = MP2T,
        *,
        credentials: str = "",
        hang: bool = False,
        seconds: float = 0.0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._payloads, self._media, self._hang, self._tls = payloads, media, hang, tls
        self._seconds = seconds
        self._allowed = base64.b64encode(credentials.encode()).decode() if credentials else ""
        self._gone = asyncio.Event()
        self.port = 0

    async def __aenter__(self) -> RtspServer:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._gone.set()
        self._server.close()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            while self._answer(writer, (await reader.readuntil(b"\r\n\r\n")).decode()):
                await writer.drain()
            await self._play(writer)
            if self._hang:
                await self._gone.wait()
        writer.close()

    def _answer(self, writer: asyncio.StreamWriter, request: str) -> bool:
        """Answer one request; false once the client sends PLAY."""
        method = request.split()[0]
        fields = dict(line.split(": ", 1) for line in request.strip().split("\r\n")[1:])
        status, more, body = "200 OK", "Session: 1\r\n", ""
        if self._allowed and fields.get("Authorization") != f"Basic {self._allowed}":
            status, more = "401 Unauthorized", 'WWW-Authenticate: Basic realm="camera"\r\n'
        elif method == "OPTIONS":
            more = "Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN\r\n"
        elif method == "DESCRIBE":
            line, kind = self._media
            body = f"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm={line}\r\na=rtpmap:{kind}\r\n"
            body += "a=control:0\r\n"
            more = f"Content-Type: application/sdp\r\nContent-Length: {len(body)}\r\n"
        elif method == "SETUP":
            more += "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n"
        writer.write(f"RTSP/1.0 {status}\r\nCSeq: {fields['CSeq']}\r\n{more}\r\n{body}".encode())
        return method != "PLAY"

    async def _play(self, writer: asyncio.StreamWriter) -> None:
        kind = int(self._media[1].split()[0])
        for count, (ticks, payload) in enumerate(self._payloads):
            datagram = struct.pack(">BBHII", 0x80, kind, count & 0xFFFF, ticks, 7) + payload
            writer.write(b"$\x00" + len(datagram).to_bytes(2) + datagram)
            await writer.drain()
            if self._seconds:
                await asyncio.sleep(self._seconds / len(self._payloads))
