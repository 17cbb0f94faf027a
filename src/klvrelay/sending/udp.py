"""udp:// and rtp:// destinations: datagrams to an address or a multicast group.

RTP header for MPEG-TS as in RFC 2250 (payload type 33):

| V=2 |P|X|  CC   |M|    PT     |        sequence number        |
|                   timestamp, 90 kHz: when it is due           |
|           synchronization source (SSRC) identifier            |
"""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import random
import socket
import struct
from types import TracebackType
from typing import Self

from klvrelay.config.url import Url
from klvrelay.errors import ConfigError, SourceDown
from klvrelay.transports.address import datagram_sender, resolve

RTP_RATE = 90_000
MP2T = 33
TTL_MOST = 255

_RTP = struct.Struct(">BBHII")
_OPTIONS = {"ttl", "interface", "localaddr", "pkt_size"}
# Errors that end the transmission; all others (no listener, no route, no buffer) may be temporary.
_FATAL = {errno.EMSGSIZE: "a datagram of this size cannot be sent", errno.EACCES: "not permitted to send there"}

LOG = logging.getLogger("klvrelay.sending")


class UdpDestination:
    """Datagrams to one address; they are sent even without a receiver."""

    lossy = True
    listens = False

    def __init__(self, url: Url, *, timeout: float, interface: str | None = None) -> None:
        options = url.options
        if not url.host or url.port is None:
            raise ConfigError(f"{url}: give host and port, as in {url.scheme}://{url.host or '127.0.0.1'}:5000")
        url.check_options(_OPTIONS | ({"ssrc"} if url.scheme == "rtp" else set()))
        self.url = url
        self.unsent = 0
        self._timeout = timeout
        self._interface = interface or options.get("interface") or options.get("localaddr")
        self._ttl = _number(url, "ttl", options.get("ttl"), TTL_MOST)
        ssrc = _number(url, "ssrc", options.get("ssrc"), 0xFFFFFFFF)
        self._rtp = _Rtp(ssrc) if url.scheme == "rtp" else None
        self._logged: set[int] = set()
        self._sock: socket.socket | None = None

    async def __aenter__(self) -> Self:
        try:
            self._sock = await self._open()
        except SourceDown as fault:
            raise SourceDown(f"{self.url}: {fault}") from None
        except OSError as fault:
            raise SourceDown(f"{self.url}: cannot send there: {os.strerror(fault.errno or 0)}") from fault
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._sock is not None:
            self._sock.close()
            self._sock = None

    def frame(self, payload: bytes, seconds: float) -> bytes:
        return payload if self._rtp is None else self._rtp.frame(payload, seconds)

    async def send(self, datagram: bytes) -> None:
        """Send a datagram. An error is logged once, and ends the transmission only if it is permanent."""
        assert self._sock is not None
        try:
            try:
                self._sock.send(datagram)
            except BlockingIOError:
                await asyncio.get_running_loop().sock_sendall(self._sock, datagram)
        except OSError as fault:
            await self._handle_error(datagram, fault.errno or 0)

    async def _open(self) -> socket.socket:
        host = await resolve(self.url.host, self._timeout)
        return datagram_sender(host, self.url.port or 0, self._interface, self._ttl)

    async def _handle_error(self, datagram: bytes, number: int) -> None:
        if number in _FATAL:
            raise SourceDown(f"{self.url}: {_FATAL[number]}")
        if number == errno.ECONNREFUSED:
            # The error reports an earlier datagram; this one has not been sent.
            assert self._sock is not None
            try:
                self._sock.send(datagram)
            except OSError:
                self.unsent += 1
        else:
            self.unsent += 1
        if number not in self._logged:
            self._logged.add(number)
            reason = "no receiver is listening" if number == errno.ECONNREFUSED else os.strerror(number)
            LOG.warning("%s: %s; sending continues", self.url, reason)


class _Rtp:
    """The RTP headers of one sender; initial sequence number, time stamp and SSRC are random (RFC 3550, 5.1)."""

    def __init__(self, ssrc: int | None) -> None:
        self._ssrc = random.getrandbits(32) if ssrc is None else ssrc
        self._sequence = random.getrandbits(16)
        self._begin = random.getrandbits(32)

    def frame(self, payload: bytes, seconds: float) -> bytes:
        ticks = (self._begin + round(seconds * RTP_RATE)) & 0xFFFFFFFF
        header = _RTP.pack(0x80, MP2T, self._sequence, ticks, self._ssrc)
        self._sequence = (self._sequence + 1) & 0xFFFF
        return header + payload


def _number(url: Url, key: str, text: str | None, most: int) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and int(text[:11]) <= most):
        raise ConfigError(f"{url}: {key} is a number from 0 to {most}")
    return int(text)
