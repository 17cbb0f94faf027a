"""srt:// destinations."""

from __future__ import annotations

import asyncio
import time
from types import TracebackType
from typing import Self

from klvrelay.config.url import Url
from klvrelay.errors import SourceDown
from klvrelay.sending.errors import ReceiverDisconnected
from klvrelay.transports.libsrt import ConnectionLost, SrtSocket, library
from klvrelay.transports.srt import SrtSettings, open_socket
from klvrelay.transports.srt_header import Option

SIZE = 1316
"""Bytes per message: seven packets of MPEG-TS."""
PAUSE = 0.002
"""Seconds between retries while the send buffer is full."""
_GRACE_MS = 50


class SrtDestination:
    """Messages of at most 1,316 bytes, which SRT retransmits if they are lost.

    A caller waits `timeout` seconds for an answer, a listener without limit. On close it waits until all has arrived:
    for the latency, and at most `timeout` seconds.

    Raises ConfigError for an invalid URL and if libsrt is not installed.
    """

    lossy = False
    unsent = 0

    def __init__(self, url: Url, *, timeout: float) -> None:
        self.url = url
        self._settings = SrtSettings.of(url)
        self.listens = self._settings.mode == "listener"
        library()  # report a missing libsrt before anything starts
        self._timeout = timeout
        self._socket: SrtSocket | None = None

    async def __aenter__(self) -> Self:
        try:
            self._socket = await open_socket(self._settings, self._timeout)
        except ConnectionLost as fault:
            raise SourceDown(f"{self.url}: {fault}") from None
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        sock, self._socket = self._socket, None
        if sock is None:
            return
        try:
            if fault is None:
                await self._wait_until_arrived(sock)
        finally:
            sock.close()

    def frame(self, payload: bytes, seconds: float) -> bytes:
        return payload

    async def send(self, datagram: bytes) -> None:
        """Raises ReceiverDisconnected if the far end has disconnected, or has taken nothing for `timeout` seconds."""
        assert self._socket is not None
        try:
            for at in range(0, len(datagram), SIZE):
                await self._send_message(self._socket, datagram[at : at + SIZE])
        except ConnectionLost as fault:
            raise ReceiverDisconnected(f"{self.url}: {fault}") from None

    async def _send_message(self, sock: SrtSocket, message: bytes) -> None:
        started = time.monotonic()
        while not sock.send(message):
            await self._pause(started)

    async def _wait_until_arrived(self, sock: SrtSocket) -> None:
        """Wait until the far end has delivered all: on disconnect it discards what it holds back for the latency."""
        try:
            started = time.monotonic()
            while sock.number(Option.SNDDATA):
                await self._pause(started)
            await asyncio.sleep((sock.number(Option.PEERLATENCY) + _GRACE_MS) / 1000)
        except ConnectionLost as fault:
            raise ReceiverDisconnected(f"{self.url}: {fault}, possibly before all data had arrived") from None

    async def _pause(self, started: float) -> None:
        if time.monotonic() - started > self._timeout:
            raise ConnectionLost(f"accepted no data for {self._timeout:g} s")
        await asyncio.sleep(PAUSE)
