"""The other end of srt://: sends, for the verb `send`; next door, `srt_line.py` opens the line."""

from __future__ import annotations

import asyncio
import time
from types import TracebackType
from typing import Self

from klvrelay.errors import SinkDown
from klvrelay.names import Secret, Url
from klvrelay.sources.libsrt import Line, LineLost, Option, library
from klvrelay.sources.srt_line import SrtSettings, opened

SIZE = 1316
"""Bytes that go at once: seven packets of MPEG-TS."""
PAUSE = 0.002
"""Seconds between two tries where there is no room."""


class SrtSender:
    """Sends to a srt:// URL: calls, or waits for a call, when it is entered; when it is left, waits until all has
    arrived (for the latency, and `timeout` seconds at most).

    timeout     seconds to wait for an answer to a call (a listener waits without end), and for room to send
    passphrase  counts before the URL's

    Raises ConfigError for a URL that can't be meant and where there is no libsrt, SinkDown where the far end does not
    answer, refuses, or hangs up.
    """

    def __init__(self, url: Url, *, timeout: float = 5.0, passphrase: Secret | None = None) -> None:
        self.url = url
        self._settings = SrtSettings.of(url, passphrase)
        library()
        self._timeout = timeout
        self._line: Line | None = None

    async def __aenter__(self) -> Self:
        try:
            self._line = await opened(self._settings, self._timeout)
        except LineLost as fault:
            raise SinkDown(f"{self.url}: {fault}") from None
        return self

    async def send(self, data: bytes | bytearray | memoryview) -> None:
        """Send 1 to 1316 bytes as one message; waits while there is no room for it."""
        if not 0 < len(data) <= SIZE:
            raise ValueError(f"a message has 1 to {SIZE} bytes, not {len(data)}")
        line = self._line
        if line is None:
            raise SinkDown(f"{self.url}: there is no line to it")
        try:
            begun = time.monotonic()
            while not line.send(data):
                if time.monotonic() - begun > self._timeout:
                    raise LineLost(f"took nothing for {self._timeout:g} s")
                await asyncio.sleep(PAUSE)
        except LineLost as fault:
            raise SinkDown(f"{self.url}: {fault}") from None

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

    async def _arrived(self, line: Line) -> None:
        """Wait until the far end has all: what it holds back for the latency it throws away when we hang up."""
        try:
            latest = time.monotonic() + self._timeout
            while line.number(Option.SNDDATA):
                if time.monotonic() > latest:
                    raise LineLost(f"took nothing for {self._timeout:g} s")
                await asyncio.sleep(PAUSE)
            await asyncio.sleep((line.number(Option.PEERLATENCY) + _GRACE_MS) / 1000)
        except LineLost as gone:
            raise SinkDown(f"{self.url}: {gone} before all had arrived") from None


_GRACE_MS = 50
