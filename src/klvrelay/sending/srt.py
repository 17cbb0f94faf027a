"""srt://: the sending half of `sources/srt.py`, which has the library; next door, `tcp.py`."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self

from klvrelay.errors import ConfigError
from klvrelay.names import Url


class SrtLine:
    """What SRT takes on its live mode: messages of at most 1,316 bytes, which it sends again where they are lost."""

    lossy = False
    troubles = 0

    def __init__(self, url: Url, *, timeout: float) -> None:
        self.url = url
        self.waits = url.options.get("mode") == "listener"
        self._timeout = timeout
        self._sender: Any = None

    async def __aenter__(self) -> Self:
        try:
            from klvrelay.sources.srt import SrtSender
        except ImportError:
            raise ConfigError(f"{self.url}: this klvrelay has no SRT") from None
        self._sender = SrtSender(self.url, timeout=self._timeout)
        await self._sender.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        sender, self._sender = self._sender, None
        if sender is not None:
            await sender.__aexit__(kind, fault, trace)

    def frame(self, payload: bytes, seconds: float) -> bytes:
        return payload

    async def send(self, datagram: bytes) -> None:
        await self._sender.send(datagram)
