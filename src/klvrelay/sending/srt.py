"""srt:// destinations."""

from __future__ import annotations

import asyncio
import time
from types import TracebackType
from typing import Self

from klvrelay.config.url import Url
from klvrelay.errors import SourceDown
from klvrelay.sending.errors import ReceiverGone
from klvrelay.transports.libsrt import ConnectionLost, Option, SrtSocket, library
from klvrelay.transports.srt import SrtSettings, open_socket

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
    troubles = 0

    def __init__(self, url: Url, *, timeout: float) -> None:
        self.url = url
        self._settings = SrtSettings.of(url)
        self.waits = self._settings.mode == "listener"
        library()  # report a missing libsrt before anything starts
        self._timeout = timeout
        self._line: SrtSocket | None = None

    async def __aenter__(self) -> Self:
        try:
            self._line = await open_socket(self._settings, self._timeout)
        except ConnectionLost as fault:
            raise SourceDown(f"{self.url}: {fault}") from None
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        line, self._line = self._line, None
        if line is None:
            return
        try:
            if fault is None:
                await self._arrived(line)
        finally:
            line.close()

    def frame(self, payload: bytes, seconds: float) -> bytes:
        return payload

    async def send(self, datagram: bytes) -> None:
        """Raises ReceiverGone if the far end has disconnected, or has taken nothing for `timeout` seconds."""
        assert self._line is not None
        try:
            for at in range(0, len(datagram), SIZE):
                await self._sent(self._line, datagram[at : at + SIZE])
        except ConnectionLost as gone:
            raise ReceiverGone(f"{self.url}: {gone}") from None

    async def _sent(self, line: SrtSocket, message: bytes) -> None:
        begun = time.monotonic()
        while not line.send(message):
            await self._pause(begun)

    async def _arrived(self, line: SrtSocket) -> None:
        """Wait until the far end has delivered all: on disconnect it discards what it holds back for the latency."""
        try:
            begun = time.monotonic()
            while line.number(Option.SNDDATA):
                await self._pause(begun)
            await asyncio.sleep((line.number(Option.PEERLATENCY) + _GRACE_MS) / 1000)
        except ConnectionLost as gone:
            raise ReceiverGone(f"{self.url}: {gone}, possibly before all data had arrived") from None

    async def _pause(self, begun: float) -> None:
        if time.monotonic() - begun > self._timeout:
            raise ConnectionLost(f"accepted no data for {self._timeout:g} s")
        await asyncio.sleep(PAUSE)
